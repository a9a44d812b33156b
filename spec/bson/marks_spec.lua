-- Marks: what is read and written again unchanged has the same bytes.
local modm = require "modm.core"
local B = require "spec.bson.bytes"
local E, document = B.element, B.document
local int, long, null = B.int, B.long, B.null

local function same(bytes)
  local again = modm.encode(modm.decode(bytes))
  if again ~= bytes then assert.are.equal(B.hex(bytes), B.hex(again)) end
end

describe("what is read and written again unchanged", function()
  it("has the same bytes for every type", function()
    same(B.every_type())
    same(document(E(3, "d", B.every_type()), B.list("a", E(3, "0", B.every_type()))))
  end)

  it("keeps the order of its keys", function()
    same(document(null("z"), null("a"), null("m"), null(""), null("A"), null("\195\169")))
  end)

  it("keeps the kinds of its numbers", function()
    local five, zero = B.unhex "0000000000001440", B.unhex "0000000000000080"
    local int32, int64 = B.i32(5), B.i64(5)
    same(document(E(0x10, "a", int32), E(0x12, "b", int64), E(1, "c", five), E(1, "d", zero)))
    same(document(long("a", 2 ^ 40), E(0x12, "b", B.unhex "ffffffffffffff7f"),
      E(0x12, "c", B.unhex "0000000000000080"), E(0x12, "d", B.unhex "0100000000002000"),
      E(0x12, "e", B.unhex "0000000000002000"), E(0x12, "f", B.unhex "000000000000e0ff")))
    same(document(B.list("a", E(1, "0", five), E(1, "1", zero), B.text("2", "x")),
      B.list("b", E(0x12, "0", int64), E(0x12, "1", int64)),
      B.list("c", E(0x10, "0", int32), E(0x12, "1", int64), E(1, "2", five), E(0x10, "3", int32)),
      B.list("d", E(0x10, "0", int32), E(1, "1", five)),
      B.list("e")))
  end)

  it("keeps every NaN", function()
    local a, b, c = B.unhex "000000000000f87f", B.unhex "120000000000f87f",
      B.unhex "000000000000f8ff"
    same(document(E(1, "a", a), long("n", 1), E(1, "b", b), E(1, "c", c), E(1, "d", b),
      B.list("e", E(1, "0", b), int("1", 1), E(1, "2", c)), E(1, "f", a)))
  end)

  it("keeps long mixed lists", function()
    local parts = {}
    for i = 0, 299 do
      parts[#parts + 1] = i % 3 == 0 and long(tostring(i), i) or int(tostring(i), i)
    end
    same(document(B.list("a", table.concat(parts))))
  end)

  it("keeps wide documents", function()
    local parts = {}
    for i = 1, 3000 do
      parts[i] = E(i % 2 == 0 and 0x12 or 0x01, "key" .. (i * 7919) % 3000 .. "x" .. i, B.i64(i))
    end
    same(document(table.concat(parts)))
  end)

  it("numbers the items of an array anew", function()
    assert.are.equal(document(B.list("a", null("0"), null("1"))),
      modm.encode(modm.decode(document(B.list("a", null("x"), null("0"))))))
  end)

  it("has of keys that come twice the last", function()
    local t = modm.decode(document(int("a", 1), null("b"), long("a", 2)))
    assert.are.equal(2, t.a)
    assert.are.equal(document(null("b"), long("a", 2)), modm.encode(t))
    t.a = nil
    t.c = true
    assert.are.equal(document(null("b"), E(8, "c", "\1")), modm.encode(t))
  end)

  it("keeps keys that would be metamethods what they are", function()
    local bytes = document(B.text("__index", "x"), B.text("__gc", "x"),
      B.text("__metatable", "x"), B.text("__mode", "kv"), B.text("__newindex", "x"),
      B.text("__len", "x"), B.text("__name", "x"))
    same(bytes)
    local t = modm.decode(bytes)
    assert.are.equal("x", t.__index)
    assert.is_nil(t.other)
    t.other = 1
    assert.are.equal("modm.object", getmetatable(t))
    collectgarbage()
  end)
end)

describe("what is read and then changed", function()
  local function read()
    return modm.decode(document(long("n", 5), B.double("d", "0000000000001440"),
      int("i", 5)))
  end

  it("keeps a number's kind where the new value has it too", function()
    local t = read()
    t.n = 6
    assert.are.equal(document(long("n", 6), B.double("d", "0000000000001440"),
      int("i", 5)), modm.encode(t))
  end)

  it("is written by its own type where it has not", function()
    local t = read()
    t.n, t.d, t.i = 5.5, "x", modm.null
    assert.are.equal(document(B.double("n", "0000000000001640"), B.text("d", "x"), null("i")),
      modm.encode(t))
  end)

  it("loses keys and gains others behind, sorted", function()
    local t = read()
    t.d, t.z, t.a = nil, true, true
    assert.are.equal(document(long("n", 5), int("i", 5), E(8, "a", "\1"), E(8, "z", "\1")),
      modm.encode(t))
  end)

  it("finds the new keys among long ones", function()
    local t = modm.decode(document(null(("k"):rep(100)), null(("l"):rep(100))))
    t[("m"):rep(100)] = modm.null
    assert.are.equal(document(null(("k"):rep(100)), null(("l"):rep(100)), null(("m"):rep(100))),
      modm.encode(t))
  end)

  it("may be a list that grows and shrinks", function()
    local t = modm.decode(document(B.list("a", long("0", 1), int("1", 2))))
    t.a[3] = 3
    assert.are.equal(document(B.list("a", long("0", 1), int("1", 2),
      int("2", 3))), modm.encode(t))
    t.a[3], t.a[2], t.a[1] = nil, nil, nil
    assert.are.equal(document(B.list("a")), modm.encode(t))
  end)
end)

describe("marks", function()
  it("are shared by documents of one shape", function()
    local function mark(bytes) return debug.getmetatable(modm.decode(bytes)) end
    local one = mark(document(int("a", 1), B.text("b", "x")))
    assert.are.equal(one, mark(document(int("a", 2), B.text("b", "y"))))
    assert.are_not.equal(one, mark(document(B.text("b", "x"), int("a", 1))))
    assert.are_not.equal(one, mark(document(long("a", 1), B.text("b", "x"))))
    assert.are_not.equal(one, mark(document(int("ab", 1), B.text("", "x"))))
  end)

  it("are shared by arrays", function()
    local function mark(...)
      return debug.getmetatable(modm.decode(document(B.list("a", ...))).a)
    end
    assert.are.equal(mark(), mark(int("0", 1), B.text("1", "x")))
    assert.are.equal(mark(long("0", 1)), mark(long("0", 1), long("1", 1)))
    assert.are.equal(mark(long("0", 1), int("1", 1)),
      mark(long("0", 3), int("1", 2)))
  end)

  it("do not stay when no table has them", function()
    collectgarbage() collectgarbage()
    local before = collectgarbage("count")
    for i = 1, 20000 do
      modm.decode(document(null("a" .. i), null("b" .. i), B.list("c" .. i, long("0", i),
        int("1", i))))
    end
    collectgarbage() collectgarbage()
    assert.is_true(collectgarbage("count") - before < 2000)
  end)

  it("are right whatever they are asked in turn", function()
    local chance = B.chance(7)
    for _ = 1, 3000 do
      local parts = {}
      for i = 1, chance(5) do
        local key = ("abcdefghij"):sub(chance(10), chance(10)) .. i
        parts[i] = chance(2) == 1 and int(key, i) or long(key, i)
      end
      same(document(table.concat(parts)))
    end
  end)

  it("are told apart when their hashes are the same", function()
    -- Pairs of keys that collide in a document of this form, found by trying.
    local pairs_of_keys = { { 4677, 146580 }, { 7050, 242603 }, { 12708, 95355 }, { 22556, 172888 },
      { 75338, 77569 }, { 226667, 228192 } }
    local function colliding(key)
      return document(null("x"), E(3, "y", document(long("n", 1))),
        int("k" .. key, 1), long("z", 1))
    end
    local kept = {}
    for _, pair in ipairs(pairs_of_keys) do
      for _ = 1, 3 do
        for i = 1, 2 do
          kept[#kept + 1] = modm.decode(colliding(pair[i]))
          same(colliding(pair[i]))
        end
      end
    end
  end)
end)
