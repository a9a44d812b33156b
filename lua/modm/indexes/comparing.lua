--- Compares an index of a model with one of the server, which fills in what was not said.

local core = require "modm.core"

local comparing = {}

-- Options that any index may have, with what the server takes for one that is not given.
local common = {
  unique = false, sparse = false, hidden = false, prepareUnique = false,
}
local others = { "expireAfterSeconds", "partialFilterExpression", "collation", "storageEngine",
  "wildcardProjection" }
local of_text = { default_language = "english", language_override = "language" }
local of_2d = { bits = 26, min = -180, max = 180 }
-- Versions differ from server to server, and count where the model names one.
local versions = { "v", "textIndexVersion", "2dsphereIndexVersion" }

-- Whether two values are alike; numbers by value, documents whatever their order.
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

-- The keys as the server keeps them: those of a text index become two that stand for all of them.
local function stored_keys(index)
  local list, text = {}, false
  for _, key in ipairs(index.keys) do
    if key[2] ~= "text" then
      list[#list + 1] = key
    elseif not text then
      text = true
      list[#list + 1], list[#list + 2] = { "_fts", "text" }, { "_ftsx", 1 }
    end
  end
  return list
end

--- Whether an index of the server has the keys of a model's, in their order.
---@param index modm.Index
---@param listed table
---@return boolean
function comparing.same_keys(index, listed)
  local keys = {}
  for i, key in ipairs(stored_keys(index)) do
    local found = listed.key[key[1]]
    if found ~= key[2] then return false end
    keys[i] = { key[1], found } -- with the server's kind of number
  end
  return core.encode(core.ordered(keys)) == core.encode(listed.key)
end

local function fill(into, from, defaults)
  for name, default in pairs(defaults) do
    into[name] = from[name]
    if into[name] == nil then into[name] = default end
  end
end

-- The weights of all that a text index looks at.
local function weights_of(index)
  local weights = {}
  for _, key in ipairs(index.keys) do
    if key[2] == "text" then weights[key[1]] = 1 end
  end
  for name, weight in pairs(index.options.weights or {}) do weights[name] = weight end
  return weights
end

-- The options that count for an index, of either side, filled in.
local function normalised(index, from)
  local out = {}
  fill(out, from, common)
  for _, name in ipairs(others) do out[name] = from[name] end
  if index.kinds.text then
    fill(out, from, of_text)
    out.weights = from.weights
  end
  if index.kinds["2d"] then fill(out, from, of_2d) end
  for _, name in ipairs(versions) do
    if index.options[name] ~= nil then out[name] = from[name] end
  end
  return out
end

-- What a model's filters come back as.
local function as_stored(value)
  return type(value) == "table" and core.decode(core.encode(value)) or value
end

--- What differs between a model's index and the server's.
---@param index modm.Index
---@param listed table as listIndexes has it
---@param collation table|nil the model's, filled in by the server
---@return string[] differs names of options, and "key"; sorted
function comparing.differences(index, listed, collation)
  local ours = {}
  for name, value in pairs(index.options) do ours[name] = as_stored(value) end
  ours.collation = collation
  if index.kinds.text then ours.weights = weights_of(index) end
  ours = normalised(index, ours)
  local theirs, differs = normalised(index, listed), {}
  for name, value in pairs(ours) do
    if not same(value, theirs[name]) then differs[#differs + 1] = name end
  end
  for name in pairs(theirs) do
    if ours[name] == nil then differs[#differs + 1] = name end
  end
  if not comparing.same_keys(index, listed) then differs[#differs + 1] = "key" end
  table.sort(differs)
  return differs
end

return comparing
