--- Changing and deleting what a queryset finds: QuerySet:update and :delete.

local base = require "modm.queryset.base"
local core = require "modm.core"
local kept = require "modm.kept"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local relation = require "modm.relation"
local running = require "modm.session.running"
local transaction = require "modm.transaction"
local writing = require "modm.queryset.writing"

---@class modm.QuerySet
local QuerySet = base.QuerySet

-- ---- delete ----

-- Marks documents as deleted, or takes the mark away. Returns their number.
local function mark(self, marked)
  local meta, parts = self._meta, { kept.marked(self._meta, not marked) }
  for _, part in ipairs(self._parts) do parts[#parts + 1] = part end
  local set = base.step(self, { with_deleted = true }, parts)
  local update, settings = kept.marking(meta, marked), opening.write_settings(self)
  local n, message, err = writing.run(set, function(client, database, collection, filter, statement)
    statement.multi = true
    return core.update(client, database, collection, filter, update, statement, settings)
  end)
  if not n then return nil, message, err end
  return n
end

local function check_mark(self, what)
  if not self._meta.mark then misuse("%s: %s needs Meta.soft_delete", self._meta.name, what) end
end

--- Finds documents that are marked as deleted, too.
---@return modm.QuerySet
function QuerySet:with_deleted()
  check_mark(self, "with_deleted")
  return base.step(self, { with_deleted = true })
end

--- Finds the documents that are marked as deleted, and no others.
---@return modm.QuerySet
function QuerySet:only_deleted()
  check_mark(self, "only_deleted")
  local parts = { kept.marked(self._meta, true) }
  for _, part in ipairs(self._parts) do parts[#parts + 1] = part end
  return base.step(self, { with_deleted = true }, parts)
end

--- Takes the mark away from the documents that are deleted. Everything needs all() before it.
---@return integer|nil restored, string? message, modm.Error? err
function QuerySet:restore()
  check_mark(self, "restore")
  writing.refuse_everything(self, "restore")
  return mark(self, false)
end

local function delete(self, hard, atomic)
  if relation.has_rules(self._meta) then return relation.delete(self, hard, atomic) end
  if self._meta.mark and not hard then return mark(self, true) end
  local settings = opening.write_settings(self)
  local n, message, err = writing.run(self, function(client, database, name, filter, statement)
    return core.delete(client, database, name, filter, statement, settings)
  end)
  if not n then return nil, message, err end
  return n
end

local delete_options = { hard = "boolean", atomic = "boolean", session = "boolean|table" }

--- Deletes all documents of the queryset, with the delete rules of the models that refer to them.
--- Class, limit, skip and order are honoured. Everything needs all() before it.
---@param given modm.DeleteOptions|nil hard: also remove the documents of a model with
--- Meta.soft_delete, which are only marked without it; atomic: all or nothing, in a transaction (as
--- a part of the one that is under way)
---@return integer|nil deleted
---@return string? message
---@return modm.Error? err
function QuerySet:delete(given)
  local name = type(given) == "table" and next(given)
  if given ~= nil and (type(given) ~= "table" or (name and not delete_options[name])) then
    misuse("%s: delete takes no arguments but its options: filter first", self._meta.name)
  end
  base.check_options("delete", given, delete_options)
  writing.refuse_everything(self, "delete")
  given = given or {}
  self = base.joined(self, given)
  local hard = given.hard or false
  return running.with(opening.session(self), function()
    if not given.atomic then return delete(self, hard, false) end
    -- in a transaction of its own it is the coroutine's session that counts
    local set = base.step(self, { session = false })
    return transaction.join(self._meta, function() return delete(set, hard, true) end)
  end)
end

-- ---- update ----

local known_options = {
  upsert = "boolean", array_filters = "table", let = "table", session = "boolean|table",
  bypass_document_validation = "boolean", javascript = "boolean",
}

local function check_update(self, update, upsert)
  local name = self._meta.name
  if type(update) ~= "table" or next(update) == nil then
    misuse("%s: update takes a table of operators, { [\"$set\"] = {...} }", name)
  elseif update[1] ~= nil then
    if upsert and core.class_name(self._meta.schema) then
      misuse("%s: an upsert cannot be a pipeline, since it has to set _cls", name)
    end
    return
  end
  for key in pairs(update) do
    if type(key) ~= "string" or key:sub(1, 1) ~= "$" then
      misuse("%s: '%s' is no operator: update takes { [\"$set\"] = {...} }", name, tostring(key))
    end
  end
end

-- A copy of the update that gives a document which it makes its class, and leaves those it finds.
local function with_class(self, update)
  local name = core.class_name(self._meta.schema)
  if not name then return update end
  local copy, insert = {}, {}
  for key, value in pairs(update) do copy[key] = value end
  for key, value in pairs(update["$setOnInsert"] or {}) do insert[key] = value end
  insert._cls = name
  copy["$setOnInsert"] = insert
  return copy
end

--- Changes all documents of the queryset. Class, limit, skip and order are honoured. Everything
--- needs all() before it. What runs JavaScript on the server, as $function in a stage, is refused
--- unless the option `javascript` allows it.
---@param update table in MongoDB's own words: { ["$set"] = {...} }, or a list of stages
---@param given modm.UpdateOptions|nil
---@return integer|nil modified a document that an upsert makes does not count
---@return string? message
---@return modm.Error? err
function QuerySet:update(update, given)
  base.check_options("update", given, known_options)
  given = given or {}
  check_update(self, update, given.upsert)
  writing.refuse_everything(self, "update")
  self = base.joined(self, given)
  if given.upsert then
    writing.check_upsert(self)
    update = with_class(self, update)
    self = base.step(self, { upsert = true })
  end
  update = kept.in_update(self._meta, update, given.upsert or false)
  local settings = opening.write_settings(self)
  settings.let, settings.bypassDocumentValidation = given.let, given.bypass_document_validation
  local filters = given.array_filters and core.array(given.array_filters)
  local n, modified, err = writing.run(self, function(client, database, name, filter, statement)
    statement.multi, statement.upsert, statement.arrayFilters = true, given.upsert, filters
    return core.update(client, database, name, filter, update, statement, settings,
      given.javascript)
  end)
  if not n then return nil, modified, err end
  return modified
end

return QuerySet
