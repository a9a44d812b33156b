-- TLS and a login over a pool: they are done once for each client, however many requests there are.
local core = require "modm.core"
local help = require "spec.relation.help"
local loops = require "spec.support.loops"
local modm = require "modm"
local tls = require "spec.support.tls"

local ALIAS, CLIENTS, REQUESTS = "tls_pool", 8, 400

if not os.getenv "MODM_MONGOD" then
  describe("a pool with TLS", function() pending "needs a mongod of our own" end)
  return
end

describe("a pool with TLS", function()
  local own, asking, conn, Item

  setup(function()
    own = tls.start()
    asking = assert(core.client(own.scram "admin"))
    conn = assert(modm.connect(own.scram "tls_pool",
      { alias = ALIAS, transport = "pool", maxPoolSize = CLIENTS, threads = CLIENTS }))
    Item = modm.MongoModel:extend("TlsItem", {
      n = modm.fields.IntegerField { primary_key = true },
      text = modm.fields.CharField {}, Meta = { connection_alias = ALIAS },
    })
  end)

  teardown(function()
    modm.disconnect(ALIAS)
    asking:close()
    own.stop()
  end)

  -- Connections and logins that the server has seen since it began. Who asks has one already.
  local function seen()
    local op = core.command(asking, "read", "admin", core.ordered { { "serverStatus", 1 } })
    assert(op:run())
    local reply = op:reply()
    local scram = reply.security.authentication.mechanisms["SCRAM-SHA-256"]
    return { connections = reply.connections.totalCreated, logins = scram.authenticate.successful }
  end

  local function requests(n)
    local loop, left = loops.cqueues(), n
    for worker = 1, CLIENTS do
      loop.spawn(function()
        while left > 0 do
          left = left - 1
          assert(assert(Item.objects:get { n = worker }).text == "item " .. worker)
        end
      end)
    end
    loop.run()
  end

  it("opens no connection for a request", function()
    for n = 1, CLIENTS do assert(Item { n = n, text = "item " .. n }:save()) end
    -- Held, so that all clients are taken at once.
    help.failpoint(conn, { times = CLIENTS },
      { failCommands = { "find" }, blockConnection = true, blockTimeMS = 200 })
    requests(4 * CLIENTS)
    local before = seen()
    requests(REQUESTS)
    assert.same(before, seen())
  end)
end)
