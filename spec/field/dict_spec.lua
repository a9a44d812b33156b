-- DictField: any table with string keys.
local core = require "modm.core"
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

local function nested(depth)
  local inner = { x = 1 }
  for _ = 2, depth do inner = { x = inner } end
  return inner
end

-- What both kinds of dicts have; `name` is the kind.
local function describe_dict(name)
  local make = f[name]
  local id = modm.ObjectId()

  help.accepts(make, {
    { { a = 1 }, { a = 1 }, "document" },
    { { a = { b = { c = { 1, 2, { d = "e" } } } } }, { a = { b = { c = { 1, 2, { d = "e" } } } } },
      "document" },
    { { id = id, at = modm.DateTime(0) }, { id = id, at = modm.DateTime(0) }, "document" },
    { { [""] = 1 }, { [""] = 1 }, "document" },
    { { ["ü"] = modm.null }, { ["ü"] = modm.null }, "document" },
    { { ["a$"] = { "$x" } }, { ["a$"] = { "$x" } }, "document" },
    { {}, {}, "document" },
    { modm.object {}, {}, "document" },
    { nested(170), nested(170), "document" },
  })

  local cyclic = { a = {} }
  cyclic.a.b = cyclic
  local cyclic_list = { a = {} }
  cyclic_list.a[1] = cyclic_list.a
  cyclic_list.a[2] = cyclic_list.a
  help.refuses(function() return make { blank = false } end, {
    { {}, "must not be blank (was: a table)." },
    { "", "must not be blank (was: '')." },
    { modm.null, "must not be blank (was: null)." },
    { "text", "not a table with string keys: 'text'" },
    { 5, "not a table with string keys: 5" },
    { true, "not a table with string keys: true" },
    { modm.array { 1 }, "not a table with string keys: a table" },
    { { 1, 2 }, "Dictionary keys must be strings, not number." },
    { { [true] = 1 }, "Dictionary keys must be strings, not boolean." },
    { { ["a.b"] = 1 }, "Dictionary keys cannot contain the dot (.) character, 'a.b'." },
    { { ["$a"] = 1 }, "Dictionary keys cannot start with a dollar sign, '$a'." },
    { { ["a\0b"] = 1 }, "Dictionary keys cannot contain the null character, 'a'." },
    { { x = { ["a.b"] = 1 } }, "Dictionary keys cannot contain the dot (.) character, 'a.b'." },
    { { x = { { y = { ["$set"] = 1 } } } },
      "Dictionary keys cannot start with a dollar sign, '$set'." },
    { cyclic, "nested deeper than 180 levels (or cyclic)." },
    { cyclic_list, "nested deeper than 180 levels (or cyclic)." },
    { nested(200), "nested deeper than 180 levels (or cyclic)." },
    { modm.ObjectId "0123456789abcdef01234567",
      "not a table with string keys: 0123456789abcdef01234567" },
  })

  help.common(name, nil, { a = 1 }, { b = 2 })

  it("may be emptied and saved", function()
    local doc = help.loaded(make {}, { a = 1 })
    doc.value.a = nil
    assert.is_nil(help.errors(doc))
    assert.same({ "document", {} }, { help.stored(doc) })
  end)

  it("may be empty or null, and is no blank of another kind", function()
    local blanks = {
      { "", "not a table with string keys: ''" },
      { modm.Binary "", "not a table with string keys: Binary(subtype 0, 0 bytes)" },
      { modm.array {}, "not a table with string keys: a table" },
    }
    for _, options in ipairs { {}, { blank = true } } do
      for _, blank in ipairs { {}, modm.object {}, modm.null } do
        assert.is_nil(help.errors(help.document(make(options), blank)))
      end
      for _, case in ipairs(blanks) do
        assert.same({ case[2] }, help.errors(help.document(make(options), case[1])))
      end
    end
    for _, case in ipairs(blanks) do -- what is stored so stays, until it is assigned anew
      local doc = help.loaded(make {}, case[1])
      local before = { help.stored(doc) }
      assert.is_nil(help.errors(doc))
      assert.same(before, { help.stored(doc) })
      doc.value = doc.value
      assert.same({ case[2] }, help.errors(doc))
    end
  end)

  it("gives each document an empty table of its own, stored once it is filled", function()
    local Model = help.model(make {})
    local a, b = Model {}, Model {}
    a.value.x = 1
    assert.same({}, b.value)
    assert.same({ "document", { x = 1 } }, { help.stored(a) })
    assert.is_nil((help.stored(b)))
  end)

  it("copies a table that is its default", function()
    local default = { list = { 1 } }
    local Model = help.model(make { default = default })
    local a, b = Model {}, Model {}
    a.value.list[2] = 2
    assert.same({ list = { 1 } }, b.value)
    assert.same({ list = { 1 } }, default)
  end)

  it("says where something has no BSON form", function()
    local cases = {
      { { a = print }, "value.a: a function cannot be stored" },
      { { a = { 1, { b = coroutine.create(print) } } }, "value.a.2.b: a thread cannot be stored" },
      { { a = "\255" }, "value.a: not valid UTF-8" },
      { { ["\255"] = 1 }, "value: a key is not valid UTF-8" },
      { { a = { 1, nil, 3 } }, "value.a: a list with a hole at 2" },
      { { a = { 1, x = 2 } }, "value.a: a table with both list items and the key 'x'" },
      { { a = modm.ObjectId }, "value.a: a constructor is no value: it has to be called" },
    }
    for _, case in ipairs(cases) do
      local bytes, message = core.encode_document(help.document(make {}, case[1]))
      assert.is_nil(bytes)
      assert.equal(case[2], message)
    end
  end)

  it("ignores metatables of tables that come in", function()
    local function never() error "called" end
    local mt = { __index = never, __newindex = never, __pairs = never, __len = never, __eq = never,
      __tostring = never, __metatable = false }
    local doc = help.document(make {}, setmetatable({ a = setmetatable({ 1, 2 }, mt) }, mt))
    assert.is_nil(help.errors(doc))
    assert.same({ "document", { a = { 1, 2 } } }, { help.stored(doc) })
  end)

  it("gives back the same bytes when it was read", function()
    local bytes = core.encode { value = core.ordered {
      { "z", modm.Int64(1) }, { "a", modm.array {} }, { "e", modm.object {} }, { "n", modm.null },
      { "d", 1.0 }, { "l", modm.array { modm.Int64(2), 3, { 4 } } },
    } }
    local doc = core.from_bytes(core.schema_of(help.model(make {}) {}), bytes)
    assert.equal(1, doc.value.z)
    assert.is_nil(help.errors(doc))
    assert.equal(bytes, core.encode_document(doc))
  end)

  it("reads what is stored of another type, and refuses it", function()
    local doc = help.loaded(make {}, { 1, 2 })
    assert.same({ 1, 2 }, doc.value)
    assert.same({ "not a table with string keys: a table" }, help.errors(doc))
    assert.same({ "array", { 1, 2 } }, { help.stored(doc) })
  end)

  it("finds bad keys in what is stored", function()
    local doc = help.loaded(make {}, { x = { { ["$a"] = 1 } } })
    assert.same({ "Dictionary keys cannot start with a dollar sign, '$a'." }, help.errors(doc))
  end)
end

describe("DictField", function() describe_dict "DictField" end)
describe("OrderedDictField", function() describe_dict "OrderedDictField" end)
