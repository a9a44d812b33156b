local modm = require "modm.core"
local B = require "spec.bson.bytes"
local E = B.element

local function same(bytes)
  local again = modm.encode(modm.decode(bytes))
  if again ~= bytes then assert.are.equal(B.hex(bytes), B.hex(again)) end
end

describe("what is read and written again unchanged", function()
  it("has the same bytes for every type", function()
    same(B.every_type())
    same(B.document(E(3, "d", B.every_type()), E(4, "a", B.document(E(3, "0", B.every_type())))))
  end)

  it("keeps the order of its keys", function()
    same(B.document(E(10, "z"), E(10, "a"), E(10, "m"), E(10, ""), E(10, "A"), E(10, "\195\169")))
  end)

  it("keeps the kinds of its numbers", function()
    local five, zero = B.unhex "0000000000001440", B.unhex "0000000000000080"
    local int32, int64 = B.i32(5), B.i64(5)
    same(B.document(E(0x10, "a", int32), E(0x12, "b", int64), E(1, "c", five), E(1, "d", zero)))
    same(B.document(E(0x12, "a", B.i64(2 ^ 40)), E(0x12, "b", B.unhex "ffffffffffffff7f"),
      E(0x12, "c", B.unhex "0000000000000080"), E(0x12, "d", B.unhex "0100000000002000"),
      E(0x12, "e", B.unhex "0000000000002000"), E(0x12, "f", B.unhex "000000000000e0ff")))
    same(B.document(E(4, "a", B.document(E(1, "0", five), E(1, "1", zero), E(2, "2", B.string "x"))),
      E(4, "b", B.document(E(0x12, "0", int64), E(0x12, "1", int64))),
      E(4, "c", B.document(E(0x10, "0", int32), E(0x12, "1", int64), E(1, "2", five), E(0x10, "3", int32))),
      E(4, "d", B.document(E(0x10, "0", int32), E(1, "1", five))),
      E(4, "e", B.document())))
  end)

  it("keeps every NaN", function()
    local a, b, c = B.unhex "000000000000f87f", B.unhex "120000000000f87f", B.unhex "000000000000f8ff"
    same(B.document(E(1, "a", a), E(0x12, "n", B.i64(1)), E(1, "b", b), E(1, "c", c), E(1, "d", b),
      E(4, "e", B.document(E(1, "0", b), E(0x10, "1", B.i32(1)), E(1, "2", c))), E(1, "f", a)))
  end)

  it("keeps long mixed lists", function()
    local parts = {}
    for i = 0, 299 do
      parts[#parts + 1] = i % 3 == 0 and E(0x12, tostring(i), B.i64(i)) or E(0x10, tostring(i), B.i32(i))
    end
    same(B.document(E(4, "a", B.document(table.concat(parts)))))
  end)

  it("keeps wide documents", function()
    local parts = {}
    for i = 1, 3000 do
      parts[i] = E(i % 2 == 0 and 0x12 or 0x01, "key" .. (i * 7919) % 3000 .. "x" .. i, B.i64(i))
    end
    same(B.document(table.concat(parts)))
  end)

  it("numbers the items of an array anew", function()
    assert.are.equal(B.document(E(4, "a", B.document(E(10, "0"), E(10, "1")))),
      modm.encode(modm.decode(B.document(E(4, "a", B.document(E(10, "x"), E(10, "0")))))))
  end)

  it("has of keys that come twice the last", function()
    local t = modm.decode(B.document(E(0x10, "a", B.i32(1)), E(10, "b"), E(0x12, "a", B.i64(2))))
    assert.are.equal(2, t.a)
    assert.are.equal(B.document(E(10, "b"), E(0x12, "a", B.i64(2))), modm.encode(t))
    t.a = nil
    t.c = true
    assert.are.equal(B.document(E(10, "b"), E(8, "c", "\1")), modm.encode(t))
  end)

  it("keeps keys that would be metamethods what they are", function()
    local bytes = B.document(E(2, "__index", B.string "x"), E(2, "__gc", B.string "x"),
      E(2, "__metatable", B.string "x"), E(2, "__mode", B.string "kv"), E(2, "__newindex", B.string "x"),
      E(2, "__len", B.string "x"), E(2, "__name", B.string "x"))
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
    return modm.decode(B.document(E(0x12, "n", B.i64(5)), E(1, "d", B.unhex "0000000000001440"),
      E(0x10, "i", B.i32(5))))
  end

  it("keeps a number's kind where the new value has it too", function()
    local t = read()
    t.n = 6
    assert.are.equal(B.document(E(0x12, "n", B.i64(6)), E(1, "d", B.unhex "0000000000001440"),
      E(0x10, "i", B.i32(5))), modm.encode(t))
  end)

  it("is written by its own type where it has not", function()
    local t = read()
    t.n, t.d, t.i = 5.5, "x", modm.null
    assert.are.equal(B.document(E(1, "n", B.unhex "0000000000001640"), E(2, "d", B.string "x"), E(10, "i")),
      modm.encode(t))
  end)

  it("loses keys and gains others behind, sorted", function()
    local t = read()
    t.d, t.z, t.a = nil, true, true
    assert.are.equal(B.document(E(0x12, "n", B.i64(5)), E(0x10, "i", B.i32(5)), E(8, "a", "\1"), E(8, "z", "\1")),
      modm.encode(t))
  end)

  it("finds the new keys among long ones", function()
    local t = modm.decode(B.document(E(10, ("k"):rep(100)), E(10, ("l"):rep(100))))
    t[("m"):rep(100)] = modm.null
    assert.are.equal(B.document(E(10, ("k"):rep(100)), E(10, ("l"):rep(100)), E(10, ("m"):rep(100))),
      modm.encode(t))
  end)

  it("may be a list that grows and shrinks", function()
    local t = modm.decode(B.document(E(4, "a", B.document(E(0x12, "0", B.i64(1)), E(0x10, "1", B.i32(2))))))
    t.a[3] = 3
    assert.are.equal(B.document(E(4, "a", B.document(E(0x12, "0", B.i64(1)), E(0x10, "1", B.i32(2)),
      E(0x10, "2", B.i32(3))))), modm.encode(t))
    t.a[3], t.a[2], t.a[1] = nil, nil, nil
    assert.are.equal(B.document(E(4, "a", B.document())), modm.encode(t))
  end)
end)

describe("marks", function()
  it("are shared by documents of one shape", function()
    local function mark(bytes) return debug.getmetatable(modm.decode(bytes)) end
    local one = mark(B.document(E(0x10, "a", B.i32(1)), E(2, "b", B.string "x")))
    assert.are.equal(one, mark(B.document(E(0x10, "a", B.i32(2)), E(2, "b", B.string "y"))))
    assert.are_not.equal(one, mark(B.document(E(2, "b", B.string "x"), E(0x10, "a", B.i32(1)))))
    assert.are_not.equal(one, mark(B.document(E(0x12, "a", B.i64(1)), E(2, "b", B.string "x"))))
    assert.are_not.equal(one, mark(B.document(E(0x10, "ab", B.i32(1)), E(2, "", B.string "x"))))
  end)

  it("are shared by arrays", function()
    local function mark(...) return debug.getmetatable(modm.decode(B.document(E(4, "a", B.document(...)))).a) end
    assert.are.equal(mark(), mark(E(0x10, "0", B.i32(1)), E(2, "1", B.string "x")))
    assert.are.equal(mark(E(0x12, "0", B.i64(1))), mark(E(0x12, "0", B.i64(1)), E(0x12, "1", B.i64(1))))
    assert.are.equal(mark(E(0x12, "0", B.i64(1)), E(0x10, "1", B.i32(1))),
      mark(E(0x12, "0", B.i64(3)), E(0x10, "1", B.i32(2))))
  end)

  it("do not stay when no table has them", function()
    collectgarbage() collectgarbage()
    local before = collectgarbage("count")
    for i = 1, 20000 do
      modm.decode(B.document(E(10, "a" .. i), E(10, "b" .. i), E(4, "c" .. i, B.document(E(0x12, "0", B.i64(i)),
        E(0x10, "1", B.i32(i))))))
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
        parts[i] = chance(2) == 1 and E(0x10, key, B.i32(i)) or E(0x12, key, B.i64(i))
      end
      same(B.document(table.concat(parts)))
    end
  end)

  it("are told apart when their hashes are the same", function()
    -- Pairs of keys that collide in a document of this form, found by trying.
    local pairs_of_keys = { { 4677, 146580 }, { 7050, 242603 }, { 12708, 95355 }, { 22556, 172888 },
      { 75338, 77569 }, { 226667, 228192 } }
    local function document(key)
      return B.document(E(10, "x"), E(3, "y", B.document(E(0x12, "n", B.i64(1)))),
        E(0x10, "k" .. key, B.i32(1)), E(0x12, "z", B.i64(1)))
    end
    local kept = {}
    for _, pair in ipairs(pairs_of_keys) do
      for _ = 1, 3 do
        for i = 1, 2 do
          kept[#kept + 1] = modm.decode(document(pair[i]))
          same(document(pair[i]))
        end
      end
    end
  end)
end)
