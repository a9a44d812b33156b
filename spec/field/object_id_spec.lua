-- ObjectIdField: ObjectIds, also from their digits or bytes.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("ObjectIdField", function()
  local id = modm.ObjectId "0123456789abcdef01234567"

  help.accepts(f.ObjectIdField, {
    { id, id, "ObjectId" },
    { "0123456789abcdef01234567", id, "ObjectId" },
    { "0123456789ABCDEF01234567", id, "ObjectId" },
    { id:bytes(), id, "ObjectId" },
    { "hello world!", modm.ObjectId "68656c6c6f20776f726c6421", "ObjectId" },
  })

  local function refused(text) return "not an ObjectId (24 hex digits or 12 bytes): " .. text end
  help.refuses(f.ObjectIdField, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { "x", refused "'x'" },
    { "0123456789abcdef0123456", refused "'0123456789abcdef0123456'" },
    { "0123456789abcdef012345678", refused "'0123456789abcdef012345678'" },
    { "0123456789abcdef0123456g", refused "'0123456789abcdef0123456g'" },
    { "0123456789a", refused "'0123456789a'" },
    { "0x23456789abcdef01234567", refused "'0x23456789abcdef01234567'" },
    { " 123456789abcdef01234567", refused "' 123456789abcdef01234567'" },
    { "0123456789abc", refused "'0123456789abc'" },
    { 5, refused "5" },
    { true, refused "true" },
    { { 1 }, refused "a table" },
    { print, refused "a function" },
    { modm.DateTime(0), refused "1970-01-01T00:00:00.000Z" },
    { "\255", refused "a string that is not UTF-8" },
  })

  help.common("ObjectIdField", nil, id, modm.ObjectId())

  it("has modm.ObjectId as a default, a new one for each document", function()
    local Model = help.model(f.ObjectIdField { default = modm.ObjectId })
    local a, b = Model {}, Model {}
    assert.equal("ObjectId", modm.type(a.value))
    assert.equal(a.value, a.value)
    assert.not_equal(a.value, b.value)
    assert.same({ "ObjectId", a.value }, { help.stored(a) })
  end)

  it("reads what is stored of another type, and refuses it", function()
    local doc = help.loaded(f.ObjectIdField {}, 5)
    assert.equal(5, doc.value)
    assert.same({ refused "5" }, help.errors(doc))
    assert.same({ "int32", 5 }, { help.stored(doc) })
  end)
end)
