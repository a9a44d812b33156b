-- Change streams beside sessions and transactions.
local help = require "spec.query.help"
local modm = require "modm"
local fields = modm.fields

local ALIAS = "session-stream"
local Thing = modm.MongoModel:extend("StreamedThing", { n = fields.IntegerField {},
  Meta = { connection_alias = ALIAS } })

describe("a change stream", function()
  setup(function() help.connect(ALIAS) end)
  teardown(function() modm.disconnect(ALIAS) end)

  local function next_n(stream)
    local change = stream:next()
    return change and change.document.n
  end

  it("may be in a session, and goes on after it was left", function()
    local session = assert(modm.session(ALIAS))
    local stream
    local commands = help.sent(function()
      stream = assert(session:run(function()
        assert(Thing { n = 1 }:save())
        return Thing.objects:watch { max_await_ms = 2000 }
      end))
    end)
    assert.are.equal(commands[1].command.lsid.id, commands[2].command.lsid.id)
    assert(Thing { n = 2 }:save())
    assert.are.equal(2, next_n(stream))
    stream:close()
    session:close()
  end)

  it("cannot be opened in a transaction, and says so", function()
    local none, message, err = modm.transaction(ALIAS, function() return Thing.objects:watch() end)
    assert.is_nil(none)
    assert.are.equal("ServerError", err.kind)
    assert.is_truthy(message:find("transaction", 1, true))
  end)

  it("tells in a transaction what others have committed, of its own when it is", function()
    local stream = assert(Thing.objects:watch { max_await_ms = 2000 })
    assert(modm.transaction(ALIAS, function()
      assert(Thing { n = 3 }:save())
      assert(Thing { n = 4 }:save { session = false })
      assert.are.equal(4, next_n(stream))
      return true
    end))
    assert.are.equal(3, next_n(stream))
    stream:close()
  end)
end)
