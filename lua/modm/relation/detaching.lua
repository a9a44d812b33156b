--- NULLIFY and PULL: takes references away from the documents that hold them.

local core = require "modm.core"
local kept = require "modm.kept"
local keys = require "modm.relation.keys"
local opening = require "modm.queryset.opening"

local detaching = {}

-- The condition for what lies at step i of a path and behind it: a name and a value.
local function condition(path, i, values)
  local inner
  if path[i + 2] then
    local name, behind = condition(path, i + 2, values)
    inner = { [name] = behind }
  else
    inner = { ["$in"] = values }
  end
  for _ = 1, path[i + 1] do inner = { ["$elemMatch"] = inner } end
  return path[i], inner
end

-- The condition for an item of the list at step i, in which `left` more lists lie: { id = ... } or
-- { "id.name" = ... }.
local function item_filter(path, i, left, id, values)
  if left == 0 and path[i + 2] then
    local name, behind = condition(path, i + 2, values)
    return { [id .. "." .. name] = behind }
  end
  local rest = { path[i], left }
  for k = i + 2, #path do rest[#rest + 1] = path[k] end
  local _, inner = condition(rest, 1, values)
  return { [id] = inner }
end

-- The path of an update, which goes through lists by identifiers with a filter for each. The
-- innermost `open` lists are not gone through.
local function update_path(path, open, values)
  local text, filters = {}, {}
  for i = 1, #path, 2 do
    text[#text + 1] = path[i]
    local depth = path[i + 1]
    for level = 1, path[i + 2] and depth or depth - open do
      local id = "x" .. #filters + 1
      text[#text + 1] = "$[" .. id .. "]"
      filters[#filters + 1] = item_filter(path, i, depth - level, id, values)
    end
  end
  return table.concat(text, "."), #filters > 0 and core.array(filters) or nil
end

--- Takes away what refers to the keys from <= index < to of a set. A reference becomes undefined;
--- from a list go the items that refer to them, and the others stay.
---@param place modm.Place of the model that refers
---@param rule modm.DeleteRule
---@param set userdata
---@param from integer
---@param to integer
---@return integer|nil n, string? message, modm.Error? err
function detaching.run(place, rule, set, from, to)
  local values = core.keys_values(set, from, to)
  local in_list = rule.depth > 0
  local path, filters = update_path(rule.path, in_list and 1 or 0, values)
  local update = { ["$unset"] = { [path] = "" } }
  if in_list then update = { ["$pull"] = { [path] = { ["$in"] = values } } } end
  update = kept.in_update(place.meta, update, false)
  return keys.write(place, core.update(place.conn.client, place.database, place.collection,
    keys.filter(rule, set, from, to, true), update, { multi = true, arrayFilters = filters },
    opening.write_options(place.meta)))
end

return detaching
