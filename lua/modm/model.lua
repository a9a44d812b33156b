--- Makes models: `:extend(name, definition)` of MongoModel and EmbeddedMongoModel.

local codec = require "modm.model.codec"
local core = require "modm.core"
local document = require "modm.document"
local errors = require "modm.errors"
local field = require "modm.fields".internal
local indexes = require "modm.indexes"
local kept = require "modm.kept"
local invalid = require "modm.model.invalid"
local layout = require "modm.model.layout"
local manager = require "modm.manager"
local misuse = require "modm.misuse"
local model_meta = require "modm.model.meta"
local registry = require "modm.registry"
local relation = require "modm.relation"
local statics = require "modm.model.statics"

local unpack = table.unpack or unpack -- luacheck: ignore

local model = { meta = registry.meta }

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

-- What C calls to find the model that a field names.
local function resolve(target) return registry.find(target).schema end

-- A final model stores no _cls, unless it shares its collection with what it extends.
local function compile(meta, list)
  local keeps_cls = not meta.final or meta.parent ~= nil
  local ok, schema = pcall(core.schema, {
    name = meta.name, cls = keeps_cls and meta.cls or nil, embedded = meta.embedded,
    final = not keeps_cls, ignore_unknown_fields = meta.ignore_unknown_fields,
    cls_optional = meta.cls_optional, clean = meta.methods.clean ~= nil,
    parent = meta.parent and meta.parent.schema, fields = list, methods = meta.methods,
    classes = meta.classes, model = meta.model, meta = meta, resolve = resolve,
  })
  if not ok and schema == "not enough memory" then error(schema, 0) end
  if not ok then invalid("%s", tostring(schema)) end
  meta.schema = schema
  core.document_class(schema, meta.wrap)
end

-- Whether it can be stored, and given to C.
local function is_text(name) return core.is_utf8(name) and not name:find "%z" end

-- The names that a model's documents may have as their _cls. Raises when another model of the
-- family has one of them.
local function names_of(meta)
  local names = { meta.cls }
  for _, alias in ipairs(meta.cls_aliases or {}) do names[#names + 1] = alias end
  for _, name in ipairs(names) do
    if not is_text(name) then
      invalid("%s.Meta: a _cls must be UTF-8 without NUL", meta.name)
    end
  end
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

-- The name of the manager that was made first.
local function first_of(managers)
  local first
  for key, value in pairs(managers) do
    if not first or value.order < managers[first].order then first = key end
  end
  return first
end

-- The managers of a model: its own, and those of its parent bound to it. The default is the first
-- of its own, else its parent's.
local function add_managers(meta, declared)
  if meta.embedded then return end
  local all, parent = {}, meta.parent
  for key, value in pairs(parent and parent.managers or {}) do all[key] = value end
  for key, value in pairs(declared) do all[key] = value end
  if not next(all) then all.objects = manager.Manager() end
  meta.managers = all
  for key, value in pairs(all) do rawset(meta.model, key, manager.bind(value, meta)) end
  meta.default_name = first_of(declared) or parent and parent.default_name or first_of(all)
  meta.default_manager = meta.model[meta.default_name]
end

local function check_name(name)
  if type(name) ~= "string" then
    misuse("the name of a model must be a string, got a %s", type(name))
  end
  if name == "" or not is_text(name) or ("." .. name .. "."):find("..", 1, true) then
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
  local meta = model_meta.merge(name, parts.meta, base)
  meta.name, meta.model, meta.parent, meta.embedded = name, {}, base, parent.embedded
  meta.cls = meta.cls or name
  meta.children, meta.classes, meta.owners, meta.hooks = {}, {}, {}, {}
  meta.methods = setmetatable(parts.methods, { __index = parent.methods })
  kept.define(meta, parts, base)
  meta.fields = layout.merge(name, base, parts, meta.embedded)
  local list = codec.apply(layout.ordered(meta.fields), meta.codec_options)
  layout.check_names(name, list, meta.methods, document.hidable)
  meta.stored_names = layout.stored_names(list)
  layout.check_targets(name, list)
  meta.wrap = document.wrap_for(list)
  local names = names_of(meta)
  compile(meta, list)
  indexes.check(meta)
  meta.DoesNotExist = errors.kind(meta.name, "DoesNotExist", base and base.DoesNotExist)
  meta.MultipleObjectsReturned = errors.kind(meta.name, "MultipleObjectsReturned",
    base and base.MultipleObjectsReturned)
  make_class(meta)
  relation.register(meta, list, 4)
  -- from here on nothing is refused: a definition that fails leaves nothing behind
  enter_classes(meta, names)
  rawset(meta.model, "DoesNotExist", meta.DoesNotExist)
  rawset(meta.model, "MultipleObjectsReturned", meta.MultipleObjectsReturned)
  registry.add(meta)
  add_managers(meta, parts.managers)
  return meta.model
end

--- Makes a model that extends this one.
---@param self modm.Model
---@param name string full name, may be dotted; the last part gives the collection's name
---@param definition table fields, methods, managers by name, and Meta. Raises InvalidModel
---@return modm.Model
function statics.extend(self, name, definition)
  local class = extend(registry.check(self, "extend"), name, definition)
  return class
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
