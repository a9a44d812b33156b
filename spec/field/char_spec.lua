-- CharField: text, its length counted in characters.
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("CharField", function()
  local printable = setmetatable({}, { __tostring = function() return "printed" end })
  local id = modm.ObjectId "0123456789abcdef01234567"

  help.accepts(f.CharField, {
    { "text", "text", "string" },
    { "Grüße, 世界 🎉", "Grüße, 世界 🎉", "string" },
    { "with\0nul", "with\0nul", "string" },
    { " ", " ", "string" },
    { 5, "5", "string" },
    { -2.5, "-2.5", "string" },
    { true, "true", "string" },
    { false, "false", "string" },
    { id, "0123456789abcdef01234567", "string" },
    { modm.DateTime(0), "1970-01-01T00:00:00.000Z", "string" },
    { modm.Int64 "9007199254740993", "9007199254740993", "string" },
    { printable, "printed", "string" },
  })

  local throws = setmetatable({ 1 }, { __tostring = function() error("no text", 0) end })
  local wrong = setmetatable({ 1 }, { __tostring = function() return {} end })
  local nothing = setmetatable({ 1 }, { __tostring = function() error() end })
  local function named(name)
    return setmetatable({ 1 }, { __name = name })
  end
  help.refuses(f.CharField, {
    { "", "must not be blank (was: '')." },
    { modm.null, "must not be blank (was: null)." },
    { {}, "must not be blank (was: a table)." },
    { { 1 }, "not a string: a table" },
    { named "Mine", "not a string: a table" },
    { print, "not a string: a function" },
    { coroutine.create(print), "not a string: a thread" },
    { "\255", "not valid UTF-8." },
    { "\237\160\128", "not valid UTF-8." },
    { "ab\192\128", "not valid UTF-8." },
    { "\224\128\175", "not valid UTF-8." }, -- longer than it need be (RFC 3629, 3)
    { "\244\144\128\128", "not valid UTF-8." }, -- above U+10FFFF
    { "\248\136\128\128\128", "not valid UTF-8." },
    { "a\194", "not valid UTF-8." }, -- cut short
    { throws, "its __tostring failed: no text" },
    { wrong, "its __tostring failed: '__tostring' must return a string" },
    { nothing, "its __tostring failed: (no message)" },
  })

  describe("with lengths", function()
    help.refuses(function() return f.CharField { min_length = 2, max_length = 3 } end, {
      { "a", "'a' is under the minimum length of 2." },
      { "ü", "'ü' is under the minimum length of 2." },
      { "世", "'世' is under the minimum length of 2." },
      { 5, "'5' is under the minimum length of 2." },
      { "abcd", "value exceeds the maximum length of 3." },
      { "äöüß", "value exceeds the maximum length of 3." },
      { ("x"):rep(100000), "value exceeds the maximum length of 3." },
      { 1234, "value exceeds the maximum length of 3." },
      { true, "value exceeds the maximum length of 3." },
      { "a\0bc", "value exceeds the maximum length of 3." },
    })

    help.accepts(function() return f.CharField { min_length = 2, max_length = 3 } end, {
      { "ab", "ab", "string" }, { "abc", "abc", "string" }, { "世界🎉", "世界🎉", "string" },
      { 12, "12", "string" },
    })
  end)

  help.common("CharField", nil, "a", "b")

  it("stores an empty text when it may be blank", function()
    local doc = help.document(f.CharField { blank = true, min_length = 2 }, "")
    assert.is_nil(help.errors(doc))
    assert.same({ "string", "" }, { help.stored(doc) })
  end)

  it("cuts long texts in messages, at a whole character", function()
    local field = f.CharField { choices = { "a", ("ü"):rep(40), "b" } }
    local message = help.errors(help.document(field, ("x"):rep(59) .. "世界"))[1]
    assert.equal(("'%s...' is not a choice. Choices are ['a', '%s...', 'b'].")
      :format(("x"):rep(59), ("ü"):rep(30)), message)
  end)

  it("keeps messages to a length, and these UTF-8", function()
    local choices = {}
    for i = 1, 200 do choices[i] = "Wörter" .. i end
    local message = help.errors(help.document(f.CharField { choices = choices }, "x"))[1]
    assert.is_true(#message < 512 and #message > 500)
    assert.is_nil(help.errors(help.document(f.CharField {}, message)))
  end)

  it("refuses lengths that make no sense, where they are given", function()
    for _, options in ipairs {
      { max_length = -1 }, { min_length = 1.5 }, { max_length = "3" }, { min_length = 3,
        max_length = 2 },
      { max_length = 2 ^ 40 },
    } do
      local ok, err = pcall(function() help.model(f.CharField(options)) end)
      assert.is_false(ok)
      assert.matches("m[inax]+_length", tostring(err))
    end
  end)

  it("reads what is stored of another type, and refuses to call it valid", function()
    local doc = help.loaded(f.CharField {}, 5)
    assert.equal(5, doc.value)
    assert.is_nil(help.errors(doc))
    doc = help.loaded(f.CharField {}, { 1 })
    assert.same({ 1 }, doc.value)
    assert.same({ "not a string: a table" }, help.errors(doc))
  end)
end)
