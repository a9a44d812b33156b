-- Decimal128Field: 34 decimal digits, exactly, within exact bounds.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields
local D = modm.Decimal128

describe("Decimal128Field", function()
  help.accepts(f.Decimal128Field, {
    { D "0.10", D "0.10", "decimal128" },
    { "1.50", D "1.50", "decimal128" },
    { "-0", D "-0", "decimal128" },
    { " 5\n", D "5", "decimal128" },
    { 5, D "5", "decimal128" },
    { -7, D "-7", "decimal128" },
    { 1.1, D "1.1", "decimal128" },
    { 1e300, D "1E+300", "decimal128" },
    { modm.Int64 "9007199254740993", D "9007199254740993", "decimal128" },
    { ("9"):rep(34), D(("9"):rep(34)), "decimal128" },
    { "1E+6144", D "1E+6144", "decimal128" },
    { "0E-4294967297", D "0E-6176", "decimal128" }, -- a zero keeps the nearest exponent
    { "1E+0000000000005", D "1E+5", "decimal128" },
    { "Infinity", D "Infinity", "decimal128" },
    { "NaN", D "NaN", "decimal128" },
  })

  local function refused(text) return "not a decimal number of at most 34 digits: " .. text end
  help.refuses(f.Decimal128Field, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { "ten", refused "'ten'" },
    { "1,5", refused "'1,5'" },
    { "1.2.3", refused "'1.2.3'" },
    { "0x10", refused "'0x10'" },
    { "1e", refused "'1e'" },
    { ".", refused "'.'" },
    { " ", refused "' '" },
    { "1 5", refused "'1 5'" },
    { "1E+7000", refused "'1E+7000'" },
    { "1E+6145", refused "'1E+6145'" }, -- the largest exponent of a digit is 6144
    { "1E-6177", refused "'1E-6177'" },
    { "1E4294967297", refused "'1E4294967297'" }, -- 2^32 + 1
    { "1E-99999999999999999999", refused "'1E-99999999999999999999'" },
    { "1E99999999999x", refused "'1E99999999999x'" },
    { "sNaN", refused "'sNaN'" },
    { "1_000", refused "'1_000'" },
    { "--1", refused "'--1'" },
    { ("9"):rep(35), refused("'" .. ("9"):rep(35) .. "'") },
    { "1\0", refused "a string that holds NUL" },
    { true, refused "true" },
    { { 1 }, refused "a table" },
    { print, refused "a function" },
    { modm.DateTime(0), refused "1970-01-01T00:00:00.000Z" },
  })

  help.common("Decimal128Field", nil, D "1.5", D "1.50")

  local function bounded(value)
    return help.errors(help.document(f.Decimal128Field { min_value = "-1.5", max_value = D "20" },
      value))
  end

  it("has bounds, which belong to it", function()
    for _, value in ipairs { "-1.5", "-1.500", "-0", "0E+6000", "1E-6176", "20", "2E+1", "20.000",
      "19.99999999999999999999999999999999", 0, -1.5 } do
      assert.is_nil(bounded(value))
    end
  end)

  it("compares with the bounds exactly", function()
    local function under(text) return { text .. " is less than minimum value of -1.5." } end
    local function over(text) return { text .. " is greater than maximum value of 20." } end
    for _, text in ipairs { "-1.500000000000000000000000000000001", "-2", "-1E+1", "-15",
      "-Infinity" } do
      assert.same(under(text), bounded(text))
    end
    for _, text in ipairs { "20.00000000000000000000000000000001", "21", "2.1E+2", "Infinity" } do
      assert.same(over(text), bounded(text))
    end
    assert.same({ "NaN lies within no bounds." }, bounded "NaN")
  end)

  it("looks at the bounds of what is stored", function()
    local field = f.Decimal128Field { min_value = 1 }
    assert.is_nil(help.errors(help.loaded(field, D "1.00")))
    assert.same({ "0.99 is less than minimum value of 1." },
      help.errors(help.loaded(field, D "0.99")))
  end)

  it("takes infinite bounds", function()
    local field = f.Decimal128Field { min_value = "-Infinity", max_value = "Infinity" }
    assert.is_nil(help.errors(help.document(field, "Infinity")))
    assert.is_nil(help.errors(help.document(field, "-1E+6144")))
    assert.same({ "NaN lies within no bounds." }, help.errors(help.document(field, "NaN")))
  end)

  it("refuses bounds that are none", function()
    assert.error_matches(function() f.Decimal128Field { min_value = true } end,
      "option 'min_value' must be of type")
    assert.error_matches(function() f.Decimal128Field { min_value = 2, max_value = 1 } end,
      "max_value is less than min_value")
    for _, options in ipairs { { min_value = "2", max_value = "1" },
      { min_value = D "10", max_value = 9 } } do
      assert.error_matches(function() help.model(f.Decimal128Field(options)) end,
        "max_value is less than min_value")
    end
    assert.is_table(help.model(f.Decimal128Field { min_value = "9", max_value = "10" }))
    assert.error_matches(function() help.model(f.Decimal128Field { max_value = "much" }) end,
      "option 'max_value' must be a number of at most 34 digits, got 'much'")
    assert.error_matches(function() help.model(f.Decimal128Field { min_value = "NaN" }) end,
      "option 'min_value' must not be NaN")
  end)

  it("reads what is stored of another type", function()
    local doc = help.loaded(f.Decimal128Field {}, "1.5")
    assert.equal("1.5", doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "string", "1.5" }, { help.stored(doc) })
    assert.same({ refused "'x'" }, help.errors(help.loaded(f.Decimal128Field {}, "x")))
  end)
end)
