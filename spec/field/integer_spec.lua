-- IntegerField: whole numbers of 64 bits, int32 where they fit.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

-- What is read of an int64 that LuaJIT's numbers cannot hold.
local function int64(digits)
  return math.type and math.tointeger(digits) or modm.Int64(digits)
end

-- What Lua's own decoding of a small int64 gives is a number.
describe("IntegerField", function()
  help.accepts(f.IntegerField, {
    { 5, 5, "int32" }, { 0, 0, "int32" }, { -7, -7, "int32" }, { 5.0, 5, "int32" },
    { "5", 5, "int32" }, { " -12 ", -12, "int32" }, { "+3", 3, "int32" }, { "007", 7, "int32" },
    { 2147483647, 2147483647, "int32" }, { -2147483648, -2147483648, "int32" },
    { 2147483648, 2147483648, "int64" }, { -2147483649, -2147483649, "int64" },
    { modm.Int64(5), 5, "int32" },
    { "9223372036854775807", int64 "9223372036854775807", "int64" },
    { modm.Int64 "-9223372036854775808", int64 "-9223372036854775808", "int64" },
    { 2 ^ 60, int64 "1152921504606846976", "int64" },
    { -2 ^ 63, int64 "-9223372036854775808", "int64" },
  })

  help.refuses(f.IntegerField, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { 1.5, "not an integer of 64 bits: 1.5" },
    { 2 ^ 63, "not an integer of 64 bits: " .. tostring(2 ^ 63) },
    { 1 / 0, "not an integer of 64 bits: inf" },
    { "x", "not an integer of 64 bits: 'x'" },
    { "5.5", "not an integer of 64 bits: '5.5'" },
    { "5 x", "not an integer of 64 bits: '5 x'" },
    { "0x10", "not an integer of 64 bits: '0x10'" },
    { "1e3", "not an integer of 64 bits: '1e3'" },
    { "- 5", "not an integer of 64 bits: '- 5'" },
    { "5\0", "not an integer of 64 bits: a string that holds NUL" },
    { "9223372036854775808", "not an integer of 64 bits: '9223372036854775808'" },
    { "-9223372036854775809", "not an integer of 64 bits: '-9223372036854775809'" },
    { "1_000", "not an integer of 64 bits: '1_000'" },
    { "+-5", "not an integer of 64 bits: '+-5'" },
    { " ", "not an integer of 64 bits: ' '" },
    { true, "not an integer of 64 bits: true" },
    { { 1 }, "not an integer of 64 bits: a table" },
    { print, "not an integer of 64 bits: a function" },
    { modm.ObjectId "0123456789abcdef01234567",
      "not an integer of 64 bits: 0123456789abcdef01234567" },
  })

  describe("with bounds", function()
    help.refuses(function() return f.IntegerField { min_value = 10, max_value = 20 } end, {
      { 5, "5 is less than minimum value of 10." }, { "9", "9 is less than minimum value of 10." },
      { 9.0, "9 is less than minimum value of 10." }, { -1,
        "-1 is less than minimum value of 10." },
      { 0, "0 is less than minimum value of 10." },
      { modm.Int64(3), "3 is less than minimum value of 10." },
      { "-9223372036854775808", "-9223372036854775808 is less than minimum value of 10." },
      { 21, "21 is greater than maximum value of 20." },
      { "30", "30 is greater than maximum value of 20." },
      { 2 ^ 40, "1099511627776 is greater than maximum value of 20." },
    })
    help.accepts(function() return f.IntegerField { min_value = 10, max_value = 20 } end, {
      { 10, 10, "int32" }, { 20, 20, "int32" }, { "15", 15, "int32" },
    })

    it("takes bounds of 64 bits", function()
      local field = f.IntegerField { min_value = modm.Int64 "9007199254740993" }
      assert.same({ "9007199254740992 is less than minimum value of 9007199254740993." },
        help.errors(help.document(field, "9007199254740992")))
      assert.is_nil(help.errors(help.document(field, "9007199254740993")))
    end)

    it("refuses bounds that are no integers or the wrong way round", function()
      assert.error_matches(function() f.IntegerField { min_value = 1.5 } end, "'min_value' must be")
      assert.error_matches(function() f.IntegerField { max_value = "5" } end, "'max_value' must be")
      assert.error_matches(function() f.IntegerField { min_value = 2, max_value = 1 } end,
        "max_value is less than min_value")
    end)
  end)

  help.common("IntegerField", nil, 5, 6)

  it("reads and leaves alone what is stored as another number", function()
    for _, stored in ipairs { 5.5, "x", true } do
      local doc = help.loaded(f.IntegerField {}, stored)
      assert.equal(stored, doc.value)
      assert.same(1, #help.errors(doc))
    end
    local doc = help.loaded(f.IntegerField {}, modm.Int64(5))
    assert.equal(5, doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "int64", 5 }, { help.stored(doc) })
  end)
end)
