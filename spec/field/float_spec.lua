-- FloatField: numbers, always stored as doubles.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("FloatField", function()
  help.accepts(f.FloatField, {
    { 1.5, 1.5, "double" }, { 5, 5.0, "double" }, { 0, 0.0, "double" }, { -2 ^ 70, -2 ^ 70,
      "double" },
    { "1.5", 1.5, "double" }, { " -3 ", -3.0, "double" }, { "1e3", 1000.0, "double" },
    { "inf", 1 / 0, "double" }, { -1 / 0, -1 / 0, "double" }, { ".5", 0.5, "double" },
    { modm.Int64(7), 7.0, "double" },
  })

  help.refuses(f.FloatField, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { "x", "not a number: 'x'" },
    { "1.5x", "not a number: '1.5x'" },
    { "1,5", "not a number: '1,5'" },
    { "0x10", "not a number: '0x10'" },
    { " ", "not a number: ' '" },
    { "1 2", "not a number: '1 2'" },
    { "1\0", "not a number: a string that holds NUL" },
    { "nan(1)", "not a number: 'nan(1)'" },
    { "0x1p3", "not a number: '0x1p3'" },
    { "1e", "not a number: '1e'" },
    { "1_000", "not a number: '1_000'" },
    { ".", "not a number: '.'" },
    { true, "not a number: true" },
    { { 1 }, "not a number: a table" },
    { print, "not a number: a function" },
    { modm.DateTime(0), "not a number: 1970-01-01T00:00:00.000Z" },
  })

  describe("with bounds", function()
    help.refuses(function() return f.FloatField { min_value = 0.5, max_value = 2 } end, {
      { 0, "0 is less than minimum value of 0.5." }, { 0.25,
        "0.25 is less than minimum value of 0.5." },
      { -1 / 0, "-inf is less than minimum value of 0.5." },
      { "0.1", "0.1 is less than minimum value of 0.5." }, { 3,
        "3 is greater than maximum value of 2." },
      { 2.25, "2.25 is greater than maximum value of 2." },
      { "1e9", "1000000000 is greater than maximum value of 2." },
      { 1 / 0, "inf is greater than maximum value of 2." }, { "inf",
        "inf is greater than maximum value of 2." },
      { modm.Int64(9), "9 is greater than maximum value of 2." },
    })
    help.accepts(function() return f.FloatField { min_value = 0.5, max_value = 2 } end, {
      { 0.5, 0.5, "double" }, { 2, 2.0, "double" },
    })
  end)

  help.common("FloatField", nil, 1.5, 2.5)

  it("takes NaN where there is no bound", function()
    local doc = help.document(f.FloatField {}, "nan")
    assert.is_nil(help.errors(doc))
    assert.is_true(doc.value ~= doc.value)
    assert.equal("double", (help.stored(doc)))
    assert.equal(2, #help.errors(help.document(f.FloatField { min_value = 0, max_value = 1 },
      0 / 0)))
  end)

  it("refuses bounds that are no numbers", function()
    assert.error_matches(function() f.FloatField { min_value = "1" } end, "'min_value' must be")
    assert.error_matches(function() f.FloatField { min_value = 1, max_value = 0.5 } end,
      "max_value is less than min_value")
  end)

  it("leaves a stored integer alone until another is assigned", function()
    local doc = help.loaded(f.FloatField {}, modm.Int64(5))
    assert.is_nil(help.errors(doc))
    assert.same({ "int64", 5 }, { help.stored(doc) })
    doc.value = 6
    assert.same({ "double", 6.0 }, { help.stored(doc) })
  end)
end)
