--- Delete rules: which there are, and which hold for a model.
--
-- Nothing is worked out at a definition but what is wrong with it: a model may refer to one that comes later, or
-- be extended later. What holds for a model is put together when it is first asked for, and again after
-- another definition.

local errors = require "modm.errors"
local registry = require "modm.registry"

local rules = { DO_NOTHING = 0, NULLIFY = 1, CASCADE = 2, DENY = 3, PULL = 4 }

-- How often a model that is embedded in itself is followed on one path: a path is as long as it is
-- written in a query, so there has to be an end.
local NESTED = 4

local models = setmetatable({}, { __mode = "k" }) -- meta with a collection -> its number
local explicit = setmetatable({}, { __mode = "k" }) -- referring meta -> list of { target, name, rule }
local named = setmetatable({}, { __mode = "k" }) -- meta -> name that it refers by -> meta
local generation, count = 0, 0

-- Raises InvalidModel at `level` of the function that calls this.
local function invalid(level, format, ...)
  errors.raise("InvalidModel", format:format(...), level + 2)
end

-- ---- the references of a model ----

---@class modm.Reference
---@field name string in Lua, dotted
---@field path table stored names and depths, flat: see core.keys_filter
---@field target table the meta of what is referred to
---@field first string the model's own field that it lies in
---@field rule integer

-- What lists are lists of, and how deep it lies in them.
local function innermost(definition)
  local depth = 0
  while definition.options.field do depth, definition = depth + 1, definition.options.field end
  if definition.kind == "EmbeddedModelListField" then depth = depth + 1 end
  return definition, depth
end

-- The model that a field of `meta` names, or nil while there is none. A name means the model that it first meant; a
-- model that another of its name has replaced finds no new ones.
local function target_of(meta, definition)
  local model = definition.options.model
  if type(model) ~= "string" then return registry.meta(model) end
  local known = named[meta] or {}
  named[meta] = known
  if known[model] then return known[model] end
  local current, own = pcall(registry.find, meta.name)
  if not current or own ~= meta then return nil end
  local found, target = pcall(registry.find, model)
  if found then known[model] = target end
  return found and target or nil
end

