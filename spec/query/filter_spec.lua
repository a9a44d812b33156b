-- Filters, without a server: names, coercion, operators, and what may never become one.
local core = require "modm.core"
local modm = require "modm"
local registry = require "modm.registry"

local f = modm.fields

local Person = modm.MongoModel:extend("filter.Person", {
  email = f.EmailField { primary_key = true },
})
local Address = modm.EmbeddedMongoModel:extend("filter.Address", {
  city = f.CharField { mongo_name = "c" },
  number = f.IntegerField {},
})
local Comment = modm.EmbeddedMongoModel:extend("filter.Comment", {
  author = f.ReferenceField { Person, mongo_name = "who" },
  text = f.CharField {},
  places = f.EmbeddedModelListField { Address },
})
local Post = modm.MongoModel:extend("filter.Post", {
  title = f.CharField { mongo_name = "t" },
  visits = f.IntegerField {},
  big = f.BigIntegerField {},
  rating = f.FloatField {},
  public = f.BooleanField {},
  at = f.DateTimeField {},
  author = f.ReferenceField { Person },
  tags = f.ListField { f.CharField {} },
  numbers = f.ListField { f.IntegerField {} },
  anything = f.ListField {},
  matrix = f.ListField { f.ListField { f.IntegerField {} } },
  data = f.DictField {},
  address = f.EmbeddedModelField { Address },
  comments = f.EmbeddedModelListField { Comment },
})

local schema = registry.meta(Post).schema
local jon = modm.MongoModel and Person { email = "jon@example.com" }

local function compile(conditions)
  local bytes, message, path, misuse = core.filter(schema, conditions)
  if not bytes then return nil, message, path, misuse end
  return core.decode(bytes)
end

local function compiled(conditions)
  return assert(compile(conditions))
end

local function bytes(conditions)
  return assert(core.filter(schema, conditions))
end

