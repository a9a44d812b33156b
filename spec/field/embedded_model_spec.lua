-- EmbeddedModelField, also as EmbeddedDocumentField: a document inside a document.
local core = require "modm.core"
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

local Address = modm.EmbeddedMongoModel:extend("field.Address", {
  city = f.CharField { required = true },
  zip = f.IntegerField { mongo_name = "z", max_value = 99999 },
  Meta = { final = true },
})
local Other = modm.EmbeddedMongoModel:extend("field.Other", { city = f.CharField {} })
local Place = modm.EmbeddedMongoModel:extend("field.Place", { name = f.CharField {} })
local Park = Place:extend("field.Park", { size = f.IntegerField {} })
local User = modm.MongoModel:extend("field.User", { name = f.CharField {} })

local function make(options)
  options = options or {}
  options[1] = Address
  return f.EmbeddedModelField(options)
end

describe("EmbeddedModelField", function()
  it("takes instances", function()
    local address = Address { city = "Bonn" }
    local doc = help.document(make(), address)
    assert.equal(address, doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "document", { city = "Bonn" } }, { help.stored(doc) })
  end)

  it("takes tables in stored form, read or not", function()
    local doc = help.document(make(), { city = "Bonn", z = "53111" })
    assert.is_nil(help.errors(doc))
    assert.equal(53111, doc.value.zip)
    assert.same({ "document", { city = "Bonn", z = 53111 } }, { help.stored(doc) })
    doc = help.document(make(), { city = 5 })
    assert.equal("5", doc.value.city)
  end)

  it("takes an empty table as a document without values", function()
    local field = f.EmbeddedModelField { Place }
    for _, read in ipairs { true, false } do
      local doc = help.document(field, {})
      if read then assert.equal(Place {}, doc.value) end
      assert.is_nil(help.errors(doc))
      assert.same({ "document", { _cls = "field.Place" } }, { help.stored(doc) })
    end
  end)

  it("takes instances of models that extend its own, and finds them by _cls", function()
    local doc = help.document(f.EmbeddedModelField { Place }, Park { name = "Rheinaue", size = 3 })
    assert.is_nil(help.errors(doc))
    local _, stored = help.stored(doc)
    assert.same({ name = "Rheinaue", size = 3, _cls = "field.Park" }, stored)
    assert.equal(3, help.document(f.EmbeddedModelField { Place }, stored).value.size)
    assert.equal(3, help.loaded(f.EmbeddedModelField { Place }, stored).value.size)
  end)

  local refused = "value must be an instance of field.Address."
  local cyclic = {}
  cyclic.city = cyclic
  help.refuses(make, {
    { modm.null, "must not be blank (was: null)." },
    { "", "must not be blank (was: '')." },
    { "Bonn", refused },
    { 5, refused },
    { true, refused },
    { print, refused },
    { modm.array {}, "must not be blank (was: a table)." },
    { modm.array { 1 }, refused },
    { Other { city = "x" }, refused },
    { User { name = "x" }, refused },
    { modm.ObjectId(), refused },
    { { town = "x" }, "field.Address: there is no field stored as 'town'" },
    { { zip = 5 }, "field.Address: there is no field stored as 'zip'" },
    { { 1, 2 }, "field.Address: a document's table has a key of type number" },
    { { city = "x", _cls = "field.Other" },
      "its _cls names neither field.Address nor a model that extends it" },
  })

  it("reports what is wrong inside, all of it", function()
    local doc = help.document(make(), { z = 100000 })
    assert.same({ city = { "field is required." },
      zip = { "100000 is greater than maximum value of 99999." } },
      help.errors(doc))
    local _, message = doc:full_clean()
    assert.matches("value.city: field is required.; ", message, 1, true)
    assert.same({ city = { "not a string: a table" } }, help.errors(help.document(make(), cyclic)))
    assert.same({ city = { "field is required." } }, help.errors(help.document(make(), {})))
  end)

  it("finds what is wrong in what is stored", function()
    local doc = help.loaded(make(), { z = 100000 })
    assert.same({ city = { "field is required." },
      zip = { "100000 is greater than maximum value of 99999." } },
      help.errors(doc))
    assert.is_nil(help.errors(help.loaded(make(), { city = "x", z = 1 })))
  end)

  it("has an older name", function()
    assert.equal(f.EmbeddedModelField, f.EmbeddedDocumentField)
  end)

  it("gives each document a copy of its default", function()
    local default = Address { city = "Bonn" }
    local Model = help.model(make { default = default })
    local a, b = Model {}, Model {}
    a.value.city = "Köln"
    assert.equal("Bonn", b.value.city)
    assert.equal("Bonn", default.city)
    assert.is_nil(help.errors(Model {}))
    Model = help.model(f.EmbeddedModelField { Place, default = Place })
    assert.equal(Place {}, Model {}.value)
  end)

  it("reads what is stored of another type, and refuses it", function()
    local doc = help.loaded(make(), "Bonn")
    assert.equal("Bonn", doc.value)
    assert.same({ refused }, help.errors(doc))
    assert.same({ "string", "Bonn" }, { help.stored(doc) })
  end)

  it("raises for stored fields that its model does not have, when it is read", function()
    local doc = help.loaded(make(), { city = "x", town = "y" })
    assert.error_matches(function() return doc.value end, "field.Address: .* the field 'town'")
    doc = help.loaded(f.EmbeddedModelField { Place }, { _cls = "field.Other" })
    assert.error_matches(function() return doc.value end, "neither field.Place nor")
  end)

  it("keeps the order of what was stored, and no _cls where there was none", function()
    local bytes = core.encode(core.ordered { { "value", core.ordered { { "size", 1 }, { "name",
      "x" } } } })
    local Model = help.model(f.EmbeddedModelField { Park })
    local doc = core.from_bytes(core.schema_of(Model {}), bytes)
    assert.equal("x", doc.value.name)
    assert.is_nil(help.errors(doc))
    assert.is_nil(core.diff(core.schema_of(doc), bytes, core.encode_document(doc)))
    doc.value.name = "y"
    assert.same({ ["$set"] = { ["value.name"] = "y" } },
      core.diff(core.schema_of(doc), bytes, core.encode_document(doc)))
  end)

  it("stops at documents that hold themselves, however they do", function()
    local Node = modm.EmbeddedMongoModel:extend("field.Node", {
      name = f.CharField { default = function() return "x" end },
      left = f.EmbeddedModelField { "field.Node" },
      right = f.EmbeddedModelField { "field.Node" },
      all = f.EmbeddedModelListField { "field.Node" },
    })
    local node = Node {}
    node.left, node.right, node.all = node, node, { node, node }
    local doc = help.document(f.EmbeddedModelField { Node }, node)
    local _, message = doc:full_clean()
    assert.matches("nested deeper than 180 levels (or cyclic).", message, 1, true)
    local bytes, why = core.encode_document(doc)
    assert.is_nil(bytes)
    assert.matches("nested deeper than 180 levels (or cyclic)", why, 1, true)
    assert.matches("^nil\tfield", table.concat({ tostring((doc:to_son())), (select(2,
      doc:to_son())) }, "\t"))
    assert.is_false(node == Node {})
  end)

  it("stores documents nested 170 deep", function()
    local Deep = modm.EmbeddedMongoModel:extend("field.Deep", {
      inner = f.EmbeddedModelField { "field.Deep" }, Meta = { final = true },
    })
    local deep = Deep {}
    for _ = 2, 170 do deep = Deep { inner = deep } end
    local doc = help.document(f.EmbeddedModelField { Deep }, deep)
    assert.is_nil(help.errors(doc))
    local copy = core.from_bytes(core.schema_of(doc), core.encode_document(doc))
    assert.is_nil(help.errors(copy))
    local levels, inner = 0, copy.value
    while inner do levels, inner = levels + 1, inner.inner end
    assert.equal(170, levels)
  end)

  it("needs an embedded model", function()
    local function define(options)
      return function() help.model(f.EmbeddedModelField(options)) end
    end
    assert.error_matches(define {}, "EmbeddedModelField needs a model")
    assert.error_matches(define { 5 }, "option 'model' must be")
    assert.error_matches(define { {} }, "EmbeddedModelField takes an embedded model")
    assert.error_matches(define { User }, "EmbeddedModelField takes an embedded model")
    assert.error_matches(define { modm.MongoModel }, "EmbeddedModelField takes an embedded model")
    assert.error_matches(define { modm.EmbeddedMongoModel },
      "EmbeddedModelField takes an embedded model")
    assert.error_matches(define { Place, on_delete = 1 }, "no option 'on_delete'")
  end)

  it("looks its model up by name when it is needed", function()
    local doc = help.document(f.EmbeddedModelField { "Address" }, { city = "x" })
    assert.equal("x", doc.value.city)
    local ok, err = pcall(function()
      return help.document(f.EmbeddedModelField { "Nobody" }, { city = "x" }).value
    end)
    assert.is_false(ok)
    assert.equal("ModelDoesNotExist", err.kind)
    assert.error_matches(function()
      return help.document(f.EmbeddedModelField { "field.User" }, { name = "x" }).value
    end, "field.User is no embedded model")
  end)

  it("is undefined until it is set; may be required, blank, checked", function()
    assert.is_nil(help.document(make()).value)
    assert.same({ "field is required." }, help.errors(help.document(make { required = true })))
    local doc = help.document(make { blank = true }, modm.null)
    assert.is_nil(help.errors(doc))
    assert.equal("null", (help.stored(doc)))
    local field = make { validators = { function(a) return a.city ~= "Bonn", "not there" end } }
    assert.same({ "not there" }, help.errors(help.document(field, { city = "Bonn" })))
    assert.same({ city = { "field is required." } }, help.errors(help.document(field, {})))
  end)

  help.bad_options("EmbeddedModelField", Address)
end)
