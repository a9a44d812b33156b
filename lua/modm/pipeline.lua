--- Aggregations built stage by stage in the model's names: QuerySet:pipeline. Like a queryset a
-- pipeline never changes, each stage gives a new one, and nothing is sent before its end.

local base = require "modm.queryset.base"
local core = require "modm.core"
local errors = require "modm.errors"
local joining = require "modm.pipeline.joining"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local order = require "modm.queryset.order"
local registry = require "modm.registry"
local rows = require "modm.rows"
local scope = require "modm.pipeline.scope"

---@class modm.Pipeline
---@field _set modm.QuerySet what it begins with
---@field _stages table[] a stage, or { late = function(conn) } for one that is made when it is sent
---@field _scope modm.Scope the names that the next stage may use
---@field _whole boolean whether what comes out are still whole documents of a model
---@field _error modm.Error|nil of a value that its field refused
---@field _as table|nil the meta that rows are read as
---@field _options table|nil of the aggregation
local Pipeline = {}
Pipeline.__index = Pipeline
Pipeline.__name = "modm.Pipeline"
Pipeline.__newindex = function() misuse "a pipeline does not change: its methods give new ones" end

local function name_of(self) return self._set._meta.name end

function Pipeline:__tostring()
  return ("modm.Pipeline of %s (%d stages)"):format(name_of(self), #self._stages)
end

local function step(self, changes)
  local copy = {}
  for key, value in next, self do copy[key] = value end
  for key, value in next, changes do copy[key] = value end
  return setmetatable(copy, Pipeline)
end

-- With one stage more, and what that changes.
local function add(self, stage, changes)
  local stages = {}
  for i, one in ipairs(self._stages) do stages[i] = one end
  stages[#stages + 1] = stage
  changes = changes or {}
  changes._stages = stages
  return step(self, changes)
end

local function check_table(self, what, value)
  if type(value) ~= "table" or next(value) == nil then
    misuse("%s: %s takes a table that is not empty", name_of(self), what)
  end
end

local function check_name(self, what, name)
  if type(name) ~= "string" or name == "" or name:find "[.$%z]" then
    misuse("%s: %s takes a name without dots and dollars", name_of(self), what)
  end
  return name
end

-- The stages that a function builds, for a pipeline inside another.
local function part(names, set, build, what)
  if build == nil then return {} end
  local empty = setmetatable({ _set = set, _stages = {}, _scope = names, _whole = true }, Pipeline)
  local built = build(empty)
  if getmetatable(built) ~= Pipeline then
    misuse("%s: a function of %s returns the pipeline that it builds", set._meta.name, what)
  end
  if built._error then return { { late = function() return errors.failure(built._error) end } } end
  return built._stages
end

-- ---- stages that leave documents as they are ----

-- The conditions of the model's fields, and those of names that stages have made.
local function sorted_conditions(self, conditions)
  local known, free = {}, {}
  for name, value in pairs(conditions) do
    local is_free = not self._scope.meta or type(name) == "string" and self._scope:is_free(name)
    if is_free then free[name] = value else known[name] = value end
  end
  return known, free
end

local function match_free(self, conditions)
  local bytes, message, path = core.filter(nil, conditions)
  if not bytes then
    misuse("%s%s: %s", name_of(self), path ~= "" and "." .. path or "", message)
  end
  return add(self, { ["$match"] = core.decode(bytes) })
end

--- Leaves what fits the conditions, as filter takes them. Of names that stages have made values are
--- taken as they are.
---@param conditions table
---@return modm.Pipeline
function Pipeline:match(conditions)
  check_table(self, "match", conditions)
  local known, free = sorted_conditions(self, conditions)
  local result = self
  if next(known) ~= nil then
    local set = base.new(base.QuerySet, self._scope.meta):filter(known)
    if set._how.error then result = step(result, { _error = result._error or set._how.error }) end
    if set._parts[1] then result = add(result, { ["$match"] = core.decode(set._parts[1]) }) end
  end
  if next(free) ~= nil then result = match_free(result, free) end
  return result
end

--- Sorts, as order_by does.
---@param ... string|table
---@return modm.Pipeline
function Pipeline:sort(...)
  local function stored_of(name) return self._scope:stored(name) end
  local list = order.pairs_of(name_of(self), stored_of, ...)
  if #list == 0 then misuse("%s: sort takes an order", name_of(self)) end
  return add(self, { ["$sort"] = core.ordered(list) })
end

local function counted(self, what, n, least)
  if base.check_count(self._set, what, n) < least then
    misuse("%s: %s takes a number from %d on", name_of(self), what, least)
  end
  return n
end

--- At most n.
---@param n integer
---@return modm.Pipeline
function Pipeline:limit(n) return add(self, { ["$limit"] = counted(self, "limit", n, 1) }) end

--- Leaves out the first n.
---@param n integer
---@return modm.Pipeline
function Pipeline:skip(n) return add(self, { ["$skip"] = counted(self, "skip", n, 0) }) end

--- n of them, by chance.
---@param n integer
---@return modm.Pipeline
function Pipeline:sample(n)
  return add(self, { ["$sample"] = { size = counted(self, "sample", n, 1) } })
end

-- ---- stages that change documents ----

-- Whether a value of project says only that the field is there or not.
local function is_flag(value) return value == true or value == false or value == 1 or value == 0 end

-- The names and expressions of a stage as they are stored, and the names that are new.
local function computed(self, fields, flags)
  local stored, new = {}, {}
  for name, value in pairs(fields) do
    if type(name) ~= "string" then misuse("%s: names of fields expected", name_of(self)) end
    local key = self._scope:find(name)
    local flag = flags and is_flag(value)
    if flag and not key then key = self._scope:stored(name) end
    if not key then key, new[#new + 1] = name, name end
    stored[key] = flag and value or self._scope:expression(value)
    if flag and not value then stored[key] = false end
  end
  return stored, self._scope:with(new)
end

--- Only these fields (name = true), all but these (name = false), and fields that are computed
--- (name = expression).
---@param fields table<string, any>
---@return modm.Pipeline
function Pipeline:project(fields)
  check_table(self, "project", fields)
  local stored, names = computed(self, fields, true)
  return add(self, { ["$project"] = stored }, { _scope = names, _whole = false })
end

--- Adds fields that are computed, or replaces some.
---@param fields table<string, any> name -> expression
---@return modm.Pipeline
function Pipeline:add_fields(fields)
  check_table(self, "add_fields", fields)
  local stored, names = computed(self, fields, false)
  return add(self, { ["$addFields"] = stored }, { _scope = names, _whole = false })
end

--- One document for each item of a list.
---@param name string
---@param given { keep_empty: boolean?, index: string? }|nil keep_empty: also documents without
--- items; index: the name that the item's place, from 0, gets
---@return modm.Pipeline
function Pipeline:unwind(name, given)
  base.check_options("unwind", given, { keep_empty = "boolean", index = "string" })
  given = given or {}
  local index = given.index and check_name(self, "unwind's index", given.index)
  return add(self, { ["$unwind"] = { path = "$" .. self._scope:stored(name),
    preserveNullAndEmptyArrays = given.keep_empty, includeArrayIndex = index } },
    { _scope = self._scope:with { index }, _whole = false })
end

--- Adds a list of the documents of another model that belong to each.
---@param what modm.Model|modm.QuerySet the model, or a queryset of it, whose conditions, order and
--- range hold for each list
---@param given modm.LookupOptions as: the name of the list; local_field, foreign_field: names that
--- have to be equal, "pk" without; pipeline: what else is done with them
---@return modm.Pipeline
function Pipeline:lookup(what, given)
  base.check_options("lookup", given, joining.lookup_options)
  given = given or {}
  local name = check_name(self, "lookup's as", given.as)
  if not given.local_field and not given.foreign_field then
    misuse("%s: lookup takes a local_field or a foreign_field", name_of(self))
  end
  local set = joining.queryset(name_of(self), what)
  local stages = part(scope.new(set._meta.name, set._meta), set, given.pipeline, "lookup")
  local late = joining.lookup(self._set, set, {
    as = name, localField = self._scope:stored(given.local_field or "pk"),
    foreignField = base.stored_names(set, given.foreign_field or "pk")[1],
  }, stages)
  return add(self, { late = late }, { _scope = self._scope:with { name }, _whole = false,
    _error = self._error or set._how.error })
end

-- ---- stages that make other documents ----

--- One document for each value of _id.
---@param spec table<string, any> _id: an expression, modm.null for one group of all; other names:
--- accumulators, { ["$sum"] = "$likes" }
---@return modm.Pipeline
function Pipeline:group(spec)
  check_table(self, "group", spec)
  if spec._id == nil then
    misuse("%s: group needs _id, an expression, or modm.null for one group of all", name_of(self))
  end
  return add(self, { ["$group"] = self._scope:expression(spec) },
    { _scope = self._scope:free(), _whole = false })
end

--- One document with the number of what came so far.
---@param name string
---@return modm.Pipeline
function Pipeline:count(name)
  return add(self, { ["$count"] = check_name(self, "count", name) },
    { _scope = self._scope:free(), _whole = false })
end

--- Puts an expression, a document, in place of each. What follows names it as it is stored.
---@param expression any
---@return modm.Pipeline
function Pipeline:replace_root(expression)
  if expression == nil then misuse("%s: replace_root takes an expression", name_of(self)) end
  return add(self, { ["$replaceRoot"] = { newRoot = self._scope:expression(expression) } },
    { _scope = self._scope:free(), _whole = true })
end

--- Several pipelines over the same: one document with a list under each name.
---@param facets table<string, fun(pipeline: modm.Pipeline): modm.Pipeline>
---@return modm.Pipeline
function Pipeline:facet(facets)
  check_table(self, "facet", facets)
  local parts = {}
  for name, build in pairs(facets) do
    if type(build) ~= "function" then
      misuse("%s: facet takes functions that build a pipeline", name_of(self))
    end
    local stages = part(self._scope, self._set, build, "facet")
    parts[check_name(self, "facet", name)] = stages
  end
  return add(self, { late = joining.facet(parts) }, { _scope = self._scope:free(), _whole = false })
end

-- Stages that leave documents, and so names, as they are.
local keeping = { ["$match"] = true, ["$sort"] = true, ["$limit"] = true, ["$skip"] = true,
  ["$sample"] = true }

--- Any stage in MongoDB's own words, with stored names. What follows names fields as they are
--- stored, unless it is a $match, $sort, $limit, $skip or $sample.
---@param stage table
---@return modm.Pipeline
function Pipeline:stage(stage)
  if not joining.is_stage(stage) then
    misuse("%s: a stage is a table with one key, { [\"$...\"] = ... }", name_of(self))
  end
  if keeping[next(stage)] then return add(self, stage) end
  return add(self, stage, { _scope = self._scope:free(), _whole = false })
end

-- ---- ends ----

--- Reads rows as documents of a model: of an embedded one, which says what rows look like, or of
--- one with a collection as long as they are whole documents.
---@param model modm.Model
---@return modm.Pipeline
function Pipeline:as(model)
  local meta = registry.meta(model)
  if not meta or meta.abstract then misuse("%s: as takes a model", name_of(self)) end
  if not meta.embedded and not self._whole then
    misuse("%s: these are no whole documents of %s any more: declare an embedded model for them",
      name_of(self), meta.name)
  end
  return step(self, { _as = meta })
end

local function open(self)
  if self._error then return errors.failure(self._error) end
  local conn, collection, failure = self._set._meta:place()
  if not conn then return nil, collection, failure end
  local stages, message, err = joining.resolve(self._stages, conn)
  if not stages then return nil, message, err end
  local source
  source, message, err = opening.pipeline(self._set, stages, self._options)
  if not source then return nil, message, err end
  local meta = self._as
  if meta == self._set._meta then
    return opening.typed(self._set, source.conn, source.op)
  end
  if meta then source.name, source.schema = meta.name, meta.schema end
  return source
end

local function result(self) return rows.new(function() return open(self) end) end

--- Iterates over the rows: `for row in pipeline:iter() do`. Raises error objects.
---@return fun(): table|modm.Document|nil
function Pipeline:iter() return result(self):iter() end

--- All rows.
---@return table[]|modm.Document[]|nil list, string? message, modm.Error? err
function Pipeline:list() return result(self):list() end

--- The first row, or nil when there is none.
---@return table|modm.Document|nil row, string? message, modm.Error? err
function Pipeline:first() return result(self):first() end

--- An aggregation over what the queryset finds, to be built stage by stage in the model's names.
---@param given table|nil options of the server, as aggregate takes them
---@return modm.Pipeline
function base.QuerySet:pipeline(given)
  base.check_options("pipeline", given, opening.aggregate_options)
  return setmetatable({ _set = self, _stages = {}, _scope = scope.new(self._meta.name, self._meta),
    _whole = true, _options = given }, Pipeline)
end

return Pipeline
