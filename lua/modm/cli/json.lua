--- JSON on standard output; values of BSON as MongoDB's relaxed Extended JSON.

local core = require "modm.core"

local json = {}

local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- What is not UTF-8 in stored texts becomes U+FFFD.
local function quoted(text)
  if not core.is_utf8(text) then text = text:gsub("[\128-\255]", "\239\191\189") end
  return '"' .. text:gsub('[%c"\\]', function(c)
    return escapes[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

-- Values that are their text under a name.
local named = { ObjectId = "$oid", Decimal128 = "$numberDecimal", DateTime = "$date" }

local function number(value)
  if value ~= value then return '{"$numberDouble":"NaN"}' end
  if value == 1 / 0 then return '{"$numberDouble":"Infinity"}' end
  if value == -1 / 0 then return '{"$numberDouble":"-Infinity"}' end
  if value % 1 == 0 and value >= -2 ^ 63 and value < 2 ^ 63 then return ("%.0f"):format(value) end
  return ("%.17g"):format(value)
end

local function is_list(value)
  local kind = core.type(value)
  if kind == "array" or kind == "object" then return kind == "array" end
  return #value > 0 or next(value) == nil
end

local encode

local function encode_table(value)
  local parts = {}
  if is_list(value) then
    for i = 1, #value do parts[i] = encode(value[i]) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local keys = json.keys(value)
  for i, key in ipairs(keys) do parts[i] = quoted(tostring(key)) .. ":" .. encode(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- The keys of a table: in the order that it was given, else by name.
function json.keys(value)
  local metatable, keys, seen = debug.getmetatable(value), {}, {}
  for i = 1, metatable and #metatable or 0 do
    local key = metatable[i]
    if type(key) == "string" and value[key] ~= nil and not seen[key] then
      keys[#keys + 1], seen[key] = key, true
    end
  end
  local rest = {}
  for key in pairs(value) do
    if not seen[key] then rest[#rest + 1] = key end
  end
  table.sort(rest, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(rest) do keys[#keys + 1] = key end
  return keys
end

function encode(value)
  local found = type(value)
  if found == "string" then return quoted(value) end
  if found == "boolean" then return tostring(value) end
  if found == "number" then
    if math.type and math.type(value) == "integer" then return tostring(value) end
    return number(value)
  end
  if value == nil or value == core.null then return "null" end
  if found == "table" then return encode_table(value) end
  local kind = core.type(value)
  if kind == "Int64" then return tostring(value) end
  return ("{%s:%s}"):format(quoted(named[kind] or "$" .. tostring(kind)), quoted(tostring(value)))
end

json.encode = encode

return json
