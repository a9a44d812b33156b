-- The value types: construction, equality, text, order and what they refuse.
local modm = require "modm.core"
local B = require "spec.bson.bytes"

local function raises(text, fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(text, 1, true), tostring(message))
end

-- Writes a value and reads it again.
local function through(value)
  return modm.decode(modm.encode { v = value }).v
end

describe("a value", function()
  local values = {
    ObjectId = function() return modm.ObjectId("56e1fc72e0c917e9c4714161") end,
    DateTime = function() return modm.DateTime.from_ms(1709211720123) end,
    Decimal128 = function() return modm.Decimal128("1.50") end,
    Binary = function() return modm.Binary("a\0b", 128) end,
    Regex = function() return modm.Regex("a+", "im") end,
    JavaScript = function() return modm.JavaScript("f()", { x = 1 }) end,
    Timestamp = function() return modm.Timestamp(4294967295, 7) end,
    MinKey = function() return modm.MinKey() end,
    MaxKey = function() return modm.MaxKey() end,
  }

  for name, make in pairs(values) do
    it(name .. " equals one with the same bytes, and only that", function()
      assert.is_true(make() == make())
      assert.is_false(make() == modm.ObjectId())
      assert.is_false(make() == modm.Binary("x"))
      assert.are.equal(make(), through(make()))
      assert.are.equal(tostring(make()), tostring(through(make())))
    end)

    it(name .. " knows its type and hides its metatable", function()
      assert.are.equal(name, modm.type(make()))
      assert.are.equal("modm." .. name, getmetatable(make()))
      assert.is_false(pcall(setmetatable, make(), {}))
    end)

    it(name .. " cannot be changed", function()
      assert.is_false(pcall(function() make().field = 1 end))
    end)
  end

  it("has a type only when it is one of modm's", function()
    assert.is_nil(modm.type(1))
    assert.is_nil(modm.type("x"))
    assert.is_nil(modm.type({}))
    assert.is_nil(modm.type(io.stdout))
    assert.are.equal("null", modm.type(modm.null))
    assert.are.equal("array", modm.type(modm.array {}))
    assert.are.equal("object", modm.type(modm.object {}))
  end)

  it("is called at the caller's line when it is made wrongly", function()
    local ok, message = pcall(function()
      local id = modm.ObjectId({})
      return id
    end)
    assert.is_false(ok)
    assert.is_truthy(message:match("values_spec.lua:%d+: bad argument #1 to 'ObjectId'"), message)
  end)

  it("is not its constructor", function()
    raises("has to be called", modm.encode, { a = modm.ObjectId })
  end)

  it("of one class is refused by the methods of another", function()
    local method = modm.ObjectId().bytes
    assert.is_false(pcall(method, modm.DateTime.now()))
    assert.is_false(pcall(method, io.stdout))
    assert.is_false(pcall(method, modm.null))
    assert.is_false(pcall(method))
  end)
end)

describe("ObjectId", function()
  it("comes from hexadecimal digits or twelve bytes", function()
    local id = modm.ObjectId("56E1FC72e0c917e9c4714161")
    assert.are.equal("56e1fc72e0c917e9c4714161", tostring(id))
    assert.are.equal(B.unhex "56e1fc72e0c917e9c4714161", id:bytes())
    assert.are.equal(id, modm.ObjectId(id:bytes()))
    assert.are.equal(id, modm.ObjectId(id))
    assert.are.equal(0x56e1fc72, id:timestamp())
  end)

  it("is new and different without an argument", function()
    local seen, last = {}, nil
    for _ = 1, 1000 do
      local id = modm.ObjectId()
      assert.is_nil(seen[tostring(id)])
      seen[tostring(id)] = true
      assert.is_true(last == nil or last < id)
      last = id
    end
    assert.is_true(math.abs(last:timestamp() - os.time()) < 5)
  end)

  it("has an order", function()
    local a, b = modm.ObjectId(("00"):rep(12)), modm.ObjectId(("ff"):rep(12))
    assert.is_true(a < b and a <= b and b > a and a <= a)
    assert.is_false(b < a or b <= a)
    assert.is_false(pcall(function() return a < "x" end))
  end)

  it("refuses what is none", function()
    for _, bad in ipairs { "", "56e1fc72e0c917e9c471416", "56e1fc72e0c917e9c471416g", 5, true,
      {} } do
      assert.is_false(pcall(modm.ObjectId, bad))
    end
    raises("nil is no ObjectId", modm.ObjectId, nil)
  end)
end)

