-- What a transaction's body must not do, and servers without transactions: errors that say so.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"
local server = require "spec.support.server"
local fields = modm.fields

local ALIAS = "tx-misuse"
local Thing = modm.MongoModel:extend("TxThing", { n = fields.IntegerField { primary_key = true },
  Meta = { connection_alias = ALIAS } })

describe("a transaction's body", function()
  before_each(function()
    help.connect(ALIAS)
    assert(Thing { n = 1 }:save())
  end)

  after_each(function() modm.disconnect(ALIAS) end)

  local function transaction(fn, options) return modm.transaction(ALIAS, fn, options) end

  local function count() return assert(Thing.objects:session(false):all():count()) end

  it("may disconnect: the transaction ends with an error", function()
    for _, disconnect in ipairs { function() modm.disconnect(ALIAS) end, modm.disconnect,
      function() require "modm.connection".get(ALIAS).client:close() end } do
      local none, message, err = transaction(function()
        assert(Thing { n = 2 }:save())
        disconnect()
        return true
      end)
      assert.is_nil(none)
      assert.are.same({ "ConnectionError", "the connection is closed" }, { err.kind, message })
      none, message, err = transaction(function()
        disconnect()
        return Thing { n = 2 }:save()
      end)
      assert.is_nil(none)
      assert.is_truthy(message:find("connect", 1, true))
      assert.is_truthy(err.kind == "ConfigurationError" or err.kind == "ConnectionError")
      modm.disconnect(ALIAS)
      help.connect(ALIAS)
      assert.are.equal(0, count())
    end
  end)

  it("may raise after it disconnected", function()
    local ok, raised = pcall(transaction, function()
      assert(Thing { n = 2 }:save())
      modm.disconnect(ALIAS)
      error("enough", 0)
    end)
    assert.are.same({ false, "enough" }, { ok, raised })
  end)

  it("may connect anew: what was begun on the old connection ends with an error", function()
    local none, message, err = transaction(function()
      assert(Thing { n = 2 }:save())
      help.connect(ALIAS)
      return Thing { n = 3 }:save()
    end)
    if none ~= nil then -- committed on the old one, as nothing closes it while it is used
      assert.are.equal(1, count())
    else
      assert.is_truthy(message .. tostring(err))
    end
  end)

  it("may end its session: nothing is committed, and the error says why", function()
    for _, finish in ipairs { function(session) session:close() end,
      function(session) session.handle:close() end } do
      local none, message, err = transaction(function(session)
        assert(Thing { n = 2 }:save())
        finish(session)
        assert.is_false(session:in_transaction())
        return true
      end)
      assert.is_nil(none)
      assert.are.equal("OperationError", err.kind)
      assert.is_truthy(message:find("session has ended", 1, true))
      assert.are.equal(1, count())
    end
    local none, message = transaction(function(session)
      session:close()
      return Thing { n = 2 }:save()
    end)
    assert.is_nil(none)
    assert.is_truthy(message:find("session has ended", 1, true))
    assert.are.equal(1, count())
  end)

  it("may raise, yield and write in any order", function()
    local co = coroutine.create(function()
      return transaction(function()
        assert(Thing { n = 2 }:save())
        coroutine.yield "first"
        assert(Thing { n = 3 }:save())
        coroutine.yield "second"
        error { "thrown" }
      end)
    end)
    assert.are.same({ true, "first" }, { coroutine.resume(co) })
    assert.are.same({ true, "second" }, { coroutine.resume(co) })
    local ok, raised = coroutine.resume(co)
    assert.are.same({ false, "thrown" }, { ok, raised[1] })
    assert.are.equal(1, count())
  end)

  it("may not begin another one, also after a write, and then nothing is committed", function()
    local ok, raised = pcall(transaction, function(session)
      assert(Thing { n = 2 }:save())
      session:run(function() transaction(function() end) end)
    end)
    assert.is_false(ok)
    assert.is_truthy(raised:find("do not nest", 1, true))
    assert.are.equal(1, count())
    assert.is_true(transaction(function()
      assert(Thing { n = 2 }:save())
      assert.has_error(function() transaction(function() end) end)
      return true
    end))
    assert.are.equal(2, count())
  end)

  it("is not left behind by a session of another coroutine", function()
    local session = assert(modm.session(ALIAS))
    local first = coroutine.wrap(function()
      return session:run(function()
        return transaction(function() coroutine.yield() return true end)
      end)
    end)
    first()
    local raised = help.raised(function()
      session:run(function() transaction(function() end) end)
    end)
    assert.is_truthy(raised:find("do not nest", 1, true))
    assert.is_true(first())
    session:close()
  end)

  it("may not be unacknowledged, nor a write in a session", function()
    local Silent = modm.MongoModel:extend("TxSilentThing", { n = fields.IntegerField {},
      Meta = { connection_alias = ALIAS, write_concern = 0 } })
    for _, concern in ipairs { 0, { w = 0 } } do
      local none, message = transaction(function() return true end, { write_concern = concern })
      assert.is_nil(none)
      assert.is_truthy(message:find("cannot be unacknowledged (write concern w = 0)", 1, true))
    end
    local session = assert(modm.session(ALIAS))
    local set = Silent.objects:session(session):all()
    for name, write in pairs {
      save = function() return Silent { n = 1 }:save { session = session } end,
      bulk = function() return set:bulk_create { Silent { n = 1 } } end,
      update = function() return set:update { ["$set"] = { n = 2 } } end,
      delete = function() return set:delete() end,
    } do
      local none, message = write()
      assert.are.same({ name, true }, { name, none == nil })
      assert.are.same({ name, true }, { name, tostring(message):find(
        "an unacknowledged write (w = 0) cannot be in a session", 1, true) ~= nil })
    end
    session:close()
  end)
end)

describe("a server that is no replica set", function()
  it("says what transactions need", function()
    local own = server.start()
    if not own then return end
    finally(function()
      modm.disconnect "tx-alone"
      own.stop()
    end)
    assert(modm.connect(own.uri .. "/alone", { alias = "tx-alone" }))
    local Alone = modm.MongoModel:extend("TxAlone", { n = fields.IntegerField {},
      Meta = { connection_alias = "tx-alone" } })
    local calls = 0
    local none, message, err = modm.transaction("tx-alone", function()
      calls = calls + 1
      return Alone { n = 1 }:save()
    end)
    assert.is_nil(none)
    assert.are.same({ "ServerError", 20, 1 }, { err.kind, err.code, calls })
    assert.are.equal("a transaction needs a replica set or a sharded cluster, and this server is "
      .. "neither (a replica set of one will do)", message)
    local doc = assert(Alone { n = 1 }:save())
    none, message = doc:delete { atomic = true }
    assert.is_nil(none)
    assert.is_truthy(message:find("needs a replica set", 1, true))
    assert.is_true(core.is_loaded(doc))
    local ok, raised = pcall(modm.transaction, "tx-alone", function()
      assert(doc:refresh_from_db())
    end)
    assert.is_false(ok)
    assert.is_truthy(tostring(raised):find("needs a replica set", 1, true))
  end)
end)
