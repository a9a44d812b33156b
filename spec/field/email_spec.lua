-- EmailField: something, one @, something; strict looks at the domain.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("EmailField", function()
  help.accepts(f.EmailField, {
    { "a@b", "a@b", "string" }, { "jon.doe+tag@example.com", "jon.doe+tag@example.com", "string" },
    { "Üser@bücher.example", "Üser@bücher.example", "string" }, { "a b@c d", "a b@c d", "string" },
    { "A@B", "A@B", "string" },
  })

  local no = "not a valid e-mail address"
  help.refuses(f.EmailField, {
    { "", "must not be blank (was: '')." },
    { modm.null, "must not be blank (was: null)." },
    { "nobody", no }, { "@b", no }, { "a@", no }, { "@", no }, { "a@b@c", no }, { "a@@b", no },
    { "a@b\255", "not valid UTF-8." },
    { 5, "not a string: 5" },
    { true, "not a string: true" },
    { { 1 }, "not a string: a table" },
  })

  describe("that is strict", function()
    local function strict() return f.EmailField { strict = true } end
    help.accepts(strict, {
      { "a@b.example", "a@b.example", "string" }, { "x@a-b.c1.example", "x@a-b.c1.example",
        "string" },
      { "x@bücher.example", "x@bücher.example", "string" }, { "x@1.b1", "x@1.b1", "string" },
      { "x@" .. ("x."):rep(124) .. "x.com", "x@" .. ("x."):rep(124) .. "x.com", "string" },
    })
    help.refuses(strict, {
      { "a@b", no }, { "a b@c.example", no }, { "a@b..c", no }, { "a@.b.c", no }, { "a@b.c.", no },
      { "a@-b.c", no }, { "a@b-.c", no }, { "a@b_c.d", no }, { "a@b c.d", no },
      { "a@" .. ("x"):rep(64) .. ".example", no }, { "a\n@b.example", no },
      { "a@1.2.3.4", no }, { "a@b.1", no }, { "a@[1.2.3.4]", no },
      { "a@" .. ("x."):rep(124) .. "xx.com", no }, -- 254 characters
    })
  end)

  help.common("EmailField", nil, "a@b", "c@d")

  it("refuses a wrong type of its option", function()
    assert.error_matches(function() f.EmailField { strict = "yes" } end, "'strict' must be")
  end)

  it("reads what is stored, valid or not", function()
    local doc = help.loaded(f.EmailField {}, "nobody")
    assert.equal("nobody", doc.value)
    assert.same({ no }, help.errors(doc))
    assert.same({ "string", "nobody" }, { help.stored(doc) })
  end)
end)
