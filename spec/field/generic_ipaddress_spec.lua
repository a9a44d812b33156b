-- GenericIPAddressField: IPv4, IPv6, or both.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

local v4 = { "127.0.0.1", "0.0.0.0", "255.255.255.255" }
local v6 = { "::", "::1", "2001:DB8::1", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4", "fe80::1%eth0" }

local function unchanged(texts)
  local cases = {}
  for i, text in ipairs(texts) do cases[i] = { text, text, "string" } end
  return cases
end

local function invalid(texts)
  local cases = {}
  for i, text in ipairs(texts) do
    cases[i] = { text, "'" .. text .. "' is not a valid IP address." }
  end
  return cases
end

describe("GenericIPAddressField", function()
  help.accepts(f.GenericIPAddressField, unchanged(v4))
  help.accepts(f.GenericIPAddressField, unchanged(v6))

  help.refuses(f.GenericIPAddressField, {
    { "", "must not be blank (was: '')." },
    { modm.null, "must not be blank (was: null)." },
    { "::1\255", "not valid UTF-8." },
    { "::1\0", "a string that holds NUL is not a valid IP address." },
    { 2130706433, "not a string: 2130706433" },
    { true, "not a string: true" },
    { { 127, 0, 0, 1 }, "not a string: a table" },
    { print, "not a string: a function" },
    { ("1"):rep(5000), "'" .. ("1"):rep(60) .. "...' is not a valid IP address." },
    { modm.DateTime(0), "not a string: " .. tostring(modm.DateTime(0)) },
  })
  help.refuses(f.GenericIPAddressField, invalid {
    "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4/8", " 1.2.3.4",
    "1.2.3.4 ", "1.2.3.4\n", "0x7f.0.0.1", "1.2.3.4%eth0", ":::", "1::2::3", "12345::", "::g",
    "[::1]", "::1/64", "fe80::1%", "fe80::1%eth0/64", "fe80::1%a b",
    "fe80::1%a\n", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":1", "::256.1.1.1", "1.2.3.4::",
    "fe80::1%a%b", "1:2:3:4:5:6:7:8:9", "::ffff:1.2.3.04",
  })

  describe("of IPv4", function()
    local function make() return f.GenericIPAddressField { protocol = "ipv4" } end
    help.accepts(make, unchanged(v4))
    it("refuses IPv6", function()
      for _, text in ipairs(v6) do assert.truthy(help.errors(help.document(make(), text))) end
      assert.truthy(help.errors(help.loaded(make(), "::1")))
    end)
  end)

  describe("of IPv6", function()
    local function make() return f.GenericIPAddressField { protocol = "ipv6" } end
    help.accepts(make, unchanged(v6))
    it("refuses IPv4", function()
      for _, text in ipairs(v4) do assert.truthy(help.errors(help.document(make(), text))) end
      assert.truthy(help.errors(help.loaded(make(), "1.2.3.4")))
    end)
  end)

  it("takes both when that is said", function()
    local function make() return f.GenericIPAddressField { protocol = "both" } end
    for _, text in ipairs { v4[1], v6[1] } do
      assert.is_nil(help.errors(help.document(make(), text)))
    end
  end)

  it("refuses another protocol where it is given", function()
    for _, wrong in ipairs { "ipx", "", 'both"|"ipv4', "IPV4", 4, true } do
      assert.error_matches(function() f.GenericIPAddressField { protocol = wrong } end,
        "'protocol' must be of type")
    end
  end)

  help.common("GenericIPAddressField", nil, "127.0.0.1", "::1")

  it("reads what is stored, valid or not", function()
    local doc = help.loaded(f.GenericIPAddressField {}, "1.2.3")
    assert.equal("1.2.3", doc.value)
    assert.same({ "'1.2.3' is not a valid IP address." }, help.errors(doc))
    assert.same({ "string", "1.2.3" }, { help.stored(doc) })
  end)
end)
