--- Documents from what came from outside: of it only the fields that the program names are taken.

local core = require "modm.core"
local field = require "modm.fields".internal
local misuse = require "modm.misuse"
local registry = require "modm.registry"

local input = {}

-- What a field holds: the meta of embedded documents, or nil for other values.
local function held(definition)
  local inner = field.innermost(definition)
  local model = inner.options.model
  local embedded = inner.kind == "EmbeddedModelField" or inner.kind == "EmbeddedModelListField"
  return embedded and registry.find(model) or nil
end

local function refuse_kind(meta, name, definition)
  local kind = field.innermost(definition).kind
  if definition.options.primary_key then
    misuse("%s.%s: the primary key is never taken from input: assign it", meta.name, name)
  elseif kind == "FileField" or kind == "ImageField" then
    misuse("%s.%s: a file is never taken from input: assign it", meta.name, name)
  end
end

-- The field that a name of the program means.
local function definition_of(meta, name)
  local definition = type(name) == "string" and meta.fields[name]
  if not definition then
    misuse("%s: from_input: '%s' is no field that input may have", meta.name, tostring(name))
  end
  refuse_kind(meta, name, definition)
  return definition
end

-- Names as field -> false, or -> what is taken of its embedded documents: a meta and names.
local function permitted(meta, names)
  if type(names) ~= "table" or next(names) == nil then
    misuse("%s: from_input takes the names of the fields to take", meta.name)
  end
  local taken = {}
  for key, value in pairs(names) do
    local nested = type(key) == "string"
    local name = nested and key or value
    local inner = held(definition_of(meta, name))
    if inner and not nested then
      misuse("%s.%s holds documents: name their fields, %s = { ... }", meta.name, name, name)
    elseif nested and not inner then
      misuse("%s.%s holds no documents: name it as one of a list", meta.name, name)
    end
    taken[name] = inner and { meta = inner, names = permitted(inner, value) } or false
  end
  return taken
end

local function refuse_made(meta, name, value)
  local made = type(value) == "userdata" and core.model_of(value)
  if made or getmetatable(value) == "modm.Operator" then
    misuse("%s.%s: from_input takes data, not %s", meta.name, name,
      made and "a document" or "an operator")
  end
end

local build

-- A table of input as one embedded document, or, where they stand in lists, as a list of them.
-- What is no table is left to the field, which refuses it.
local function nested(meta, name, value, inner, depth)
  refuse_made(meta, name, value)
  if type(value) ~= "table" then return value end
  if depth == 0 then return build(inner.meta, value, inner.names) end
  local list = {}
  for i, item in next, value do list[i] = nested(meta, name, item, inner, depth - 1) end
  return list
end

-- How many lists the documents of a field lie in.
local function depth_of(definition)
  local inner, depth = field.innermost(definition)
  return depth + (inner.kind == "EmbeddedModelListField" and 1 or 0)
end

function build(meta, values, taken)
  local own = {}
  for name, inner in pairs(taken) do
    local value = rawget(values, name)
    refuse_made(meta, name, value)
    if inner and value ~= nil then
      value = nested(meta, name, value, inner, depth_of(meta.fields[name]))
    end
    own[name] = value
  end
  return meta.model(own)
end

--- A document of the model, not saved, of those fields of a table that the names list.
---@param meta table
---@param values table
---@param names table
---@return modm.Document
function input.document(meta, values, names)
  local taken = permitted(meta, names)
  if type(values) ~= "table" then
    misuse("%s: from_input takes a table, not a %s", meta.name, type(values))
  end
  return build(meta, values, taken)
end

return input
