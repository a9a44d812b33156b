--- The steps of querysets that say which documents: all, filter, raw, where.

local base = require "modm.queryset.base"
local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local operators = require "modm.operators"

local unpack = table.unpack or unpack -- luacheck: ignore

---@class modm.QuerySet
local QuerySet = base.QuerySet

-- With the error of the first condition that could not be, kept for the queryset's end.
local function refused(self, message, path)
  if self._how.error then return self end
  local name = self._meta.name
  local where = path ~= "" and name .. "." .. path or name
  local err = errors.new("ValidationError", where .. ": " .. message,
    { model = name, errors = path ~= "" and { [path] = { message } } or {} })
  return base.step(self, { error = err })
end

-- With one condition more: what core.filter gave, or why it did not.
local function narrowed(self, bytes, message, path, is_misuse)
  if not bytes and is_misuse then
    local name = self._meta.name
    if message:find(name, 1, true) == 1 then misuse("%s", message) end
    misuse("%s%s: %s", name, path ~= "" and "." .. path or "", message)
  end
  if not bytes then return refused(self, message, path) end
  local n = #self._parts + 1
  if n == 1 then return base.narrow(self, { bytes }) end
  local parts = { unpack(self._parts, 1, n) } -- with room for one more
  parts[n] = bytes
  return base.narrow(self, parts)
end

--- Says that all documents are meant, which update and delete of everything ask for.
---@return modm.QuerySet
function QuerySet:all() return base.step(self, { all = true }) end

--- Documents that fit all the conditions: names of fields (dotted into embedded documents, lists
--- and dicts) with values or operators, and modm.any_of, all_of, none_of as items. Raises for an
--- unknown field and for a filter without a condition; a value that its field refuses becomes the
--- error of the queryset's end, a ValidationError.
---@param conditions table
---@return modm.QuerySet
function QuerySet:filter(conditions)
  if type(conditions) ~= "table" then
    misuse("%s: filter takes a table of names and values", self._meta.name)
  end
  return narrowed(self, core.filter(self._meta.schema, conditions))
end

--- The same in MongoDB's own words, as PyMongo has them: stored names, operators, values as they
--- are. Never give it a table that came from outside. $where, $function and $accumulator, at any
--- depth, become the error of the queryset's end, unless `javascript` allows them.
---@param query table
---@param given { javascript: boolean? }|nil
---@return modm.QuerySet
function QuerySet:raw(query, given)
  base.check_options("raw", given, base.javascript_options)
  if type(query) ~= "table" then misuse("%s: raw takes a table", self._meta.name) end
  if next(query) == nil then
    misuse("%s: raw{} matches everything (a nil in a table leaves nothing behind): say all()",
      self._meta.name)
  end
  return narrowed(self, core.raw_filter(query, given and given.javascript))
end

-- What where() calls the operators, besides their names.
local signs = {
  ["="] = "eq", ["=="] = "eq", ["!="] = "ne", ["~="] = "ne", [">"] = "gt", [">="] = "gte",
  ["<"] = "lt", ["<="] = "lte", ["in"] = "one_of", ["not in"] = "not_in",
}

local function operator_of(self, sign, operand)
  local make = operators[signs[sign] or sign]
  if not make then
    misuse("%s: where knows no operator '%s'", self._meta.name, tostring(sign))
  end
  local ok, made = pcall(make, operand)
  if not ok then misuse("%s: %s", self._meta.name, made) end
  return made
end

--- One condition: where("age", 5), where("age", ">=", 5), where("tags", "in", {...}). A nil raises.
---@param name string a field, dotted
---@param ... any a value or operator; or an operator's sign or name, and its value
---@return modm.QuerySet
function QuerySet:where(name, ...)
  local n = select("#", ...)
  local value, operand = ...
  if type(name) ~= "string" then
    misuse("%s: where takes the name of a field", self._meta.name)
  elseif n ~= 1 and n ~= 2 then
    misuse("%s: where takes a name, perhaps an operator, and a value", self._meta.name)
  elseif select(n, ...) == nil then
    misuse("%s: where(\"%s\") got nil; modm.null is the database's null", self._meta.name, name)
  end
  if n == 2 then value = operator_of(self, value, operand) end
  return narrowed(self, core.filter(self._meta.schema, { [name] = value }))
end

return QuerySet
