-- OrderedDictField: what it has beyond a DictField (dict_spec.lua): an order of keys.
local core = require "modm.core"
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("OrderedDictField", function()
  it("keeps the order of modm.ordered", function()
    local doc = help.document(f.OrderedDictField {}, modm.ordered { { "z", 1 }, { "a", 2 }, { "m",
      3 } })
    assert.is_nil(help.errors(doc))
    local bytes = core.encode_document(doc)
    local z, a, m = bytes:find "z%z", bytes:find "a%z\2", bytes:find "m%z"
    assert.is_true(z < a and a < m)
    assert.same({ z = 1, a = 2, m = 3 }, doc.value)
  end)

  it("keeps the order that was stored, and puts new keys behind", function()
    local stored = core.encode { value = core.ordered { { "z", 1 }, { "a", 2 } } }
    local doc = core.from_bytes(core.schema_of(help.model(f.OrderedDictField {}) {}), stored)
    doc.value.m = 3
    local bytes = core.encode_document(doc)
    assert.equal(core.encode { value = core.ordered { { "z", 1 }, { "a", 2 }, { "m", 3 } } }, bytes)
  end)
end)
