--- Makes models: `:extend(name, definition)` of MongoModel and EmbeddedMongoModel.

local core = require "modm.core"
local document = require "modm.document"
local errors = require "modm.errors"
local field = require "modm.fields".internal
local indexes = require "modm.indexes"
local manager = require "modm.manager"
local misuse = require "modm.misuse"
local connection = require "modm.connection"
local options = require "modm.options"
local registry = require "modm.registry"

local unpack = table.unpack or unpack -- luacheck: ignore

local model = { meta = registry.meta }

-- The options of Meta and their types. Those marked "own" are not inherited.
local meta_options = {
  connection_alias = "string", collection_name = "string", final = "boolean", cascade = "boolean",
  read_preference = "table|string", read_concern = "table|string",
    write_concern = "table|number|string",
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

--- The connection, database and collection name of the model; its indexes are made at the first
--- call.
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

-- Raises InvalidModel at the line of the program.
local function invalid(format, ...)
  local _, where = pcall(misuse, "") -- nothing but the position
  error(errors.new("InvalidModel", format:format(...), { where = where }), 0)
end

-- Sorts a definition into fields, methods, managers and Meta.
local function sort_definition(name, definition)
  local parts = { fields = {}, methods = {}, managers = {}, meta = {} }
  for key, value in pairs(definition) do
    if type(key) ~= "string" then
      invalid("%s: the definition has a key of type %s", name, type(key))
    elseif key == "Meta" then
      if type(value) ~= "table" then invalid("%s: Meta must be a table", name) end
      parts.meta = value
    elseif field.is_field(value) then
      parts.fields[key] = value
    elseif type(value) == "function" then
      parts.methods[key] = value
    elseif manager.is_manager(value) then
      parts.managers[key] = value
    else
      invalid("%s.%s: a field, a method or a manager expected, got a %s", name, key, type(value))
    end
  end
  return parts
end

local function merge_meta(name, given, parent)
  local merged = setmetatable({}, Meta)
  options.check(name .. ".Meta", given, meta_options)
  for key in pairs(meta_options) do
    merged[key] = given[key]
    if merged[key] == nil and parent and not own[key] then merged[key] = parent[key] end
  end
  for _, alias in pairs(given.cls_aliases or {}) do
    if type(alias) ~= "string" then invalid("%s.Meta: cls_aliases is a list of strings", name) end
  end
  merged.connection_alias = merged.connection_alias or "default"
  merged.collection_name = merged.collection_name or (parent and parent.collection_name)
    or snake_case(name:match "[^.]+$")
  return merged
end

-- The fields of the parent and those of the definition. A key of one's own takes the place of one
-- that nobody declared.
local function merge_fields(name, parent, parts, embedded)
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

-- Methods and fields share a name space; and a name must not mean one field to a query and another
-- in the database.
local function check_names(name, list, methods)
  local stored = {}
  for _, item in ipairs(list) do
    if methods[item.name] ~= nil or item.name == "pk" then
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

-- What C calls to find the model that a field names.
local function resolve(target) return registry.find(target).schema end

-- Embedded fields hold embedded models, references point to the others.
local function check_targets(name, list)
  for _, item in ipairs(list) do
    local inner = item
    while inner.options.field do inner = inner.options.field end
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

-- A final model stores no _cls, unless it shares its collection with what it extends.
local function compile(meta, list)
  local keeps_cls = not meta.final or meta.parent ~= nil
  local ok, schema = pcall(core.schema, {
    name = meta.name, cls = keeps_cls and meta.cls or nil, embedded = meta.embedded,
    final = not keeps_cls, ignore_unknown_fields = meta.ignore_unknown_fields,
    cls_optional = meta.cls_optional, clean = meta.methods.clean ~= nil,
    parent = meta.parent and meta.parent.schema, fields = list, methods = meta.methods,
    classes = meta.classes, model = meta.model, resolve = resolve,
  })
  if not ok and schema == "not enough memory" then error(schema, 0) end
  if not ok then invalid("%s", tostring(schema)) end
  meta.schema = schema
  core.document_class(schema, meta.wrap)
end

-- The names that a model's documents may have as their _cls. Raises when another model of the
-- family has one of them.
local function names_of(meta)
  local names = { meta.cls }
  for _, alias in ipairs(meta.cls_aliases or {}) do names[#names + 1] = alias end
  local ancestor = meta.parent
  while ancestor do
    for _, name in ipairs(names) do
      local other = ancestor.owners[name]
      if other and other ~= meta.name then
        invalid("%s: documents of %s are stored with the _cls '%s' already", meta.name, other, name)
      end
    end
    ancestor = ancestor.parent
  end
  return names
end

-- Tells the model and all that it extends under which names its documents are stored.
local function enter_classes(meta, names)
  local ancestor = meta
  while ancestor do
    for _, name in ipairs(names) do
      ancestor.classes[name], ancestor.owners[name] = meta.schema, meta.name
    end
    if ancestor ~= meta then table.insert(ancestor.children, meta) end
    ancestor = ancestor.parent
  end
end

local statics = {}

-- Methods that are added to a class after its definition. `clean` is told to C, for descendants
-- too.
local function add_method(meta, key, value)
  if type(value) ~= "function" and value ~= nil then
    misuse("%s.%s: only methods can be added to a model, not a %s", meta.name, tostring(key),
      type(value))
  end
  for _, one in ipairs { meta, unpack(meta.children) } do
    if one.fields[key] or key == "pk" then misuse("%s.%s is a field", one.name, key) end
  end
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

-- The managers of a model: its own, else its parent's, bound to it; the first declared is the
-- default.
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

local function check_name(name)
  if type(name) ~= "string" then
    misuse("the name of a model must be a string, got a %s", type(name))
  end
  if name == "" or name:find "%z" or ("." .. name .. "."):find("..", 1, true) then
    misuse("'%s' cannot be the name of a model", name)
  end
end

local function extend(parent, name, definition)
  check_name(name)
  if type(definition) ~= "table" then misuse("%s: a definition, a table, expected", name) end
  if parent.final then
    invalid("Cannot extend class %s, because it has been declared final.", parent.name)
  end
  local base = not parent.abstract and parent or nil
  local parts = sort_definition(name, definition)
  local meta = merge_meta(name, parts.meta, base)
  meta.name, meta.model, meta.parent, meta.embedded = name, {}, base, parent.embedded
  meta.cls = meta.cls or name
  meta.children, meta.classes, meta.owners = {}, {}, {}
  meta.methods = setmetatable(parts.methods, { __index = parent.methods })
  meta.fields = merge_fields(name, base, parts, meta.embedded)
  local list = ordered(meta.fields)
  check_names(name, list, meta.methods)
  meta.stored_names = stored_names(list)
  check_targets(name, list)
  meta.wrap = document.wrap_for(list)
  local names = names_of(meta)
  compile(meta, list)
  meta.DoesNotExist = errors.kind(meta.name, "DoesNotExist", base and base.DoesNotExist)
  meta.MultipleObjectsReturned = errors.kind(meta.name, "MultipleObjectsReturned",
    base and base.MultipleObjectsReturned)
  make_class(meta)
  require "modm.relation".register(meta, list, 4)
  -- from here on nothing is refused: a definition that fails leaves nothing behind
  enter_classes(meta, names)
  rawset(meta.model, "DoesNotExist", meta.DoesNotExist)
  rawset(meta.model, "MultipleObjectsReturned", meta.MultipleObjectsReturned)
  registry.add(meta)
  add_managers(meta, parts.managers)
  return meta.model
end

-- The meta of what a static method was called on.
local function meta_of(self, method)
  local meta = registry.meta(self)
  if not meta then
    misuse("%s is called on a model, with a colon, not on a %s", method, type(self))
  end
  return meta
end

--- Makes a model that extends this one.
---@param self modm.Model
---@param name string full name, may be dotted; the last part gives the collection's name
---@param definition table fields, methods, managers by name, and Meta. Raises InvalidModel
---@return modm.Model
function statics.extend(self, name, definition)
  local class = extend(meta_of(self, "extend"), name, definition)
  return class
end

--- A document from a table in stored form (stored names, `_cls` honoured), not yet saved.
---@param self modm.Model
---@param stored table raises for names that are not stored
---@return modm.Document
function statics.from_document(self, stored)
  local meta = meta_of(self, "from_document")
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
  local meta = meta_of(self, "ensure_indexes")
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
  require "modm.relation".register_delete_rule(registry.meta(self), registry.meta(other), name,
    rule, 3)
end

local function base_class(name, embedded, methods)
  local meta = { name = name, abstract = true, embedded = embedded, methods = methods, model = {} }
  setmetatable(meta.model, {
    __name = "modm.Model",
    __tostring = function() return meta.name end,
    -- its methods are there for models that override them
    __index = function(_, key) return key == "extend" and statics.extend or methods[key] end,
    __newindex = function(_, key)
      misuse("%s.%s: methods are added to models", name, tostring(key))
    end,
    __call = function() misuse("%s is extended, not instantiated", name) end,
  })
  registry.add_base(meta)
  return meta.model
end

model.MongoModel = base_class("MongoModel", false, document.methods)
model.EmbeddedMongoModel = base_class("EmbeddedMongoModel", true, document.embedded_methods)

return model
