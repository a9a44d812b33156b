-- A change stream through a step-down of the primary: each change once, in order.
local core = require "modm.core"
local modm = require "modm"
local server = require "spec.support.server"

local COUNT, PIECE = 10000, 500

describe("a change stream through a step-down", function()
  local own, conn

  local function command(body)
    return conn:run(core.command(conn.client, "write", "admin", body))
  end

  setup(function()
    own = server.start("--replSet steps")
    if not own then return end
    conn = assert(modm.connect(own.uri .. "/steps?directConnection=true", { alias = "steps" }))
    assert(command(core.ordered { { "replSetInitiate", {
      _id = "steps", members = core.array { { _id = 0, host = "127.0.0.1:" .. own.port } },
      settings = { electionTimeoutMillis = 1000 },
    } } }))
    conn = assert(modm.connect(own.uri .. "/steps?replicaSet=steps", { alias = "steps" }))
  end)

  teardown(function()
    modm.disconnect "steps"
    if own then own.stop() end
  end)

  it("tells of 10,000 documents, each once", function()
    if not own then return pending "no mongod of our own with MONGODB_URI" end
    local Event = modm.MongoModel:extend("watch.Event", {
      n = modm.fields.IntegerField {}, Meta = { connection_alias = "steps", final = true },
    })
    local stream = assert(Event.objects:all():watch { max_await_ms = 100 })
    local written, read = 0, 0
    local function write_piece()
      local list = {}
      for i = 1, PIECE do list[i] = Event { n = written + i } end
      assert(Event.objects:bulk_create(list))
      written = written + PIECE
    end
    local function read_to(n)
      while read < n do
        local change, message = stream:next()
        assert(not message, message)
        if change then
          read = read + 1
          assert.equal(read, change.document.n)
        end
      end
    end
    while written < COUNT do
      write_piece()
      read_to(written - PIECE / 2) -- something is always on its way
      if written == 3000 or written == 7000 then
        assert(command(core.ordered { { "replSetStepDown", 1 }, { "force", true } }))
      end
    end
    read_to(COUNT)
    assert.is_nil((stream:next()))
    stream:close()
  end)

  it("says that the server has gone, and where it was", function()
    if not own then return pending "no mongod of our own with MONGODB_URI" end
    assert(modm.connect(own.uri .. "/steps?replicaSet=steps",
      { alias = "gone", serverSelectionTimeoutMS = 300 }))
    local Lost = modm.MongoModel:extend("watch.Lost", {
      n = modm.fields.IntegerField {}, Meta = { connection_alias = "gone", final = true },
    })
    local stream = assert(Lost.objects:all():watch { max_await_ms = 50 })
    assert(Lost { n = 1 }:save())
    assert.equal(1, stream:next().document.n)
    local token = stream.token
    own.stop()
    own = nil
    local change, message, err = stream:next()
    assert.is_nil(change)
    assert.equal("string", type(message))
    assert.equal("ConnectionError", err.kind)
    assert.is_true(stream.closed)
    assert.same(token, stream.token)
    assert.is_nil((stream:next()))
    local ok, raised = pcall(function() for _ in stream:iter() do error "a change" end end)
    assert.is_true(ok, raised)
    modm.disconnect "gone"
  end)
end)
