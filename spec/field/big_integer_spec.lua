-- BigIntegerField: as IntegerField, always stored as int64.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("BigIntegerField", function()
  local function int64(digits)
    return math.type and math.tointeger(digits) or modm.Int64(digits)
  end

  help.accepts(f.BigIntegerField, {
    { 5, 5, "int64" }, { 0, 0, "int64" }, { -3.0, -3, "int64" }, { "12", 12, "int64" },
    { 2147483648, 2147483648, "int64" }, { modm.Int64(7), 7, "int64" },
    { "-9223372036854775808", int64 "-9223372036854775808", "int64" },
    { 2 ^ 53, 2 ^ 53, "int64" },
    { "9007199254740993", int64 "9007199254740993", "int64" },
  })

  help.refuses(function() return f.BigIntegerField { min_value = -5, max_value = 2 ^ 40 } end, {
    { "", "must not be blank (was: '')." },
    { 1.25, "not an integer of 64 bits: 1.25" },
    { "1.0", "not an integer of 64 bits: '1.0'" },
    { false, "not an integer of 64 bits: false" },
    { { 1 }, "not an integer of 64 bits: a table" },
    { print, "not an integer of 64 bits: a function" },
    { "9223372036854775808", "not an integer of 64 bits: '9223372036854775808'" },
    { modm.DateTime(0), "not an integer of 64 bits: 1970-01-01T00:00:00.000Z" },
    { -6, "-6 is less than minimum value of -5." },
    { 2 ^ 41, "2199023255552 is greater than maximum value of 1099511627776." },
    { "1099511627777", "1099511627777 is greater than maximum value of 1099511627776." },
  })

  help.common("BigIntegerField", nil, 5, 6)

  it("is not sure of a stored int32, but leaves it alone", function()
    local doc = help.loaded(f.BigIntegerField {}, 5)
    assert.is_nil(help.errors(doc))
    assert.same({ "int32", 5 }, { help.stored(doc) })
    doc.value = 6
    assert.same({ "int64", 6 }, { help.stored(doc) })
  end)
end)
