-- Bytes that want to do harm: truncated, flipped, lying about lengths, nested without end.
local modm = require "modm.core"
local B = require "spec.bson.bytes"
local E = B.element

-- Decodes bytes that may be anything: it has to raise, or to give a table that can be written and
-- then reads the same. (Text that is no UTF-8 is read, but not written.)
local function survives(bytes)
  local ok, value = pcall(modm.decode, bytes)
  if not ok then return false end
  local written, again = pcall(modm.encode, value)
  -- luassert is slow: it is asked only where something is wrong.
  if written and again ~= modm.encode(modm.decode(again)) then
    assert.are.equal(B.hex(again), B.hex(modm.encode(modm.decode(again))))
  end
  return true
end

local function refused(bytes)
  local ok, message = pcall(modm.decode, bytes)
  assert.is_false(ok)
  assert.is_truthy(message:find("BSON document", 1, true), message)
end

describe("decode", function()
  it("refuses every truncation", function()
    local bytes = B.every_type()
    for n = 0, #bytes - 1 do
      refused(bytes:sub(1, n))
      -- The same with a frame that claims to be whole.
      if n >= 5 then
        survives(B.i32(n) .. bytes:sub(5, n))
        survives(B.i32(n) .. bytes:sub(5, n - 1) .. "\0")
      end
    end
    assert.is_true(survives(bytes))
  end)

  it("refuses every truncation of each element", function()
    local bytes = B.every_type()
    local t = modm.decode(bytes)
    for key, value in pairs(t) do
      local one = modm.encode { [key] = value }
      for n = 5, #one - 2 do
        local body = one:sub(5, n)
        survives(B.document(body))
        survives(B.document(body, E(10, "after")))
        survives(B.document(E(3, "d", B.document(body)), E(10, "after")))
      end
    end
  end)

  it("survives every flipped bit", function()
    local bytes = B.every_type()
    for at = 1, #bytes do
      for bit = 0, 7 do
        local byte = bytes:byte(at)
        local flipped = math.floor(byte / 2 ^ bit) % 2 == 1 and byte - 2 ^ bit or byte + 2 ^ bit
        survives(bytes:sub(1, at - 1) .. string.char(flipped) .. bytes:sub(at + 1))
      end
    end
  end)

  it("survives every byte set to an extreme", function()
    local bytes = B.every_type()
    for at = 1, #bytes do
      for _, value in ipairs { 0, 1, 2, 3, 4, 5, 15, 127, 128, 255 } do
        survives(bytes:sub(1, at - 1) .. string.char(value) .. bytes:sub(at + 1))
      end
    end
  end)

  it("survives lengths that lie", function()
    local bytes = B.every_type()
    for at = 1, #bytes - 3 do
      for _, length in ipairs { 0, 1, 4, 5, #bytes, -1, -5, 2147483647, -2147483648, 16777216 } do
        survives(bytes:sub(1, at - 1) .. B.i32(length) .. bytes:sub(at + 4))
      end
    end
  end)

  it("survives random changes", function()
    local bytes, chance = B.every_type(), B.chance(42)
    local read = 0
    for _ = 1, 20000 do
      local changed = bytes
      for _ = 1, chance(4) do
        local at = chance(#bytes - 4) + 4
        changed = changed:sub(1, at - 1) .. string.char(chance(256) - 1) .. changed:sub(at + 1)
      end
      if survives(changed) then read = read + 1 end
    end
    assert.is_true(read > 100)
  end)

  it("survives noise in a frame", function()
    local chance = B.chance(99)
    for _ = 1, 20000 do
      local t = {}
      for i = 1, chance(40) do
        t[i] = string.char(chance(3) == 1 and chance(20) - 1 or chance(256) - 1)
      end
      survives(B.document(table.concat(t)))
    end
  end)

  it("knows which types there are", function()
    local known = { [0x7F] = true, [0xFF] = true }
    for kind = 1, 0x13 do known[kind] = true end
    for kind = 0, 255 do
      if not known[kind] then
        refused(B.document(E(kind, "k", ("\0"):rep(32))))
        refused(B.document(E(kind, "k")))
      end
    end
  end)

  it("refuses wrong frames", function()
    refused ""
    refused "\0\0\0\0"
    refused "\4\0\0\0\0"
    refused "\5\0\0\0\1"
    refused "\6\0\0\0\0"
    refused "\5\0\0\0\0\0"
    refused "\255\255\255\255\0"
    refused(B.document(E(3, "a", "\5\0\0\0\1")))
    refused(B.document(E(3, "a", "\6\0\0\0\0")))
    refused(B.document(E(3, "a", "\4\0\0\0\0")))
    refused(B.document(E(8, "a", "\2")))
    assert.is_false(pcall(modm.decode, 5))
    assert.is_false(pcall(modm.decode))
  end)

  it("looks into the scope of a JavaScript value", function()
    local bad = "\12\0\0\0\2\0\0\0\0\0\0\0"
    local ok, message = pcall(modm.decode, B.document(E(0x0F, "j",
      B.i32(4 + 5 + #bad) .. B.string "" .. bad)))
    assert.is_false(ok)
    assert.is_truthy(message:find("scope", 1, true))
  end)

  it("stops at 180 levels", function()
    local function nested(levels, kind, last)
      local bytes = last or B.document()
      for _ = 2, levels do bytes = B.document(E(kind, "0", bytes)) end
      return bytes
    end
    assert.has_no.errors(function() modm.decode(nested(180, 3)) end)
    for _, kind in ipairs { 3, 4 } do
      for _, levels in ipairs { 181, 182, 2000 } do
        local ok, message = pcall(modm.decode, nested(levels, kind))
        assert.is_false(ok)
        assert.is_truthy(message:find("nested deeper than 180 levels", 1, true), message)
      end
    end
    local scope = nested(2000, 3)
    assert.is_false(pcall(modm.decode, B.document(E(0x0F, "j",
      B.i32(9 + #scope) .. B.string "" .. scope))))
  end)

  it("refuses text that is not UTF-8, which could not be written again", function()
    assert.is_false(pcall(modm.decode, B.document(B.text("a", "\255"))))
  end)
end)
