--- The constructors of fields, one for each row of the table of kinds in C, with their options
--- checked.

local core = require "modm.core"
local file = require "modm.file"

local unpack = table.unpack or unpack -- luacheck: ignore

--- A declared field, as its constructor gives it: { kind =, order =, options = }.
---@class modm.Field
local Field = {}
Field.__index = Field
Field.__name = "modm.Field"
Field.__tostring = function(self) return self.kind .. "{}" end

-- Options of every kind.
local common = {
  verbose_name = "string", mongo_name = "string", primary_key = "boolean", blank = "boolean",
  required = "boolean", default = "any", choices = "any[]", validators = "function[]",
}

-- Whether a value is a list, of items of the type when one is given.
local function is_list(value, item_type)
  if type(value) ~= "table" then return false end
  local n = 0
  for _, item in pairs(value) do
    n = n + 1
    if value[n] == nil or item_type and type(item) ~= item_type then return false end
  end
  return true
end

-- Whether a value is of an option's type, a LuaLS type ("modm.Field" is looked at by its
-- metatable).
local function fits(value, wanted)
  local found = type(value)
  if wanted == "any" or found == wanted then return true end
  if wanted == "integer" then
    return found == "number" and value % 1 == 0 or core.type(value) == "Int64"
  end
  if wanted == "modm.Field" then return getmetatable(value) == Field end
  if wanted == "modm.Model|string" then return found == "string" or found == "table" end
  if wanted == "any[]" then return is_list(value) end
  if wanted:sub(1, 1) == '"' then -- "one"|"other"
    return found == "string" and value:find "^%w+$" ~= nil
      and wanted:find('"' .. value .. '"', 1, true) ~= nil
  end
  if wanted == "function[]" then return is_list(value, "function") end
  local class = "modm." .. (core.type(value) or "")
  for name in wanted:gmatch "[^|]+" do
    if name == found or name == class then return true end
  end
  return false
end

-- What is wrong with the bounds among the options, or nil. Those that only C can compare (texts of
-- numbers, Decimal128) are looked at when their model is defined.
local function wrong_bounds(options)
  for _, what in ipairs { "length", "value" } do
    local least, most = options["min_" .. what], options["max_" .. what]
    local number = least ~= nil and core.type(least) ~= "Decimal128" and type(least) ~= "string"
    if number and type(least) == type(most) and core.type(least) == core.type(most)
      and most < least then
      return ("max_%s is less than min_%s"):format(what, what)
    end
    for _, bound in pairs { least, most } do
      if what == "length" and (type(bound) ~= "number" or bound < 0 or bound >= 2 ^ 31) then
        return ("min_%s and max_%s must be from 0 to 2147483647"):format(what, what)
      end
    end
  end
end

-- A default that is called: a function, or what is called like one, such as modm.ObjectId or a
-- model.
local function called(default)
  if type(default) ~= "table" then return default end
  local metatable = debug.getmetatable(default)
  if not metatable or not metatable.__call then return default end
  return function() return default() end
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
    for key, value in pairs(given) do
      local name = key
      if key == 1 and first then
        name = first
        if given[first] ~= nil then
          error(("%s: '%s' is given twice"):format(row.name, first), 2)
        end
      end
      local wanted = own[name] or common[name]
      if not wanted then
        error(("%s has no option '%s'"):format(row.name, tostring(name)), 2)
      elseif not fits(value, wanted) then
        error(("%s: option '%s' must be of type %s, got %s"):format(row.name, name, wanted,
          type(value)), 2)
      end
      options[name] = value
    end
    options.default = called(options.default)
    if row.name == "ImageField" then
      options.validators = { file.check_image, unpack(options.validators or {}) }
    end
    local wrong = wrong_bounds(options)
    if wrong then error(row.name .. ": " .. wrong, 2) end
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

--- What the modules beside this one need: whether a value is a field, the key that nobody declared,
--- and what lists are lists of.
local internal = {}

function internal.is_field(value) return type(value) == "table" and getmetatable(value) == Field end

function internal.implicit_key()
  return setmetatable({ kind = "ObjectIdField", order = next_order(),
    options = { primary_key = true, implicit = true } }, Field)
end

--- What lists are lists of, and how many lists it lies in.
---@param definition table
---@return table definition, integer depth
function internal.innermost(definition)
  local depth = 0
  while definition.options.field do depth, definition = depth + 1, definition.options.field end
  return definition, depth
end

return { fields = fields, internal = internal }
