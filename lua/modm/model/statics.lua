--- The functions of models beside `extend`.

local core = require "modm.core"
local hooks = require "modm.hooks"
local indexes = require "modm.indexes"
local input = require "modm.model.input"
local json_schema = require "modm.server.json_schema"
local misuse = require "modm.misuse"
local options = require "modm.options"
local registry = require "modm.registry"
local relation = require "modm.relation"
local validator = require "modm.server.validator"

local statics = {}

-- The meta of a model that has a collection.
local function stored_model(self, method)
  local meta = registry.check(self, method)
  if meta.embedded or meta.abstract then misuse("%s: %s has no collection", method, meta.name) end
  return meta
end

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

--- A document, not yet saved, from a table that came from outside, such as a form or a JSON body:
--- only the fields that are named are taken from it, whatever else it holds. The primary key and
--- files never are, nor is `_cls`. Values are data: the fields convert and check them as usual.
---@param self modm.Model
---@param values table by names of fields; what is not named is left out
---@param names table names of fields, and name = { names } for the fields of embedded documents;
--- raises for what is no field
---@return modm.Document
function statics.from_input(self, values, names)
  return input.document(registry.check(self, "from_input"), values, names)
end

--- Makes the model's indexes now, instead of at its first use.
---@param self modm.Model
---@return true|nil, string?, modm.Error?
function statics.ensure_indexes(self)
  local meta = stored_model(self, "ensure_indexes")
  local conn, collection, err = meta:place()
  if not conn then return nil, collection, err end
  return meta:make_indexes(conn, collection)
end

--- Compares the indexes of all models in this one's collection with what the server has.
---@param self modm.Model
---@return modm.IndexDiff|nil diff, string? message, modm.Error? err
function statics.diff_indexes(self)
  return indexes.diff(stored_model(self, "diff_indexes"))
end

--- Makes the indexes that the collection lacks. With drop = true, drops those that no model of the
--- collection declares, and changes those that differ; without, they are reported.
---@param self modm.Model
---@param given { drop: boolean? }|nil
---@return modm.IndexSync|nil done, string? message, modm.Error? err err.done: what was done first
function statics.sync_indexes(self, given)
  local meta = stored_model(self, "sync_indexes")
  options.check("sync_indexes", given, { drop = "boolean" })
  return indexes.sync(meta, given ~= nil and given.drop == true)
end

--- Says what follows for documents of `other` when one of this model is deleted.
---@param self modm.Model
---@param other modm.Model the model that refers to this one
---@param name string its field (dotted into embedded models)
---@param rule integer modm.DO_NOTHING, NULLIFY, CASCADE, DENY or PULL
function statics.register_delete_rule(self, other, name, rule)
  relation.register_delete_rule(registry.meta(self), registry.meta(other), name, rule, 3)
end

--- The model's rules as a $jsonSchema, for its documents and those of the models that extend it in
--- its collection; and the rules that such a schema cannot say.
---@param self modm.Model
---@return table schema an ordered document
---@return modm.Unsaid[] unsaid
function statics.json_schema(self)
  return json_schema.of(registry.check(self, "json_schema"))
end

--- Gives the model's collection a validator of these rules, in place of the one that is there; the
--- collection is made when there is none.
---@param self modm.Model
---@param given { level: string?, action: string? }|nil "strict" (the default), "moderate" or "off";
--- "error" (the default) or "warn"
---@return modm.Validator|nil, string? message, modm.Error? err
function statics.install_validator(self, given)
  return validator.install(registry.check(self, "install_validator"), given)
end

--- Has a function called before something happens to a document of this model, or of one that
--- extends it. Several are called in the order in which they were declared, those of what the model
--- extends first. One that raises, or returns nil and a message, stops it with that error.
---@param self modm.Model
---@param event "validate"|"save"|"insert"|"update"|"delete"
---@param fn fun(document: modm.Document): any, string?, modm.Error?
function statics.before(self, event, fn)
  hooks.add(registry.check(self, "before"), "before", event, fn)
end

--- The same after it has happened. The error of such a hook is returned, but nothing is undone.
---@param self modm.Model
---@param event "validate"|"save"|"insert"|"update"|"delete"|"load"
---@param fn fun(document: modm.Document): any, string?, modm.Error?
function statics.after(self, event, fn)
  hooks.add(registry.check(self, "after"), "after", event, fn)
end

return statics
