-- How Lua values are written: kinds of number, order of keys, and everything that is refused.
local modm = require "modm.core"
local B = require "spec.bson.bytes"
local E, document = B.element, B.document
local int, null = B.int, B.null

local function refused(expected, value)
  local ok, message = pcall(modm.encode, value)
  assert.is_false(ok)
  assert.is_truthy(message:find(expected, 1, true), message)
end

describe("encode", function()
  it("writes Lua's own values by their kind", function()
    assert.are.equal(document(), modm.encode {})
    assert.are.equal(document(B.text("v", "a\0b")), modm.encode { v = "a\0b" })
    assert.are.equal(document(E(8, "v", "\0")), modm.encode { v = false })
    assert.are.equal(document(null("v")), modm.encode { v = modm.null })
    assert.are.equal(document(B.list("v", E(8, "0", "\1"), null("1"))),
      modm.encode { v = { true, modm.null } })
    assert.are.equal(document(E(3, "v", document())), modm.encode { v = {} })
  end)

  it("chooses the smallest integer that holds a number", function()
    local function kind(n) return modm.encode({ v = n }):byte(5) end
    for _, n in ipairs { 0, 1, -1, 2147483647, -2147483648 } do
      assert.are.equal(0x10, kind(n), tostring(n))
    end
    for _, n in ipairs { 2147483648, -2147483649, 9007199254740991, -9007199254740991 } do
      assert.are.equal(0x12, kind(n), tostring(n))
    end
    for _, n in ipairs { 0.5, -1.5, 1e300, 1 / 0, -1 / 0, 0 / 0 } do
      assert.are.equal(0x01, kind(n), tostring(n))
    end
    assert.are.equal(document(B.double("v", "0000000000000080")), modm.encode { v = -1 / (1 / 0) })
    assert.are.equal(B.integers and 0x01 or 0x10, kind(2 ^ 10))
    assert.are.equal(B.integers and 0x01 or 0x12, kind(2 ^ 40))
    assert.are.equal(0x01, kind(2 ^ 60))
    if math.maxinteger then
      assert.are.equal(0x12, kind(math.maxinteger))
      assert.are.equal(0x12, kind(math.mininteger))
    end
  end)

  it("writes keys without an order sorted by their bytes", function()
    local t, expected = {}, {}
    for i = 1, 200 do
      t[("k%03d"):format((i * 7) % 200)] = i
    end
    for i = 0, 199 do
      expected[#expected + 1] = int(("k%03d"):format(i), t[("k%03d"):format(i)])
    end
    assert.are.equal(document(table.concat(expected)), modm.encode(t))
    assert.are.equal(document(E(8, "", "\1"), E(8, "A", "\1"), E(8, "a", "\1"), E(8, "aa", "\1"),
      E(8, "b", "\1"), E(8, "\195\169", "\1")),
      modm.encode { aa = true, b = true, a = true, ["\195\169"] = true, A = true, [""] = true })
  end)

  it("sorts documents within documents", function()
    local inner = document(int("a", 1), int("b", 2))
    assert.are.equal(document(E(3, "x", inner), E(3, "y", inner)),
      modm.encode { y = { b = 2, a = 1 }, x = { b = 2, a = 1 } })
  end)

  it("writes lists however Lua keeps them", function()
    local t = {}
    for i = 20, 1, -1 do t[i] = i end
    local read = modm.decode(modm.encode { v = t }).v
    assert.are.equal(20, #read)
    for i = 1, 20 do assert.are.equal(i, read[i]) end
  end)

  it("has the keys of a long list right", function()
    local t, parts = {}, {}
    for i = 1, 1200 do
      t[i] = true
      parts[i] = E(8, tostring(i - 1), "\1")
    end
    assert.are.equal(document(B.list("v", table.concat(parts))), modm.encode { v = t })
  end)

  it("never calls a metamethod", function()
    local function boom() error("called") end
    local t = setmetatable({ a = 1 }, { __index = boom, __len = boom, __pairs = boom,
      __tostring = boom,
      __eq = boom, __newindex = boom, __name = "x" })
    assert.are.equal(modm.encode { a = 1 }, modm.encode(t))
    assert.are.equal(modm.encode { v = { 1, 2 } },
      modm.encode { v = setmetatable({ 1, 2 }, { __index = boom, __len = boom }) })
  end)
end)

describe("encode refuses", function()
  it("lists with holes", function()
    refused("v: a list with a hole at 3", { v = { 1, 2, nil, 4 } })
    refused("v: a list with a hole at 2", { v = { [1] = 1, [3] = 3 } })
    refused("a list with a hole at 1", { v = { [2] = 1 } })
    refused("a list with a hole at 1", { v = { nil, 2 } })
    refused("a list with a hole at 1", { v = { [1e9] = 1 } })
    refused("a list with a hole at 4", { v = { 1, 2, 3, [1e9] = 1 } })
    refused("a list with a hole at 2", { v = modm.array { 1, nil, 3 } })
  end)

  it("tables that are half list, half document", function()
    refused("v: a table with both list items and the key 'x'", { v = { 1, 2, x = 1 } })
    refused("v: a list with the key 0", { v = { 1, [0] = 1 } })
    refused("v: a list with the key 1.5", { v = { 1, [1.5] = 1 } })
    refused("v: a list with the key -1", { v = { 1, [-1] = 1 } })
    refused("v: a list with a key that is a boolean", { v = { 1, [true] = 1 } })
    refused("both list items and the key '2'", { v = { 1, ["2"] = 1 } })
    refused("a list expected, got a document with the key 'x'", { v = modm.array { x = 1 } })
  end)

  it("documents with keys that are no strings", function()
    refused("a document with a key that is a boolean", { [true] = 1 })
    refused("is a number", { [0] = 1 })
    refused("is a number", { a = 1, [2] = 1 })
    refused("is a number", modm.object { [1] = 1 })
    refused("a document with a key that is a table", { [{}] = 1 })
    refused("a key holds a NUL byte", { ["a\0b"] = 1 })
    refused("a key is not valid UTF-8", { ["a\255"] = 1 })
    refused("v: a key holds a NUL byte", { v = modm.object { ["\0"] = 1 } })
  end)

  it("values that cannot be stored, and says where they are", function()
    refused("a.b.2: a function cannot be stored", { a = { b = { 1, print } } })
    refused("a.1.1.x: a thread cannot be stored", { a = { { { x = coroutine.create(print) } } } })
    refused("a: a ", { a = io.stdout }) -- the rest is said by the room that knows documents
    if jit then
      refused("a: a cdata cannot be stored", { a = (loadstring or load) "return 5LL"() })
      local ok, ffi = pcall(require, "ffi")
      if ok then refused("a: a cdata cannot be stored", { a = ffi.new("int[1]") }) end
    end
  end)

  it("broken UTF-8", function()
    local broken = { "\255", "\128", "\192\128", "\193\191", "\224\128\128", "\237\160\128",
      "\240\128\128\128",
      "\244\144\128\128", "\245\128\128\128", "\226\130", "a\195", "12345678\255",
      ("\195\169"):rep(9) .. "\195" }
    for _, text in ipairs(broken) do
      refused("v.1: not valid UTF-8", { v = { text } })
    end
    for _, text in ipairs { "\0", "\194\128", "\223\191", "\224\160\128", "\237\159\191",
      "\238\128\128",
      "\240\144\128\128", "\244\143\191\191", "12345678\195\169" } do
      assert.are.equal(text, modm.decode(modm.encode { v = text }).v)
    end
  end)

  it("tables that hold themselves", function()
    local t = {}
    t.a = { { t } }
    refused("holds itself", t)
    local u = modm.array {}
    u[1] = u
    refused("holds itself", { u = u })
  end)

  local function nested(levels)
    local t = {}
    for _ = 2, levels do t = { a = t } end
    return t
  end

  it("more than 180 levels", function()
    assert.are.equal(modm.encode(nested(180)), modm.encode(modm.decode(modm.encode(nested(180)))))
    refused("nested deeper than 180 levels", nested(181))
    refused("nested deeper than 180 levels", nested(5000))
    local same = {}
    assert.has_no.errors(function() modm.encode { a = same, b = { same, same } } end)
  end)

  it("more than 180 levels with those of a scope", function()
    local function scoped(levels, of_scope)
      local outer = { f = modm.JavaScript("f", nested(of_scope)) }
      for _ = 2, levels do outer = { a = outer } end
      return outer
    end
    local bytes = modm.encode(scoped(90, 90))
    assert.are.equal(bytes, modm.encode(modm.decode(bytes)))
    refused("nested deeper than 180 levels", scoped(90, 91))
    refused("nested deeper than 180 levels", scoped(180, 1))
  end)

  it("what is no document at its top", function()
    refused("a document expected, got a list", { 1, 2 })
    refused("a document expected, got a list", modm.array {})
    for _, bad in ipairs { 5, "x", true, modm.ObjectId() } do
      assert.is_false(pcall(modm.encode, bad))
    end
    assert.is_false(pcall(modm.encode))
  end)

  it("and works as before afterwards", function()
    for _ = 1, 100 do
      pcall(modm.encode, { a = { b = { print } } })
      pcall(modm.encode, { x = { a = { 1, nil, 3 }, b = 1, c = 2, d = print } })
    end
    assert.are.equal(document(int("a", 1)), modm.encode { a = 1 })
  end)
end)

describe("array, object and ordered", function()
  it("keep empty tables what they are", function()
    assert.are.equal(document(B.list("v")), modm.encode { v = modm.array() })
    assert.are.equal(document(B.list("v")), modm.encode { v = modm.array {} })
    assert.are.equal(document(E(3, "v", document())), modm.encode { v = modm.object() })
  end)

  it("mark the table itself", function()
    local t = {}
    assert.are.equal(t, modm.array(t))
    assert.are.equal("modm.array", getmetatable(t))
    assert.is_false(pcall(setmetatable, t, {}))
    assert.is_false(pcall(modm.array, 5))
    assert.is_false(pcall(modm.object, "x"))
  end)

  it("keep the order of keys, and put new ones behind", function()
    local t = modm.ordered { { "z", 1 }, { "a", 2 }, { "m", false } }
    assert.are.equal(2, t.a)
    assert.are.equal(document(int("z", 1), int("a", 2), E(8, "m", "\0")), modm.encode(t))
    t.b, t.y, t.a, t.m = 4, 5, nil, 3
    assert.are.equal(document(int("z", 1), int("m", 3), int("b", 4),
      int("y", 5)), modm.encode(t))
    assert.are.equal(document(), modm.encode(modm.ordered {}))
  end)

  it("refuse pairs that are none", function()
    for _, bad in ipairs { { 5 }, { {} }, { { 1, 2 } }, { { "a" } }, { { "a", 1 }, { "a", 2 } },
      { { "a\0", 1 } }, { { "\255", 1 } }, "x" } do
      assert.is_false(pcall(modm.ordered, bad))
    end
  end)
end)
