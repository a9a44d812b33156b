--- Delete rules: which there are, and which hold for a model.
--
-- Nothing is worked out at a definition but what is wrong with it: a model may refer to one that
-- comes later, or be extended later. What holds for a model is put together when it is first asked
-- for, and again after another definition.

local errors = require "modm.errors"
local family = require "modm.relation.family"
local references = require "modm.relation.references"
local scoped = require "modm.model.scoped"

local rules = { DO_NOTHING = 0, NULLIFY = 1, CASCADE = 2, DENY = 3, PULL = 4 }

local models = setmetatable({}, { __mode = "k" }) -- meta with a collection -> its number
local explicit = setmetatable({}, { __mode = "k" }) -- meta -> list of { target, name, rule }
local generation, count = 0, 0

-- Raises InvalidModel at `level` of the function that calls this.
local function invalid(level, format, ...)
  errors.raise("InvalidModel", format:format(...), level + 2)
end

-- ---- the rules of a model, as the one that refers ----

-- Those that register_delete_rule added for a model or what it extends, the ancestors' first.
local function added(meta)
  local list = meta.parent and added(meta.parent) or {}
  for _, one in ipairs(explicit[meta] or {}) do list[#list + 1] = one end
  return list
end

local function key_of(name, target) return name .. "\n" .. target.name end

-- All rules of a model, in order and by name and target: those of its fields, where none was added.
local function outgoing(meta)
  if meta.outgoing and meta.outgoing.generation == generation then return meta.outgoing end
  local list, by_name, by_key = {}, {}, {}
  local function set(reference, target, rule)
    local key = key_of(reference.name, target)
    local at = by_key[key] and by_key[key].at or #list + 1
    local own = { at = at, name = reference.name, path = reference.path, depth = reference.depth,
      target = target, rule = rule }
    list[at], by_key[key] = own, own
  end
  for _, reference in ipairs(references.of(meta)) do
    by_name[reference.name] = reference
    set(reference, reference.target, reference.on_delete or rules.DO_NOTHING)
  end
  for _, one in ipairs(added(meta)) do
    if by_name[one.name] then set(by_name[one.name], one.target, one.rule) end
  end
  meta.outgoing = { generation = generation, list = list, by_key = by_key }
  return meta.outgoing
end

local function same_path(a, b)
  for i = 1, math.max(#a, #b) do
    if a[i] ~= b[i] then return false end
  end
  return true
end

-- Whether a model has a rule just as another one has it.
local function has_same(meta, rule)
  local own = outgoing(meta).by_key[key_of(rule.name, rule.target)]
  return own ~= nil and own.target == rule.target and own.rule == rule.rule
    and same_path(own.path, rule.path)
end

-- The stored names of those that extend a model, in its collection, for which a rule does not hold.
local function exceptions(meta, rule)
  local names = {}
  for _, child in ipairs(meta.children) do
    if family.shares_place(child, meta) and not has_same(child, rule) then
      names[#names + 1] = child.cls
      for _, alias in ipairs(child.cls_aliases or {}) do names[#names + 1] = alias end
    end
  end
  return #names > 0 and names or nil
end

-- Whether what happens to documents of `meta` is for rules on `target`: that model, what it
-- extends, or what extends it, as far as they share a collection.
local function concerns(meta, target)
  return family.shares_place(meta, target)
    and (family.is_within(meta, target) or family.is_within(target, meta))
end

local function add_rules(list, owner, meta)
  local parent = owner.parent
  local beside = parent and family.shares_place(parent, owner)
  for _, rule in ipairs(outgoing(owner).list) do
    local inherited = beside and has_same(parent, rule)
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

--- The rules that hold when documents of a model are deleted, in the order in which the referring
--- models were defined.
---@param meta table
---@return modm.DeleteRule[]
function rules.of(meta)
  local places_changed = scoped.active()
  if meta.incoming and meta.incoming.generation == generation and not places_changed then
    return meta.incoming
  end
  local owners, list = {}, { generation = generation }
  for owner in pairs(models) do owners[#owners + 1] = owner end
  table.sort(owners, function(a, b) return models[a] < models[b] end)
  for _, owner in ipairs(owners) do add_rules(list, owner, meta) end
  if not places_changed then meta.incoming = list end
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
    local inner, depth = references.innermost(item)
    if inner.kind == "ReferenceField" and inner.options.on_delete ~= nil then
      check_rule(level, meta.name .. "." .. item.name, inner.options.on_delete, depth)
    end
  end
  generation = generation + 1
  if not meta.embedded then
    count = count + 1
    models[meta] = count
  end
end

--- Says what follows for documents of `other` when one of `target` is deleted. It takes the place
--- of the field's own on_delete. Raises InvalidModel.
---@param target table
---@param other table|nil
---@param name string dotted into embedded models
---@param rule integer
---@param level integer as for error()
function rules.register_delete_rule(target, other, name, rule, level)
  if not other or not models[other] then
    invalid(level, "%s.register_delete_rule: a model with a collection expected", target.name)
  end
  local where, reference = other.name .. "." .. tostring(name), nil
  for _, one in ipairs(references.of(other)) do
    if one.name == name then reference = one end
  end
  if not reference then
    invalid(level, "%s: there is no such reference", where)
  end
  if not family.is_within(target, reference.target)
    and not family.is_within(reference.target, target) then
    invalid(level, "%s refers to %s, not to %s", where, reference.target.name, target.name)
  end
  check_rule(level, where, rule, reference.depth)
  explicit[other] = explicit[other] or {}
  table.insert(explicit[other], { target = target, name = name, rule = rule })
  generation = generation + 1
end

return rules
