-- Judges encode: what it takes is read again as what it was, and written as the same bytes.
local core = require "modm.core"
local values = require "fuzz.values"

local same

local function same_table(a, b)
  assert(type(b) == "table", "a table became something else")
  local left = 0
  for _ in next, b do left = left + 1 end
  for key, value in next, a do
    same(value, rawget(b, key))
    left = left - 1
  end
  assert(left == 0, "keys that were not there")
end

local function same_number(a, b)
  assert(math.type(a) == math.type(b), "another kind of number")
  assert(a == b and (a ~= 0 or 1 / a == 1 / b) or a ~= a and b ~= b, "another number")
end

function same(a, b)
  if type(a) == "table" then
    same_table(a, b)
  elseif type(a) == "number" then
    same_number(a, b)
  elseif core.type(a) == "Int64" then -- an integer, once read
    assert(tostring(a) == tostring(b), "another Int64")
  else
    assert(a == b, "another value")
  end
end

local function judge(value)
  local ok, bytes = pcall(core.encode, value)
  if not ok then
    assert(type(bytes) == "string" and not bytes:find "metamethod", bytes)
    return
  end
  local back = core.decode(bytes)
  same_table(value, back)
  assert(core.encode(back) == bytes, "other bytes the second time")
end

return judge, values.keys, values.makers
