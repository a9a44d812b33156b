--- More ends of querysets that read: exists, distinct, in_bulk, sample, explain.

local base = require "modm.queryset.base"
local core = require "modm.core"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local rows = require "modm.rows"

---@class modm.QuerySet
local QuerySet = base.QuerySet

-- Keys in one $in.
local KEYS = 1000

local function refuse_range(self, what)
  if self._how.limit or self._how.skip > 0 or self._how.empty then
    misuse("%s: %s has no limit, skip or slice", self._meta.name, what)
  end
end

--- Whether there is such a document: asks for one key, and stops at the first.
---@return boolean|nil exists, string? message, modm.Error? err
function QuerySet:exists()
  local bare = base.step(self, { values = true, related = false, batch_size = false,
    order = false, projection = { { "_id", 1 } }, projection_kind = "only" })
  if self._how.limit == nil or self._how.limit > 1 then bare = bare:limit(1) end
  local found, message, err = bare:list()
  if not found then return nil, message, err end
  return found[1] ~= nil
end

--- The different values that the documents have in a field, as the field reads them, in no order.
--- Of a list they are its items; what is not stored anywhere is not among them. All of them
--- together must fit into one document of the server, 16 MB.
---@param name string a field, dotted
---@return any[]|nil values, string? message, modm.Error? err
function QuerySet:distinct(name)
  if type(name) ~= "string" then
    misuse("%s: distinct takes the name of a field", self._meta.name)
  end
  local stored = base.stored_names(self, name)[1]
  refuse_range(self, "distinct")
  local conn, op, failure = opening.distinct(self, stored)
  if not conn then return nil, op, failure end
  local ok, message, err = conn:run(op)
  if not ok then return nil, message, err end
  return core.distinct_values(op, self._meta.schema, name)
end

--- The documents of the queryset that have these keys, by the text of their keys: found["a@b.c"],
--- found[tostring(id)]. Keys that are not there are left out. They travel in bounded lists.
---@param keys any[]
---@return table<string, modm.Document|table>|nil found, string? message, modm.Error? err
function QuerySet:in_bulk(keys)
  base.check_list(self, "in_bulk", keys)
  refuse_range(self, "in_bulk")
  local found = {}
  for first = 1, #keys, KEYS do
    local some = {}
    for i = first, math.min(first + KEYS - 1, #keys) do some[#some + 1] = keys[i] end
    local list, message, err = self:where("pk", "in", some):list()
    if not list then return nil, message, err end
    for _, doc in ipairs(list) do
      local key = self._how.values and doc._id or not self._how.values and doc.pk
      found[tostring(key)] = doc
    end
  end
  return found
end

--- Documents taken by chance, at most n of those that the queryset finds; the same one may come
--- twice where others write meanwhile.
---@param n integer
---@return modm.Document[]|table[]|nil documents, string? message, modm.Error? err
function QuerySet:sample(n)
  if base.check_count(self, "sample", n) < 1 then
    misuse("%s: sample takes a number of documents", self._meta.name)
  end
  -- what the queryset's own projection does was allowed there
  local source, message, err = opening.pipeline(self, { { ["$sample"] = { size = n } } },
    { javascript = true })
  if not source then return nil, message, err end
  return rows.list(opening.typed(self, source.conn, source.op))
end

local verbosities = { queryPlanner = true, executionStats = true, allPlansExecution = true }

--- How the server finds the documents: which index it takes, and with "executionStats" what that
--- costs, for which it runs the query.
---@param verbosity "queryPlanner"|"executionStats"|"allPlansExecution"|nil the first without
---@return table|nil plan in the server's own words, string? message, modm.Error? err
function QuerySet:explain(verbosity)
  verbosity = verbosity or "queryPlanner"
  if not verbosities[verbosity] then
    misuse("%s: explain takes queryPlanner, executionStats or allPlansExecution, not '%s'",
      self._meta.name, tostring(verbosity))
  end
  local conn, op, failure = opening.explaining(self, verbosity)
  if not conn then return nil, op, failure end
  local ok, message, err = conn:run(op)
  if not ok then return nil, message, err end
  return op:reply()
end

return QuerySet
