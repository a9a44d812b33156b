--- Changes in the model's words, compiled: what QuerySet:change, find_one_and_update, documents and
--- bulk writes take.

local core = require "modm.core"
local errors = require "modm.errors"
local kept = require "modm.kept"
local misuse = require "modm.misuse"
local validation = require "modm.validation"

local changing = {}

--- The operators that are methods, too.
changing.METHODS = { "set", "inc", "mul", "min", "max", "push", "add_to_set", "pull", "pop",
  "rename", "unset", "current_date" }

-- Raises, or returns the error of a value.
local function refused(meta, message, path, is_misuse)
  local where = path ~= "" and meta.name .. "." .. path or meta.name
  if is_misuse then
    if message:find(meta.name, 1, true) == 1 then where = "" else where = where .. ": " end
    misuse("%s%s", where, message)
  end
  return errors.failure(errors.new("ValidationError", where .. ": " .. message,
    { model = meta.name, errors = path ~= "" and { [path] = { message } } or {} }))
end

-- Whether each operator is given something: what modm adds must not hide that it is not.
local function is_complete(changes)
  for _, given in pairs(changes) do
    if type(given) ~= "table" or next(given) == nil then return false end
  end
  return next(changes) ~= nil
end

--- Compiles changes, with what they have to do to the fields that modm keeps. Raises for what no
--- value could make right: an operator or a name that there is not.
---@param meta table
---@param changes modm.Changes
---@param given { upsert: boolean?, array_filters: table? }
---@return string|nil update in BSON
---@return table|string|nil array_filters, or the message
---@return modm.Error? err a ValidationError, or what prevented a validator
function changing.compile(meta, changes, given)
  if type(changes) ~= "table" then
    misuse("%s: a change is { set = {...}, inc = {...}, ... }", meta.name)
  end
  local upsert = given.upsert or false
  local all = is_complete(changes) and kept.in_changes(meta, changes, upsert) or changes
  local update, filters, pending, is_misuse = core.changes(meta.schema, all, upsert,
    given.array_filters)
  if not update then return refused(meta, filters, pending, is_misuse) end
  if pending then
    local ok, message, err = validation.check_values(meta, pending)
    if not ok then return nil, message, err end
  end
  return update, filters and core.decode(filters).arrayFilters
end

return changing
