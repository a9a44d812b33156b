-- Hooks: which run, in what order, what they may change, stop and raise, and where they may yield.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "hooks"

local Meta = { connection_alias = "hooks" }
local names = { "validate", "save", "insert", "update", "delete", "load" }
local count = 0

-- A model whose hooks all write down that they ran.
local function traced(parent, fields, log, label)
  count = count + 1
  fields = fields or { n = f.IntegerField {}, Meta = Meta }
  local Model = (parent or modm.MongoModel):extend("hooks.T" .. count, fields)
  for _, name in ipairs(names) do
    for _, when in ipairs { "before", "after" } do
      if when .. name ~= "beforeload" then
        local text = (label or "") .. when .. " " .. name
        Model[when](Model, name, function() log[#log + 1] = text end)
      end
    end
  end
  return Model
end

-- A model without hooks.
local function plain()
  count = count + 1
  return modm.MongoModel:extend("hooks.P" .. count, { n = f.IntegerField {}, Meta = Meta })
end

local function take(log)
  local text = table.concat(log, ", ")
  for i = #log, 1, -1 do log[i] = nil end
  return text
end

describe("hooks", function()
  it("run around what a document goes through", function()
    local log = {}
    local Model = traced(nil, nil, log)
    local doc = assert(Model { n = 1 }:save())
    assert.equal("before validate, after validate, before save, before insert, after insert, "
      .. "after save", take(log))
    doc.n = 2
    assert(doc:save())
    assert.equal("before validate, after validate, before save, before update, after update, "
      .. "after save", take(log))
    assert.equal(0, #help.sent(function() assert(doc:save()) end))
    assert.equal("before validate, after validate, before save, after save", take(log))
    assert(doc:full_clean() and doc:is_valid())
    assert.equal("before validate, after validate, before validate, after validate", take(log))
    assert(doc:delete())
    assert.equal("before delete, after delete", take(log))
    assert(doc:delete())
    assert.equal("before delete", take(log))
    assert(Model { n = 1 }:save { full_clean = false })
    assert.equal("before save, before insert, after insert, after save", take(log))
    assert(not Model { n = "x" }:save())
    assert.equal("before validate", take(log))
  end)

  it("run for a model that extends the one that has them, the ancestors' first", function()
    local log = {}
    local Parent = traced(nil, nil, log, "1 ")
    local Child = traced(Parent, {}, log, "2 ")
    Child:before("delete", function() log[#log + 1] = "3" end)
    local Third = Child:extend("hooks.Third", {})
    local doc = assert(Third { n = 1 }:save())
    assert.equal("1 before validate, 2 before validate, 1 after validate, 2 after validate, "
      .. "1 before save, 2 before save, 1 before insert, 2 before insert, 1 after insert, "
      .. "2 after insert, 1 after save, 2 after save", take(log))
    Parent:before("delete", function() log[#log + 1] = "4" end)
    assert(doc:delete())
    assert.equal("1 before delete, 4, 2 before delete, 3, 1 after delete, 2 after delete",
      take(log))
    assert(Parent { n = 1 }:save { full_clean = false })
    assert.equal("1 before save, 1 before insert, 1 after insert, 1 after save", take(log))
  end)

  it("call a document stored as a whole an insert, also over what has its key", function()
    local log = {}
    local Model = traced(nil, { key = f.CharField { primary_key = true }, Meta = Meta }, log)
    for _ = 1, 2 do
      assert(Model { key = "a" }:save { full_clean = false })
      assert.equal("before save, before insert, after insert, after save", take(log))
    end
  end)

  it("has the document validated once more only where one ran before the save", function()
    local checked = 0
    local Checked = modm.MongoModel:extend("hooks.Checked", {
      n = f.IntegerField { validators = { function() checked = checked + 1 end } }, Meta = Meta })
    Checked:after("save", function() end)
    Checked:before("update", function() end)
    local doc = assert(Checked { n = 1 }:save())
    assert.equal(1, checked)
    assert(doc:save())
    assert.equal(2, checked)
    doc.n = 2
    assert(doc:save())
    assert.equal(4, checked)
    Checked:before("save", function() end)
    assert(doc:save())
    assert.equal(6, checked)
  end)

  it("may change the document, which is validated once more", function()
    local Model = modm.MongoModel:extend("hooks.Slug", {
      title = f.CharField {}, slug = f.CharField { max_length = 8 }, Meta = Meta,
    })
    Model:before("save", function(doc) doc.slug = doc.title:lower() end)
    Model:before("update", function(doc) doc.title = doc.title .. "!" end)
    local doc = assert(Model { title = "Hello" }:save())
    assert.equal("hello", Model.objects:get { pk = doc.pk }.slug)
    doc.title = "Bye"
    assert(doc:save())
    local stored = Model.objects:get { pk = doc.pk }
    assert.same({ "Bye!", "bye" }, { stored.title, stored.slug })
    doc.title = "much too long"
    local commands = help.sent(function()
      local ok, _, err = doc:save()
      assert.is_nil(ok)
      assert.equal("ValidationError", err.kind)
      assert.truthy(err.errors.slug)
    end)
    assert.equal(0, #commands)
  end)

  describe("that fail", function()
    -- What stops where, and how it looks.
    local function failing(when, event, hook)
      local Model = plain()
      Model[when](Model, event, hook)
      return Model
    end

    it("with nil and a message stop what they stand before", function()
      for _, event in ipairs { "validate", "save", "insert" } do
        local Model = failing("before", event, function() return nil, "not today" end)
        local ok, message, err
        assert.equal(0, #help.sent(function() ok, message, err = Model { n = 1 }:save() end))
        assert.is_nil(ok)
        assert.equal("not today", message)
        assert.equal("HookError", err.kind)
        assert.equal("before " .. event, err.hook)
        assert.equal(Model.objects:count(), 0)
      end
      local Model = failing("before", "update", function() return nil, "frozen" end)
      local doc = assert(Model { n = 1 }:save())
      doc.n = 2
      assert.equal("frozen", (select(2, doc:save())))
      assert.equal(1, Model.objects:get { pk = doc.pk }.n)
      Model:before("delete", function() return nil, "kept" end)
      assert.equal("kept", (select(2, doc:delete())))
      assert.equal(1, Model.objects:count())
    end)

    it("hand on an error object, and what they raise with its place", function()
      local Model = failing("before", "save", function(doc)
        if doc.n == 2 then return modm.MongoModel.objects.x end
        if doc.n == 3 then return false end
        error(modm.ValidationError { n = { "odd" } })
      end)
      local _, message, err = Model { n = 2 }:save()
      assert.equal("HookError", err.kind)
      assert.matches("^hooks.P%d+: before save: .*hooks_spec.lua:%d+: ", message)
      assert(Model { n = 3 }:save())
      _, _, err = Model { n = 4 }:save()
      assert.equal("ValidationError", err.kind)
      local Other = failing("before", "save", function() return Model.objects:get { n = 99 } end)
      _, _, err = Other { n = 1 }:save()
      assert.is_true(err:is(Model.DoesNotExist))
    end)

    it("after it return the error and undo nothing", function()
      for _, event in ipairs { "insert", "save" } do
        local Model = failing("after", event, function() return nil, "too late" end)
        local doc = Model { n = 1 }
        local ok, message = doc:save()
        assert.is_nil(ok)
        assert.equal("too late", message)
        assert.equal(1, Model.objects:get { pk = doc.pk }.n)
      end
    end)

    it("after load fail what loads", function()
      local Model = failing("after", "load", function(doc)
        if doc.n == 3 then return nil, "three" end
      end)
      for n = 1, 4 do assert(Model { n = n }:save()) end
      local all = Model.objects:order_by "n"
      assert.equal("three", (select(2, all:list())))
      assert.equal("HookError", select(3, all:get { n = 3 }).kind)
      local seen = {}
      local ok, err = pcall(function() for doc in all:iter() do seen[#seen + 1] = doc.n end end)
      assert.is_false(ok)
      assert.equal("three", err.message)
      assert.same({ 1, 2 }, seen)
    end)
  end)

  it("refuse what would run the document's hooks again", function()
    for _, method in ipairs { "save", "delete", "full_clean", "is_valid", "refresh_from_db" } do
      local Model = plain()
      local calls = 0
      Model:after("save", function(doc)
        calls = calls + 1
        doc[method](doc)
      end)
      local doc = Model { n = 1 }
      local ok, message, err = doc:save()
      assert.is_nil(ok)
      assert.equal("OperationError", err.kind)
      assert.matches("hooks_spec.lua:%d+: hooks.P%d+: %w+[%w_]* is called on a document in a hook "
        .. "of its own %(after save%)", message)
      assert.equal(1, calls)
      assert.equal(1, Model.objects:count())
    end
  end)

  it("end where two documents save each other", function()
    local Model = modm.MongoModel:extend("hooks.Pair", { n = f.IntegerField {}, Meta = Meta })
    local a, b = Model { n = 1 }, Model { n = 2 }
    Model:before("save", function(doc)
      local other = rawequal(doc, a) and b or a
      return other:save()
    end)
    local ok, message = a:save()
    assert.is_nil(ok)
    assert.matches("in a hook of its own", message)
    assert.equal(0, Model.objects:count())
  end)

  describe("after load", function()
    local Author = modm.MongoModel:extend("hooks.Author", { name = f.CharField {}, Meta = Meta })
    local Novelist = Author:extend("hooks.Novelist", {})
    local Book = modm.MongoModel:extend("hooks.Book", {
      author = f.ReferenceField { Author }, others = f.ListField { f.ReferenceField { Author } },
      Meta = Meta,
    })
    local loaded = {}
    Author:after("load", function(doc) loaded[#loaded + 1] = doc.name end)
    local inner = 0
    Novelist:after("load", function() inner = inner + 1 end)
    local ann = assert(Author { name = "Ann" }:save())
    local bob = assert(Novelist { name = "Bob" }:save())
    local book = assert(Book { author = ann, others = { bob, ann } }:save())

    before_each(function() take(loaded) inner = 0 end)

    it("runs once for each document of a list, an iteration, a get", function()
      assert.equal(2, #Author.objects:order_by "name":list())
      assert.equal("Ann, Bob", take(loaded))
      assert.equal(1, inner)
      for _ in Author.objects:order_by "name":batch_size(1):iter() do end -- luacheck: ignore
      assert.equal("Ann, Bob", take(loaded))
      assert(Author.objects:get { name = "Ann" } and Author.objects:order_by "name":first())
      assert.equal("Ann, Ann", take(loaded))
      assert.equal("Bob", Author.objects:order_by "name"[2].name)
      assert.equal("Bob", take(loaded))
    end)

    it("runs for what references lead to", function()
      local found = Book.objects:get { pk = book.pk }
      assert.equal("Ann", found.author.name)
      assert.equal("Ann", found.author.name)
      assert.equal("Ann", take(loaded))
      assert.equal("Bob", found.others[1].name)
      assert.equal("Bob, Ann", take(loaded))
      assert(Book.objects:select_related():list())
      assert.equal(2, #loaded)
    end)

    it("runs for the document that is refreshed, and sees its values", function()
      local doc = Author.objects:get { name = "Ann" }
      take(loaded)
      Author.objects:filter { name = "Ann" }:update { ["$set"] = { name = "Anna" } }
      assert(doc:refresh_from_db())
      assert.equal("Anna", take(loaded))
      assert(doc:refresh_from_db { "name" })
      assert.equal("Anna", take(loaded))
      Author.objects:filter { name = "Anna" }:update { ["$set"] = { name = "Ann" } }
    end)

    it("does not run for tables, and not for what is saved", function()
      assert(Author.objects:values():list() and Author.objects:aggregate():list())
      assert(Author.objects:count())
      assert(ann:save())
      assert.equal("", take(loaded))
    end)

    it("may yield, wherever the document comes from", function()
      Author:after("load", coroutine.yield)
      local found = Book.objects:get { pk = book.pk }
      local co = coroutine.wrap(function()
        for _ in Author.objects:all():iter() do end -- luacheck: ignore
        local name = found.author.name
        return name, found.others[1].name
      end)
      local yields = -1
      local name, other
      repeat
        name, other = co()
        yields = yields + 1
      until type(name) == "string"
      assert.same({ "Ann", "Bob", 5 }, { name, other, yields })
    end)
  end)

  it("may yield around a save and a delete", function()
    local Model = modm.MongoModel:extend("hooks.Yielding", { n = f.IntegerField {}, Meta = Meta })
    for _, event in ipairs { "validate", "save", "insert", "delete" } do
      Model:before(event, function() coroutine.yield(event) end)
    end
    local other = Model { n = 2 }
    local co = coroutine.wrap(function() return assert(Model { n = 1 }:save()):delete() end)
    assert.same({ "validate", "save", "insert", "delete" }, { co(), co(), co(), co() })
    assert.is_true(co())
    local held = coroutine.create(function() other:save() end)
    coroutine.resume(held)
    assert.equal(coroutine.wrap(function() return pcall(other.is_valid, other) end)(), "validate")
  end)

  describe("of bulk operations", function()
    it("bulk_create runs those of validate, save and insert", function()
      local log = {}
      local Model = traced(nil, nil, log)
      assert(Model.objects:bulk_create { Model { n = 1 }, Model { n = 2 } })
      local first = "before validate, after validate, before save, before insert, "
      local second = "after insert, after save"
      assert.equal(first .. first .. second .. ", " .. second, take(log))
      Model:before("insert", function(doc) if doc.n == 4 then return nil, "no four" end end)
      local ok, _, err = Model.objects:bulk_create { Model { n = 3 }, Model { n = 4 } }
      assert.is_nil(ok)
      assert.same({ 2, "HookError", "no four" },
        { err.failures[1].index, err.failures[1].kind, err.failures[1].message })
      assert.equal(2, Model.objects:count())
    end)

    it("bulk_create runs those after it only for what was inserted", function()
      local log = {}
      local Model = modm.MongoModel:extend("hooks.Bulk", {
        key = f.IntegerField { primary_key = true }, Meta = Meta,
      })
      Model:after("insert", function(doc) log[#log + 1] = doc.key end)
      local list = { Model { key = 1 }, Model { key = 1 }, Model { key = 2 } }
      local ok = Model.objects:bulk_create(list, { ordered = false })
      assert.is_nil(ok)
      assert.same({ 1, 2 }, log)
    end)

    it("update and delete run none, and CASCADE neither", function()
      local log = {}
      local Model = traced(nil, nil, log)
      local Owned = traced(nil, { of = f.ReferenceField { Model, on_delete = modm.CASCADE },
        Meta = Meta }, log)
      local doc = assert(Model { n = 1 }:save())
      assert(Owned { of = doc }:save())
      take(log)
      assert.equal(1, Model.objects:all():update { ["$set"] = { n = 5 } })
      assert.equal(1, Model.objects:all():delete())
      assert.equal(0, Owned.objects:count())
      assert.equal("", take(log))
    end)
  end)

  it("are refused where they make no sense", function()
    local Model = modm.MongoModel:extend("hooks.Plain", { n = f.IntegerField {}, Meta = Meta })
    local Inner = modm.EmbeddedMongoModel:extend("hooks.Inner", {})
    local nothing = function() end
    for _, case in ipairs {
      { Model, "before", "load", nothing, "there is no hook before 'load'" },
      { Model, "after", "sav", nothing, "there is no hook after 'sav'" },
      { Model, "after", nil, nothing, "there is no hook after 'nil'" },
      { Model, "before", "save", nil, "takes the name of an event and a function, not a nil" },
      { Inner, "before", "validate", nothing, "an embedded document has no hooks" },
    } do
      local message, here = help.raised(function() case[1][case[2]](case[1], case[3], case[4]) end)
      assert.is_true(here)
      assert.matches(case[5], message, 1, true)
    end
    assert.equal("nothing", core.plan(assert(Model { n = 1 }:save()), false))
  end)
end)
