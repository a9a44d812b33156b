-- The BSON corpus: the cases that all drivers share. Its folder comes from MODM_BSON_CORPUS.
local modm = require "modm.core"
local B = require "spec.bson.bytes"

local folder = os.getenv("MODM_BSON_CORPUS") or "../shared/spec/bson-corpus/tests"

-- How many cases there are, and how many of them came out right: what the last spec prints.
local score = {
  valid = { all = 0, right = 0 }, invalid = { all = 0, right = 0 },
  unparsed = { all = 0, right = 0, json = 0 },
}

local FILES = {}
for name in ([[array binary boolean code code_w_scope datetime dbpointer dbref decimal128-1
  decimal128-2 decimal128-3 decimal128-4 decimal128-5 decimal128-6 decimal128-7 document double
  int32 int64 maxkey minkey multi-type multi-type-deprecated null oid regex string symbol timestamp
  top undefined]]):gmatch("%S+") do
  FILES[#FILES + 1] = name
end

local function read(name)
  local file = io.open(folder .. "/" .. name .. ".json")
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return assert(require("dkjson").decode(text))
end

local function rewritten(hex)
  return B.hex(modm.encode(modm.decode(B.unhex(hex))))
end

local function check_valid(name, case)
  score.valid.all = score.valid.all + 1
  it(name .. ": " .. case.description .. " is written as it was read", function()
    assert.are.equal(case.canonical_bson:lower(), rewritten(case.canonical_bson))
    score.valid.right = score.valid.right + 1
  end)
  if case.degenerate_bson and name == "array" then
    it(name .. ": " .. case.description .. " is written in order", function()
      assert.are.equal(case.canonical_bson:lower(), rewritten(case.degenerate_bson))
    end)
  elseif case.degenerate_bson then
    it(name .. ": " .. case.description .. " is kept as it was stored", function()
      assert.are.equal(case.degenerate_bson:lower(), rewritten(case.degenerate_bson))
    end)
  end
end

local function check_decimal(case)
  local function number(json) return (json or ""):match('"%$numberDecimal"%s*:%s*"([^"]*)"') end
  local text = number(case.canonical_extjson)
  if not text then return end
  it("prints and reads " .. text, function()
    local d = modm.decode(B.unhex(case.canonical_bson)).d
    assert.are.equal(text, tostring(d))
    -- The corpus calls lossy what has other bytes with the same text (a NaN, a zero out of form).
    if case.lossy then return end
    assert.are.equal(d, modm.Decimal128(text))
    local other = number(case.degenerate_extjson)
    if other then assert.are.equal(d, modm.Decimal128(other)) end
  end)
end

local function check_error(name, case)
  score.invalid.all = score.invalid.all + 1
  it(name .. ": " .. case.description .. " is refused", function()
    assert.is_false(pcall(modm.decode, B.unhex(case.bson)))
    score.invalid.right = score.invalid.right + 1
  end)
end

-- What is wrong with a text of extended JSON. modm has no reader of that; the texts of a Decimal128
-- or UUID inside of it are what its constructors take.
local function check_parse_error(name, case)
  local decimal = name:find("decimal128", 1, true)
  local uuid = case.string:match('"%$uuid"%s*:%s*(.-)}')
  local make = decimal and modm.Decimal128 or uuid and modm.UUID
  local value = uuid and (require("dkjson").decode(uuid) or {}) or case.string
  score.unparsed.all = score.unparsed.all + 1
  if not make then
    score.unparsed.json = score.unparsed.json + 1
    return
  end
  local kind = uuid and "UUID" or "Decimal128"
  it(("refuses to make a %s of %s"):format(kind, case.string), function()
    assert.is_false(pcall(make, value))
    score.unparsed.right = score.unparsed.right + 1
  end)
end

describe("the BSON corpus", function()
  local found = false
  for _, name in ipairs(FILES) do
    local suite = read(name)
    found = found or suite ~= nil
    for _, case in ipairs(suite and suite.valid or {}) do
      check_valid(name, case)
      if name:find("decimal128", 1, true) then check_decimal(case) end
    end
    for _, case in ipairs(suite and suite.decodeErrors or {}) do
      check_error(name, case)
    end
    for _, case in ipairs(suite and suite.parseErrors or {}) do
      check_parse_error(name, case)
    end
  end
  if not found then
    pending("is not here: set MODM_BSON_CORPUS to its folder")
    return
  end

  it("is whole, and all of it comes out right", function()
    local valid, invalid, unparsed = score.valid, score.invalid, score.unparsed
    print(("\nBSON corpus: %d of %d documents written as they were read, %d of %d refused;")
      :format(valid.right, valid.all, invalid.right, invalid.all))
    print(("of %d parse errors %d refused, %d about extended JSON, which modm does not read")
      :format(unparsed.all, unparsed.right, unparsed.json))
    assert.same({ 728, 728 }, { valid.right, valid.all })
    assert.same({ 75, 75 }, { invalid.right, invalid.all })
    assert.equal(180, unparsed.right + unparsed.json)
  end)
end)

-- What stands in for the corpus where it is not: each kind of value that a driver may lose.
describe("cases of our own", function()
  local function hex(name, kind, bytes)
    it(name .. " is written as it was read", function()
      local bson = B.document(B.element(kind, "v", B.unhex(bytes)))
      assert.are.equal(B.hex(bson), B.hex(modm.encode(modm.decode(bson))))
      local inside = B.document(B.element(3, "d", bson), B.element(4, "a",
        B.document(B.element(kind, "0", B.unhex(bytes)), B.element(16, "1", B.i32(1)))))
      assert.are.equal(B.hex(inside), B.hex(modm.encode(modm.decode(inside))))
    end)
  end

  hex("the double 1.0", 1, "000000000000f03f")
  hex("the int32 1", 16, "01000000")
  hex("the int64 1", 18, "0100000000000000")
  hex("-0.0", 1, "0000000000000080")
  hex("0.0", 1, "0000000000000000")
  hex("an infinity", 1, "000000000000f07f")
  hex("a NaN", 1, "000000000000f87f")
  hex("a NaN with a payload", 1, "1200000000ffff7f")
  hex("a signalling NaN", 1, "010000000000f07f")
  hex("a negative NaN", 1, "000000000000f8ff")
  hex("2^53 + 1 as an int64", 18, "0100000000002000")
  hex("-2^53 - 1 as an int64", 18, "ffffffffffffdfff")
  hex("the largest int64", 18, "ffffffffffffff7f")
  hex("the least int64", 18, "0000000000000080")
  hex("the largest int32", 16, "ffffff7f")
  hex("2^53 as a double", 1, "0000000000004043")
  hex("a text with NULs", 2, "0500000061006200" .. "00")
  hex("an empty text", 2, "0100000000")
  hex("undefined", 6, "")
  hex("a symbol", 14, "020000006100")
  hex("a dbpointer", 12, "0200000061000102030405060708090a0b0c")
  hex("code", 13, "020000006100")
  hex("code with an empty scope", 15, "0f00000002000000610005000000" .. "00")
  hex("code with a scope", 15, "16000000020000006100" .. "0c0000001078000100000000")
  hex("a regex without text", 11, "0000")
  hex("a regex with options out of order", 11, "6100786900")
  hex("a timestamp", 17, "ffffffff01000080")
  hex("a date before all dates", 9, "0000000000000080")
  hex("binary of the old subtype", 5, "06000000020200000061" .. "62")
  hex("binary of a user's subtype", 5, "0200000080ffff")
  hex("empty binary", 5, "0000000000")
  hex("the least key", 255, "")
  hex("the largest key", 127, "")
  hex("a Decimal128 NaN with a payload", 19, "120000000000000000000000000000fe")
  hex("a Decimal128 out of form", 19, "ffffffffffffffffffffffffffff6f5f")
  hex("a Decimal128 -0E-6176", 19, "00000000000000000000000000000080")

  it("keys are written in the order in which they were read", function()
    for _, keys in ipairs { "zyxabc", "ba", "cab0", "_A-a" } do
      local parts = {}
      for c in keys:gmatch "." do parts[#parts + 1] = B.element(16, c, B.i32(#parts)) end
      local bson = B.document(table.concat(parts))
      assert.are.equal(B.hex(bson), B.hex(modm.encode(modm.decode(bson))))
    end
  end)

  it("a Decimal128 reads what it prints", function()
    local chance = B.chance(34)
    for _ = 1, 3000 do
      local digits = {}
      for i = 1, chance(34) do digits[i] = tostring(chance(10) - 1) end
      local text = (chance(2) == 1 and "-" or "") .. table.concat(digits)
      if chance(2) == 1 then text = text .. "E" .. (chance(12000) - 6100) end
      local ok, number = pcall(modm.Decimal128, text)
      if ok then
        assert.are.equal(number, modm.Decimal128(tostring(number)))
        assert.are.equal(tostring(number), tostring(modm.Decimal128(tostring(number))))
      end
    end
  end)

  it("a text or key that is not UTF-8 is refused, with the place", function()
    local broken = B.document(B.element(2, "t", B.string "a\255"))
    for _, bson in ipairs { broken, B.document(B.element(3, "a", broken)),
      B.document(B.element(4, "a", B.document(B.element(3, "0", broken)))),
      B.document(B.element(13, "c", B.string "\192\128")),
      B.document(B.element(14, "s", B.string "\237\160\128")),
      B.document(B.element(12, "p", B.string "\255" .. ("x"):rep(12))),
      B.document(B.element(15, "w", B.i32(4 + 6 + #broken) .. B.string "a" .. broken)),
      B.document(B.element(16, "k\255", B.i32(1))) } do
      local ok, message = pcall(modm.decode, bson)
      assert.is_false(ok)
      assert.is_truthy(message:find("not valid UTF-8", 1, true), message)
    end
    local _, message = pcall(modm.decode, B.document(B.element(3, "a", broken)))
    assert.is_truthy(message:find("a.t: not valid UTF-8", 1, true), message)
  end)
end)

describe("documents made by chance", function()
  local chance = B.chance(2024)

  local function bytes(n)
    local t = {}
    for i = 1, n do t[i] = string.char(chance(256) - 1) end
    return table.concat(t)
  end

  local text = function() return ("h\195\169llo wide world"):sub(1, 3 + chance(10)) end
  local document
  local values = {
    [0x01] = function() return bytes(6) .. "\240\63" end,
    [0x02] = function() return B.string(text()) end,
    [0x05] = function()
      local n = chance(9) - 1
      return B.i32(n) .. string.char(chance(2) == 1 and 0 or 128) .. bytes(n)
    end,
    [0x06] = function() return "" end,
    [0x07] = function() return bytes(12) end,
    [0x08] = function() return string.char(chance(2) - 1) end,
    [0x09] = function() return bytes(8) end,
    [0x0A] = function() return "" end,
    [0x0B] = function() return "a.b\0" .. "im\0" end,
    [0x0C] = function() return B.string(text()) .. bytes(12) end,
    [0x0D] = function() return B.string(text()) end,
    [0x0E] = function() return B.string(text()) end,
    [0x10] = function() return bytes(4) end,
    [0x11] = function() return bytes(8) end,
    [0x12] = function() return chance(2) == 1 and bytes(8) or B.i64(chance(1000)) end,
    [0x13] = function() return bytes(16) end,
    [0x7F] = function() return "" end,
    [0xFF] = function() return "" end,
  }
  values[0x03] = function(depth) return document(depth + 1) end
  values[0x04] = function(depth) return document(depth + 1, true) end
  values[0x0F] = function(depth)
    local body = B.string(text()) .. document(depth + 1)
    return B.i32(#body + 4) .. body
  end
  local kinds = {}
  for kind in pairs(values) do kinds[#kinds + 1] = kind end
  table.sort(kinds)

  function document(depth, array)
    local parts = {}
    for i = 1, chance(depth > 4 and 2 or 7) - 1 do
      local kind = kinds[chance(#kinds)]
      local key = array and tostring(i - 1) or text() .. i
      parts[i] = B.element(kind, key, values[kind](depth))
    end
    return B.document(table.concat(parts))
  end

  it("are written as they were read", function()
    for _ = 1, 3000 do
      local bson = document(1)
      local again = modm.encode(modm.decode(bson))
      if again ~= bson then assert.are.equal(B.hex(bson), B.hex(again)) end
    end
  end)
end)
