--- Meta.codec_options: what it says of the fields of a model.

local invalid = require "modm.model.invalid"

local codec = {}

-- The subtypes of binaries that UUIDs are stored as. The other drivers' old ways, javaLegacy and
-- csharpLegacy, have their bytes in other orders, which no field writes.
local subtypes = { standard = 4, pythonLegacy = 3 }

local without_meaning = { document_class = true, tz_aware = true, tzinfo = true }

--- Raises InvalidModel for an option that there is not.
---@param name string of the model
---@param given table|nil
function codec.check(name, given)
  for option, value in pairs(given or {}) do
    if without_meaning[option] then
      invalid("%s.Meta: codec_options.%s has no meaning in Lua", name, option)
    elseif option ~= "uuid_representation" then
      invalid("%s.Meta: codec_options has no option '%s'", name, tostring(option))
    elseif not subtypes[value] then
      invalid("%s.Meta: uuid_representation must be 'standard' or 'pythonLegacy', not '%s'", name,
        tostring(value))
    end
  end
end

local function copy(from)
  local to = setmetatable({}, getmetatable(from))
  for key, value in pairs(from) do to[key] = value end
  return to
end

-- The definition with a subtype for its UUIDs, in lists too, unless it says its own.
local function with_subtype(definition, subtype)
  local field, own = definition.options.field, definition.options.subtype
  if not field and (definition.kind ~= "UUIDField" or own) then return definition end
  local changed = copy(definition)
  changed.options = copy(definition.options)
  if field then
    changed.options.field = with_subtype(field, subtype)
  else
    changed.options.subtype = subtype
  end
  return changed
end

--- The fields of a model as its codec_options have them.
---@param list table[] { name, kind, options, order }
---@param given table|nil
---@return table[]
function codec.apply(list, given)
  local subtype = given and subtypes[given.uuid_representation]
  if not subtype then return list end
  local out = {}
  for i, item in ipairs(list) do out[i] = with_subtype(item, subtype) end
  return out
end

return codec
