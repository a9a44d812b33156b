-- RegularExpressionField: a pattern with options, stored as it is.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("RegularExpressionField", function()
  help.accepts(f.RegularExpressionField, {
    { modm.Regex "^a", modm.Regex "^a", "regex" },
    { modm.Regex("b+", "xi"), modm.Regex("b+", "ix"), "regex" },
    { modm.Regex("", "i"), modm.Regex("", "i"), "regex" },
    { "^a.*b$", modm.Regex "^a.*b$", "regex" },
    { "(", modm.Regex "(", "regex" },
    { "ä", modm.Regex "ä", "regex" },
  })

  local function refused(text) return "not a Regex or a pattern without NUL: " .. text end
  help.refuses(f.RegularExpressionField, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { "a\0b", refused "a string that holds NUL" },
    { "\0", refused "a string that holds NUL" },
    { "\255", refused "a string that is not UTF-8" },
    { 5, refused "5" },
    { false, refused "false" },
    { { "a" }, refused "a table" },
    { { pattern = "a", options = "i" }, refused "a table" },
    { print, refused "a function" },
    { modm.Binary "a", refused "Binary(subtype 0, 1 bytes)" },
    { modm.JavaScript "a", refused "a" },
    { modm.ObjectId "0123456789abcdef01234567", refused "0123456789abcdef01234567" },
  })

  help.common("RegularExpressionField", nil, modm.Regex "a", modm.Regex("a", "i"))

  it("reads what is stored of another type", function()
    local doc = help.loaded(f.RegularExpressionField {}, "^a")
    assert.equal("^a", doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "string", "^a" }, { help.stored(doc) })
    assert.same({ refused "5" }, help.errors(help.loaded(f.RegularExpressionField {}, 5)))
  end)

  it("reads a stored regex with its own options", function()
    local doc = help.loaded(f.RegularExpressionField {}, modm.Regex("a", "imu"))
    assert.is_nil(help.errors(doc))
    assert.same({ "a", "imu" }, { doc.value:pattern(), doc.value:options() })
    assert.same({ "regex", modm.Regex("a", "imu") }, { help.stored(doc) })
  end)
end)