-- A path with one step more. Steps that are no lists are joined by dots.
local function extended(path, stored, depth)
  local longer = {}
  for i, part in ipairs(path) do longer[i] = part end
  if #longer > 0 and longer[#longer] == 0 then
    longer[#longer - 1] = longer[#longer - 1] .. "." .. stored
    longer[#longer] = depth
  else
    longer[#longer + 1], longer[#longer + 2] = stored, depth
  end
  return longer
end

local add_references

local function add_embedded(list, target, name, path, first, nested)
  if not target or (nested[target] or 0) >= NESTED then return end
  nested[target] = (nested[target] or 0) + 1
  add_references(list, target, name .. ".", path, first, nested)
  for _, child in ipairs(target.children) do
    add_references(list, child, name .. ".", path, first, nested, target)
  end
  nested[target] = nested[target] - 1
end

-- Adds what the fields of a model refer to; those it has from `known` are there already.
function add_references(list, meta, prefix, path, first, nested, known)
  for name, definition in pairs(meta.fields) do
    if not known or known.fields[name] ~= definition then
      local inner, depth = innermost(definition)
      local longer = extended(path, meta.stored_names[name], depth)
      if inner.kind == "ReferenceField" then
        local target = target_of(meta, inner)
        if target then
          list[#list + 1] = { name = prefix .. name, path = longer, target = target, depth = depth,
            first = first or name, rule = inner.options.on_delete or rules.DO_NOTHING }
        end
      elseif inner.kind:find "^Embedded" then
        add_embedded(list, target_of(meta, inner), prefix .. name, longer, first or name, nested)
      end
    end
  end
end

-- ---- the rules of a model, as the one that refers ----

-- Whether two models' documents are in one collection, and of one family.
local function is_within(meta, ancestor)
  while meta and meta ~= ancestor do meta = meta.parent end
  return meta ~= nil
end

local function shares_place(a, b)
  return a.collection_name == b.collection_name and a.connection_alias == b.connection_alias
end

-- Those that register_delete_rule added for a model or what it extends, the ancestors' first.
local function added(meta)
  local list = meta.parent and added(meta.parent) or {}
  for _, one in ipairs(explicit[meta] or {}) do list[#list + 1] = one end
  return list
end

local function find(list, name)
  for _, reference in ipairs(list) do
    if reference.name == name then return reference end
  end
end

-- Of a list of rules, by name and target: { [name] = { [target] = rule } }.
local function by_name(list)
  local names = {}
  for _, one in ipairs(list) do
    names[one.name] = names[one.name] or {}
    names[one.name][one.target] = one
  end
  return names
end

-- All rules of a model: those of its fields, and those added, which come before them.
local function outgoing(meta)
  if meta.outgoing and meta.outgoing.generation == generation then return meta.outgoing end
  local list = {}
  add_references(list, meta, "", {}, nil, {})
  table.sort(list, function(a, b) return a.name < b.name end)
  local references, all = {}, by_name(list)
  for i, reference in ipairs(list) do references[i] = reference end
  for _, one in ipairs(added(meta)) do
    local reference = find(references, one.name)
    if reference then
      local known = all[one.name][one.target]
      local fresh = { name = one.name, path = reference.path, depth = reference.depth, target = one.target,
        first = reference.first, rule = one.rule }
      if known then
        for i, other in ipairs(list) do
          if other == known then list[i] = fresh end
        end
      else
        list[#list + 1] = fresh
      end
      all[one.name][one.target] = fresh
    end
  end
  meta.outgoing = { generation = generation, list = list, by_name = all }
  return meta.outgoing
end

-- Whether a model has a rule just as another one has it.
local function has_same(meta, rule)
  local names = outgoing(meta).by_name[rule.name]
  local own = names and names[rule.target]
  return own ~= nil and own.rule == rule.rule and own.path[1] == rule.path[1] and #own.path == #rule.path
end

-- The stored names of those that extend a model, in its collection, for which a rule does not hold.
local function exceptions(meta, rule)
  local names = {}
  for _, child in ipairs(meta.children) do
    if shares_place(child, meta) and not has_same(child, rule) then
      names[#names + 1] = child.cls
      for _, alias in ipairs(child.cls_aliases or {}) do names[#names + 1] = alias end
    end
  end
  return #names > 0 and names or nil
end

-- Whether what happens to documents of `meta` is for rules on `target`: that model, what it extends, or what
-- extends it, as far as they share a collection.
local function concerns(meta, target)
  return shares_place(meta, target) and (is_within(meta, target) or is_within(target, meta))
end

local function add_rules(list, owner, meta)
  for _, rule in ipairs(outgoing(owner).list) do
    local parent = owner.parent
    local inherited = parent and shares_place(parent, owner) and has_same(parent, rule)
    if rule.rule ~= rules.DO_NOTHING and not inherited and concerns(meta, rule.target) then
      list[#list + 1] = { owner = owner, name = rule.name, path = rule.path, depth = rule.depth,
        rule = rule.rule, except = exceptions(owner, rule) }
    end
  end
end

---@class modm.DeleteRule
---@field owner table the meta of the referring model
---@field name string
---@field path table
---@field depth integer of the lists that the reference itself lies in
---@field rule integer
---@field except string[]|nil stored names of models, extending the owner, that have another rule

--- The rules that hold when documents of a model are deleted, in the order in which the referring models were defined.
---@param meta table
---@return modm.DeleteRule[]
function rules.of(meta)
  if meta.incoming and meta.incoming.generation == generation then return meta.incoming end
  local owners, list = {}, { generation = generation }
  for owner in pairs(models) do owners[#owners + 1] = owner end
  table.sort(owners, function(a, b) return models[a] < models[b] end)
  for _, owner in ipairs(owners) do add_rules(list, owner, meta) end
  meta.incoming = list
  return list
end

-- ---- registration ----

local function check_rule(level, where, rule, depth)
  if type(rule) ~= "number" or rule % 1 ~= 0 or rule < rules.DO_NOTHING or rule > rules.PULL then
    invalid(level + 1, "%s: there is no delete rule %s", where, tostring(rule))
  end
  if rule == rules.PULL and depth == 0 then
    invalid(level + 1, "%s: the delete rule PULL is for lists of references", where)
  end
end

--- Takes note of a model that was defined. Raises InvalidModel for a rule that makes no sense.
---@param meta table
---@param list table[] its fields: { name, kind, options }
---@param level integer|nil as for error()
function rules.register(meta, list, level)
  level = level or 3
  for _, item in ipairs(list) do
    local inner, depth = innermost(item)
    if inner.kind == "ReferenceField" then
      local where = meta.name .. "." .. item.name
      local target = registry.meta(inner.options.model)
      if target and target.embedded then
        invalid(level, "%s: %s is an embedded model, which nothing can refer to", where, target.name)
      end
      if inner.options.on_delete ~= nil then check_rule(level, where, inner.options.on_delete, depth) end
    end
  end
  generation = generation + 1
  if not meta.embedded then
    count = count + 1
    models[meta] = count
  end
end

--- Says what follows for documents of `other` when one of `target` is deleted. It takes the place of the field's
--- own on_delete. Raises InvalidModel.
---@param target table
---@param other table|nil
---@param name string dotted into embedded models
---@param rule integer
---@param level integer as for error()
function rules.register_delete_rule(target, other, name, rule, level)
  if not other or not models[other] then
    invalid(level, "%s.register_delete_rule: a model with a collection expected", target.name)
  end
  local where = other.name .. "." .. tostring(name)
  local list = {}
  add_references(list, other, "", {}, nil, {})
  local reference = find(list, name)
  if not reference then
    invalid(level, "%s: there is no such reference for a delete rule of %s", where, target.name)
  end
  if not is_within(target, reference.target) and not is_within(reference.target, target) then
    invalid(level, "%s refers to %s, not to %s", where, reference.target.name, target.name)
  end
  check_rule(level, where, rule, reference.depth)
  explicit[other] = explicit[other] or {}
  table.insert(explicit[other], { target = target, name = name, rule = rule })
  generation = generation + 1
end

return rules
