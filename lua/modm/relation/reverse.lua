--- References the other way round: the documents that refer to one.

local core = require "modm.core"
local family = require "modm.relation.family"
local misuse = require "modm.misuse"
local references = require "modm.relation.references"
local registry = require "modm.registry"

local reverse = {}

local function reference(meta, name)
  for _, one in ipairs(references.of(meta)) do
    if one.name == name then return one end
  end
  return misuse("%s.%s is no reference", meta.name, tostring(name))
end

--- The documents of another model that refer to this one by a field, as a queryset of that model's
--- default manager. Of a document that was not saved yet the queryset's end returns a
--- ValidationError.
---@param doc modm.Document
---@param model modm.Model the one that refers
---@param name string its reference, or list of them; dotted in embedded documents
---@return modm.QuerySet
function reverse.related(doc, model, name)
  local class = core.model_of(doc)
  local own = class and registry.meta(class)
  local meta = registry.meta(model)
  if not own then misuse("related: a document expected, got a %s", type(doc)) end
  if not meta or meta.embedded or meta.abstract then
    misuse("%s: related takes a model with a collection", own.name)
  end
  local found = reference(meta, name)
  if not family.is_within(own, found.target) then
    misuse("%s.%s refers to %s, not to %s", meta.name, name, found.target.name, own.name)
  end
  return meta.default_manager:filter { [name] = doc }
end

return reverse
