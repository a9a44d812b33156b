--- The steps of querysets that say what comes of the documents: only, exclude, project, values, ...

local base = require "modm.queryset.base"
local core = require "modm.core"
local misuse = require "modm.misuse"

---@class modm.QuerySet
local QuerySet = base.QuerySet

-- Names ("a", "b") or one list of them.
local function names_of(self, what, ...)
  local first = ...
  local is_list = type(first) == "table"
  local names = is_list and first or { ... }
  for i = 1, is_list and #first or select("#", ...) do
    if type(names[i]) ~= "string" then
      misuse("%s: %s takes names of fields, not a %s", self._meta.name, what, type(names[i]))
    end
  end
  return names
end

-- With pairs of stored name and 1 or 0 added to its projection.
local function projected(self, kind, list)
  local all, there = {}, {}
  if self._how.projection and self._how.projection_kind ~= kind then
    misuse("%s: %s cannot be joined with %s", self._meta.name, kind, self._how.projection_kind)
  end
  for _, some in ipairs { self._how.projection or {}, list } do
    for _, pair in ipairs(some) do
      if not there[pair[1]] then all[#all + 1], there[pair[1]] = pair, true end
    end
  end
  return base.step(self, { projection = all, projection_kind = kind })
end

--- Fetches only these fields, and the key and the class always. What was not fetched cannot be
--- read, and saving does not touch it.
---@param ... string
---@return modm.QuerySet
function QuerySet:only(...)
  local list = { { "_id", 1 } }
  if core.class_name(self._meta.schema) then list[2] = { "_cls", 1 } end
  local counter = self._meta.counter
  if counter then list[#list + 1] = { self._meta.stored_names[counter], 1 } end
  for _, name in ipairs(names_of(self, "only", ...)) do
    for _, stored in ipairs(base.stored_names(self, name)) do list[#list + 1] = { stored, 1 } end
  end
  return projected(self, "only", list)
end

--- Fetches all but these fields. The key is always there.
---@param ... string
---@return modm.QuerySet
function QuerySet:exclude(...)
  local list = {}
  for _, name in ipairs(names_of(self, "exclude", ...)) do
    local stored = base.stored_names(self, name)[1]
    if stored ~= "_id" then list[#list + 1] = { stored, 0 } end
  end
  return projected(self, "exclude", list)
end

--- A projection in MongoDB's own words, with stored names. Replaces an earlier one. Raises for
--- $function and $accumulator unless `javascript` allows them.
---@param spec table
---@param given { javascript: boolean? }|nil
---@return modm.QuerySet
function QuerySet:project(spec, given)
  base.check_options("project", given, base.javascript_options)
  if type(spec) ~= "table" or next(spec) == nil then
    misuse("%s: project takes a table, { name = 1 or 0, ... }", self._meta.name)
  end
  local bytes, message = core.raw_filter(spec, given and given.javascript)
  if not bytes then misuse("%s: project: %s", self._meta.name, message) end
  return base.step(self, { projection = core.decode(bytes), projection_kind = "project" })
end

--- Gives tables under stored names instead of instances.
---@return modm.QuerySet
function QuerySet:values() return base.step(self, { values = true }) end

--- Fetches what the documents refer to along with them, one query for each collection and level
--- of a batch.
---@param ... string names, dotted; all references without
---@return modm.QuerySet
function QuerySet:select_related(...)
  local names = names_of(self, "select_related", ...)
  return base.step(self, { related = #names > 0 and names or true })
end

return QuerySet
