--- Makes models: `:extend(name, definition)` of MongoModel and EmbeddedMongoModel.

local core = require "modm.core"
local document = require "modm.document"
local errors = require "modm.errors"
local field = require "modm.fields".internal
local indexes = require "modm.indexes"
local manager = require "modm.manager"
local connection = require "modm.connection"
local options = require "modm.options"
local registry = require "modm.registry"

local model = { meta = registry.meta }

-- The options of Meta and their types. Those marked "own" are not inherited.
local meta_options = {
  connection_alias = "string", collection_name = "string", final = "boolean", cascade = "boolean",
  read_preference = "table|string", read_concern = "table|string", write_concern = "table|number|string",
  indexes = "table", auto_index = "boolean", collation = "table", ignore_unknown_fields = "boolean",
  codec_options = "table", cls = "string", cls_aliases = "table", cls_optional = "boolean",
}
local own = { final = true, cls = true, cls_aliases = true, collection_name = true }

-- HTTPServerLog -> http_server_log
local function snake_case(name)
  name = name:gsub("(.)(%u%l+)", "%1_%2"):gsub("([%l%d])(%u)", "%1_%2")
  return (name:lower())
end

-- Meta's methods: what the other modules ask of a model.
local Meta = {}
Meta.__index = Meta

--- The connection, database and collection name of the model; its indexes are made at the first call.
---@return table|nil connection
---@return string database or the message
---@return string|table collection or the error
function Meta:open()
  local conn, message, err = connection.get(self.connection_alias)
  if not conn then return nil, message, err end
  if not self.indexed and self.auto_index ~= false then
    self.indexed = true
    local ok, why, failure = indexes.ensure(self, conn)
    if not ok then
      self.indexed = nil
      return nil, why, failure
    end
  end
  return conn, conn.database, self.collection_name
end

-- Sorts a definition into fields, methods, managers and Meta.
local function sort_definition(name, definition, level)
  local parts = { fields = {}, methods = {}, managers = {}, meta = {} }
  for key, value in pairs(definition) do
    if type(key) ~= "string" then
      error(("%s: the definition has a key of type %s"):format(name, type(key)), level)
    elseif key == "Meta" then
      if type(value) ~= "table" then error(name .. ": Meta must be a table", level) end
      parts.meta = value
    elseif field.is_field(value) then
      parts.fields[key] = value
    elseif type(value) == "function" then
      parts.methods[key] = value
    elseif manager.is_manager(value) then
      parts.managers[key] = value
    else
      error(("%s.%s: a field, a method or a manager expected, got %s"):format(name, key, type(value)), level)
    end
  end
  return parts
end

local function merge_meta(name, given, parent, level)
  local merged = setmetatable({}, Meta)
  options.check(name .. ".Meta", given, meta_options, level + 1)
  for key in pairs(meta_options) do
    merged[key] = given[key]
    if merged[key] == nil and parent and not own[key] then merged[key] = parent[key] end
  end
  merged.connection_alias = merged.connection_alias or "default"
  merged.collection_name = merged.collection_name or (parent and parent.collection_name)
    or snake_case(name:match "[^.]+$")
  return merged
end

-- The fields of the parent and those of the definition, in the order in which they were written.
local function merge_fields(name, parent, parts, embedded, level)
  local all, primary = {}, nil
  for key, definition in pairs(parent and parent.fields or {}) do all[key] = definition end
  for key, definition in pairs(parts.fields) do
    if definition.options.primary_key then all._id = nil end
    all[key] = definition
  end
  for key, definition in pairs(all) do
    if definition.options.primary_key then
      if primary then
        error(errors.new("InvalidModel", ("%s has two primary keys: '%s' and '%s'"):format(name, primary, key)),
          level)
      end
      primary = key
    end
  end
  if not primary and not embedded then all._id = field.implicit_key() end
  return all
end

local function ordered(all)
  local list = {}
  for name, definition in pairs(all) do
    list[#list + 1] = { name = name, kind = definition.kind, options = definition.options,
      order = definition.order }
  end
  table.sort(list, function(a, b) return a.order < b.order end)
  return list
