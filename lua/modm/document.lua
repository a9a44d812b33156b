--- The methods of documents, and reading a field where Lua has a part: function defaults, references.

local unpack = table.unpack or unpack -- luacheck: ignore

local core = require "modm.core"
local errors = require "modm.errors"
local options = require "modm.options"
local registry = require "modm.registry"
local validation = require "modm.validation"

local document = { methods = {}, embedded_methods = {} }

-- What core's read says that a value still needs; the numbers of modm_need in codec.h.
local NEED_DEFAULT, NEED_REFERENCE, NEED_REFERENCES = 1, 2, 3

local function relation() return require "modm.relation" end

-- The __index of a model whose reads may run Lua: no C frame stands below a default or a fetch.
local function wrap(read)
  return function(doc, name)
    local value, need = read(doc, name)
    if need == NEED_DEFAULT then
      core.set_default(doc, name, core.default(doc, name)())
      value, need = read(doc, name)
    end
    if not need then
      return value
    elseif need == NEED_REFERENCE then
      return relation().fetch(doc, name, value)
    elseif need == NEED_REFERENCES then
      return relation().fetch_list(doc, name, value)
    end
  end
end

--- The function that makes the __index of a model with these fields, or nil when C can do it alone.
function document.wrap_for(list)
  for _, item in ipairs(list) do
    local inner = item
    if type(item.options.default) == "function" then return wrap end
    while inner.options.field do inner = inner.options.field end
    if inner.kind == "ReferenceField" then return wrap end
  end
end

local both = {}

--- Validates all fields, then calls the model's own clean.
---@param exclude string[]|nil names of fields to leave out
---@return true|nil, string? message, modm.Error? err a ValidationError with err.errors
function both:full_clean(exclude)
  return validation.run(self, exclude, false)
end

---@param exclude string[]|nil
---@return boolean
function both:is_valid(exclude)
  return (validation.run(self, exclude, false)) == true
end

--- The document as it would be stored: a table under stored names, in order.
---@return table|nil, string?, modm.Error?
function both:to_son()
  core.convert(self)
  local bytes, message = core.encode_document(self)
  if not bytes then return errors.failure(document.encoding_error(self, message)) end
  return core.decode(bytes)
end

--- The key that a reference holds (a list of them for a list), without a query.
---@param name string
function both:id_of(name) return core.id_of(self, name) end

--- Iterates over the names and values of the fields that are set.
function both:pairs() return core.document_next, self, nil end

--- The error for a document that has no BSON form.
function document.encoding_error(doc, message)
  local name = registry.meta(core.model_of(doc)).name
  return errors.new("ValidationError", name .. "." .. message, { model = name, errors = {} })
end

for name, method in pairs(both) do
  document.methods[name], document.embedded_methods[name] = method, method
end

local methods = document.methods

local save_options = { cascade = "boolean", full_clean = "boolean", force_insert = "boolean" }

--- Validates and writes the document: a new one is inserted, one whose key was set by hand replaces what has this
--- key, one that came from the server sends what differs, and nothing when nothing does.
---@param given { cascade: boolean?, full_clean: boolean?, force_insert: boolean? }|nil
---@return modm.Document|nil, string? message, modm.Error? err
function methods:save(given)
  options.check("save", given, save_options)
  given = given or {}
  local meta = registry.meta(core.model_of(self))
  local cascade = given.cascade
  if cascade == nil then cascade = meta.cascade or false end
  if given.full_clean == false then
    core.convert(self)
  else
    local ok, message, err = validation.run(self, nil, cascade)
    if not ok then return nil, message, err end
  end
  if cascade then
    for _, other in ipairs(relation().loaded(self)) do
      local ok, message, err = other:save()
      if not ok then return nil, message, err end
    end
  end
  return require "modm.saving".save(self, meta, given.force_insert or false)
end

--- Deletes the document by its key, with the delete rules of the models that refer to it.
---@return true|nil, string?, modm.Error?
function methods:delete()
  local meta = registry.meta(core.model_of(self))
  local key = core.key(self)
  if key == nil then
    return errors.failure(errors.new("OperationError", meta.name .. ": cannot delete a document that has no key"))
  end
  local deleted, message, err = meta.default_manager:filter { pk = key }:delete()
  if not deleted then return nil, message, err end
  return true
end

--- Reads the document anew. With names, only those fields; changes of the others stay.
---@param names string[]|nil
---@return modm.Document|nil, string?, modm.Error?
function methods:refresh_from_db(names)
  local meta = registry.meta(core.model_of(self))
  local key = core.key(self)
  if key == nil then
    return errors.failure(errors.new("OperationError", meta.name .. ": cannot refresh before the first save"))
  end
  local set = meta.default_manager:filter { pk = key }
  local stored
  if names then
    set, stored = set:only(unpack(names)), {}
    for _, name in ipairs(names) do stored[meta.stored_names[name] or name] = true end
  end
  local fresh, message, err = set:first()
  if not fresh then return nil, message, err end
  core.refresh(self, fresh, stored)
  return self
end

--- Fetches what the document refers to: one query for each collection and level.
---@param fields string[]|nil names, dotted into embedded documents and on through references; all without
---@return modm.Document|nil, string?, modm.Error?
function methods:dereference(fields)
  local ok, message, err = relation().dereference({ self }, fields)
  if not ok then return nil, message, err end
  return self
end

return document
