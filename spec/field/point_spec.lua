-- PointField: a pair of numbers.
local geo = require "spec.field.geo"
local core = require "modm.core"
local help = require "spec.field.help" (it)
local modm = require "modm"

describe("PointField", function()
  geo.describe(it, "Point", { 1.5, 2 }, { 200, 100.25 }, {
    { { 1 }, "Point is not a pair: [1]" },
    { { 1, 2, 3 }, "Point is not a pair: [1, 2, 3]" },
    { { 1, 2, 3, 4 }, "Point is not a pair: [1, 2, 3, ...]" },
    { { 1, "a" }, "coordinate value must be a number, not 'a'" },
    { { "1", true }, { "coordinate value must be a number, not '1'",
      "coordinate value must be a number, not true" } },
    { { { 1, 2 } }, "Point is not a pair: [a table]" },
    { { 1, modm.null }, "coordinate value must be a number, not null" },
    { { 1 / 0, 2 }, "coordinate value must be a number, not inf" },
    { { 2, 0 / 0 }, "coordinate value must be a number, not " .. tostring(0 / 0) },
  })

  it("keeps the kinds of its numbers", function()
    local bytes = core.encode { value = core.ordered { { "type", "Point" },
      { "coordinates", { modm.Int64(1), 2.5 } } } }
    local doc = core.from_bytes(core.schema_of(help.model(modm.fields.PointField {}) {}), bytes)
    assert.is_nil(help.errors(doc))
    assert.equal(2.5, doc.value.coordinates[2])
    assert.equal(bytes, core.encode_document(doc))
    doc = help.document(modm.fields.PointField {}, { 7, 1.5 })
    assert.is_nil(help.errors(doc))
    assert.truthy(core.encode_document(doc):find("\16000\0\7\0\0\0\0011\0", 1, true)
      or core.encode_document(doc):find("\0160\0\7\0\0\0\0011\0", 1, true))
  end)
end)
