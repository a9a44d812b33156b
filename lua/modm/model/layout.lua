--- The fields of a model: those of its parent and its own, in order, by their stored names.

local field = require "modm.fields".internal
local invalid = require "modm.model.invalid"
local registry = require "modm.registry"

local layout = {}

-- The fields of the parent and those of the definition. A key of one's own takes the place of one
-- that nobody declared.
function layout.merge(name, parent, parts, embedded)
  local all, keys = {}, {}
  for key, definition in pairs(parent and parent.fields or {}) do all[key] = definition end
  for key, definition in pairs(parts.fields) do
    if definition.options.primary_key and all._id and all._id.options.implicit then
      all._id = nil
    end
    all[key] = definition
  end
  for key, definition in pairs(all) do
    if definition.options.primary_key then keys[#keys + 1] = key end
  end
  table.sort(keys)
  if #keys > 1 then invalid("%s has two primary keys: '%s' and '%s'", name, keys[1], keys[2]) end
  if #keys == 0 and not embedded and not all._id then all._id = field.implicit_key() end
  return all
end

function layout.ordered(all)
  local list = {}
  for name, definition in pairs(all) do
    list[#list + 1] = { name = name, kind = definition.kind, options = definition.options,
      order = definition.order }
  end
  table.sort(list, function(a, b) return a.order < b.order end)
  return list
end

-- Field name -> stored name.
function layout.stored_names(list)
  local names = {}
  for _, item in ipairs(list) do
    local primary = item.options.primary_key
    names[item.name] = item.options.mongo_name or (primary and "_id") or item.name
    if primary then names.pk = "_id" end
  end
  return names
end

-- Methods and fields share a name space, in which a field stands before what may be hidden; and a
-- name must not mean one field to a query and another in the database.
function layout.check_names(name, list, methods, hidable)
  local stored = {}
  for _, item in ipairs(list) do
    local method = methods[item.name]
    if (method ~= nil and method ~= hidable[item.name]) or item.name == "pk" then
      invalid("%s.%s: a method has this name; call the field otherwise and set mongo_name = '%s'",
        name,
        item.name, item.name)
    end
    if item.options.mongo_name then stored[item.options.mongo_name] = item.name end
  end
  for _, item in ipairs(list) do
    local other = stored[item.name]
    if other and other ~= item.name and item.name ~= "_id" then
      invalid("%s.%s is the mongo_name of the field '%s'", name, item.name, other)
    end
  end
end

-- Embedded fields hold embedded models, references point to the others.
function layout.check_targets(name, list)
  for _, item in ipairs(list) do
    local inner = field.innermost(item)
    if inner ~= item and (inner.kind == "FileField" or inner.kind == "ImageField") then
      invalid("%s.%s: a list cannot hold files; let it hold embedded documents with a %s", name,
        item.name, inner.kind)
    end
    local target = inner.options.model
    if target ~= nil and type(target) ~= "string" then
      local meta = registry.meta(target)
      local embedded = inner.kind ~= "ReferenceField"
      if not meta or meta.abstract or (meta.embedded or false) ~= embedded then
        invalid("%s.%s: %s takes %s", name, item.name, inner.kind,
          embedded and "an embedded model" or "a model with a collection")
      end
    end
  end
end

return layout
