--- Atomic changes of what a queryset finds: QuerySet:change and a method for each operator.

local base = require "modm.queryset.base"
local changing = require "modm.queryset.changing"
local core = require "modm.core"
local opening = require "modm.queryset.opening"
local writing = require "modm.queryset.writing"

---@class modm.QuerySet
local QuerySet = base.QuerySet

local known_options = { upsert = "boolean", array_filters = "table", session = "boolean|table" }

local function change(self, what, changes, given)
  base.check_options(what, given, known_options)
  given = given or {}
  writing.refuse_everything(self, what)
  self = base.joined(self, given)
  if given.upsert then
    writing.check_upsert(self)
    self = base.step(self, { upsert = true })
  end
  local update, filters, err = changing.compile(self._meta, changes, given)
  if not update then return nil, filters, err end
  local settings = opening.write_settings(self)
  local n, modified, failure = writing.run(self,
    function(client, database, collection, filter, statement)
      statement.multi, statement.upsert, statement.arrayFilters = true, given.upsert, filters
      return core.update(client, database, collection, filter, update, statement, settings)
    end)
  if not n then return nil, modified, failure end
  return modified
end

--- Changes all documents of the queryset, each at once, with names and values of the model:
--- { inc = { views = 1 }, push = { tags = "new" }, unset = { "draft" } }. Values are converted and
--- validated by their fields, and are never operators. Class, limit, skip and order are honoured.
--- Everything needs all() before it.
---@param changes modm.Changes
---@param given modm.ChangeOptions|nil
---@return integer|nil modified a document that an upsert makes does not count
---@return string? message
---@return modm.Error? err a ValidationError, then nothing was sent; ServerError, ...
function QuerySet:change(changes, given) return change(self, "change", changes, given) end

for _, name in ipairs(changing.METHODS) do
  QuerySet[name] = function(self, names, given)
    return change(self, name, { [name] = names }, given)
  end
end

return QuerySet
