-- Judges definitions: each is taken or refused with a message of modm's own; what was taken makes
-- documents that can be validated, written and read.
local core = require "modm.core"
local modm = require "modm"
local registry = require "modm.registry"
local values = require "fuzz.values"

local Part = modm.EmbeddedMongoModel:extend("Part", { a = modm.fields.IntegerField {} })

local keys = {
  "a", "b", "c", "_id", "pk", "_cls", "save", "clean", "objects", "Meta", "mongo_name",
  "primary_key", "blank", "required", "default", "choices", "validators", "min_length",
  "max_length", "min_value", "max_value", "subtype", "strict", "protocol", "on_delete",
  "verbose_name", "final", "indexes", "collection_name", "ignore_unknown_fields", "cls",
  "cls_aliases", "cls_optional", "timestamps", "version", "soft_delete", "codec_options",
  "connection_alias", "write_concern", "read_concern", "collation", "auto_index", "", "a.b", "\xff",
}

-- Options that no kind has would refuse most of what is drawn, so few are left in.
local common = {}
for _, name in ipairs { "mongo_name", "primary_key", "blank", "required", "default", "choices",
  "validators", "verbose_name" } do
  common[name] = true
end

local makers = {}
for _, row in ipairs(core.kinds()) do
  local make, own = modm.fields[row.name], {}
  local first = row.options[1] and row.options[1].name
  for _, option in ipairs(row.options) do own[option.name] = true end
  makers[#makers + 1] = function(options, inner)
    local given = {}
    for key, value in next, type(options) == "table" and options or {} do
      if own[key] or common[key] or key == "strict" then given[key] = value end
    end
    if first == "field" then given.field = getmetatable(inner) and inner.kind and inner or nil end
    if first == "model" then given.model = row.name == "ReferenceField" and "M1" or Part end
    return make(given)
  end
end
for _, maker in ipairs(values.makers) do makers[#makers + 1] = maker end

-- A message of Lua's own is a definition that nobody looked at.
local function looked_at(ok, message)
  if ok then return true end
  local text = tostring(message)
  assert(not text:find "attempt to" and not text:find "bad argument", text)
  return false
end

local function use(model, given)
  local made, document = pcall(model, given)
  if not looked_at(made, document) then return end
  looked_at(pcall(tostring, document))
  looked_at(pcall(document.full_clean, document))
  local schema = registry.meta(model).schema
  local ok, bytes = pcall(core.encode_document, document)
  if not looked_at(ok, bytes) or not bytes then return end
  local stored = core.decode(bytes)
  looked_at(pcall(model.from_document, stored))
  assert(core.diff(schema, bytes, bytes) == nil, "a document differs from itself")
end

local models = {}

local function judge(choice, definition, meta, given)
  local name = "M" .. choice % 8
  local parent = choice < 64 and models[choice % 8]
    or choice % 2 == 0 and modm.MongoModel or modm.EmbeddedMongoModel
  if choice % 3 == 0 then definition.Meta = meta end
  local ok, model = pcall(parent.extend, parent, name, definition)
  if not looked_at(ok, model) then return end
  models[choice % 8] = choice < 192 and model or nil
  use(model, given)
end

return judge, keys, makers
