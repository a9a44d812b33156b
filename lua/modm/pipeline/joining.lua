--- The stages that hold other pipelines, $lookup and $facet. They are made when the pipeline is
-- sent: only then it is known which collection a model has.

local base = require "modm.queryset.base"
local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local registry = require "modm.registry"

local joining = {
  lookup_options = {
    as = "string", local_field = "string", foreign_field = "string", pipeline = "function",
  },
}

--- Whether a value is one stage: a table with one key, which begins with $.
function joining.is_stage(value)
  local key = type(value) == "table" and next(value)
  return type(key) == "string" and key:sub(1, 1) == "$" and next(value, key) == nil
end

--- The queryset that a model, its manager or a queryset of it means.
---@param owner string for messages
---@param what any
---@return modm.QuerySet
function joining.queryset(owner, what)
  local meta = registry.meta(what)
  if meta and not meta.embedded and not meta.abstract then
    return base.new(base.QuerySet, meta)
  elseif type(what) == "table" and rawget(what, "_parts") then
    return what
  elseif require "modm.manager".is_manager(what) then
    return what:get_queryset()
  end
  return misuse("%s: lookup takes a model with a collection, or a queryset", owner)
end

--- Stages with those that were left for later, for the server.
---@param stages table[]
---@param conn modm.Connection
---@return table[]|nil stages, string? message, modm.Error? err
function joining.resolve(stages, conn)
  local list = {}
  for i, stage in ipairs(stages) do
    local made, message, err = stage, nil, nil
    if stage.late then made, message, err = stage.late(conn) end
    if not made then return nil, message, err end
    list[i] = made
  end
  return list
end

--- What makes a $lookup.
---@param own modm.QuerySet
---@param set modm.QuerySet what is looked up
---@param spec table the stage, without where it looks
---@param stages table[] what else is done with what was found
---@return fun(conn: modm.Connection): table|nil, string?, modm.Error?
function joining.lookup(own, set, spec, stages)
  return function(conn)
    local other, collection, err = set._meta:place()
    if not other then return nil, collection, err end
    if other.client ~= conn.client or other.database ~= conn.database then
      return errors.failure(errors.new("OperationError",
        ("%s: lookup cannot reach %s, which is in another database"):format(own._meta.name,
          set._meta.name)))
    end
    local inner, message, failure = joining.resolve(stages, conn)
    if not inner then return nil, message, failure end
    local all = opening.stages(set)
    for _, stage in ipairs(inner) do all[#all + 1] = stage end
    local stage = { from = collection, pipeline = #all > 0 and core.array(all) or nil }
    for name, value in pairs(spec) do stage[name] = value end
    return { ["$lookup"] = stage }
  end
end

--- What makes a $facet.
---@param parts table<string, table[]>
---@return fun(conn: modm.Connection): table|nil, string?, modm.Error?
function joining.facet(parts)
  return function(conn)
    local facets = {}
    for name, stages in pairs(parts) do
      local made, message, err = joining.resolve(stages, conn)
      if not made then return nil, message, err end
      facets[name] = core.array(made)
    end
    return { ["$facet"] = facets }
  end
end

return joining
