--- Stages that a pipeline may only begin with, where a queryset's own part cannot come before them.

local core = require "modm.core"
local misuse = require "modm.misuse"

local leading = {}

-- Those that find documents: the conditions come behind.
local finding = { ["$search"] = true, ["$vectorSearch"] = true }
-- Those that speak of the collection and not of its documents: there is nothing to filter.
local telling = {
  ["$collStats"] = true, ["$indexStats"] = true, ["$planCacheStats"] = true, ["$searchMeta"] = true,
  ["$listSearchIndexes"] = true, ["$changeStream"] = true,
}

-- $geoNear with the conditions beside those that it has.
local function near(stage, conditions)
  local spec = {}
  for name, value in pairs(stage) do spec[name] = value end
  local own = core.decode(conditions)
  spec.query = spec.query and { ["$and"] = core.array { own, spec.query } } or own
  return { ["$geoNear"] = spec }
end

--- Where the first stage is such a one: what stands in front of the queryset's own stages.
---@param name string of the model
---@param first table|nil the first stage
---@param conditions string|nil in BSON
---@param narrowed boolean whether the program gave conditions
---@return table[]|nil front nil: the first stage is like any other
function leading.stages(name, first, conditions, narrowed)
  local stage = first and next(first)
  if stage == "$geoNear" and type(first[stage]) == "table" then
    return { conditions and near(first[stage], conditions) or first }
  elseif finding[stage] then
    return { first, conditions and { ["$match"] = core.decode(conditions) } }
  elseif telling[stage] then
    if narrowed then
      misuse("%s: %s speaks of the collection, so it has no conditions of documents", name, stage)
    end
    return { first }
  end
end

return leading
