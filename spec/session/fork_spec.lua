-- Sessions and transactions of a process that forks: the child gets an error that says so, and the
-- parent goes on.
local fork = require "spec.support.fork"
local help = require "spec.query.help"
local modm = require "modm"
local fields = modm.fields

local ALIAS = "session-fork"
local Thing = modm.MongoModel:extend("ForkedThing", { n = fields.IntegerField {},
  Meta = { connection_alias = ALIAS } })

describe("a session at a fork", function()
  before_each(function() help.connect(ALIAS) end)
  after_each(function() modm.disconnect(ALIAS) end)

  local function in_vain(none, message, err)
    return none == nil and err.kind == "OperationError"
      and message:find("belongs to the process before a fork", 1, true) ~= nil
  end

  it("is the parent's: the child gets an error, and may begin one of its own", function()
    local session = assert(modm.session(ALIAS))
    assert(Thing { n = 1 }:save { session = session })
    assert.is_true(fork.child(function()
      assert(Thing.objects:all():count() == 1)
      assert(in_vain(Thing.objects:session(session):all():list()))
      assert(in_vain(session:run(function() return Thing { n = 2 }:save() end)))
      assert(not session:in_transaction())
      session:close()
      return assert(modm.session(ALIAS)):run(function() return Thing { n = 3 }:save() end) ~= nil
    end))
    assert.are.equal(2, Thing.objects:session(session):all():count())
    assert(Thing { n = 4 }:save { session = session })
    session:close()
  end)

  it("keeps the parent's transaction, whatever becomes of it in the child", function()
    for _, use in ipairs {
      function() return in_vain(Thing { n = 2 }:save()) end,
      function(session)
        session:close()
        return in_vain(Thing { n = 2 }:save())
      end,
      function(session)
        modm.disconnect(ALIAS)
        return not session:in_transaction()
      end,
      function()
        collectgarbage()
        return true
      end,
    } do
      local before = Thing.objects:all():count()
      assert.is_true(modm.transaction(ALIAS, function(session)
        assert(Thing { n = 1 }:save())
        assert.is_true(fork.child(function() return use(session) end))
        assert(session:in_transaction())
        assert(Thing { n = 5 }:save())
        return true
      end))
      assert.are.equal(before + 2, Thing.objects:all():count())
    end
  end)

  it("gives the child an error where it would commit what the parent began", function()
    local co = coroutine.create(function()
      return modm.transaction(ALIAS, function()
        assert(Thing { n = 1 }:save())
        coroutine.yield()
        return true
      end)
    end)
    assert(coroutine.resume(co))
    assert.is_true(fork.child(function()
      local ok, none, message, err = coroutine.resume(co)
      return ok and in_vain(none, message, err)
    end))
    assert.are.same({ true, true }, { coroutine.resume(co) })
    assert.are.equal(1, Thing.objects:all():count())
  end)
end)
