-- Long hostile texts: every validator comes to an end with them, and no message carries them along.
-- `make bench-validators` says how long it takes.
local hostile = require "bench.hostile"
local modm = require "modm"

local MEGABYTE = 2 ^ 20

describe("a text of a megabyte", function()
  local Model = modm.EmbeddedMongoModel
  for i, case in ipairs(hostile) do
    it("is judged: " .. case[1], function()
      local Hostile = Model:extend("Hostile" .. i, { value = case[2] })
      local text = case[3](MEGABYTE)
      assert.is_true(#text > 0.9 * MEGABYTE)
      local ok, message, err = Hostile { value = text }:full_clean()
      if case.taken then
        assert.is_truthy(ok, message)
      else
        assert.is_nil(ok)
        assert.are.equal("ValidationError", err.kind)
        assert.is_true(#message < 300, message)
        assert.is_true(#err.errors.value[1] < 300)
      end
    end)
  end

  it("is judged: the options of a regular expression", function()
    local ok, message = pcall(modm.Regex, "a", ("i"):rep(MEGABYTE) .. "?")
    assert.is_false(ok)
    assert.is_true(#message < 300, message)
    assert.are.equal("i", modm.Regex("a", ("i"):rep(MEGABYTE)):options())
  end)

  it("is judged where it is a list's item, a dict's key, or a condition", function()
    local text = ("a"):rep(MEGABYTE)
    local Lists = Model:extend("HostileList", {
      list = modm.fields.ListField { modm.fields.EmailField {} },
      dict = modm.fields.DictField {},
    })
    local ok, message = Lists { list = { text, text } }:full_clean()
    assert.is_nil(ok)
    assert.is_true(#message < 300, #message)
    ok, message = Lists { dict = { ["$" .. text] = 1 } }:full_clean()
    assert.is_nil(ok)
    assert.is_true(#message < 700, #message)
    local Mails = modm.MongoModel:extend("HostileMail", { number = modm.fields.IntegerField {} })
    modm.connect("mongodb://127.0.0.1:1/x")
    ok, message = Mails.objects:filter { number = text }:count()
    modm.disconnect()
    assert.is_falsy(ok)
    assert.is_truthy(message:find("not an integer", 1, true))
    assert.is_true(#message < 300, #message)
  end)

  it("is refused as a name of a field", function()
    local text = ("a"):rep(MEGABYTE)
    local Named = Model:extend("HostileName", { value = modm.fields.CharField {} })
    local doc = Named {}
    for _, attempt in ipairs {
      function() return Named { [text] = 1 } end,
      function() return doc[text] end,
      function() doc[text] = 1 end,
    } do
      local ok, message = pcall(attempt)
      assert.is_false(ok)
      assert.is_truthy(message:find("HostileName has no field 'aaa", 1, true))
      assert.is_true(#message < 300, #message)
    end
  end)
end)
