-- JavaScriptField: code, with a scope or without.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("JavaScriptField", function()
  local scoped = modm.JavaScript("x + 1", { x = 1 })

  help.accepts(f.JavaScriptField, {
    { modm.JavaScript "x", modm.JavaScript "x", "code" },
    { modm.JavaScript "", modm.JavaScript "", "code" },
    { "function() { return 1 }", modm.JavaScript "function() { return 1 }", "code" },
    { "'a\0b'", modm.JavaScript "'a\0b'", "code" },
    { "'ä'", modm.JavaScript "'ä'", "code" },
    { scoped, scoped, "code with scope" },
    { modm.JavaScript("x", {}), modm.JavaScript("x", {}), "code with scope" },
  })

  local function refused(text) return "not a JavaScript or its text: " .. text end
  help.refuses(f.JavaScriptField, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { "\255", refused "a string that is not UTF-8" },
    { "\192\128", refused "a string that is not UTF-8" },
    { 5, refused "5" },
    { true, refused "true" },
    { { "x" }, refused "a table" },
    { { code = "x", scope = {} }, refused "a table" },
    { print, refused "a function" },
    { modm.Regex "a", refused "/a/" },
    { modm.Binary "a", refused "Binary(subtype 0, 1 bytes)" },
    { modm.ObjectId "0123456789abcdef01234567", refused "0123456789abcdef01234567" },
  })

  help.common("JavaScriptField", nil, modm.JavaScript "a", modm.JavaScript("a", { a = 1 }))

  it("reads code and scope as they are stored", function()
    local doc = help.loaded(f.JavaScriptField {}, scoped)
    assert.is_nil(help.errors(doc))
    assert.equal("x + 1", doc.value:code())
    assert.same({ x = 1 }, doc.value:scope())
    assert.same({ "code with scope", scoped }, { help.stored(doc) })
  end)

  it("reads what is stored of another type", function()
    local doc = help.loaded(f.JavaScriptField {}, "x")
    assert.equal("x", doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "string", "x" }, { help.stored(doc) })
    assert.same({ refused "5" }, help.errors(help.loaded(f.JavaScriptField {}, 5)))
  end)
end)
