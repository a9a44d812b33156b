--- The functions of models beside `extend`.

local core = require "modm.core"
local misuse = require "modm.misuse"
local registry = require "modm.registry"

local statics = {}

--- A document from a table in stored form (stored names, `_cls` honoured), not yet saved.
---@param self modm.Model
---@param stored table raises for names that are not stored
---@return modm.Document
function statics.from_document(self, stored)
  local meta = registry.check(self, "from_document")
  if type(stored) ~= "table" then
    misuse("%s: from_document takes a table, not a %s", meta.name, type(stored))
  end
  local ok, result = pcall(core.from_table, meta.schema, stored)
  if not ok then misuse("%s", result) end
  return result
end

--- Makes the model's indexes now, instead of at its first use.
---@param self modm.Model
---@return true|nil, string?, modm.Error?
function statics.ensure_indexes(self)
  local meta = registry.check(self, "ensure_indexes")
  local conn, collection, err = meta:place()
  if not conn then return nil, collection, err end
  return meta:make_indexes(conn, collection)
end

--- Says what follows for documents of `other` when one of this model is deleted.
---@param self modm.Model
---@param other modm.Model the model that refers to this one
---@param name string its field (dotted into embedded models)
---@param rule integer modm.DO_NOTHING, NULLIFY, CASCADE, DENY or PULL
function statics.register_delete_rule(self, other, name, rule)
  require "modm.relation".register_delete_rule(registry.meta(self), registry.meta(other), name,
    rule, 3)
end

return statics
