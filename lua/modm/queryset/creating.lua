--- Finding a document or making it: get_or_create, update_or_create.

local base = require "modm.queryset.base"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"

---@class modm.QuerySet
local QuerySet = base.QuerySet

-- What conditions say of a document that is to be made: their values of fields.
local function values_of(self, conditions, ...)
  local values = {}
  for name, value in pairs(conditions) do
    local is_value = type(name) == "string" and not name:find(".", 1, true)
    if is_value and getmetatable(value) ~= "modm.Operator" then values[name] = value end
  end
  for i = 1, select("#", ...) do
    for name, value in pairs((select(i, ...)) or {}) do values[name] = value end
  end
  -- a stored name, which conditions may have, is none for a new document
  for name, value in pairs(values) do
    if self._meta.fields[name] == nil and name ~= "pk" then
      for field, stored in pairs(self._meta.stored_names) do
        if stored == name then values[name], values[field] = nil, value break end
      end
    end
  end
  return values
end

local function check(self, what, conditions, ...)
  if type(conditions) ~= "table" then
    misuse("%s: %s takes a table of conditions", self._meta.name, what)
  end
  for i = 1, select("#", ...) do
    local values = select(i, ...)
    if values ~= nil and type(values) ~= "table" then
      misuse("%s: %s takes tables of values", self._meta.name, what)
    end
  end
end

-- What `find` finds; else a document of these values; or, where another came first by a unique
-- index, what is found then. Returns the document and whether it was made here.
local function find_or_make(self, find, values)
  local doc, message, err = find()
  if doc then return doc, false end
  if not err:is(self._meta.DoesNotExist) then return nil, message, err end
  local new, why, failure = base.make(self, values):save { force_insert = true,
    session = opening.session(self) }
  if new then return new, true end
  if failure.kind ~= "DuplicateKeyError" then return nil, why, failure end
  doc, message, err = find()
  if doc then return doc, false end
  -- not these conditions, but another value is taken
  if err:is(self._meta.DoesNotExist) then return nil, why, failure end
  return nil, message, err
end

--- The one document that fits the conditions; or one that is made, of their values and those of
--- `defaults`. Safe under a race when a unique index holds for the conditions: all get the same
--- document.
---@param conditions table as filter takes them; operators and dotted names find, but make nothing
---@param defaults table|nil name -> value
---@return modm.Document|nil document
---@return boolean|string|nil created whether it was made here; or the message
---@return modm.Error? err MultipleObjectsReturned, ValidationError, ...
function QuerySet:get_or_create(conditions, defaults)
  check(self, "get_or_create", conditions, defaults)
  local found = self:filter(conditions)
  return find_or_make(self, function() return found:get() end,
    values_of(self, conditions, defaults))
end

--- The first document that fits the conditions, with its fields set to `values`, at once; or one
--- that is made, of all three tables. Safe under a race as get_or_create is.
---@param conditions table as filter takes them
---@param values table name -> value
---@param defaults table|nil name -> value, for a document that is made
---@return modm.Document|nil document
---@return boolean|string|nil created whether it was made here; or the message
---@return modm.Error? err ValidationError, ...
function QuerySet:update_or_create(conditions, values, defaults)
  check(self, "update_or_create", conditions, values or false, defaults)
  local found = self:filter(conditions)
  return find_or_make(self, function() return found:find_one_and_update { set = values } end,
    values_of(self, conditions, defaults, values))
end

return QuerySet
