-- Judges diff: the update, applied by the interpreter below, gives the second document.
local core = require "modm.core"
local models = require "fuzz.models"
local values = require "fuzz.values"

-- Stored names; with a dot, a key would be a path.
local keys = { "t", "c", "number", "who", "text", "places" }
for _, name in ipairs(models.names) do keys[#keys + 1] = name end
for _, key in ipairs(values.keys) do
  if not key:find "[%.%z]" and key ~= "" then keys[#keys + 1] = key end
end

-- ---- the interpreter ----

-- The table that a dotted path leads into, and the last name of the path.
local function walk(document, path)
  local step, rest = path:match "^([^.]*)%.(.*)$"
  if not step then return document, path end
  assert(type(document[step]) == "table", "a path into what is no document")
  return walk(document[step], rest)
end

local apply = {}

apply["$set"] = function(document, path, value)
  local inside, name = walk(document, path)
  inside[name] = value
end

apply["$unset"] = function(document, path)
  local inside, name = walk(document, path)
  assert(inside[name] ~= nil, "$unset of what is not there")
  inside[name] = nil
end

apply["$push"] = function(document, path, value)
  local inside, name = walk(document, path)
  local list, added = inside[name], value["$each"]
  assert(core.type(list) == "array" and #added > 0, "$push into what is no list")
  for _, item in ipairs(added) do list[#list + 1] = item end
end

-- ---- the judge ----

-- Numbers by value: which type one has is no difference to a field.
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b or a ~= a and b ~= b
  end
  if core.type(a) ~= core.type(b) then return false end
  for key, value in next, a do
    if not same(value, b[key]) then return false end
  end
  for key in next, b do
    if a[key] == nil then return false end
  end
  return true
end

-- Whether a document is what a table can hold, with no name that would be a path.
local function is_plain(bytes)
  local ok, document = pcall(core.decode, bytes)
  if not ok or core.encode(document) ~= bytes then return false end
  local function named(inside)
    for key, value in next, inside do
      if type(key) == "string" and (key == "" or key:find "[.$]") then return false end
      if type(value) == "table" and not named(value) then return false end
    end
    return true
  end
  return named(document)
end

local function encoded(value)
  if type(value) == "string" then return value end
  local ok, bytes = pcall(core.encode, value)
  return ok and bytes
end

local function judge(before, after)
  before, after = encoded(before), encoded(after)
  if not before or not after then return end
  local ok, update = pcall(core.diff, models.schema, before, after)
  if not is_plain(before) or not is_plain(after) then return end
  if not ok and update:find "nested deeper" then return end -- $set and a path are two levels more
  assert(ok, update)
  local document = core.decode(before)
  for operator, changes in pairs(update or {}) do
    for path, value in pairs(changes) do apply[operator](document, path, value) end
  end
  assert(same(document, core.decode(after)), "the update leads elsewhere")
end

return judge, keys, values.makers
