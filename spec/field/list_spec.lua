-- ListField: lists of anything, or of an inner field to any depth.
local core = require "modm.core"
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields
local Pair = modm.EmbeddedMongoModel:extend("list.Pair", { left = f.IntegerField {} })

describe("ListField", function()
  describe("of anything", function()
    help.accepts(f.ListField, {
      { { 1, "a", true }, { 1, "a", true }, "array" },
      { {}, {}, "array" },
      { modm.array {}, {}, "array" },
      { { { 1 }, { { 2 } } }, { { 1 }, { { 2 } } }, "array" },
      { { { a = 1 } }, { { a = 1 } }, "array" },
      { { modm.null, "" }, { modm.null, "" }, "array" },
    })
  end)

  describe("of integers", function()
    help.accepts(function() return f.ListField { f.IntegerField {} } end, {
      { { 1, 2 }, { 1, 2 }, "array" },
      { { "1", 2.0, modm.Int64(3) }, { 1, 2, 3 }, "array" },
      { {}, {}, "array" },
    })

    it("takes lists in whatever order they were filled", function()
      local model, backwards = help.model(f.ListField { f.IntegerField {} }), {}
      for i = 9, 1, -1 do backwards[i] = i end
      local doc = model { value = backwards }
      assert(doc:full_clean())
      local same = model { value = { 1, 2, 3, 4, 5, 6, 7, 8, 9 } }
      assert.equal(core.encode_document(same), core.encode_document(doc))
      backwards[1] = 5
      assert.equal(1, doc.value[1])
      doc.value[10] = "ten"
      local ok, _, err = doc:full_clean()
      assert.is_nil(ok)
      assert.same({ "not an integer of 64 bits: 'ten'" }, err.errors.value[10])
    end)

    local function refused(text) return { "not an integer of 64 bits: " .. text } end
    local holed = { 1, 2, 3 }
    holed[2] = nil
    help.refuses(function() return f.ListField { f.IntegerField { max_value = 9 } } end, {
      { "12", "not a list: a string" },
      { 5, "not a list: a number" },
      { true, "not a list: a boolean" },
      { print, "not a list: a function" },
      { modm.ObjectId(), "not a list: a userdata" },
      { { a = 1 }, "not a list: it has the key 'a'" },
      { { 1, 2, n = 2 }, "not a list: it has the key 'n'" },
      { { [0] = 1 }, "not a list: it has a key of type number" },
      { { [1.5] = 1 }, "not a list: it has a key of type number" },
      { { [true] = 1 }, "not a list: it has a key of type boolean" },
      { { [2] = 1 }, "a list with a hole at 1 (use modm.null)" },
      { holed, "a list with a hole at 2 (use modm.null)" },
      { modm.object { a = 1 }, "not a list: a document" },
    })

    it("reports each item that is wrong, at its position", function()
      local doc = help.document(f.ListField { f.IntegerField { max_value = 9 } },
        { 1, "x", 10, "", modm.null, {}, { 1 } })
      assert.same({
        [2] = refused "'x'",
        [3] = { "10 is greater than maximum value of 9." },
        [4] = { "must not be blank (was: '')." },
        [5] = { "must not be blank (was: null)." },
        [6] = { "must not be blank (was: a table)." },
        [7] = refused "a table",
      }, help.errors(doc))
      assert.same({ 1, "x", 10, "", modm.null, {}, { 1 } }, doc.value)
    end)

    it("names positions in the message", function()
      local doc = help.document(f.ListField { f.IntegerField {} }, { 1, "x" })
      local _, message = doc:full_clean()
      assert.matches("%.value%.2: not an integer of 64 bits: 'x'$", message)
    end)
  end)

  describe("of lists", function()
    local function make() return f.ListField { f.ListField { f.CharField { blank = true } } } end
    help.accepts(make, {
      { { { "a" }, {}, { 1, "" } }, { { "a" }, {}, { "1", "" } }, "array" },
    })
    it("reports at every depth", function()
      local field = f.ListField { f.ListField { f.IntegerField {} } }
      assert.same({
        [1] = { [2] = { "not an integer of 64 bits: 'x'" } }, [3] = { "not a list: a number" },
      }, help.errors(help.document(field, { { 1, "x" }, { 2 }, 5 })))
    end)
  end)

  help.common("ListField", f.CharField {}, { "a" }, { "b" })

  it("runs validators of the items, and those of the list only when all items are fine", function()
    local function odd(n) return n % 2 == 1, "is even" end
    local function short(list) return #list < 3, "is too long" end
    local field = f.ListField { f.IntegerField { validators = { odd } }, validators = { short } }
    assert.same({ [2] = { "is even" } }, help.errors(help.document(field, { 1, 2, 3 })))
    assert.same({ "is too long" }, help.errors(help.document(field, { 1, 3, 5 })))
    assert.is_nil(help.errors(help.document(field, { 1, 3 })))
  end)

  it("checks choices of the items", function()
    local field = f.ListField { f.CharField { choices = { "a", "b" } } }
    assert.same({ [2] = { "'c' is not a choice. Choices are ['a', 'b']." } },
      help.errors(help.document(field, { "a", "c" })))
    local loaded = help.loaded(field, { "a", "c" })
    assert.same({ [2] = { "'c' is not a choice. Choices are ['a', 'b']." } }, help.errors(loaded))
  end)

  it("gives each document an empty list of its own, stored once it is filled", function()
    local Model = help.model(f.ListField { f.CharField {} })
    local a, b = Model {}, Model {}
    a.value[1] = "x"
    assert.same({}, b.value)
    assert.same({ "array", { "x" } }, { help.stored(a) })
    assert.is_nil((help.stored(b)))
    assert.same({ "field is required." },
      help.errors(help.document(f.ListField { required = true })))
  end)

  it("may be emptied and saved", function()
    local doc = help.loaded(f.ListField { f.CharField {} }, { "a" })
    doc.value[1] = nil
    assert.is_nil(help.errors(doc))
    assert.same({ "array", {} }, { help.stored(doc) })
    assert.same({ "must not be blank (was: a table)." },
      help.errors(help.document(f.ListField { blank = false }, {})))
  end)

  describe("that may be blank", function()
    local blanks = {
      { "", "not a list: a string" },
      { modm.Binary "", "not a list: a userdata" },
      { modm.object {}, "not a list: a document" },
    }

    it("may be empty or null, and is no blank of another kind", function()
      local makers = {
        function() return f.ListField {} end,
        function() return f.ListField { blank = true } end,
        function() return f.ListField { f.CharField {} } end,
        function() return f.EmbeddedDocumentListField { Pair } end,
      }
      for _, make in ipairs(makers) do
        for _, blank in ipairs { {}, modm.array {}, modm.null } do
          assert.is_nil(help.errors(help.document(make(), blank)))
        end
        for _, case in ipairs(blanks) do
          assert.same({ case[2] }, help.errors(help.document(make(), case[1])))
        end
      end
    end)

    it("asks the inner field whether an item may be", function()
      local null = { "must not be blank (was: null)." }
      local chars = { "", modm.null, "a" }
      assert.same({ [1] = { "must not be blank (was: '')." }, [2] = null },
        help.errors(help.document(f.ListField { f.CharField {} }, chars)))
      assert.is_nil(help.errors(help.document(f.ListField { f.CharField { blank = true } }, chars)))

      local lists = { {}, modm.null, "", modm.object {} }
      assert.same({ [3] = { "not a list: a string" }, [4] = { "not a list: a document" } },
        help.errors(help.document(f.ListField { f.ListField {} }, lists)))
      local strict = f.ListField { f.ListField { blank = false } }
      assert.same(null, help.errors(help.document(strict, lists))[2])
      assert.same({ [3] = { "not a table with string keys: ''" } },
        help.errors(help.document(f.ListField { f.DictField {} }, lists)))
    end)

    it("leaves a blank as it is stored, and refuses it anew", function()
      for _, case in ipairs(blanks) do
        local doc = help.loaded(f.ListField {}, case[1])
        local before = { help.stored(doc) }
        assert.is_nil(help.errors(doc))
        local _ = doc.value
        assert.is_nil(help.errors(doc))
        assert.same(before, { help.stored(doc) })
        doc.value = case[1]
        assert.same({ case[2] }, help.errors(doc))
      end
      local doc = help.loaded(f.ListField { f.ListField {} }, { modm.array {} })
      assert.is_nil(help.errors(doc))
      doc.value[1] = ""
      assert.same({ { "not a list: a string" } }, help.errors(doc))
    end)
  end)

  it("says where an item has no BSON form", function()
    local cases = {
      { f.ListField {}, { 1, print }, "value.2: a function cannot be stored" },
      { f.ListField {}, { 1, { { "\255" } } }, "value.2.1.1: not valid UTF-8" },
      { f.ListField {}, { 1, [3] = 3 }, "value: a list with a hole at 2" },
      { f.ListField { f.ListField {} }, { {}, { 1, "\255" } }, "value.2.2: not valid UTF-8" },
      { f.ListField { f.CharField {} }, { "a", "\255" }, "value.2: not valid UTF-8" },
      { f.ListField { f.DictField {} }, { { a = "\255" } }, "value.1.a: not valid UTF-8" },
    }
    for _, case in ipairs(cases) do
      local bytes, message = core.encode_document(help.document(case[1], case[2]))
      assert.is_nil(bytes)
      assert.equal(case[3], message)
    end
  end)

  it("stops at lists that hold themselves", function()
    local cyclic = {}
    cyclic[1], cyclic[2] = cyclic, cyclic
    local cases = {
      { f.ListField {}, "a table holds itself %(it is cyclic%)" },
      { f.ListField { f.ListField { f.ListField {} } }, "a table holds itself" },
      { f.ListField { f.DictField {} }, "a document expected, got a list" },
    }
    for _, case in ipairs(cases) do
      local doc = help.document(case[1], cyclic)
      doc:full_clean()
      local bytes, message = core.encode_document(doc)
      assert.is_nil(bytes)
      assert.matches(case[2], message)
    end
  end)

  it("keeps the numbers of a list that was only read", function()
    local bytes = core.encode { value = modm.array { modm.Int64(1), 2, 3.0 } }
    local doc = core.from_bytes(core.schema_of(help.model(f.ListField { f.IntegerField {} }) {}),
      bytes)
    assert.same({ 1, 2, 3 }, doc.value)
    assert.is_nil(help.errors(doc))
    assert.is_nil(core.diff(core.schema_of(doc), bytes, core.encode_document(doc)))
  end)

  it("takes a field as its first value, and nothing else", function()
    for _, options in ipairs { { 5 }, { f.CharField }, { "CharField" }, { field = {} } } do
      assert.error_matches(function() f.ListField(options) end, "option 'field' must be")
    end
    assert.error_matches(function() f.ListField { f.CharField {}, f.CharField {} } end,
      "no option '2'")
    assert.error_matches(function() f.ListField { f.CharField {}, field = f.CharField {} } end,
      "given twice")
    assert.same({ "1" }, help.document(f.ListField { field = f.CharField {} }, { 1 }).value)
  end)

  it("reads what is stored of another type, and refuses it", function()
    local doc = help.loaded(f.ListField { f.CharField {} }, "a")
    assert.equal("a", doc.value)
    assert.same({ "not a list: a string" }, help.errors(doc))
  end)
end)
