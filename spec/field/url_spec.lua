-- URLField: a scheme, a domain or an address, a path without spaces.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("URLField", function()
  local accepted = {}
  for i, text in ipairs {
    "http://example.com", "HTTPS://Example.COM/", "ftp://a.b.example/file", "ftps://example.museum",
    "http://example.com.", "http://example.com:8080/a/b?c=d#e", "http://example.com.:80",
    "http://x-y.example/ü/%20", "http://127.0.0.1", "http://10.0.0.10:27017/", "http://::1",
    "http://2001:db8::1/x", "http://1:2:3:4:5:6:7:8:80/", "http://xn--bcher-kva.example",
    "http://a.b2", "http://1.2.3.com", "http://example.com/a@b:c",
    "http://" .. ("x"):rep(63) .. ".example",
    -- beside Unicode's spaces
    "http://a.b2/\194\161\225\154\129\225\155\128\226\128\139\226\128\170\226\129\160\226\130\172",
    "http://a.b2/\227\128\129\227\129\130",
  } do
    accepted[i] = { text, text, "string" }
  end
  help.accepts(f.URLField, accepted)

  local unsplit = "not a URL: it must have one '://'."
  local function domain(text) return { "http://" .. text, "Invalid domain: '" .. text .. "'" } end
  local function path(text)
    return { "http://a.example" .. text, "Invalid path: '" .. text .. "'" }
  end
  help.refuses(f.URLField, {
    { "", "must not be blank (was: '')." },
    { modm.null, "must not be blank (was: null)." },
    { "foo.com", unsplit }, { "http:/foo.com", unsplit },
    { "http://foo.com/?to=http://bar.com", unsplit },
    { "gopher://foo.com", "Unrecognized scheme: 'gopher'" },
    { "://foo.com", "Unrecognized scheme: ''" },
    { " http://foo.com", "Unrecognized scheme: ' http'" },
    domain "", domain "localhost", domain "localhost:80", domain "user:pw@foo.com", domain "[::1]",
    domain "foo.com?x=1", domain "foo.com:", domain "foo.com:x", domain ".com", domain "foo..com",
    domain "foo.com..", domain "-a.example", domain "a-.example", domain "a_b.example",
    domain "foo.c", domain "foo com.example", domain "foo.com\n", domain "bücher.example",
    domain "1.2.3", domain "1.2.3.400", domain "01.2.3.4", domain "::g", domain "fe80::1%eth0",
    { "http://" .. ("x"):rep(64) .. ".example",
      "Invalid domain: '" .. ("x"):rep(60) .. "...'" },
    { "http://a.example\0", "Invalid domain: a string that holds NUL" },
    path "/a b", path "/a\tb", path "/a\n", path "/\194\160", path "/\226\128\138",
    path "/\227\128\128", path "/\127", path "/\194\133", path "/\225\154\128",
    path "/\226\128\128", path "/\226\128\168", path "/\226\128\169", path "/\226\128\175",
    path "/\226\129\159",
    { "http://a.example/\255", "not valid UTF-8." },
    { 5, "not a string: 5" },
    { true, "not a string: true" },
    { { 1 }, "not a string: a table" },
  })

  help.common("URLField", nil, "http://a.example", "http://b.example")

  it("takes as long for a long text as its length lets expect", function()
    local doc = help.document(f.URLField {}, "http://" .. ("a."):rep(500000) .. "!")
    local started = os.clock()
    assert.truthy(help.errors(doc))
    assert.is_true(os.clock() - started < 2)
  end)

  it("reads what is stored, valid or not", function()
    local doc = help.loaded(f.URLField {}, "http://localhost/")
    assert.equal("http://localhost/", doc.value)
    assert.same({ "Invalid domain: 'localhost'" }, help.errors(doc))
    assert.same({ "string", "http://localhost/" }, { help.stored(doc) })
    assert.is_nil(help.errors(help.loaded(f.URLField {}, "http://a.example/")))
  end)
end)