describe("filter", function()
  describe("names", function()
    it("are written as they are stored", function()
      assert.same({ t = "x" }, compiled { title = "x" })
    end)

    it("may be stored names, as in PyMODM", function()
      assert.same({ t = "x" }, compiled { t = "x" })
      assert.same({ _id = "a@b.c" }, core.decode(core.filter(registry.meta(Person).schema, {
        _id = "a@b.c" })))
    end)

    it("know pk", function()
      assert.same({ _id = "a@b.c" }, core.decode(core.filter(registry.meta(Person).schema, {
        pk = "a@b.c" })))
      local id = modm.ObjectId()
      assert.same({ _id = id }, compiled { pk = tostring(id) })
    end)

    it("lead through embedded documents and lists", function()
      assert.same({ ["address.c"] = "Bern" }, compiled { ["address.city"] = "Bern" })
      assert.same({ ["comments.who"] = "a@b.c" }, compiled { ["comments.author"] = "a@b.c" })
      assert.same({ ["comments.3.text"] = "x" }, compiled { ["comments.3.text"] = "x" })
      assert.same({ ["comments.places.c"] = "x" }, compiled { ["comments.places.city"] = "x" })
      assert.same({ ["tags.0"] = "5" }, compiled { ["tags.0"] = 5 })
      assert.same({ ["matrix.0.1"] = 5 }, compiled { ["matrix.0.1"] = "5" })
    end)

    it("lead anywhere in a dict", function()
      assert.same({ ["data.a.0.b"] = 1 }, compiled { ["data.a.0.b"] = 1 })
      assert.same({ ["anything.x"] = 1 }, compiled { ["anything.x"] = 1 })
    end)

    local function misuse(name)
      local result, message, _, is_misuse = compile { [name] = 1 }
      assert.is_nil(result)
      assert.is_true(is_misuse)
      return message
    end

    it("must be there", function()
      assert.equal("filter.Post has no field 'titel'", misuse "titel")
      assert.equal("filter.Comment has no field 'titel'", misuse "comments.titel")
      assert.matches("reference", misuse "author.email")
      assert.matches("holds no fields", misuse "title.x")
      assert.matches("holds no fields", misuse "tags.x")
      assert.matches("holds no fields", misuse "tags.0.1")
    end)

    it("have no operators and no empty steps", function()
      misuse "data.$where"
      misuse "data..x"
      misuse "data."
      misuse ""
      misuse "$where"
      misuse "title\0"
      misuse(("x"):rep(1000))
      misuse("data." .. ("x."):rep(1000) .. "x")
    end)

    it("are in the same order each time", function()
      local one = bytes { title = "x", visits = 1, rating = 2, public = true, at = 0 }
      for _ = 1, 20 do
        local t = {}
        for _, name in ipairs { "at", "public", "rating", "visits", "title" } do
          t[name] = ({ title = "x", visits = 1, rating = 2, public = true, at = 0 })[name]
        end
        assert.equal(one, bytes(t))
      end
    end)
  end)

  describe("values", function()
    it("are coerced by their fields", function()
      assert.equal(bytes { title = "5" }, bytes { title = 5 })
      assert.equal(bytes { visits = 5 }, bytes { visits = "5" })
      assert.equal(bytes { rating = 5 }, bytes { rating = "5" })
      assert.equal(bytes { at = 0 }, bytes { at = "1970-01-01T00:00:00Z" })
      assert.equal(bytes { at = 0 }, bytes { at = { year = 1970, month = 1, day = 1, hour = 0 } })
      assert.equal(bytes { public = true }, bytes { public = 1 })
    end)

    it("are stored in the type of their fields", function()
      assert.equal(core.encode { visits = 5 }, bytes { visits = 5 })
      assert.truthy(bytes({ big = 5 }):find("\18big\0\5\0\0\0\0\0\0\0", 1, true))
      assert.truthy(bytes({ rating = 5 }):find("\1rating\0", 1, true))
    end)

    it("of references are keys, or instances that stand for theirs", function()
      assert.same({ author = "jon@example.com" }, compiled { author = jon })
      assert.same({ ["comments.who"] = "jon@example.com" }, compiled { ["comments.author"] = jon })
    end)

    it("of references must have a key", function()
      local result, message, path = compile { author = Person {} }
      assert.is_nil(result)
      assert.equal("author", path)
      assert.matches("must be saved first", message)
    end)

    it("of lists are items or whole lists", function()
      assert.same({ tags = "5" }, compiled { tags = 5 })
      assert.same({ tags = { "5", "6" } }, compiled { tags = { 5, 6 } })
      assert.same({ matrix = { 1, 2 } }, compiled { matrix = { "1", "2" } })
      assert.equal(core.encode { tags = core.array {} }, bytes { tags = {} })
      assert.same({ anything = { a = 1 } }, compiled { anything = { a = 1 } })
      assert.same({ anything = { 1, "a" } }, compiled { anything = { 1, "a" } })
    end)

    it("of embedded fields are instances or tables in stored form", function()
      local same = bytes { address = Address { city = "Bern" } }
      assert.equal(same, bytes { address = { c = "Bern" } })
      assert.same({ address = { c = "Bern", _cls = "filter.Address" } }, core.decode(same))
    end)

    it("may be null", function()
      assert.same({ t = modm.null, tags = modm.null }, compiled { title = modm.null,
        tags = modm.null })
    end)

    it("that a field refuses are errors of the data, with their place", function()
      for name, value in pairs {
        visits = "x", rating = "x", at = "yesterday", pk = "x", ["comments.author"] = jon and
          Address {},
        title = function() end, numbers = { 1, "x" }, ["address.number"] = "x", data = 5,
          tags = "\255",
      } do
        local result, message, path, is_misuse = compile { [name] = value }
        assert.is_nil(result, name)
        assert.is_false(is_misuse)
        assert.equal(name, (path:gsub("%.%d+$", "")))
        assert.truthy(#message > 0)
      end
    end)

    it("say which item of a list is wrong", function()
      local _, _, path = compile { numbers = { 1, "x" } }
      assert.equal("numbers.2", path)
      _, _, path = compile { visits = modm.one_of { 1, 2, "x" } }
      assert.equal("visits.3", path)
    end)

    it("that are cyclic or have holes are errors", function()
      local cyclic = {}
      cyclic.self = cyclic
      assert.is_nil((compile { data = cyclic }))
      assert.is_nil((compile { anything = { 1, nil, 3 } }))
      assert.is_nil((compile { numbers = { 1, nil, 3 } }))
      local list = {}
      list[1] = list
      assert.is_nil((compile { matrix = list }))
      assert.is_nil((compile { anything = list }))
    end)

    it("that throw when they are printed are errors and leave nothing behind", function()
      local bad = setmetatable({}, { __tostring = function() error "no" end })
      local result, message = compile { title = bad }
      assert.is_nil(result)
      assert.matches("no", message)
      assert.same({ t = "x" }, compiled { title = "x" })
    end)
  end)

  describe("data", function()
    -- what a request's JSON might hold
    local attacks = {
      { ["$gt"] = "" }, { ["$ne"] = modm.null }, { ["$where"] = "1" }, { ["$in"] = { 1 } },
      { ["$regex"] = ".*" }, { ["$gt"] = 1, x = 1 }, { { ["$gt"] = 1 } }, { a = { ["$gt"] = 1 } },
      { { a = { { ["$gt"] = 1 } } } }, { ["$ref"] = "x", ["$gt"] = 1 }, core.object {
        ["$gt"] = "" },
      core.array { { ["$gt"] = "" } }, { [""] = { ["$gt"] = 1 } },
    }
    local names = {
      "title", "visits", "big", "rating", "public", "at", "author", "tags", "numbers",
        "anything", "matrix",
      "data", "address", "comments", "pk", "tags.0", "data.x", "address.city", "comments.text",
      "comments.author", "anything.0",
    }

    it("never becomes an operator", function()
      for i, attack in ipairs(attacks) do
        for _, name in ipairs(names) do
          local result, message = compile { [name] = attack }
          local where = name .. " " .. i
          if result then
            assert.falsy(bytes({ [name] = attack }):find("$", 1, true), where)
          else
            assert.truthy(#message > 0, where)
          end
        end
      end
    end)

    it("never becomes one inside an operator", function()
      for _, attack in ipairs(attacks) do
        for _, name in ipairs(names) do
          for _, make in ipairs { modm.eq, modm.ne, modm.gt, function(v) return modm.one_of {
            v } end } do
            local result = core.filter(schema, { [name] = make(attack) })
            if result then
              local _, count = result:gsub("%$", "")
              assert.equal(1, count)
            end
          end
        end
      end
    end)

    it("says how an operator is made", function()
      local _, message = compile { title = { ["$gt"] = "" } }
      assert.matches("modm.gte", message)
      assert.is_nil((compile { public = { ["$ne"] = true } }))
    end)

    it("holds a DBRef's own keys", function()
      assert.truthy(compiled { data = { ref = modm.DBRef("posts", 1) } })
    end)

    it("may be a pattern that the program made", function()
      assert.same({ t = modm.Regex("^a", "i") }, compiled { title = modm.Regex("^a", "i") })
    end)
  end)

  describe("operators", function()
    it("are written in MongoDB's words, their operands coerced", function()
      local at = modm.DateTime(0)
      for _, case in ipairs {
        { { visits = modm.eq "5" }, { visits = { ["$eq"] = 5 } } },
        { { visits = modm.ne "5" }, { visits = { ["$ne"] = 5 } } },
        { { visits = modm.gt "5" }, { visits = { ["$gt"] = 5 } } },
        { { visits = modm.gte "5" }, { visits = { ["$gte"] = 5 } } },
        { { visits = modm.lt "5" }, { visits = { ["$lt"] = 5 } } },
        { { visits = modm.lte "5" }, { visits = { ["$lte"] = 5 } } },
        { { visits = modm.between("1", "5") }, { visits = { ["$gte"] = 1, ["$lte"] = 5 } } },
        { { visits = modm.one_of { "5", 6 } }, { visits = { ["$in"] = { 5, 6 } } } },
        { { visits = modm.not_in { "5", 6 } }, { visits = { ["$nin"] = { 5, 6 } } } },
        { { at = modm.gte(0) }, { at = { ["$gte"] = at } } },
        { { author = modm.one_of { jon, "b@c.d" } },
          { author = { ["$in"] = { "jon@example.com", "b@c.d" } } } },
        { { tags = modm.contains_all { 1, "b" } }, { tags = { ["$all"] = { "1", "b" } } } },
        { { tags = modm.one_of { 1, { "a", 2 } } }, { tags = { ["$in"] = { "1", { "a",
          "2" } } } } },
        { { tags = modm.size(3) }, { tags = { ["$size"] = 3 } } },
        { { title = modm.exists() }, { t = { ["$exists"] = true } } },
        { { title = modm.exists(false) }, { t = { ["$exists"] = false } } },
        { { title = modm.type_of "string" }, { t = { ["$type"] = "string" } } },
        { { title = modm.type_of { "string", 10 } }, { t = { ["$type"] = { "string", 10 } } } },
        { { title = modm.matches "^a" }, { t = { ["$regex"] = "^a" } } },
        { { title = modm.matches("^a", "i") }, { t = { ["$regex"] = "^a", ["$options"] = "i" } } },
        { { visits = modm.mod(3, 1) }, { visits = { ["$mod"] = { 3, 1 } } } },
        { { visits = modm.not_(modm.gt "5") }, { visits = { ["$not"] = { ["$gt"] = 5 } } } },
        { { comments = modm.elem_match { author = jon, text = "x" } },
          { comments = { ["$elemMatch"] = { text = "x", who = "jon@example.com" } } } },
        { { comments = modm.elem_match { places = modm.elem_match { city = "x" } } },
          { comments = { ["$elemMatch"] = { places = { ["$elemMatch"] = { c = "x" } } } } } },
        { { numbers = modm.elem_match(modm.between("1", "2")) },
          { numbers = { ["$elemMatch"] = { ["$gte"] = 1, ["$lte"] = 2 } } } },
        { { anything = modm.elem_match { ["a.b"] = modm.gt(1) } },
          { anything = { ["$elemMatch"] = { ["a.b"] = { ["$gt"] = 1 } } } } },
        { { title = modm.ne(modm.null) }, { t = { ["$ne"] = modm.null } } },
        { { title = modm.one_of { "a", modm.Regex "^b" } }, { t = { ["$in"] = { "a",
          modm.Regex "^b" } } } },
      } do
        assert.same(case[2], compiled(case[1]))
      end
    end)

    it("of an empty list are none of it, not everything", function()
      assert.equal(core.encode { visits = { ["$in"] = core.array {} } }, bytes {
        visits = modm.one_of {} })
    end)

    it("join filters", function()
      assert.same({ ["$or"] = { { t = "a" }, { visits = 1 } }, public = true },
        compiled { modm.any_of { { title = "a" }, { visits = "1" } }, public = true })
      assert.same({ ["$and"] = { { ["$or"] = { { t = "a" } } }, { ["$nor"] = { { t = "b" } } } } },
        compiled { modm.any_of { { title = "a" } }, modm.none_of { { title = "b" } } })
      assert.same({ ["$or"] = { { ["$and"] = { { t = "a" } } }, { t = "b" } } },
        compiled { modm.any_of { modm.all_of { { title = "a" } }, { title = "b" } } })
    end)

    local function raises(fn, ...)
      local ok, message = pcall(fn, ...)
      assert.is_false(ok)
      return message
    end

    it("raise for operands that are none", function()
      for _, name in ipairs { "eq", "ne", "gt", "gte", "lt", "lte" } do
        assert.matches("modm." .. name .. "%(nil%)", raises(modm[name]))
        assert.matches("not an operator", raises(modm[name], modm.gt(1)))
      end
      raises(modm.between, 1)
      raises(modm.one_of, 5)
      raises(modm.one_of)
      raises(modm.one_of, core.object { a = 1 })
      raises(modm.size, -1)
      raises(modm.size, "x")
      raises(modm.exists, "yes")
      raises(modm.type_of)
      raises(modm.matches)
      raises(modm.matches, "a\0")
      raises(modm.matches, "\255")
      raises(modm.matches, "a", "g")
      raises(modm.mod, 0, 1)
      raises(modm.mod, 2)
      raises(modm.not_, 5)
      raises(modm.not_, modm.any_of { { title = "a" } })
      raises(modm.elem_match, 5)
      raises(modm.any_of, {})
      raises(modm.any_of)
    end)

    local function misuse(conditions)
      local result, message, _, is_misuse = compile(conditions)
      assert.is_nil(result)
      assert.is_true(is_misuse)
      return message
    end

    it("stand where they belong", function()
      misuse { title = modm.any_of { { title = "a" } } }
      misuse { modm.gt(5) }
      misuse { tags = { modm.gt(5) } }
      misuse { visits = modm.one_of { modm.gt(5) } }
      misuse { title = modm.elem_match { a = 1 } }
      misuse { numbers = modm.elem_match { a = 1 } }
      misuse { modm.any_of { "x" } }
    end)

    it("are userdata that neither raw queries nor documents take", function()
      assert.equal("userdata", type(modm.gt(5)))
      assert.equal("modm.gt(...)", tostring(modm.gt(5)))
      assert.equal("modm.Operator", getmetatable(modm.gt(5)))
      assert.is_nil((core.raw_filter { n = modm.gt(5) }))
    end)
  end)

  describe("without a condition", function()
    local function misuse(conditions)
      local result, message, _, is_misuse = compile(conditions)
      assert.is_nil(result)
      assert.is_true(is_misuse)
      assert.matches("all%(%)", message)
    end

    it("is refused, at any depth", function()
      misuse {}
      misuse { title = nil }
      misuse { modm.any_of { {} } }
      misuse { modm.any_of { { title = "a" }, {} } }
      misuse { modm.all_of { { modm.any_of { {} } } } }
      misuse { comments = modm.elem_match {} }
    end)
  end)

  it("has no keys that are no names", function()
    local result, _, _, is_misuse = compile { [true] = 1 }
    assert.is_nil(result)
    assert.is_true(is_misuse)
  end)
end)

describe("the class filter", function()
  local Base = modm.MongoModel:extend("classes.Base", { n = f.IntegerField {} })

  local function filter_of(Model)
    return core.decode(core.class_filter(registry.meta(Model).schema))
  end

  it("names the class, and all that extends it once something does, in stable order", function()
    assert.same({ _cls = "classes.Base" }, filter_of(Base))
    local Z = Base:extend("classes.Z", {})
    local A = Base:extend("classes.A", {})
    local Deep = A:extend("classes.Deep", {})
    assert.same({ _cls = { ["$in"] = { "classes.Base", "classes.A", "classes.Deep",
      "classes.Z" } } },
      filter_of(Base))
    assert.same({ _cls = { ["$in"] = { "classes.A", "classes.Deep" } } }, filter_of(A))
    assert.same({ _cls = "classes.Z" }, filter_of(Z))
    assert.same({ _cls = "classes.Deep" }, filter_of(Deep))
  end)

  it("is none for a final model", function()
    local Final = modm.MongoModel:extend("classes.Final", { Meta = { final = true } })
    assert.is_nil(core.class_filter(registry.meta(Final).schema))
    assert.equal(core.encode {}, core.join(registry.meta(Final).schema, {}))
  end)

  it("names however many classes extend it", function()
    local Many, names = modm.MongoModel:extend("classes.Many", {}), { "classes.Many" }
    for i = 1, 20 do
      names[i + 1] = ("classes.Many%02d"):format(i)
      Many:extend(names[i + 1], {})
      assert.same({ _cls = { ["$in"] = names } }, filter_of(Many))
    end
  end)

  it("takes aliases, and documents without a class where Meta says so", function()
    local Old = modm.MongoModel:extend("classes.Old", {
      Meta = { cls = "old.name", cls_aliases = { "older" }, cls_optional = true },
    })
    assert.same({ _cls = { ["$in"] = { "old.name", "older", modm.null } } }, filter_of(Old))
    local Child = Old:extend("classes.OldChild", {})
    assert.same({ _cls = "classes.OldChild" }, filter_of(Child))
  end)

  it("is joined by $and", function()
    local schema_of = registry.meta(Base).schema
    local a, b = core.encode { n = 1 }, core.encode { n = 2 }
    local class = filter_of(Base)
    assert.same(class, core.decode(core.join(schema_of, {})))
    assert.same({ ["$and"] = { { n = 1 }, class } }, core.decode(core.join(schema_of, { a })))
    assert.same({ ["$and"] = { { n = 1 }, { n = 2 }, class } }, core.decode(core.join(schema_of,
      { a, b })))
  end)
end)
