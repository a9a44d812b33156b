--- The constructors of fields, one for each row of the table of kinds in C, with their options checked.

local core = require "modm.core"

--- A declared field, as its constructor gives it: { kind =, order =, options = }.
---@class modm.Field
local Field = {}
Field.__index = Field
Field.__name = "modm.Field"
Field.__tostring = function(self) return self.kind .. "{}" end

-- Options of every kind.
local common = {
  verbose_name = "string", mongo_name = "string", primary_key = "boolean", blank = "boolean",
  required = "boolean", default = "any", choices = "table", validators = "function[]",
}

-- Whether a value is of an option's type, a LuaLS type ("modm.Field" is looked at by its metatable).
local function fits(value, wanted)
  local found = type(value)
  if wanted == "any" or found == wanted then return true end
  if wanted == "integer" then return found == "number" and value % 1 == 0 end
  if wanted == "modm.Field" then return getmetatable(value) == Field end
  if wanted == "modm.Model|string" then return found == "string" or found == "table" end
  if wanted ~= "function[]" or found ~= "table" then return false end
  for _, item in ipairs(value) do
    if type(item) ~= "function" then return false end
  end
  return true
end

local counter = 0

local function next_order()
  counter = counter + 1
  return counter
end

-- The row's own options by name, and the one that may be given first, without a name.
local function options_of(row)
  local own, first = {}, nil
  for i, option in ipairs(row.options) do
    own[option.name] = option.type
    if i == 1 and (option.name == "field" or option.name == "model") then first = option.name end
  end
  return own, first
end

local function constructor(row)
  local own, first = options_of(row)
  return function(given)
    if given == nil then given = {} end
    if type(given) ~= "table" or getmetatable(given) == Field then
      error(row.name .. " takes a table of options: fields." .. row.name .. " { ... }", 2)
    end
    local options = {}
    for name, value in pairs(given) do
      if name == 1 and first then name = first end
      local wanted = own[name] or common[name]
      if not wanted then
        error(("%s has no option '%s'"):format(row.name, tostring(name)), 2)
      elseif not fits(value, wanted) then
        error(("%s: option '%s' must be of type %s, got %s"):format(row.name, name, wanted, type(value)), 2)
      end
      options[name] = value
    end
    if first == "model" and options.model == nil then
      error(row.name .. " needs a model, or its name, as its first value", 2)
    end
    return setmetatable({ kind = row.name, order = next_order(), options = options }, Field)
  end
end

local fields = {}

for _, row in ipairs(core.kinds()) do
  fields[row.name] = constructor(row)
  if row.older_name then fields[row.older_name] = fields[row.name] end
end

--- What the modules beside this one need: whether a value is a field, and the key that nobody declared.
local internal = {}

function internal.is_field(value) return type(value) == "table" and getmetatable(value) == Field end

function internal.implicit_key()
  return setmetatable({ kind = "ObjectIdField", order = next_order(),
    options = { primary_key = true, implicit = true } }, Field)
end

return { fields = fields, internal = internal }
