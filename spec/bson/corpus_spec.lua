-- The BSON corpus: the cases that all drivers share. Its folder comes from MODM_BSON_CORPUS.
local modm = require "modm.core"
local B = require "spec.bson.bytes"

local folder = os.getenv("MODM_BSON_CORPUS") or "../shared/spec/bson-corpus/tests"

-- Refused by the corpus, read by us, on purpose.
local READ_ANYWAY = {
  ["string: invalid UTF-8"] = "what is stored must stay readable; writing it is refused",
  ["code: invalid UTF-8"] = "as for strings",
  ["symbol: invalid UTF-8"] = "as for strings",
  ["dbpointer: String with bad UTF-8"] = "as for strings",
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
  if case.canonical_bson then
    it(name .. ": " .. case.description .. " is written as it was read", function()
      assert.are.equal(case.canonical_bson:lower(), rewritten(case.canonical_bson))
    end)
  end
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
  local full = name .. ": " .. case.description
  local reason = READ_ANYWAY[full]
  it(full .. (reason and " is read: " .. reason or " is refused"), function()
    local ok, value = pcall(modm.decode, B.unhex(case.bson))
    assert.are.equal(reason ~= nil, ok)
    if name == "string" and ok then assert.is_false(pcall(modm.encode, value)) end
  end)
end

local function check_parse_error(case)
  it("refuses to make a Decimal128 of " .. case.string, function()
    assert.is_false(pcall(modm.Decimal128, case.string))
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
    for _, case in ipairs(suite and name:find("decimal128", 1, true) and suite.parseErrors or {}) do
      check_parse_error(case)
    end
  end
  if not found then
    pending("is not here: set MODM_BSON_CORPUS to its folder")
  end
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
