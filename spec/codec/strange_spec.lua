-- Bytes that are no BSON, numbers that are nearly the same, defaults and choices of all kinds.
local core = require "modm.core"
local modm = require "modm"

local f = modm.fields

local Part = modm.EmbeddedMongoModel:extend("strange_codec.Part", {
  a = f.IntegerField {}, inner = f.EmbeddedModelField { "strange_codec.Part" },
  list = f.ListField { f.IntegerField {} },
})
local Sub = Part:extend("strange_codec.Sub", { b = f.CharField {} })
local Strict = modm.EmbeddedMongoModel:extend("strange_codec.Strict", {
  must = f.IntegerField { required = true }, made = f.IntegerField { default = 5 } })
local User = modm.MongoModel:extend("strange_codec.User", {
  name = f.CharField { primary_key = true } })
local Whole = modm.MongoModel:extend("strange_codec.Whole", {
  text = f.CharField {}, n = f.IntegerField {}, x = f.FloatField {}, price = f.Decimal128Field {},
  at = f.DateTimeField {}, data = f.DictField {}, numbers = f.ListField { f.IntegerField {} },
  part = f.EmbeddedModelField { Part }, parts = f.EmbeddedModelListField { Part },
  strict = f.EmbeddedModelField { Strict }, id = f.UUIDField {}, bin = f.BinaryField {},
  re = f.RegularExpressionField {}, js = f.JavaScriptField {}, t = f.TimestampField {},
  place = f.PointField {}, area = f.PolygonField {}, all = f.GeometryCollectionField {},
  user = f.ReferenceField { User }, users = f.ListField { f.ReferenceField { User } },
  mail = f.EmailField {}, url = f.URLField {}, ip = f.GenericIPAddressField {},
  any = f.ListField {},
})
local schema = core.schema_of(Whole {})

local function update(before, after)
  before._cls, after._cls = "strange_codec.Whole", "strange_codec.Whole"
  return core.diff(schema, core.encode(before), core.encode(after))
end

local full = Whole {
  text = "some", n = 5, x = 1.5, price = "1.50", at = 0, data = { a = { 1, { b = "c" } }, d = 1 },
  numbers = { 1, 2, 3 }, part = Part { a = 1, inner = Sub { a = 2, b = "x" }, list = { 1 } },
  parts = { Part { a = 1 }, Sub { b = "y" } }, strict = Strict { must = 1 },
  id = "00112233-4455-6677-8899-aabbccddeeff", bin = "\0\1", re = "a+",
  js = modm.JavaScript("f()", { a = 1 }), t = modm.Timestamp(1, 2), place = { 1, 2 },
  area = { { { 0, 0 }, { 3, 0 }, { 3, 3 }, { 0, 0 } } },
  all = { { type = "Point", coordinates = { 1, 2 } } }, user = "jon", users = { "jon", "sam" },
  mail = "a@b.org", url = "http://a.org/b", ip = "::1", any = { 1, "x", { y = 2 } },
}
full.pk = modm.ObjectId()

-- Does all that can be done with a document that was read.
local function look(bytes)
  local doc = core.from_bytes(schema, bytes)
  core.collect({ doc }, nil, {})
  doc:is_valid()
  local again = core.encode_document(doc)
  for name in doc:pairs() do local _ = name:find "^user" and doc:id_of(name) end
  doc:to_son()
  assert(tostring(doc))
  assert.is_boolean(doc == full)
  core.diff(schema, bytes, again)
  core.diff(schema, assert(core.encode_document(full)), bytes)
end

local function use(bytes) modm.no_auto_dereference(Whole, function() look(bytes) end) end

