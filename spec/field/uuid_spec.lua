-- UUIDField: a binary of subtype 3 or 4, the bytes in the order of the text.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("UUIDField", function()
  local text = "00112233-4455-6677-8899-aabbccddeeff"
  local bytes = "\0\17\34\51\68\85\102\119\136\153\170\187\204\221\238\255"
  local uuid = modm.UUID(text, 3)

  help.accepts(f.UUIDField, {
    { uuid, uuid, "binary" },
    { modm.UUID(text), uuid, "binary" },
    { modm.Binary(bytes, 3), uuid, "binary" },
    { text, uuid, "binary" },
    { text:upper(), uuid, "binary" },
    { (text:gsub("-", "")), uuid, "binary" },
    { "{" .. text .. "}", uuid, "binary" },
    { "urn:uuid:" .. text, uuid, "binary" },
    { bytes, uuid, "binary" },
  })

  local function refused(what) return "not a UUID (or its text, or 16 bytes): " .. what end
  help.refuses(f.UUIDField, {
    { "", "must not be blank (was: '')." },
    { {}, "must not be blank (was: a table)." },
    { modm.null, "must not be blank (was: null)." },
    { modm.Binary "", "must not be blank (was: Binary(subtype 0, 0 bytes))." },
    { "x", refused "'x'" },
    { text .. "0", refused("'" .. text .. "0'") },
    { text:sub(1, 35), refused("'" .. text:sub(1, 35) .. "'") },
    { (text:gsub("a", "g")), refused("'" .. text:gsub("a", "g") .. "'") },
    { "{" .. text, refused("'{" .. text .. "'") },
    { "0011-22334455-6677-8899-aabbccddeeff", refused "'0011-22334455-6677-8899-aabbccddeeff'" },
    { text .. "}", refused("'" .. text .. "}'") },
    { (text:gsub("-", "_")), refused("'" .. text:gsub("-", "_") .. "'") },
    { " " .. text, refused("' " .. text .. "'") },
    { "urn:uuid:", refused "'urn:uuid:'" },
    { "fifteen bytes..", refused "'fifteen bytes..'" },
    { "seventeen bytes..", refused "'seventeen bytes..'" },
    { modm.Binary(bytes), refused "Binary(subtype 0, 16 bytes)" },
    { modm.Binary(bytes .. "x", 4), refused "Binary(subtype 4, 17 bytes)" },
    { 5, refused "5" },
    { true, refused "true" },
    { { bytes }, refused "a table" },
    { modm.ObjectId "0123456789abcdef01234567", refused "0123456789abcdef01234567" },
  })

  help.common("UUIDField", nil, uuid, modm.UUID(("0"):rep(32), 3))

  it("stores subtype 3 with the bytes in the order of the text, or 4 when told", function()
    for _, subtype in ipairs { 3, 4 } do
      for _, input in ipairs { text, bytes, modm.UUID(text, 3), modm.UUID(text, 4) } do
        local doc = help.document(f.UUIDField { subtype = subtype }, input)
        assert.is_nil(help.errors(doc))
        assert.equal(subtype, doc.value:subtype())
        assert.equal(bytes, doc.value:data())
        assert.equal(text, tostring(doc.value))
        assert.same({ "binary", modm.Binary(bytes, subtype) }, { help.stored(doc) })
      end
    end
  end)

  it("refuses another subtype", function()
    assert.error_matches(function() f.UUIDField { subtype = "4" } end,
      "option 'subtype' must be of type integer")
    for _, subtype in ipairs { 0, 2, 5, 260, -1 } do
      assert.error_matches(function() help.model(f.UUIDField { subtype = subtype }) end,
        "option 'subtype' must be 3 or 4")
    end
  end)

  it("reads what is stored otherwise, and leaves it so", function()
    local doc = help.loaded(f.UUIDField {}, modm.UUID(text, 4))
    assert.equal(modm.UUID(text, 4), doc.value)
    assert.is_nil(help.errors(doc))
    assert.same({ "binary", modm.UUID(text, 4) }, { help.stored(doc) })
    assert.same({ refused "'x'" }, help.errors(help.loaded(f.UUIDField {}, "x")))
    assert.same({ refused "Binary(subtype 3, 1 bytes)" },
      help.errors(help.loaded(f.UUIDField {}, modm.Binary("x", 3))))
  end)
end)
