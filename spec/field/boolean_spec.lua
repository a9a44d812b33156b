-- BooleanField: truth, where 0, "" and what is empty are false.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("BooleanField", function()
  help.accepts(f.BooleanField, {
    { true, true, "bool" }, { false, false, "bool" }, { 1, true, "bool" }, { 0, false, "bool" },
    { 0.0, false, "bool" }, { -1, true, "bool" }, { 0.5, true, "bool" }, { 0 / 0, true, "bool" },
    { "", false, "bool" }, { "x", true, "bool" }, { "false", true, "bool" }, { "0", true, "bool" },
    { {}, false, "bool" }, { { 1 }, true, "bool" }, { modm.array {}, false, "bool" },
    { print, true, "bool" }, { modm.ObjectId(), true, "bool" }, { modm.Binary "", false, "bool" },
    { modm.Int64(0), false, "bool" }, { modm.Int64(1), true, "bool" },
  })

  -- Nothing but null cannot be true or false; validators and choices are what else can refuse.
  local no = f.BooleanField { choices = { true } }
  help.refuses(function() return no end, {
    { false, "false is not a choice. Choices are [true]." },
    { 0, "false is not a choice. Choices are [true]." },
    { 0.0, "false is not a choice. Choices are [true]." },
    { -0.0, "false is not a choice. Choices are [true]." },
    { "", "false is not a choice. Choices are [true]." },
    { {}, "false is not a choice. Choices are [true]." },
    { modm.array {}, "false is not a choice. Choices are [true]." },
    { modm.object {}, "false is not a choice. Choices are [true]." },
    { modm.Binary "", "false is not a choice. Choices are [true]." },
    { modm.Int64(0), "false is not a choice. Choices are [true]." },
    { modm.null, "must not be blank (was: null)." },
  })

  help.common("BooleanField", nil, true, false)

  it("has false as a default", function()
    local doc = help.document(f.BooleanField { default = false })
    assert.is_false(doc.value)
    assert.same({ "bool", false }, { help.stored(doc) })
  end)

  it("reads what is stored of another type", function()
    local doc = help.loaded(f.BooleanField {}, 1)
    assert.equal(1, doc.value)
    assert.is_nil(help.errors(doc))
  end)
end)