describe("bytes that are no BSON", function()
  it("are an error wherever they are wrong, or what they then mean", function()
    local bytes = assert(core.encode_document(full))
    assert(pcall(use, bytes))
    local refused = 0
    for at = 5, #bytes - 1 do
      for _, byte in ipairs { "\0", "\1", "\2", "\4", "\16", "\127", "\255" } do
        local ok, message = pcall(use, bytes:sub(1, at - 1) .. byte .. bytes:sub(at + 1))
        if not ok then
          refused = refused + 1
          assert.is_string(message)
        end
      end
    end
    assert.is_true(refused > #bytes)
  end)
end)

describe("the update between two encodings", function()
  it("has only what is another value, whatever its type", function()
    local groups = {
      { 5, modm.Int64(5), 5.0 }, { 0, -0.0, modm.Int64(0) }, { -7, modm.Int64(-7), -7.0 },
      { 5.5 }, { 1e300 }, { -1e300 }, { modm.Int64 "9007199254740993" }, { 9007199254740994.0 },
      { modm.Int64 "9007199254740994" }, { "5" }, { modm.Decimal128 "5" }, { modm.null }, { true },
    }
    for i, left in ipairs(groups) do
      for j, right in ipairs(groups) do
        for _, a in ipairs(left) do
          for _, b in ipairs(right) do
            for _, name in ipairs { "n", "x", "text" } do
              local change = update({ [name] = a }, { [name] = b })
              assert.equal(i ~= j, change ~= nil, ("%s: %s, %s"):format(name, a, b))
            end
            local change = update({ numbers = core.array { 1, a } },
              { numbers = core.array { 1, b } })
            assert.equal(i ~= j, change ~= nil)
            change = update({ part = { a = a } }, { part = { a = b } })
            assert.equal(i ~= j, change ~= nil)
            change = update({ parts = core.array { { a = a, inner = { a = 1 } } } },
              { parts = core.array { core.ordered { { "inner", { a = 1 } }, { "a", b } } } })
            assert.equal(i ~= j, change ~= nil)
          end
        end
      end
    end
  end)

  it("has the whole of what is another kind, class or shape, and the rest by its path", function()
    local ordered = core.ordered
    assert.same({ ["$set"] = { ["part.a"] = 2 } },
      update({ part = { a = 1 } }, { part = { a = 2 } }))
    assert.same({ ["$unset"] = { ["part.a"] = "" } },
      update({ part = { a = 1, list = {} } }, { part = { list = {} } }))
    assert.same({ ["$set"] = { part = {} } },
      update({ part = { a = 1 } }, { part = core.object {} }))
    assert.same({ ["$set"] = { ["part.inner"] = { a = 1 } } },
      update({ part = { inner = 5 } }, { part = { inner = { a = 1 } } }))
    for _, pair in ipairs {
      { { a = 1 }, 5 }, { 5, { a = 1 } }, { { a = 1 }, core.array { 1 } }, { core.array { 1 }, 5 },
      { { a = 1 }, { _cls = "strange_codec.Sub", a = 1 } },
      { { _cls = "strange_codec.Sub", a = 1 }, { a = 1 } },
      { { _cls = "strange_codec.Part" }, { _cls = "strange_codec.Sub" } },
    } do
      assert.same({ ["$set"] = { part = pair[2] } },
        update({ part = pair[1] }, { part = pair[2] }))
    end
    assert.same({ ["$set"] = { ["part.none"] = { x = 2 } } },
      update({ part = { none = { x = 1 } } }, { part = { none = { x = 2 } } }))
    assert.same({ ["$push"] = { numbers = { ["$each"] = { 2, 3 } } } },
      update({ numbers = core.array { 1 } }, { numbers = core.array { 1, 2, 3 } }))
    assert.same({ ["$set"] = { numbers = { 1 } } },
      update({ numbers = core.array { 1, 2 } }, { numbers = core.array { 1 } }))
    assert.same({ ["$set"] = { numbers = 5 } },
      update({ numbers = core.array { 1, 2 } }, { numbers = 5 }))
    assert.is_nil(update({ part = ordered { { "a", 1 }, { "list", core.array {} } } },
      { part = ordered { { "list", core.array {} }, { "a", 1.0 } } }))
    assert.same({ ["$set"] = { parts = { { a = 1, b = 2 } } } },
      update({ parts = core.array { { a = 1 } } }, { parts = core.array { { a = 1, b = 2 } } }))
    local long = ("k"):rep(300)
    local deep, other = { a = 1 }, { a = 2 }
    for _ = 1, 60 do deep, other = { inner = deep }, { inner = other } end
    local path = "part" .. (".inner"):rep(60) .. ".a"
    assert.same({ ["$set"] = { [path] = 2 } }, update({ part = deep }, { part = other }))
    assert.is_table(update({ [long] = 1 }, { [long] = 2 }))
  end)
end)

describe("a default", function()
  local count = 0
  local function model(definition)
    count = count + 1
    return modm.MongoModel:extend("strange_codec.Default" .. count, definition)
  end

  it("is copied for each document, with all that it holds", function()
    local loaded = core.from_bytes(schema, core.encode { _cls = "strange_codec.Whole",
      part = { a = 1 }, parts = core.array { { a = 2 }, { a = 3, inner = { a = 4 } } } })
    local read = Part { a = 5, list = { 1 } }
    local marked = core.ordered { { "b", 1 }, { "a", { 1, 2 } } }
    local Model = model {
      fresh = f.EmbeddedModelField { Part, default = loaded.part },
      empty = f.EmbeddedModelField { Part, default = Part {} },
      read = f.EmbeddedModelField { Part, default = read },
      many = f.EmbeddedModelListField { Part, default = loaded.parts },
      data = f.OrderedDictField { default = marked },
      typed = f.DictField { default = setmetatable({ x = 1 }, { __name = "mine" }) },
      user = f.ReferenceField { User, default = User "jon" },
      list = f.ListField { f.IntegerField {}, default = {} },
      word = f.CharField { default = "" },
      number = f.IntegerField { default = "7" },
    }
    local one, two = Model {}, Model {}
    one.fresh.a, one.many[2].inner.a, one.read.list[1], one.data.a[1] = 10, 11, 12, 13
    one.list[1], one.empty.a = 14, 15
    assert.same({ 1, 4, 1, 1, 0 },
      { two.fresh.a, two.many[2].inner.a, two.read.list[1], two.data.a[1], #two.list })
    assert.is_nil(two.empty.a)
    assert.same({ 1, 4, 1, 1 },
      { loaded.part.a, loaded.parts[2].inner.a, read.list[1], marked.a[1] })
    assert.equal("jon", two.user.name)
    assert.equal("", two.word)
    assert.equal(7, two.number)
    assert.equal(1, two.typed.x)
    local son = two:to_son()
    assert.same({ a = { 1, 2 }, b = 1 }, son.data)
    assert.equal(7, son.number)
    assert.is_nil(son.list)
  end)

  it("may not hold itself", function()
    local round = {}
    round[1] = round
    local Model = model { list = f.ListField { default = round } }
    local ok, message = pcall(function() return Model {}.list end)
    assert.is_false(ok)
    assert.matches("cyclic", tostring(message))
  end)
end)

describe("choices", function()
  it("are values of any type, each equal to what it is whatever its type in Lua", function()
    local id = modm.ObjectId()
    local Model = modm.MongoModel:extend("strange_codec.Choice", {
      n = f.IntegerField { choices = { "a", modm.Int64(2), 3 } },
      id = f.ObjectIdField { choices = { id, "text", modm.Binary "x" } },
      bin = f.BinaryField { choices = { modm.Binary "ab", modm.Binary "abc", id } },
      at = f.DateTimeField { choices = { { modm.DateTime(0), "then" },
        { modm.DateTime(1), "now" } } },
    })
    for name, values in pairs { n = { 2, 3, modm.Int64(3), "2" }, id = { id, tostring(id) },
      bin = { modm.Binary "ab", "abc" }, at = { modm.DateTime(0), 1 } } do
      for _, value in ipairs(values) do assert.is_true((Model { [name] = value }:is_valid())) end
    end
    for name, values in pairs { n = { 1, 4 }, id = { modm.ObjectId() },
      bin = { modm.Binary "ac", modm.Binary "a", "abd" }, at = { 2 } } do
      for _, value in ipairs(values) do
        local ok, _, err = Model { [name] = value }:full_clean()
        assert.is_nil(ok)
        assert.is_table(err.errors[name])
      end
    end
  end)
end)

describe("embedded documents as they were stored", function()
  it("are valid where they would be when they are assigned", function()
    local count = 0
    local function embedded(definition)
      count = count + 1
      return modm.EmbeddedMongoModel:extend("strange_codec.Embedded" .. count, definition)
    end
    for _, one in ipairs {
      { embedded { a = f.IntegerField { choices = { 1, 2 } } }, { a = 1 }, { a = 3 } },
      { embedded { a = f.IntegerField { required = true }, b = f.IntegerField { default = 5 } },
        { a = 1 }, { b = 1 } },
      { embedded { a = f.IntegerField {}, clean = function(self)
        if self.a == 3 then error { a = "is three" } end
      end }, { a = 1 }, { a = 3 } },
      { embedded { a = f.CharField { max_length = 2 }, Meta = { final = true } },
        { a = "x" }, { a = "xyz" } },
      { embedded { a = f.EmbeddedModelField { Strict } },
        { a = { must = 1 } }, { a = { made = 1 } } },
    } do
      local Model = modm.MongoModel:extend("strange_codec.Holder" .. count, {
        one = f.EmbeddedModelField { one[1] }, many = f.EmbeddedModelListField { one[1] } })
      local function load(values)
        values._cls = "strange_codec.Holder" .. count
        return core.from_bytes(core.schema_of(Model {}), core.encode(values))
      end
      assert(load { one = one[2] }.one) -- its model is known now
      for i = 2, 3 do
        assert.equal(i == 2, (load { one = one[i] }:is_valid()))
        assert.equal(i == 2, (load { many = core.array { one[2], one[i] } }:is_valid()))
        local doc = load { one = one[i], many = core.array { one[i] } }
        assert(doc.one and doc.many[1])
        assert.equal(i == 2, (doc:is_valid()))
      end
      assert.error_matches(function() load { one = { none = 1 } }:is_valid() end, "'none'")
      assert.is_false((load { one = 5 }:is_valid()))
      assert.is_false((load { many = core.array { 5 } }:is_valid()))
    end
  end)

  it("are equal when they hold the same, and never when that has no form", function()
    local a, b = Part { a = 1, list = { 1, "2" } }, Part { a = "1", list = { 1, 2 } }
    assert.is_true(a == b)
    b.list[2] = 3
    assert.is_false(a == b)
    b.list = print
    assert.is_false(a == b)
    assert.is_false(b == a)
    a.list = print
    assert.is_false(a == b)
    assert.is_true(a == a)
  end)

  it("are written among values of no field as they are, others as their keys", function()
    local doc = Whole { any = { Part { a = 1 }, User "jon", { Sub { b = "x" } } },
      data = { part = Part { a = 2 }, user = User "sam" } }
    local son = core.decode(assert(core.encode_document(doc)))
    assert.same({ { _cls = "strange_codec.Part", a = 1 }, "jon",
      { { _cls = "strange_codec.Sub", b = "x" } } }, son.any)
    assert.same({ part = { _cls = "strange_codec.Part", a = 2 }, user = "sam" }, son.data)
    for _, bad in ipairs { { any = { User {} } }, { data = { a = io.stdout } } } do
      local bytes, message = core.encode_document(Whole(bad))
      assert.is_nil(bytes)
      assert.is_string(message)
    end
  end)
end)
