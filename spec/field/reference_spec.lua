-- ReferenceField: what it takes and stores. Fetching is in spec/relation.
local core = require "modm.core"
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

local Author = modm.MongoModel:extend("field.Author", { name = f.CharField {} })
local Editor = Author:extend("field.Editor", {})
local Account = modm.MongoModel:extend("field.Account",
  { email = f.EmailField { primary_key = true } })
local Numbered = modm.MongoModel:extend("field.Numbered",
  { n = f.IntegerField { primary_key = true } })
local Part = modm.EmbeddedMongoModel:extend("field.Part", { name = f.CharField {} })

local id = modm.ObjectId "0123456789abcdef01234567"

local function make(options)
  options = options or {}
  options[1] = options[1] or Author
  return f.ReferenceField(options)
end

describe("ReferenceField", function()
  it("stores the key of an instance", function()
    local author = Author { pk = id, name = "Ann" }
    local doc = help.document(make(), author)
    assert.equal(author, doc.value)
    assert.is_nil(help.errors(doc))
    assert.equal(id, doc:id_of "value")
    assert.same({ "ObjectId", id }, { help.stored(doc) })
    doc = help.document(make { Account }, Account { email = "a@b" })
    assert.is_nil(help.errors(doc))
    assert.same({ "string", "a@b" }, { help.stored(doc) })
  end)

  it("takes keys, as the key's own field converts them", function()
    local cases = {
      { Author, id, "ObjectId", id }, { Author, tostring(id), "ObjectId", id },
      { Author, id:bytes(), "ObjectId", id }, { Account, "a@b", "string", "a@b" },
      { Numbered, "5", "int32", 5 }, { Numbered, 5.0, "int32", 5 },
    }
    for _, case in ipairs(cases) do
      local doc = help.document(make { case[1] }, case[2])
      assert.is_nil(help.errors(doc))
      assert.equal(case[4], doc:id_of "value")
      assert.same({ case[3], case[4] }, { help.stored(doc) })
      doc = help.document(make { case[1] }, case[2])
      assert.equal(case[4], doc:id_of "value") -- without validation
    end
  end)

  it("takes instances of models that extend its own", function()
    assert.is_nil(help.errors(help.document(make(), Editor { pk = id })))
    assert.same({
      "value must be an instance of field.Editor, or its key, not an instance of field.Author." },
      help.errors(help.document(make { Editor }, Author { pk = id })))
  end)

  local function refused(text) return "not an ObjectId (24 hex digits or 12 bytes): " .. text end
  local unsaved = "the field.Author referred to must be saved first."
  local cases = {
    { modm.null, "must not be blank (was: null)." },
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { "x", refused "'x'" },
    { 5, refused "5" },
    { true, refused "true" },
    { { 1 }, refused "a table" },
    { { name = "x" }, refused "a table" },
    { print, refused "a function" },
    { Author {}, unsaved },
    { Author { name = "x" }, unsaved },
    { Editor {}, "the field.Editor referred to must be saved first." },
    { Account { email = "a@b" },
      "value must be an instance of field.Author, or its key, not an instance of field.Account." },
    { Part {},
      "value must be an instance of field.Author, or its key, not an instance of field.Part." },
  }
  help.refusals("ReferenceField", cases, function(input, message)
    assert.same({ message }, help.errors(help.document(make(), input)))
  end)

  it("cannot be written while the other is unsaved", function()
    local bytes, message = core.encode_document(help.document(make(), Author {}))
    assert.is_nil(bytes)
    assert.equal("value: the field.Author referred to must be saved first", message)
  end)

  it("is undefined until it is set, and may be required, blank, checked", function()
    local doc = help.document(make())
    assert.is_nil(doc.value)
    assert.is_nil(doc:id_of "value")
    assert.is_nil((help.stored(doc)))
    assert.same({ "field is required." }, help.errors(help.document(make { required = true })))
    doc = help.document(make { blank = true }, modm.null)
    assert.is_nil(help.errors(doc))
    assert.is_nil(doc.value)
    assert.is_nil(doc:id_of "value")
    assert.equal("null", (help.stored(doc)))
    local seen
    doc = help.document(make { validators = { function(value) seen = value return false end } }, id)
    assert.same({ "is not valid" }, help.errors(doc))
    assert.equal(id, seen)
  end)

  it("shows the key in the document's text, and fetches nothing for it", function()
    local doc = help.document(make(), Author { pk = id, name = "Ann" })
    assert.matches("value=0123456789abcdef01234567", tostring(doc), 1, true)
  end)

  it("stands in lists", function()
    local doc = help.document(f.ListField { make() }, { Author { pk = id }, tostring(id), id })
    assert.is_nil(help.errors(doc))
    assert.same({ id, id, id }, doc:id_of "value")
    assert.same({ "array", { id, id, id } }, { help.stored(doc) })
    assert.same({ [2] = { unsaved }, [3] = { refused "'x'" } },
      help.errors(help.document(f.ListField { make() }, { id, Author {}, "x" })))
  end)

  it("survives lists that hold themselves", function()
    local cyclic = {}
    cyclic[1], cyclic[2] = cyclic, cyclic
    local doc = help.document(f.ListField { make() }, cyclic)
    assert.same({ { refused "a table" }, { refused "a table" } }, help.errors(doc))
    assert.is_nil((core.encode_document(doc)))
    doc:id_of "value"
  end)

  it("keeps a stored key of another type", function()
    local doc = help.loaded(make(), "somebody")
    assert.equal("somebody", doc:id_of "value")
    assert.same({ refused "'somebody'" }, help.errors(doc))
    assert.same({ "string", "somebody" }, { help.stored(doc) })
  end)

  it("needs a model with a collection", function()
    assert.error_matches(function() f.ReferenceField {} end, "ReferenceField needs a model")
    assert.error_matches(function() f.ReferenceField { 5 } end, "option 'model' must be")
    assert.error_matches(function() f.ReferenceField { Author, on_delete = "CASCADE" } end,
      "option 'on_delete' must be")
    for _, model in ipairs { Part, modm.MongoModel, {} } do
      assert.error_matches(function() help.model(f.ReferenceField { model }) end,
        "ReferenceField takes a model with a collection")
    end
  end)

  it("looks its model up by name when it is needed", function()
    local doc = help.document(make { "Author" }, tostring(id))
    assert.equal(id, doc:id_of "value")
    assert.error_matches(function() help.document(make { "field.Part" }, "x"):full_clean() end,
      "field.Part is no model with a collection")
    local ok, err = pcall(function() return help.document(make { "Nobody" }, id):full_clean() end)
    assert.is_false(ok)
    assert.equal("ModelDoesNotExist", err.kind)
  end)

  it("tells the key only of references", function()
    local Model = modm.MongoModel:extend("field.Both", { name = f.CharField {}, author = make() })
    assert.error_matches(function() Model {}:id_of "name" end, "field.Both.name is no reference")
    assert.error_matches(function() Model {}:id_of "other" end, "field.Both has no field 'other'")
  end)

  help.bad_options("ReferenceField", Author)
end)
