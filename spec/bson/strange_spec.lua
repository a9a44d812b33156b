-- What has no BSON form, tables that are no list and no document, and what was decoded and changed.
local core = require "modm.core"
local modm = require "modm"

local function refusal(value)
  local ok, message = pcall(core.encode, value)
  assert.is_false(ok)
  return message
end

describe("encoding", function()
  it("refuses what has no BSON form, wherever it lies", function()
    local light = debug.upvalueid(refusal, 1)
    for _, bad in ipairs { light, print, coroutine.create(print), io.stdout } do
      assert.matches("a:", refusal { a = bad })
      assert.matches("a.2", refusal { a = { 1, bad } })
      assert.matches("a.b", refusal { a = { b = bad } })
      local known = core.decode(core.encode { a = { b = 1, c = 2 }, list = core.array { 1, 2 } })
      known.a.b = bad
      assert.matches("a.b", refusal(known))
      known.a.b, known.list[2] = 1, bad
      assert.matches("list.2", refusal(known))
      known.list[2], known.a.new = 2, bad
      assert.matches("a.new", refusal(known))
      known.a.new = nil
      assert.same({ a = { b = 1, c = 2 }, list = { 1, 2 } }, core.decode(core.encode(known)))
      assert.matches("b", refusal(core.ordered { { "a", 1 }, { "b", bad } }))
    end
  end)

  it("says which key is none of a list", function()
    for text, list in pairs {
      ["hole at 2"] = { 1, [3] = 1 }, ["the key 1e%+18"] = { 1, [1e18] = 1 },
      ["the key 1.5"] = { 1, [1.5] = 1 }, ["the key 0"] = { 1, [0] = 1 },
      ["the key %-1"] = { 1, [-1] = 1 }, ["the key 'x'"] = { 1, x = 1 },
      ["a key that is a boolean"] = { 1, [true] = 1 },
    } do
      assert.matches(text, refusal { a = list })
      local known = core.decode(core.encode { a = core.array { 1 } })
      for key, value in pairs(list) do known.a[key] = value end
      assert.matches(text, refusal(known))
    end
    assert.matches("'x'", refusal { a = core.array(setmetatable({ x = 1 }, nil)) })
    assert.is_string(refusal { a = { [true] = 1 } })
    assert.is_string(refusal { ["a\0b"] = 1 })
    assert.is_string(refusal { ["a\255"] = 1 })
  end)

  it("refuses what comes to more bytes than there are", function()
    local megabyte = ("x"):rep(1024 * 1024)
    local list = {}
    for i = 1, 64 do list[i] = { megabyte } end
    assert.matches("larger than", refusal { a = list })
    local twice = { megabyte }
    for _ = 1, 30 do twice = { twice, twice } end
    assert.matches("larger than", refusal { a = twice })
    for _, make in ipairs { modm.Binary, modm.JavaScript } do
      assert.is_false(pcall(make, megabyte:rep(17)))
    end
  end)

  it("keeps each number as it was, what was changed by its value", function()
    local nan = string.pack and string.pack("<d", 0 / 0) or "\0\0\0\0\0\0\248\127"
    local payload = nan:sub(1, 1) == "\0" and "\7" .. nan:sub(2) or nan
    local function array(...)
      local body = ""
      for i, bytes in ipairs { ... } do
        body = body .. "\1" .. (i - 1) .. "\0" .. bytes
      end
      local inner = body .. "\0"
      local function sized(text) return string.char((#text + 4) % 256, 0, 0, 0) .. text end
      return sized("\4a\0" .. sized(inner) .. "\0")
    end
    local five = "\0\0\0\0\0\0\20\64"
    for _, bytes in ipairs { array(payload), array(payload, nan), array(five, payload),
      array(payload, five, nan), array(five, five), array(nan, nan, payload) } do
      local doc = core.decode(bytes)
      assert.equal(bytes, core.encode(doc))
      for i = 1, #doc.a do
        local was = doc.a[i]
        doc.a[i] = 7
        local again = core.decode(core.encode(doc))
        assert.equal(7, again.a[i])
        assert.equal(#doc.a, #again.a)
        doc.a[i] = was
      end
      assert.equal(bytes, core.encode(doc))
    end
  end)
end)

describe("values", function()
  it("at the ends of their ranges are told, and kept within them", function()
    assert.equal("MinKey", tostring(modm.MinKey))
    assert.equal("MaxKey", tostring(modm.MaxKey))
    local late, early = modm.DateTime(0) + 9e15, modm.DateTime(0) - 9e15
    assert.is_true(early < late)
    for _, step in ipairs { function() return late + 9e15 end, function() return early - 9e15 end,
      function() return 9e15 + late end, function() return late + 1e300 end } do
      assert.error_matches(step, "out of the range of a DateTime")
    end
  end)
end)
