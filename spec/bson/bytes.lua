-- Bytes for the specs of bson: hexadecimal, elements made by hand, and repeatable chance.
local M = {}

M.integers = math.type ~= nil

function M.hex(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

function M.unhex(text)
  return (text:gsub("%s", ""):gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end))
end

function M.i32(n)
  n = n % 2 ^ 32
  local out = {}
  for i = 1, 4 do
    out[i] = string.char(math.floor(n / 256 ^ (i - 1)) % 256)
  end
  return table.concat(out)
end

-- An int64 of at most 53 bits.
function M.i64(n)
  return M.i32(n) .. M.i32(math.floor(n / 2 ^ 32))
end

function M.element(kind, key, value)
  return string.char(kind) .. key .. "\0" .. (value or "")
end

function M.string(text)
  return M.i32(#text + 1) .. text .. "\0"
end

-- Elements of the commonest types.
function M.int(key, n)
  return M.element(0x10, key, M.i32(n))
end

function M.long(key, n)
  return M.element(0x12, key, M.i64(n))
end

function M.double(key, hex)
  return M.element(0x01, key, M.unhex(hex))
end

function M.text(key, text)
  return M.element(0x02, key, M.string(text))
end

function M.null(key)
  return M.element(0x0A, key)
end

-- A document of the elements given.
function M.document(...)
  local body = table.concat({ ... })
  return M.i32(#body + 5) .. body .. "\0"
end

function M.list(key, ...)
  return M.element(0x04, key, M.document(...))
end

-- Numbers that look like chance and are the same on each run.
function M.chance(seed)
  local state = seed
  return function(n)
    state = (state * 16807) % 2147483647
    return state % n + 1
  end
end

-- A document with each type that BSON has.
function M.every_type()
  local E = M.element
  return M.document(
    E(0x01, "double", M.unhex "000000000000f83f"),
    E(0x02, "string", M.string "h\195\169llo"),
    E(0x03, "document", M.document(E(0x10, "a", M.i32(1)), E(0x12, "b", M.i64(2)))),
    E(0x04, "array", M.document(E(0x10, "0", M.i32(1)), E(0x01, "1", M.unhex "0000000000001440"))),
    E(0x05, "binary", M.i32(3) .. "\0abc"),
    E(0x05, "old", M.i32(7) .. "\2" .. M.i32(3) .. "abc"),
    E(0x06, "undefined"),
    E(0x07, "id", M.unhex "56e1fc72e0c917e9c4714161"),
    E(0x08, "yes", "\1"),
    E(0x09, "date", M.i64(1709211720123)),
    E(0x0A, "null"),
    E(0x0B, "regex", "a+\0im\0"),
    E(0x0C, "pointer", M.string "db.c" .. M.unhex "56e1fc72e0c917e9c4714161"),
    E(0x0D, "code", M.string "f()"),
    E(0x0E, "symbol", M.string "sym"),
    E(0x0F, "scoped", M.i32(4 + 8 + 12) .. M.string "f()" .. M.document(E(0x10, "x", M.i32(1)))),
    E(0x10, "int32", M.i32(-42)),
    E(0x11, "timestamp", M.i32(2) .. M.i32(1)),
    E(0x12, "int64", M.i64(5)),
    E(0x13, "decimal", M.unhex "96000000000000000000000000003c30"),
    E(0x7F, "max"),
    E(0xFF, "min"),
    E(0x02, "", M.string "")
  )
end

return M