describe("Decimal128", function()
  it("keeps the digits it was given", function()
    for _, text in ipairs { "0", "-0", "1.50", "1E+3", "1.23E-30", "Infinity", "-Infinity", "NaN",
      "9.999999999999999999999999999999999E+6144" } do
      assert.are.equal(text, tostring(modm.Decimal128(text)))
    end
  end)

  it("takes numbers by their shortest text", function()
    assert.are.equal("5", tostring(modm.Decimal128(5)))
    assert.are.equal("0.1", tostring(modm.Decimal128(0.1)))
    assert.are.equal("-2.5", tostring(modm.Decimal128(-2.5)))
    assert.are.equal("0.30000000000000004", tostring(modm.Decimal128(0.1 + 0.2)))
    assert.are.equal("NaN", tostring(modm.Decimal128(0 / 0)))
    assert.are.equal("-Infinity", tostring(modm.Decimal128(-1 / 0)))
    assert.are.equal("9223372036854775807",
      tostring(modm.Decimal128(modm.Int64 "9223372036854775807")))
  end)

  it("refuses what is no number, and more digits than it holds", function()
    for _, bad in ipairs { "", "x", "1.2.3", "1 ", " 1", "1\0", "1e", true, {},
      "1234567890123456789012345678901234.5" } do
      assert.is_false(pcall(modm.Decimal128, bad), tostring(bad))
    end
    assert.is_false(pcall(modm.Decimal128))
  end)
end)

