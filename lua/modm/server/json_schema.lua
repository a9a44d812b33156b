--- A model's rules as the server's $jsonSchema, and the list of those that it cannot say.
--
-- What a kind of field asks for comes from its row in C (core.rules); here are the rules that all
-- kinds have, and how fields make documents, and models that share a collection one schema.

local core = require "modm.core"
local family = require "modm.relation.family"
local layout = require "modm.model.layout"
local registry = require "modm.registry"

local json_schema = {}

-- $jsonSchema has no way to refer to a part of itself: how far a model embedded in itself is
-- followed.
local NESTED = 4

-- What says that a value of the type is not empty.
local floors = { string = "minLength", array = "minItems", object = "minProperties" }

-- The same table with its keys in an order: the type first, then by name.
local function arranged(rules)
  local names, list = {}, {}
  for name in pairs(rules) do
    if name ~= "bsonType" then names[#names + 1] = name end
  end
  table.sort(names)
  if rules.bsonType then list[1] = { "bsonType", rules.bsonType } end
  for _, name in ipairs(names) do list[#list + 1] = { name, rules[name] } end
  return core.ordered(list)
end

-- Types of values with text in them; an array or object here is one of unnamed parts.
local texts = { string = true, regex = true, javascript = true, array = true, object = true }

local function choices_of(options)
  local values = {}
  for i, choice in ipairs(options.choices or {}) do
    values[i] = type(choice) == "table" and choice[1] or choice
  end
  return #values > 0 and values or nil
end

local function add_unsaid(walk, field, rule, why)
  walk.unsaid[#walk.unsaid + 1] = { model = walk.model, field = field, rule = rule, why = why }
end

-- What a field that may be blank is stored as when it is: as what was assigned, also by other
-- programs. That bytes are empty cannot be said, and each subtype is a value of its own.
local function with_blank(walk, field, found, rules)
  local blank = { core.null, "", core.object {}, core.array {} }
  local any = { { enum = blank }, rules }
  if found.container then
    blank[5] = core.Binary ""
  elseif rules.bsonType ~= "binData" then
    any[3] = { bsonType = "binData" }
    add_unsaid(walk, field, "blank", "whether bytes are none")
  end
  return core.ordered { { "anyOf", any } }
end

local family_rules

-- The rules of a value. `found` is what core.rules says of it, `options` what was declared.
local function value_rules(walk, field, found, options)
  local rules = found.rules
  for _, one in ipairs(found.unsaid) do add_unsaid(walk, field, one.rule, one.why) end
  if options.validators then
    add_unsaid(walk, field, "validators", "functions of the program")
  end
  if found.model then
    rules = family_rules(walk, registry.meta(found.model), field)
  elseif found.inner then
    rules.items = value_rules(walk, field .. "[]", found.inner,
      options.field and options.field.options or {})
  end
  rules.enum = choices_of(options)
  if not (found.model or found.inner) then
    local first = type(rules.bsonType) == "table" and rules.bsonType[1] or rules.bsonType
    walk.has_text = walk.has_text or texts[first]
  end
  if found.blank then return with_blank(walk, field, found, arranged(rules)) end
  local floor = not found.model and floors[rules.bsonType]
  if floor then rules[floor] = math.max(rules[floor] or 1, 1) end
  return arranged(rules)
end

-- The names that documents of a model have under _cls; nil when it stores none.
local function class_names(meta)
  local name = core.class_name(meta.schema)
  if not name then return nil end
  local names = { name }
  for _, alias in ipairs(meta.cls_aliases or {}) do names[#names + 1] = alias end
  return names
end

-- The rules of one model's documents. `cls_optional`: they may lack their _cls.
local function document_rules(walk, meta, cls_optional, prefix)
  local properties, required = {}, {}
  local outer = walk.model
  walk.model = meta.name
  for _, item in ipairs(layout.ordered(meta.fields)) do
    local stored, found = meta.stored_names[item.name], core.rules(meta.schema, item.name)
    if found.required then required[#required + 1] = stored end
    properties[#properties + 1] =
      { stored, value_rules(walk, prefix .. item.name, found, item.options) }
  end
  local names = class_names(meta)
  if names then
    properties[#properties + 1] = { "_cls", { enum = names } }
    if not cls_optional then required[#required + 1] = "_cls" end
  end
  if meta.methods.clean then
    add_unsaid(walk, prefix:gsub("%.$", ""), "clean", "a function of the program")
  end
  walk.model = outer
  local rules = { bsonType = "object", properties = core.ordered(properties) }
  if #required > 0 then rules.required = required end
  if not meta.ignore_unknown_fields then rules.additionalProperties = false end
  return rules
end

-- A model and those that extend it and are stored with it.
local function family_of(meta)
  local list = { meta }
  for _, child in ipairs(meta.children) do
    if meta.embedded or family.shares_place(child, meta) then list[#list + 1] = child end
  end
  return list
end

-- The rules of documents of a model and of what extends it, each told by its _cls.
function family_rules(walk, meta, field)
  local depth = walk.depth[meta] or 0
  if depth >= NESTED then
    add_unsaid(walk, field, "embedded", ("nested deeper than %d levels"):format(NESTED))
    return { bsonType = "object" }
  end
  walk.depth[meta] = depth + 1
  local any, prefix = {}, field == "" and "" or field .. "."
  for i, member in ipairs(family_of(meta)) do
    local optional = member == meta and (meta.embedded or meta.cls_optional)
    any[i] = document_rules(walk, member, optional, prefix)
  end
  walk.depth[meta] = depth
  if #any == 1 then return any[1] end
  for i, rules in ipairs(any) do any[i] = arranged(rules) end
  return { bsonType = "object", anyOf = any }
end

---@class modm.Unsaid a rule that $jsonSchema cannot say
---@field model string
---@field field string dotted into embedded documents, with [] for items of lists; "" for the whole
---@field rule string an option, or what it is about
---@field why string

--- The $jsonSchema of the documents in a model's collection: its own and those of the models that
--- extend it there.
---@param meta table
---@return table schema an ordered document
---@return modm.Unsaid[] unsaid
function json_schema.of(meta)
  local walk = { unsaid = {}, depth = {}, model = meta.name, has_text = false }
  local rules = arranged(family_rules(walk, meta, ""))
  if walk.has_text then
    add_unsaid(walk, "", "UTF-8", "the server takes strings that are not")
  end
  return rules, walk.unsaid
end

return json_schema
