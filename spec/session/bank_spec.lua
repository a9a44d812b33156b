-- The bank: eight processes move money between a hundred accounts while the primary steps down.
local core = require "modm.core"
local server = require "spec.support.server"
local support = require "spec.driver.support"

local ACCOUNTS, TELLERS, TRANSFERS, BALANCE = 100, 8, 25, 1000

-- The interpreter that runs the specs.
local function interpreter()
  local i = 0
  while arg[i - 1] do i = i - 1 end
  return arg[i]
end

-- A replica set of one, which elects itself soon after it stepped down.
local function start_set()
  local own = server.start("--replSet bank")
  if not own then return nil end
  local client = support.client(nil, own.uri .. "/admin?directConnection=true")
  support.run(client, "read", { { "replSetInitiate", {
    _id = "bank", members = core.array { { _id = 0, host = "127.0.0.1:" .. own.port } },
    settings = { electionTimeoutMillis = 1000 } } } })
  client:close()
  return own
end

describe("a bank", function()
  it("neither loses nor doubles a transfer while its primary steps down", function()
    local own = start_set()
    if not own then return end
    local uri = own.uri .. "/bank?replicaSet=bank"
    local client = support.client(nil, uri)
    local accounts = {}
    for i = 1, ACCOUNTS do
      accounts[i] = { _id = i, balance = BALANCE, _cls = "Account" }
    end
    support.insert(client, "account", accounts)

    local pipes = {}
    for i = 1, TELLERS do
      pipes[i] = assert(io.popen(("%s spec/session/teller.lua '%s' %d %d 2>&1"):format(
        interpreter(), uri, i, TRANSFERS)))
    end
    local steps = 0
    for _ = 1, 3 do
      os.execute "sleep 0.4"
      local op = core.command(client, "read", "admin", core.ordered {
        { "replSetStepDown", 1 }, { "force", true } })
      if op:run() then steps = steps + 1 end
    end

    local expected, done = {}, 0
    for i = 1, ACCOUNTS do expected[i] = BALANCE end
    for _, pipe in ipairs(pipes) do
      for line in pipe:lines() do
        local from, to, amount = line:match "^done%s(%d+)%s(%d+)%s(%d+)$"
        assert(from, line)
        done = done + 1
        from, to = tonumber(from), tonumber(to)
        expected[from] = expected[from] - amount
        expected[to] = expected[to] + amount
      end
      pipe:close()
    end
    local sum, stored = 0, {}
    for _, doc in ipairs(support.all(core.find(client, nil, "account", {}))) do
      sum, stored[doc._id] = sum + doc.balance, doc.balance
    end
    local notes = support.run(client, "read", { { "count", "note" } }).n
    client:close()
    own.stop()
    assert.is_true(steps > 0)
    assert.are.equal(TELLERS * TRANSFERS, done)
    assert.are.equal(TELLERS * TRANSFERS + TELLERS, notes)
    assert.are.equal(ACCOUNTS * BALANCE, sum)
    for i = 1, ACCOUNTS do assert.are.equal(expected[i], stored[i]) end
  end)
end)
