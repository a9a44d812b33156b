--- Querysets: what to find of a model's documents. A queryset never changes; each step gives a new
-- one, and only the ends (list, get, count, delete, ...) and iteration ask the server.
--
-- Steps cannot fail for data: a value that its field refuses is kept, and the end returns it as a
-- ValidationError. What is the program's mistake (an unknown field, a condition that is nil) raises
-- at once. Steps are in queryset/conditions.lua, range.lua, shape.lua and settings.lua, ends that
-- write in bulk.lua and changes.lua; here are the ends that read, and more of them in asking.lua.

local base = require "modm.queryset.base"
local errors = require "modm.errors"
local joining = require "modm.pipeline.joining"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local rows = require "modm.rows"

require "modm.queryset.conditions"
require "modm.queryset.range"
require "modm.queryset.shape"
require "modm.queryset.settings"
require "modm.queryset.asking"
require "modm.queryset.bulk"
require "modm.queryset.changes"
require "modm.queryset.atomic"
require "modm.queryset.modify"
require "modm.queryset.creating"
require "modm.bulk"
require "modm.queryset.page"
require "modm.pipeline"
require "modm.watching"

-- What the other modules of modm use.
local queryset = {
  QuerySet = base.QuerySet,
  new = base.new,
  is_class = base.is_class,
  source = opening.source,
  write_options = opening.write_options,
}

---@class modm.QuerySet
local QuerySet = base.QuerySet

local function nothing() end

-- An empty slice asks nothing.
local function is_empty(self) return self._how.empty and not self._how.error end

-- ---- documents ----

--- Iterates: `for post in Post.objects:all():iter() do`. The documents come in batches, so that
--- memory stays small however many there are. Raises error objects, as it cannot return them.
---@return fun(): modm.Document|table|nil
function QuerySet:iter()
  if is_empty(self) then return nothing end
  local source, _, err = opening.source(self)
  if not source then error(err, 0) end
  return rows.iterate(source)
end

local function list(self, limit)
  if is_empty(self) then return {} end
  local source, message, err = opening.source(self, limit)
  if not source then return nil, message, err end
  return rows.list(source)
end

--- All documents, as a list.
---@return modm.Document[]|table[]|nil documents, string? message, modm.Error? err
function QuerySet:list() return list(self) end

local function failure(self, kind, text)
  return errors.failure(errors.new(self._meta[kind], self._meta.name .. ": " .. text))
end

--- The first document. DoesNotExist when there is none.
---@return modm.Document|table|nil document, string? message, modm.Error? err
function QuerySet:first()
  local found, message, err = list(self, 1)
  if not found then return nil, message, err end
  if not found[1] then return failure(self, "DoesNotExist", "there is no such document") end
  return found[1]
end

--- The one document. DoesNotExist when there is none, MultipleObjectsReturned when there are
--- several.
---@param conditions table|nil as filter takes them; :raw(query):get() takes MongoDB's own words
---@return modm.Document|table|nil document, string? message, modm.Error? err
function QuerySet:get(conditions)
  if conditions ~= nil then self = self:filter(conditions) end
  local found, message, err = list(self, self._how.limit and math.min(self._how.limit, 2) or 2)
  if not found then return nil, message, err end
  if not found[1] then return failure(self, "DoesNotExist", "there is no such document") end
  if found[2] then
    return failure(self, "MultipleObjectsReturned", "there are several such documents")
  end
  return found[1]
end

-- ---- counting and aggregating ----

--- How many documents there are, within limit and skip.
---@return integer|nil n, string? message, modm.Error? err
function QuerySet:count(...)
  base.refuse_options(self, "count", ...)
  if is_empty(self) then return 0 end
  local source, message, err = opening.counting(self)
  if not source then return nil, message, err end
  local found
  found, message, err = rows.list(source)
  if not found then return nil, message, err end
  return found[1] and found[1].n or 0
end

--- Runs stages over what the queryset finds: its conditions, order, range and projection come
--- first.
---@param ... table stages, as in PyMongo; a last table without $ holds options (allowDiskUse, ...)
---@return modm.Rows rows tables: :iter(), :list(), :first()
function QuerySet:aggregate(...)
  local stages, options = { ... }, nil
  local last = stages[#stages]
  if #stages ~= select("#", ...) then
    misuse("%s: a stage of the aggregation is nil", self._meta.name)
  end
  if type(last) == "table" and not joining.is_stage(last) and last[1] == nil then
    options = table.remove(stages)
    base.check_options("aggregate", options, opening.aggregate_options)
  end
  for i, stage in ipairs(stages) do
    if not joining.is_stage(stage) then
      misuse("%s: stage %d of the aggregation must be a table with one key, { [\"$...\"] = ... }",
        self._meta.name, i)
    end
  end
  return rows.new(function() return opening.pipeline(self, stages, options) end)
end

--- Makes a document and saves it.
---@param values table
---@return modm.Document|nil document, string? message, modm.Error? err
function QuerySet:create(values)
  return base.make(self, values):save { session = opening.session(self) }
end

return queryset
