-- BinaryField: bytes with a subtype.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("BinaryField", function()
  help.accepts(f.BinaryField, {
    { "bytes", modm.Binary "bytes", "binary" },
    { "\0\255", modm.Binary "\0\255", "binary" },
    { "\0", modm.Binary "\0", "binary" },
    { modm.Binary "x", modm.Binary "x", "binary" },
    { modm.Binary("x", 128), modm.Binary("x", 128), "binary" },
    { modm.Binary("x", 2), modm.Binary("x", 2), "binary" },
    { modm.UUID(("a"):rep(32)), modm.UUID(("a"):rep(32)), "binary" },
  })

  local function refused(text) return "not a Binary or a string of bytes: " .. text end
  help.refuses(f.BinaryField, {
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { modm.Binary "", "must not be blank (was: Binary(subtype 0, 0 bytes))." },
    { modm.Binary("", 5), "must not be blank (was: Binary(subtype 5, 0 bytes))." },
    { 5, refused "5" },
    { true, refused "true" },
    { { 1, 2 }, refused "a table" },
    { { data = "x" }, refused "a table" },
    { print, refused "a function" },
    { modm.ObjectId "0123456789abcdef01234567", refused "0123456789abcdef01234567" },
    { modm.Regex "a", refused "/a/" },
    { modm.DateTime(0), refused "1970-01-01T00:00:00.000Z" },
  })

  help.common("BinaryField", nil, modm.Binary "a", modm.Binary("a", 1))

  it("gives strings its subtype, and leaves a Binary its own", function()
    for _, subtype in ipairs { 0, 1, 2, 5, 128, 255 } do
      local doc = help.document(f.BinaryField { subtype = subtype }, "abc")
      assert.is_nil(help.errors(doc))
      assert.equal(subtype, doc.value:subtype())
      assert.equal("abc", doc.value:data())
      assert.same({ "binary", modm.Binary("abc", subtype) }, { help.stored(doc) })
      doc = help.document(f.BinaryField { subtype = subtype }, modm.Binary("abc", 7))
      assert.is_nil(help.errors(doc))
      assert.equal(7, doc.value:subtype())
    end
  end)

  it("refuses a subtype that is none", function()
    assert.error_matches(function() f.BinaryField { subtype = "0" } end,
      "option 'subtype' must be of type integer")
    for _, subtype in ipairs { -1, 256 } do
      assert.error_matches(function() help.model(f.BinaryField { subtype = subtype }) end,
        "option 'subtype' must be from 0 to 255")
    end
  end)

  it("refuses what is too long for a document", function()
    local doc = help.document(f.BinaryField {}, ("x"):rep(16 * 1024 * 1024 + 1))
    assert.same({ "too long for a document" }, help.errors(doc))
  end)

  it("reads what is stored of another type", function()
    local doc = help.loaded(f.BinaryField {}, "text")
    assert.equal("text", doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "string", "text" }, { help.stored(doc) })
    assert.same({ refused "5" }, help.errors(help.loaded(f.BinaryField {}, 5)))
  end)

  it("finds a string without bytes blank, and stores it as a binary if allowed", function()
    local doc = help.document(f.BinaryField {}, "")
    assert.same({ "must not be blank (was: '')." }, help.errors(doc))
    for _, subtype in ipairs { 0, 5 } do
      doc = help.document(f.BinaryField { blank = true, subtype = subtype }, "")
      assert.is_nil(help.errors(doc))
      assert.same({ "binary", modm.Binary("", subtype) }, { help.stored(doc) })
    end
  end)

  it("finds a stored binary without bytes blank", function()
    assert.same({ "must not be blank (was: Binary(subtype 0, 0 bytes))." },
      help.errors(help.loaded(f.BinaryField {}, modm.Binary "")))
    assert.is_nil(help.errors(help.loaded(f.BinaryField { blank = true }, modm.Binary "")))
  end)
end)
