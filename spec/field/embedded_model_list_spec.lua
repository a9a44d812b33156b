-- EmbeddedModelListField, also as EmbeddedDocumentListField: lists of documents inside a document.
local core = require "modm.core"
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

local Comment = modm.EmbeddedMongoModel:extend("field.Comment", {
  text = f.CharField { required = true, max_length = 5 },
  stars = f.IntegerField {},
  Meta = { final = true },
})

local function make(options)
  options = options or {}
  options[1] = Comment
  return f.EmbeddedModelListField(options)
end

describe("EmbeddedModelListField", function()
  it("takes instances and tables in stored form", function()
    local first = Comment { text = "a" }
    for _, read in ipairs { true, false } do
      local doc = help.document(make(), { first, { text = "b", stars = "3" } })
      if read then assert.equal(3, doc.value[2].stars) end
      assert.is_nil(help.errors(doc))
      assert.equal(first, doc.value[1])
      assert.same({ "array", { { text = "a" }, { text = "b", stars = 3 } } }, { help.stored(doc) })
    end
  end)

  it("gives each document an empty list of its own, stored once it is filled", function()
    local Model = help.model(make())
    local a, b = Model {}, Model {}
    a.value[1] = Comment { text = "a" }
    assert.same({}, b.value)
    assert.same({ "array", { { text = "a" } } }, { help.stored(a) })
    assert.is_nil((help.stored(b)))
    assert.is_nil(help.errors(a))
  end)

  local refused = "value must be an instance of field.Comment."
  help.refuses(make, {
    { "x", "not a list: a string" }, { 5, "not a list: a number" }, { true,
      "not a list: a boolean" },
    { print, "not a list: a function" }, { Comment { text = "a" }, "not a list: a userdata" },
    { { text = "a" }, "not a list: it has the key 'text'" },
    { { [2] = { text = "a" } }, "a list with a hole at 1 (use modm.null)" },
    { { [0.5] = 1 }, "not a list: it has a key of type number" },
    { modm.object { text = "a" }, "not a list: a document" },
    { modm.ObjectId(), "not a list: a userdata" },
  })

  it("reports all that is wrong, at its position", function()
    local doc = help.document(make(), {
      { text = "a" }, {}, { text = "abcdef", stars = "x" }, 5, modm.null, { other = 1 },
    })
    assert.same({
      [2] = { text = { "field is required." } },
      [3] = { text = { "value exceeds the maximum length of 5." },
        stars = { "not an integer of 64 bits: 'x'" } },
      [4] = { refused },
      [5] = { "must not be blank (was: null)." },
      [6] = { "field.Comment: there is no field stored as 'other'" },
    }, help.errors(doc))
    local _, message = doc:full_clean()
    assert.matches(".value.3.text: value exceeds the maximum length of 5.", message, 1, true)
  end)

  it("finds what is wrong in what is stored", function()
    local doc = help.loaded(make(), { { text = "a" }, { stars = 1 } })
    assert.same({ [2] = { text = { "field is required." } } }, help.errors(doc))
    assert.is_nil(help.errors(help.loaded(make(), { { text = "a" } })))
  end)

  it("sends a list that grew as a push, and nothing when it was only read", function()
    local bytes = core.encode { value = { core.ordered { { "stars", modm.Int64(1) }, { "text",
      "a" } } } }
    local doc = core.from_bytes(core.schema_of(help.model(make()) {}), bytes)
    local schema = core.schema_of(doc)
    assert.equal(1, doc.value[1].stars)
    doc.value[1].text = "a"
    assert.is_nil(core.diff(schema, bytes, core.encode_document(doc)))
    doc.value[2] = Comment { text = "b" }
    doc.value[1].text = "c"
    assert.same({ "$set" }, { next(core.diff(schema, bytes, core.encode_document(doc))) and
      next(core.diff(schema, bytes, core.encode_document(doc))) })
    doc = core.from_bytes(schema, bytes)
    doc.value[2] = Comment { text = "b" }
    assert.same({ ["$push"] = { value = { ["$each"] = { { text = "b" } } } } },
      core.diff(schema, bytes, core.encode_document(doc)))
  end)

  it("has an older name, and shares no validators with its items", function()
    assert.equal(f.EmbeddedModelListField, f.EmbeddedDocumentListField)
    local seen = 0
    local doc = help.document(make { validators = { function(list) seen = seen + #list end } },
      { { text = "a" }, { text = "b" } })
    assert.is_nil(help.errors(doc))
    assert.equal(2, seen)
  end)

  it("may be required, or not be blank", function()
    assert.same({ "field is required." }, help.errors(help.document(make { required = true })))
    assert.is_nil(help.errors(help.document(make { required = true }, {})))
    assert.same({ "must not be blank (was: a table)." },
      help.errors(help.document(make { blank = false }, {})))
  end)

  it("needs an embedded model", function()
    assert.error_matches(function() f.EmbeddedModelListField {} end, "needs a model")
    assert.error_matches(function()
      help.model(f.EmbeddedModelListField { help.model(f.CharField {}) })
    end, "EmbeddedModelListField takes an embedded model")
  end)

  it("reads what is stored of another type, and refuses it", function()
    local doc = help.loaded(make(), { text = "a" })
    assert.same({ text = "a" }, doc.value)
    assert.same({ "not a list: a document" }, help.errors(doc))
    assert.same({ "document", { text = "a" } }, { help.stored(doc) })
    doc = help.loaded(make(), { 5, { text = "a" } })
    assert.equal(5, doc.value[1])
    assert.same({ { refused } }, help.errors(doc))
    assert.same({ "array", { 5, { text = "a" } } }, { help.stored(doc) })
  end)

  help.bad_options("EmbeddedModelListField", Comment)
end)
