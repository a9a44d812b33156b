-- Validators, clean and defaults that save, validate or delete the document they are called for.
local core = require "modm.core"
local modm = require "modm"
local server = require "spec.support.server"

local f = modm.fields
local Meta = { connection_alias = "reentry" }

assert(modm.connect(server.uri(server.database "reentry"), { alias = "reentry" }))

local number = 0

-- A model with a function of each kind that calls state.act(document), once it is set.
local function model(kind, state)
  number = number + 1
  local function act(...)
    state.calls = (state.calls or 0) + 1
    if state.act then return state.act(state.doc, ...) end
  end
  return modm.MongoModel:extend(("reentry.%s%d"):format(kind, number), {
    n = f.IntegerField { validators = kind == "validator" and { act } or nil },
    d = f.CharField { default = kind == "default" and function() act() return "x" end or nil },
    clean = kind == "clean" and act or nil,
    Meta = Meta,
  })
end

local places = { validator = "a validator of its own (n)", clean = "a clean of its own",
  default = "a default of its own (d)" }

-- How a save ends: it returns, but for what a default raises.
local function save(doc)
  local ok, saved, message, err = pcall(doc.save, doc)
  if not ok then return nil, tostring(saved), saved end
  return saved, message, err
end

for _, kind in ipairs { "validator", "clean", "default" } do
  describe("a " .. kind, function()
    for _, method in ipairs { "save", "delete", "full_clean", "is_valid", "refresh_from_db" } do
      it("cannot call " .. method .. " on its own document", function()
        local state = {}
        local Model = model(kind, state)
        state.act = function(doc) return doc[method](doc) end
        state.doc = Model { n = 1, pk = modm.ObjectId() }
        local ok, message, err = save(state.doc)
        assert.is_nil(ok)
        assert.equal("OperationError", err.kind)
        local asked = (method == "full_clean" or method == "is_valid") and "validation" or method
        assert.matches("^%S*spec/query/reentry_spec.lua:%d+: ", message)
        assert.matches(("reentry.%s%d: %s is called on a document in %s"):format(kind, number,
          asked, places[kind]), message, 1, true)
        assert.equal(1, state.calls)
        assert.equal(0, Model.objects:count())
        state.act = nil
        assert(state.doc:save()) -- nothing of it stays
        assert.equal(1, Model.objects:count())
      end)
    end

    it("may go on when it catches the error", function()
      local state = {}
      local Model = model(kind, state)
      state.act = function(doc) pcall(doc.save, doc) end
      state.doc = Model { n = 1 }
      assert(state.doc:save())
      assert.equal(1, Model.objects:count())
    end)

    it("ends where two documents save each other", function()
      local state, other = {}, {}
      local A, B = model(kind, state), model(kind, other)
      state.doc, other.doc = A { n = 1 }, B { n = 1 }
      state.act = function() return other.doc:save() end
      other.act = function() return state.doc:save() end
      local ok, message, err = save(state.doc)
      assert.is_nil(ok)
      assert.equal("OperationError", err.kind)
      assert.matches("save is called on a document in " .. places[kind], message, 1, true)
      assert.same({ 0, 0 }, { A.objects:count(), B.objects:count() })
    end)

    it("leaves nothing behind in a coroutine that is never resumed", function()
      local state = {}
      local Model = model(kind, state)
      state.doc = Model { n = 1 }
      state.act = function() coroutine.yield "waits" end
      local thread = coroutine.create(function() state.doc:save() end)
      local _, said = coroutine.resume(thread)
      assert.equal("waits", said)
      state.act = nil
      assert(state.doc:save())
      thread = nil -- luacheck: ignore 311
      collectgarbage()
      assert(state.doc:save())
    end)

    it("may save other documents", function()
      local state, kept = {}, {}
      local Model, Other = model(kind, state), model("none", kept)
      state.act = function()
        local ok, message, err = Other { n = 1 }:save()
        if not ok then return nil, message, err end
      end
      state.doc = Model { n = 1 }
      assert(state.doc:save())
      assert.equal(1, Other.objects:count())
    end)
  end)
end

describe("the clean of an embedded document", function()
  it("cannot save what it lies in, nor clean itself", function()
    local whole, act
    local Part = modm.EmbeddedMongoModel:extend("reentry.Part", {
      n = f.IntegerField {}, clean = function(self) return act(self) end })
    local Model = modm.MongoModel:extend("reentry.Whole", {
      parts = f.EmbeddedModelListField { Part }, Meta = Meta })
    whole = Model { parts = { Part { n = 1 } } }
    act = function() return whole:save() end
    local ok, message, err = whole:save()
    assert.is_nil(ok)
    assert.equal("OperationError", err.kind)
    assert.matches("reentry.Whole: save is called on a document in a clean of its own (parts.1)",
      message, 1, true)
    act = function(self) return self:full_clean() end
    ok, message = whole:save()
    assert.is_nil(ok)
    assert.matches("reentry.Part: validation is called on a document in a clean of its own",
      message, 1, true)
    act = function() end
    assert(whole:save())
  end)
end)

describe("a validator", function()
  it("that deletes its document's copy on the server makes the save say so", function()
    local state = {}
    local Model = model("validator", state)
    local doc = assert(Model { n = 1 }:save())
    state.act = function() Model.objects:filter { pk = doc.pk }:delete() end
    doc.n = 2
    local ok, message, err = doc:save()
    assert.is_nil(ok)
    assert.equal("DoesNotExist", err.kind)
    assert.is_true(err:is(Model.DoesNotExist))
    assert.matches("the document is no longer there", message)
    assert.equal(0, Model.objects:count())
  end)

  it("that could not ask the server hands on its error", function()
    local unreachable = "mongodb://127.0.0.1:1/db?serverSelectionTimeoutMS=10"
    assert(modm.connect(unreachable, { alias = "reentry-gone" }))
    local Gone = modm.MongoModel:extend("reentry.Gone", {
      Meta = { connection_alias = "reentry-gone" } })
    for _, kind in ipairs { "validator", "clean" } do
      for _, act in ipairs {
        function()
          local ok, message, err = Gone.objects:count()
          return ok, message, err
        end,
        function() error((select(3, Gone.objects:count())), 0) end,
      } do
        local state = { act = act }
        local ok, _, err = model(kind, state) { n = 1 }:save()
        assert.is_nil(ok)
        assert.equal("ConnectionError", err.kind)
        assert.is_nil(err.errors)
      end
    end
    modm.disconnect "reentry-gone"
  end)

  it("that found nothing has refused the value", function()
    local state = {}
    local Model = model("validator", state)
    state.act = function() return Model.objects:get { n = 7 } end
    local ok, _, err = Model { n = 1 }:save()
    assert.is_nil(ok)
    assert.equal("ValidationError", err.kind)
    assert.truthy(err.errors.n)
  end)
end)

describe("a cascading save", function()
  it("is not under way for ever when its coroutine is never resumed", function()
    local state = {}
    local Author = model("validator", state)
    local Book = modm.MongoModel:extend("reentry.Book", {
      author = f.ReferenceField { Author }, Meta = Meta })
    local author = Author { n = 1, pk = modm.ObjectId() }
    local book = Book { author = author }
    state.act = function() coroutine.yield() end
    coroutine.resume(coroutine.create(function() book:save { cascade = true } end))
    state.act = nil
    assert(book:save { cascade = true })
    assert.equal(1, Author.objects:count())
    assert.equal(author.pk, core.key(author))
  end)
end)