describe("Binary", function()
  it("has bytes, a subtype and a length", function()
    local b = modm.Binary("a\0b")
    assert.are.equal("a\0b", b:data())
    assert.are.equal(0, b:subtype())
    assert.are.equal(3, #b)
    assert.are.equal("Binary(subtype 128, 1 bytes)", tostring(modm.Binary("x", 128)))
    assert.are_not.equal(modm.Binary("x"), modm.Binary("x", 1))
    assert.are.equal(0, #modm.Binary(""))
  end)

  it("of the old subtype 2 hides the second length", function()
    local b = modm.Binary("abc", 2)
    assert.are.equal("abc", b:data())
    assert.are.equal(3, #b)
    assert.are.equal(B.document(B.element(5, "v", B.i32(7) .. "\2" .. B.i32(3) .. "abc")),
      modm.encode { v = b })
    assert.are.equal("abc", through(b):data())
  end)

  it("refuses other arguments", function()
    for _, bad in ipairs { { 5 }, {}, { "x", -1 }, { "x", 256 }, { "x", "y" } } do
      assert.is_false(pcall(modm.Binary, bad[1], bad[2]))
    end
  end)
end)

describe("UUID", function()
  local text = "73ffd264-44b3-4c69-90e8-e7d1dfc035d4"
  local bytes = B.unhex "73ffd26444b34c6990e8e7d1dfc035d4"

  it("is a Binary of subtype 4 or 3 that prints as text", function()
    assert.are.equal(text, tostring(modm.UUID(text)))
    assert.are.equal(4, modm.UUID(text):subtype())
    assert.are.equal(3, modm.UUID(text, 3):subtype())
    assert.are.equal(bytes, modm.UUID(text):data())
    assert.are.equal(modm.Binary(bytes, 4), modm.UUID(bytes))
    assert.are.equal(text, tostring(modm.Binary(bytes, 3)))
    assert.are.equal(text, tostring(through(modm.UUID(text))))
    assert.are.equal(modm.UUID(text, 3), modm.UUID(modm.UUID(text), 3))
  end)

  it("reads the usual ways to write it", function()
    for _, way in ipairs { text:upper(), "{" .. text .. "}", "urn:uuid:" .. text, (text:gsub("-",
      "")) } do
      assert.are.equal(text, tostring(modm.UUID(way)))
    end
  end)

  it("refuses what is none", function()
    for _, bad in ipairs { "", "73ffd264-44b3-90e8-e7d1dfc035d4", text .. "-789e4", "{" .. text,
      "73ff-d26444b-34c6-990e8e-7d1dfc035d4", "----d264-44b3-4--9-90e8-e7d1dfc0----", 5,
      text:gsub("7", "g"), modm.Binary(bytes, 0) } do
      assert.is_false(pcall(modm.UUID, bad))
    end
    assert.is_false(pcall(modm.UUID, text, 5))
  end)
end)

describe("Regex", function()
  it("sorts its options, each once", function()
    local r = modm.Regex("a/b", "xmim")
    assert.are.equal("a/b", r:pattern())
    assert.are.equal("imx", r:options())
    assert.are.equal("/a/b/imx", tostring(r))
    assert.are.equal("", modm.Regex("a"):options())
  end)

  it("refuses NUL, other options and broken UTF-8", function()
    for _, bad in ipairs { { "a\0b" }, { "a", "q" }, { "a", "i\0" }, { "a\255" }, { 5 } } do
      assert.is_false(pcall(modm.Regex, bad[1], bad[2]))
    end
  end)

  it("keeps the options that were stored, in their order", function()
    local bytes = B.document(B.element(0x0B, "r", "abc\0mzi\0"))
    assert.are.equal("mzi", modm.decode(bytes).r:options())
    assert.are.equal(bytes, modm.encode(modm.decode(bytes)))
  end)
end)

describe("JavaScript", function()
  it("has code, and a scope or none", function()
    local plain, scoped = modm.JavaScript("f()"), modm.JavaScript("f()", { x = 1 })
    assert.are.equal("f()", plain:code())
    assert.is_nil(plain:scope())
    assert.are.equal("f()", scoped:code())
    assert.are.equal(1, scoped:scope().x)
    assert.are.equal("f()", tostring(scoped))
    assert.are_not.equal(plain, scoped)
    assert.are.equal(0x0F, modm.encode({ v = scoped }):byte(5))
    assert.are.equal(0x0D, modm.encode({ v = plain }):byte(5))
  end)

  it("says what is wrong in a scope", function()
    raises("a.1: a function cannot be stored", modm.JavaScript, "f()", { a = { print } })
    assert.is_false(pcall(modm.JavaScript, "f()", 5))
    assert.is_false(pcall(modm.JavaScript, "\255"))
    assert.is_false(pcall(modm.JavaScript, 5))
  end)
end)

describe("Timestamp", function()
  it("has two parts and an order", function()
    local t = modm.Timestamp(4294967295, 1)
    assert.are.equal(4294967295, t:time())
    assert.are.equal(1, t:increment())
    assert.are.equal("Timestamp(4294967295, 1)", tostring(t))
    assert.is_true(modm.Timestamp(1, 2) < modm.Timestamp(2, 1))
    assert.is_true(modm.Timestamp(1, 1) <= modm.Timestamp(1, 1))
    assert.is_false(modm.Timestamp(1, 2) < modm.Timestamp(1, 1))
  end)

  it("refuses parts out of 32 bits", function()
    assert.is_false(pcall(modm.Timestamp, -1, 1))
    assert.is_false(pcall(modm.Timestamp, 1, 4294967296))
    assert.is_false(pcall(modm.Timestamp, 1))
    assert.is_false(pcall(modm.Timestamp, 1.5, 1))
  end)
end)

describe("MinKey and MaxKey", function()
  it("are values that can also be called", function()
    assert.are.equal(modm.MinKey, modm.MinKey())
    assert.are.equal("MinKey", tostring(modm.MinKey))
    assert.are.equal("MaxKey", tostring(modm.MaxKey))
    assert.are_not.equal(modm.MinKey, modm.MaxKey)
  end)
end)

describe("DBRef", function()
  it("is a document with its keys in order", function()
    local id = modm.ObjectId("58921b3e6e32ab156a22b59e")
    local ref = modm.DBRef("collection", id, "db")
    assert.are.equal("collection", ref["$ref"])
    assert.are.equal("object", modm.type(ref))
    assert.are.equal(B.document(B.element(2, "$ref", B.string "collection"),
      B.element(7, "$id", id:bytes()), B.element(2, "$db", B.string "db")), modm.encode(ref))
    assert.are.equal(B.document(B.element(2, "$ref", B.string "c"), B.element(0x10, "$id",
      B.i32(1))),
      modm.encode(modm.DBRef("c", 1)))
  end)

  it("wants a collection and an id", function()
    assert.is_false(pcall(modm.DBRef))
    assert.is_false(pcall(modm.DBRef, "c"))
    assert.is_false(pcall(modm.DBRef, "c", nil))
    assert.is_false(pcall(modm.DBRef, 5, 1))
    assert.is_false(pcall(modm.DBRef, "c", 1, 5))
  end)
end)

describe("Int64", function()
  local Int64 = modm.Int64

  it("is written as int64 however small", function()
    assert.are.equal(B.document(B.element(0x12, "v", B.i64(5))), modm.encode { v = Int64(5) })
  end)

  it("comes from integers and digits", function()
    assert.are.equal("-9223372036854775808", tostring(Int64 "-9223372036854775808"))
    assert.are.equal(Int64(7), Int64 "7")
    assert.are.equal(Int64(7), Int64(Int64(7)))
    assert.are.equal(7, Int64(7):tonumber())
    for _, bad in ipairs { "", "x", "9223372036854775808", "1.5", "1 ", " 1", "1\0", "+1", "LL",
      1.5,
      2 ^ 63, 0 / 0, true, {} } do
      assert.is_false(pcall(Int64, bad), tostring(bad))
    end
    assert.is_false(pcall(Int64))
  end)

  it("takes LuaJIT's own 64-bit integers", function()
    if not jit then return end
    local load = loadstring or load
    assert.are.equal("-9007199254740993", tostring(Int64(load "return -9007199254740993LL"())))
  end)

  it("counts exactly beyond 53 bits", function()
    local big = Int64 "9007199254740993"
    assert.are.equal("9007199254740994", tostring(big + 1))
    assert.are.equal("9007199254740992", tostring(big - 1))
    assert.are.equal("1", tostring(1 + big - big))
    assert.are.equal("18014398509481986", tostring(big * 2))
    assert.are.equal("-9007199254740993", tostring(-big))
    assert.are.equal("3", tostring(big % 10))
    assert.are.equal("-3", tostring(-big % -10))
    assert.are.equal("7", tostring(-big % 10))
    assert.are.equal(2.5, Int64(5) / 2)
    assert.is_true(big < big + 1 and big <= big and Int64(-1) < Int64(1))
  end)

  it("divides as Lua does", function()
    local idiv = debug.getmetatable(Int64(1)).__idiv
    for a = -7, 7 do
      for b = -3, 3 do
        if b ~= 0 then
          assert.are.equal(Int64(math.floor(a / b)), idiv(Int64(a), Int64(b)))
          assert.are.equal(Int64(a % b), Int64(a) % b)
        end
      end
    end
    raises("division by zero", idiv, Int64(1), Int64(0))
    raises("division by zero", function() return Int64(1) % 0 end)
  end)

  it("raises where it would be wrong", function()
    local max, min = Int64 "9223372036854775807", Int64 "-9223372036854775808"
    raises("out of the range", function() return max + 1 end)
    raises("out of the range", function() return min - 1 end)
    raises("out of the range", function() return max * 2 end)
    raises("out of the range", function() return -min end)
    raises("out of the range", debug.getmetatable(max).__idiv, min, Int64(-1))
    assert.are.equal(Int64(0), min % -1)
    raises("no integer", function() return max + 1.5 end)
    raises("with a string", function() return max + "1" end)
  end)

  it("is what an int64 becomes that a number would round", function()
    local bytes = modm.encode { v = Int64 "9007199254740993" }
    local v = modm.decode(bytes).v
    if jit then
      assert.are.equal("Int64", modm.type(v))
      assert.are.equal("number", type(modm.decode(modm.encode { v = Int64 "9007199254740992" }).v))
    else
      assert.are.equal(9007199254740993, v)
    end
    assert.are.equal(bytes, modm.encode { v = v })
  end)
end)

describe("the types that BSON gave up", function()
  it("are read, shown and written again", function()
    local t = modm.decode(B.every_type())
    assert.are.equal("undefined", tostring(t.undefined))
    assert.are.equal("sym", tostring(t.symbol))
    assert.are.equal("DBPointer(db.c, 56e1fc72e0c917e9c4714161)", tostring(t.pointer))
    assert.are.equal("Undefined", modm.type(t.undefined))
    assert.are.equal("Symbol", modm.type(t.symbol))
    assert.are.equal("DBPointer", modm.type(t.pointer))
    assert.are.equal(t.symbol, modm.decode(modm.encode { symbol = t.symbol }).symbol)
  end)
end)
