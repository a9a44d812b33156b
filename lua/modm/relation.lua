--- References and delete rules: what the other modules ask of them.

local core = require "modm.core"
local deleting = require "modm.relation.deleting"
local resolving = require "modm.relation.resolving"
local rules = require "modm.relation.rules"
local suspension = require "modm.relation.suspension"

local relation = {
  dereference = resolving.dereference,
  session = resolving.session,
  no_auto_dereference = suspension.run,
  register = rules.register,
  register_delete_rule = rules.register_delete_rule,
  delete = deleting.delete,
}

--- Whether deleting documents of a model has to look at others.
---@param meta table
---@return boolean
function relation.has_rules(meta) return #rules.of(meta) > 0 end

--- What a reference that is read for the first time refers to. Raises an error object: a field that
--- is read cannot return one.
---@param doc modm.Document
---@param name string the field
---@param key any what it holds
---@return any target a document, or nil when it points nowhere; the key inside no_auto_dereference
function relation.fetch(doc, name, key)
  if suspension.holds(doc) then return key end
  return resolving.fetch(doc, name)
end

--- The same for a list of references, to any depth: documents are put into the list itself.
---@param doc modm.Document
---@param name string
---@param list table
---@return table list
function relation.fetch_list(doc, name, list)
  if not suspension.holds(doc) then resolving.fetch(doc, name) end
  return list
end

--- The documents that a document holds through its references, also in lists and embedded ones:
--- those that were fetched, and instances that were assigned. Each once, itself left out.
---@param doc modm.Document
---@return modm.Document[]
function relation.loaded(doc)
  local found, list = {}, {}
  core.loaded({ doc }, found)
  for _, other in ipairs(found) do
    if not rawequal(other, doc) then list[#list + 1] = other end
  end
  return list
end

return relation
