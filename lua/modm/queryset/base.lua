--- What querysets are made of: their class, the copy with a change that each step gives, and the
-- checks of arguments that steps share.

local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local options = require "modm.options"

local base = {
  -- What a step in MongoDB's own words may be told.
  javascript_options = { javascript = "boolean" },
}

---@class modm.QuerySet
local QuerySet = {}
base.QuerySet = QuerySet

local metatables = {} -- class -> metatable of its querysets

-- set[i]
local function at(self, index)
  if index < 1 or index % 1 ~= 0 then
    misuse("%s: an index is a whole number from 1 on", self._meta.name)
  end
  local doc, _, err = self:slice(index, index):first()
  if not doc then error(err, 0) end
  return doc
end

local function describe(self)
  local parts = { #self._parts .. (#self._parts == 1 and " condition" or " conditions") }
  if self._how.skip > 0 then parts[#parts + 1] = "skip " .. self._how.skip end
  if self._how.limit then parts[#parts + 1] = "limit " .. self._how.limit end
  return ("modm.QuerySet of %s (%s)"):format(self._meta.name, table.concat(parts, ", "))
end

local function metatable_of(class)
  local metatable = metatables[class]
  if metatable then return metatable end
  metatable = {
    __name = "modm.QuerySet",
    __index = function(self, key)
      local value = class[key]
      if value == nil and type(key) == "number" then return at(self, key) end
      return value
    end,
    __newindex = function() misuse "a queryset does not change: its methods give new ones" end,
    __tostring = describe,
  }
  metatables[class] = metatable
  return metatable
end

-- Its fields: _class, _meta; _parts, the conditions in BSON; and _how, a table that the steps share
-- as long as they leave it as it is: all, that all() was said; error, the first value that a field
-- refused; order, pairs of stored name and direction; skip, limit, empty; projection, such pairs or
-- what project() was given, and projection_kind; values, related; collation, hint, comment;
-- max_time and timeout, in milliseconds; batch_size; silent, that no hook after load runs;
-- with_deleted, that documents marked as deleted are found too; upsert; guard, a modm.DeleteGuard;
-- session ("none" for false).

local none = {} -- the conditions of a queryset of all documents

--- The _how of a queryset that no step but those with conditions has made.
base.plain = { skip = 0 }

local function new(class, meta, parts, how)
  local set = { _class = class, _meta = meta, _parts = parts, _how = how }
  return setmetatable(set, metatables[class] or metatable_of(class))
end

--- A queryset of all documents of a model.
---@param class table QuerySet or what extends it
---@param meta table
---@return modm.QuerySet
function base.new(class, meta) return new(class, meta, none, base.plain) end

--- A copy with changes of _how; a false value takes the key away.
---@param self modm.QuerySet
---@param changes table
---@param parts string[]|nil other conditions
---@return modm.QuerySet
function base.step(self, changes, parts)
  local how = {}
  for key, value in next, self._how do how[key] = value end
  for key, value in next, changes do how[key] = value or nil end
  return new(self._class, self._meta, parts or self._parts, how)
end

--- A copy with other conditions.
---@param self modm.QuerySet
---@param parts string[]
---@return modm.QuerySet
function base.narrow(self, parts) return new(self._class, self._meta, parts, self._how) end

---@param value any
---@return boolean
function base.is_class(value)
  while type(value) == "table" and value ~= QuerySet do
    local metatable = getmetatable(value)
    value = metatable and metatable.__index
  end
  return value == QuerySet
end

--- The queryset in the session that a method's options name, if they do.
---@param given table|nil
---@return modm.QuerySet
function base.joined(self, given)
  if not given or given.session == nil then return self end
  return self:session(given.session)
end

--- A whole number that is not negative; raises for anything else.
function base.check_count(self, what, n)
  if type(n) ~= "number" or n < 0 or n % 1 ~= 0 then
    misuse("%s: %s takes a whole number that is not negative", self._meta.name, what)
  end
  return n
end

--- A list without holes and other keys, of which none is lost; raises for anything else.
function base.check_list(self, what, list)
  local n = 0
  for _ in next, type(list) == "table" and list or { 1 } do n = n + 1 end
  if type(list) ~= "table" or n ~= #list then
    misuse("%s: %s takes a list, without holes or other keys", self._meta.name, what)
  end
  return list
end

--- Checks a method's options, which may have come through a manager.
---@param what string
---@param given table|nil
---@param known table<string, string>
function base.check_options(what, given, known)
  local ok, message = pcall(options.check, what, given, known, 0)
  if not ok then misuse("%s", message) end
end

--- Raises for options of an end that has none, which would do nothing.
function base.refuse_options(self, what, ...)
  if select("#", ...) > 0 then
    misuse("%s: %s takes no options: hint, collation, comment and max_time are steps before it",
      self._meta.name, what)
  end
end

--- The stored name of a field, and the places of the _cls of embedded documents on the way to it.
--- Raises for a name that is no field's.
function base.stored_names(self, name)
  local found = { core.stored_name(self._meta.schema, name) }
  if not found[1] then misuse("%s", found[2]) end
  return found
end

--- A new document of the model. Raises at the program's line for what is no value of it.
---@param self modm.QuerySet
---@param values table
---@return modm.Document
function base.make(self, values)
  local ok, doc = pcall(self._meta.model, values)
  if ok then return doc end
  if type(doc) ~= "string" then error(doc, 0) end
  misuse("%s", errors.plain(doc))
end

--- Makes a class of querysets with methods of one's own, for Manager.from_queryset.
---@param methods table<string, function>
---@return table class
function QuerySet:extend(methods)
  if type(methods) ~= "table" then misuse "QuerySet:extend: a table of methods expected" end
  local class = {}
  for name, method in pairs(methods) do class[name] = method end
  return setmetatable(class, { __index = self })
end

return base
