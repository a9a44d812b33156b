-- Judges filters: what compiles is BSON, and has an operator only where one was made.
local core = require "modm.core"
local models = require "fuzz.models"
local values = require "fuzz.values"

local operators_made = 0

local keys = {
  "address.city", "address.number", "comments.who", "comments.places.city", "data.x", "tags.0",
  "matrix.0.1", "author.title", "$where", "$gt", "$function", "pk", "type", "coordinates",
  "max_distance", "language",
}
for _, name in ipairs(models.names) do keys[#keys + 1] = name end
for _, key in ipairs(values.keys) do keys[#keys + 1] = key end

local makers, names = {}, {}
for name in pairs(core.operators()) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  local make = core.operators()[name]
  makers[#makers + 1] = function(...)
    operators_made = operators_made + 1
    return make(...)
  end
end
for _, maker in ipairs(values.makers) do makers[#makers + 1] = maker end
makers[#makers + 1] = function(value) return models.Post(value) end
makers[#makers + 1] = function(value) return models.Address(value) end

-- Keys of MongoDB's own at any depth, as data can have them: those of a DBRef, and what modm writes
-- for a plain value.
local harmless = { ["$ref"] = true, ["$id"] = true, ["$db"] = true, ["$eq"] = true }

local function each_key(value, look)
  if type(value) ~= "table" then return end
  for key, item in next, value do
    look(key)
    each_key(item, look)
  end
end

local function check_filter(conditions, made)
  local ok, bytes, message = pcall(core.filter, models.schema, conditions)
  if not ok then bytes, message = nil, bytes end
  if not bytes then return assert(type(message) == "string") end
  local query = core.decode(bytes)
  if made then return end
  each_key(query, function(key)
    assert(type(key) ~= "string" or key:sub(1, 1) ~= "$" or harmless[key], "an operator from data")
  end)
end

local function check_raw(query)
  local ok, bytes, message = pcall(core.raw_filter, query)
  if not ok then bytes, message = nil, bytes end
  if not bytes then return assert(type(message) == "string") end
  each_key(core.decode(bytes), function(key)
    assert(key ~= "$where" and key ~= "$function" and key ~= "$accumulator", "JavaScript")
  end)
end

local function judge(conditions)
  local made = operators_made > 0
  operators_made = 0
  check_filter(conditions, made)
  check_raw(conditions)
end

return judge, keys, makers
