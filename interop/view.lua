-- Prints what a program reads of a document, a line for each value; interop/view.py does the same.
local modm = require "modm"
local core = require "modm.core"
local registry = require "modm.registry"

local view = {}

local function text(value)
  return (value:gsub("[^ -~]", function(c)
    return ("\\%02x"):format(c:byte())
  end))
end

local function number(value)
  return math.type and math.type(value) == "integer" and tostring(value) or ("%.17g"):format(value)
end

local function hex(bytes)
  return (bytes:gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

local function binary(value)
  if value:subtype() == 3 or value:subtype() == 4 then
    return "UUID " .. tostring(value)
  end
  return ("binary %d %s"):format(value:subtype(), hex(value:data()))
end

local scalars = {
  null = function() return "null" end,
  boolean = function(value) return "bool " .. tostring(value) end,
  string = function(value) return "string " .. text(value) end,
  number = function(value) return "number " .. number(value) end,
  Int64 = function(value) return "number " .. tostring(value) end,
  JavaScript = function(value) return "code " .. text(value:code()) end,
  DateTime = function(value) return "date " .. tostring(modm.Int64(value:ms())) end,
  ObjectId = function(value) return "ObjectId " .. tostring(value) end,
  Decimal128 = function(value) return "decimal " .. tostring(value) end,
  Binary = binary,
  UUID = binary,
  Regex = function(value) return "regex " .. text(value:pattern()) .. " " .. value:options() end,
  Timestamp = function(value)
    return ("timestamp %.0f %.0f"):format(value:time(), value:increment())
  end,
  MinKey = tostring,
  MaxKey = tostring,
}

local show_value

local function sorted_keys(list)
  local keys = {}
  for key in pairs(list) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function show_fields(path, document)
  local names = {}
  for name in document:pairs() do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    show_value(path .. "." .. name, document[name])
  end
end

local function show_document(path, document)
  local meta = registry.meta(core.model_of(document))
  if meta.embedded then
    print(path, meta.name)
    show_fields(path, document)
  else
    show_value(path .. " -> " .. meta.name, document.pk)
  end
end

local function show_table(path, value)
  if next(value) == nil then
    print(path, "empty")
  elseif modm.type(value) == "array" or #value > 0 then
    print(path, "list " .. #value)
    for n, item in ipairs(value) do
      show_value(("%s[%d]"):format(path, n - 1), item)
    end
  else
    local keys = sorted_keys(value)
    print(path, "document " .. #keys)
    for _, key in ipairs(keys) do
      show_value(path .. "." .. text(key), value[key])
    end
  end
end

view.text = text

function show_value(path, value)
  if value == nil then
    print(path, "null")
  elseif core.model_of(value) then
    show_document(path, value)
  elseif type(value) == "table" then
    show_table(path, value)
  else
    local kind = value == modm.null and "null" or modm.type(value) or type(value)
    print(path, scalars[kind](value))
    if kind == "JavaScript" and value:scope() then
      show_value(path .. " scope", value:scope())
    end
  end
end

view.show_value = show_value

--- Prints the fields of a document that are set.
function view.show(document)
  show_value(registry.meta(core.model_of(document)).name, document.pk)
  show_fields(" ", document)
end

return view