end

-- Field name -> stored name.
local function stored_names(list)
  local names = {}
  for _, item in ipairs(list) do
    local primary = item.options.primary_key
    names[item.name] = item.options.mongo_name or (primary and "_id") or item.name
    if primary then names.pk = "_id" end
  end
  return names
end

-- Methods and fields share a name space.
local function check_names(name, all, methods, level)
  for key in pairs(all) do
    if methods[key] ~= nil or key == "pk" then
      error(errors.new("InvalidModel",
        ("%s.%s: a method has this name; call the field otherwise and set mongo_name = '%s'"):format(
          name, key, key)), level)
    end
  end
end

-- What C calls to find the model that a field names.
local function resolve(target) return registry.find(target).schema end

-- Embedded fields hold embedded models, references point to the others.
local function check_targets(name, list, level)
  for _, item in ipairs(list) do
    local inner = item
    while inner.options.field do inner = inner.options.field end
    local target = inner.options.model
    if target ~= nil and type(target) ~= "string" then
      local meta = registry.meta(target)
      local wanted = inner.kind ~= "ReferenceField"
      if not meta or (meta.embedded or false) ~= wanted then
        error(("%s.%s: %s takes %s"):format(name, item.name, inner.kind,
          wanted and "an embedded model" or "a model with a collection"), level)
      end
    end
  end
end

local function compile(meta, list, level)
  local keeps_cls = not meta.final or (meta.parent and not meta.parent.abstract)
  local ok, schema = pcall(core.schema, {
    name = meta.name, cls = keeps_cls and meta.cls or nil, embedded = meta.embedded, final = not keeps_cls,
    ignore_unknown_fields = meta.ignore_unknown_fields, cls_optional = meta.cls_optional,
    clean = meta.methods.clean ~= nil, parent = meta.parent and meta.parent.schema, fields = list,
    methods = meta.methods, classes = meta.classes, model = meta.model, resolve = resolve,
  })
  if not ok then
    error(errors.new("InvalidModel", meta.name .. "." .. tostring(schema)), level)
  end
  meta.schema = schema
  core.document_class(schema, meta.wrap)
end

