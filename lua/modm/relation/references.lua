--- The references of a model, with the paths that they are stored under.

local field = require "modm.fields".internal
local registry = require "modm.registry"

local references = {}

-- How often a model that is embedded in itself is followed on one path: a path in a query is as
-- long as it is written, so there has to be an end.
local NESTED = 4

local named = setmetatable({}, { __mode = "k" }) -- meta -> name that it refers by -> meta

---@class modm.Reference
---@field name string in Lua, dotted
---@field path table stored names and depths of lists, flat: see core.keys_filter
---@field depth integer of the lists that the reference itself lies in
---@field target table the meta of what is referred to
---@field on_delete integer|nil

--- What lists are lists of, and how deep it lies in them.
---@param definition table
---@return table definition, integer depth
function references.innermost(definition)
  local depth
  definition, depth = field.innermost(definition)
  if definition.kind == "EmbeddedModelListField" then depth = depth + 1 end
  return definition, depth
end

-- The model that a field of `meta` names, or nil while there is none. A name means the model that
-- it meant first; a model that another of its name has replaced finds no new ones.
local function target_of(meta, definition)
  local model = definition.options.model
  if type(model) ~= "string" then return registry.meta(model) end
  local known = named[meta] or {}
  named[meta] = known
  if known[model] then return known[model] end
  local current, own = pcall(registry.find, meta.name)
  if not current or own ~= meta then return nil end
  local found, target = pcall(registry.find, model)
  if found then known[model] = target end
  return found and target or nil
end

-- A path with one step more. Steps that are no lists are joined by dots.
local function extended(path, stored, depth)
  local longer = {}
  for i, part in ipairs(path) do longer[i] = part end
  if longer[#longer] == 0 then
    longer[#longer - 1] = longer[#longer - 1] .. "." .. stored
    longer[#longer] = depth
  else
    longer[#longer + 1] = stored
    longer[#longer + 1] = depth
  end
  return longer
end

local add_fields

-- Goes on in an embedded model, and in what models that extend it have besides.
local function add_embedded(list, target, prefix, path, nested)
  if (nested[target] or 0) >= NESTED then return end
  nested[target] = (nested[target] or 0) + 1
  add_fields(list, target, prefix, path, nested)
  for _, child in ipairs(target.children) do
    add_fields(list, child, prefix, path, nested, target)
  end
  nested[target] = nested[target] - 1
end

-- Adds the references in the fields of a model; those that it has from `known` are there already.
function add_fields(list, meta, prefix, path, nested, known)
  for name, definition in pairs(meta.fields) do
    if not known or known.fields[name] ~= definition then
      local inner, depth = references.innermost(definition)
      local target = inner.options.model and target_of(meta, inner)
      local longer = target and extended(path, meta.stored_names[name], depth)
      if target and inner.kind == "ReferenceField" then
        list[#list + 1] = { name = prefix .. name, path = longer, depth = depth, target = target,
          on_delete = inner.options.on_delete }
      elseif target then
        add_embedded(list, target, prefix .. name .. ".", longer, nested)
      end
    end
  end
end

--- All references of a model, those in embedded documents and lists included, by name. What is
--- named but not defined yet is left out.
---@param meta table
---@return modm.Reference[]
function references.of(meta)
  local list = {}
  add_fields(list, meta, "", {}, {})
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

return references