-- Tells the model and all that it extends under which names its documents are stored.
local function enter_classes(meta)
  local names = { meta.cls }
  for _, alias in ipairs(meta.cls_aliases or {}) do names[#names + 1] = alias end
  local ancestor = meta
  while ancestor do
    for _, name in ipairs(names) do
      if ancestor.classes then ancestor.classes[name] = meta.schema end
    end
    ancestor = ancestor.parent
  end
end

local statics = {}

-- Methods that are added to a class after its definition. `clean` is told to C, for descendants too.
local function add_method(meta, key, value)
  if meta.fields[key] then error(("%s.%s is a field"):format(meta.name, key), 3) end
  meta.methods[key] = value
  if key == "clean" then
    core.schema_clean(meta.schema)
    for _, child in ipairs(meta.children) do core.schema_clean(child.schema) end
  end
end

local function make_class(meta)
  local class = meta.model
  setmetatable(class, {
    __call = core.constructor(meta.schema),
    __name = "modm.Model",
    __tostring = function() return meta.name end,
    __index = function(_, key)
      local value = statics[key]
      if value == nil then value = meta.methods[key] end
      return value
    end,
    __newindex = function(_, key, value) add_method(meta, key, value) end,
  })
end

-- The managers of a model: its own, else its parent's, bound to it; the first declared is the default.
local function add_managers(meta, declared)
  if meta.embedded then return end
  local all = {}
  for key, value in pairs(meta.parent and meta.parent.managers or {}) do all[key] = value end
  for key, value in pairs(declared) do all[key] = value end
  if not next(all) then all.objects = manager.Manager() end
  meta.managers = all
  local first
  for key, value in pairs(all) do
    if not first or value.order < all[first].order then first = key end
    rawset(meta.model, key, manager.bind(value, meta))
  end
  meta.default_manager = meta.model[first]
end

local function extend(parent, name, definition, level)
  if type(name) ~= "string" or name == "" then error("the name of a model must be a string", level) end
  if type(definition) ~= "table" then error(name .. ": a definition, a table, expected", level) end
  if parent.final then
    error(errors.new("InvalidModel",
      ("Cannot extend class %s, because it has been declared final."):format(parent.name)), level)
  end
  local base = not parent.abstract and parent or nil
  local parts = sort_definition(name, definition, level + 1)
  local meta = merge_meta(name, parts.meta, base, level + 1)
  meta.name, meta.model, meta.parent, meta.embedded = name, {}, base, parent.embedded
  meta.cls = meta.cls or name
  meta.children, meta.classes = {}, {}
  meta.methods = setmetatable(parts.methods, { __index = parent.methods })
  meta.fields = merge_fields(name, base, parts, meta.embedded, level + 1)
  check_names(name, meta.fields, meta.methods, level + 1)
  local list = ordered(meta.fields)
  meta.stored_names = stored_names(list)
  check_targets(name, list, level + 1)
  meta.wrap = document.wrap_for(list)
  compile(meta, list, level + 1)
  enter_classes(meta)
  local ancestor = base
  while ancestor do
    table.insert(ancestor.children, meta)
    ancestor = ancestor.parent
  end
  meta.DoesNotExist = errors.kind(meta.name, "DoesNotExist", base and base.DoesNotExist)
  meta.MultipleObjectsReturned = errors.kind(meta.name, "MultipleObjectsReturned",
    base and base.MultipleObjectsReturned)
  make_class(meta)
  rawset(meta.model, "DoesNotExist", meta.DoesNotExist)
  rawset(meta.model, "MultipleObjectsReturned", meta.MultipleObjectsReturned)
  registry.add(meta)
  add_managers(meta, parts.managers)
  require "modm.relation".register(meta, list)
  return meta.model
end

--- Makes a model that extends this one.
---@param self modm.Model
---@param name string full name, may be dotted; the last part gives the collection's name
---@param definition table fields, methods, managers by name, and Meta. Raises InvalidModel
---@return modm.Model
function statics.extend(self, name, definition) return extend(registry.meta(self), name, definition, 3) end

--- A document from a table in stored form (stored names, `_cls` honoured), not yet saved.
---@param self modm.Model
---@param stored table raises for names that are not stored
---@return modm.Document
function statics.from_document(self, stored) return core.from_table(registry.meta(self).schema, stored) end

--- Makes the model's indexes now, instead of at its first use.
---@param self modm.Model
---@return true|nil, string?, modm.Error?
function statics.ensure_indexes(self)
  local meta = registry.meta(self)
  local conn, message, err = connection.get(meta.connection_alias)
  if not conn then return nil, message, err end
  local ok, why, failure = indexes.ensure(meta, conn)
  meta.indexed = ok or nil
  return ok, why, failure
end

--- Says what follows for documents of `other` when one of this model is deleted.
---@param self modm.Model
---@param other modm.Model the model that refers to this one
---@param name string its field (dotted into embedded models)
---@param rule integer modm.DO_NOTHING, NULLIFY, CASCADE, DENY or PULL
function statics.register_delete_rule(self, other, name, rule)
  require "modm.relation".register_delete_rule(registry.meta(self), registry.meta(other), name, rule, 3)
end

local function base_class(name, embedded, methods)
  local meta = { name = name, abstract = true, embedded = embedded, methods = methods, model = {} }
  setmetatable(meta.model, {
    __name = "modm.Model",
    __tostring = function() return meta.name end,
    __index = { extend = statics.extend },
    __call = function() error(name .. " is extended, not instantiated", 2) end,
  })
  registry.add(meta)
  return meta.model
end

model.MongoModel = base_class("MongoModel", false, document.methods)
model.EmbeddedMongoModel = base_class("EmbeddedMongoModel", true, document.embedded_methods)

return model
