--- Bulk writes: operations of several kinds on one model's documents, sent with few commands.
--
-- What is to be done is collected, then validated, each with the hooks before it, and then sent
-- (bulk/sending.lua). What is the program's mistake raises where it is added.

local base = require "modm.queryset.base"
local changing = require "modm.queryset.changing"
local core = require "modm.core"
local errors = require "modm.errors"
local guard = require "modm.guard"
local hooks = require "modm.hooks"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local relation = require "modm.relation"
local saving = require "modm.saving"
local sending = require "modm.bulk.sending"
local family = require "modm.relation.family"
local validation = require "modm.validation"

---@class modm.QuerySet
local QuerySet = base.QuerySet

---@class modm.BulkTask one of the operations
---@field index integer its place among them
---@field kind "insert"|"save"|"replace"|"update"|"delete"
---@field meta table of its document, or of the bulk
---@field doc modm.Document|nil
---@field conditions table|nil as the program gave them
---@field set modm.QuerySet|nil what they find
---@field update string|nil in BSON
---@field group string|nil tasks of one group go into one command; nil: nothing is sent
---@field alone fun(): any, string?, modm.Error? a task that is a command of its own

---@class modm.Bulk
---@field package _set modm.QuerySet
---@field package _tasks modm.BulkTask[]
---@field package _ordered boolean
---@field package _seen table<modm.Document, true>
---@field package _ran boolean
local Bulk = {}
Bulk.__index = Bulk
Bulk.__name = "modm.Bulk"

-- ---- collecting ----

local function add(self, task)
  if self._ran then misuse("%s: this bulk write has run", self._set._meta.name) end
  task.index = #self._tasks + 1
  self._tasks[task.index] = task
  return self
end

-- The meta of a document that is of the bulk's model, or of one that extends it.
local function meta_of(self, what, doc)
  local wanted = self._set._meta
  local own = core.meta_of(doc)
  if not family.is_within(own, wanted) then
    misuse("%s: %s takes a document of this model", wanted.name, what)
  end
  if self._seen[doc] then
    misuse("%s: %s: the document is part of this bulk write already", wanted.name, what)
  end
  self._seen[doc] = true
  return own
end

local function add_document(self, kind, doc)
  return add(self, { kind = kind, doc = doc, meta = meta_of(self, kind, doc) })
end

--- Inserts a document.
---@param doc modm.Document
---@return modm.Bulk self
function Bulk:insert(doc) return add_document(self, "insert", doc) end

--- Saves a document: inserts it, or sends what differs, as document:save() does.
---@param doc modm.Document
---@return modm.Bulk self
function Bulk:save(doc) return add_document(self, "save", doc) end

--- Stores a document as a whole, in the place of what has its key, or as a new one.
---@param doc modm.Document raises for a model with Meta.version
---@return modm.Bulk self
function Bulk:replace(doc)
  if self._set._meta.counter then
    misuse("%s: a document with a version is saved, not replaced", self._set._meta.name)
  end
  return add_document(self, "replace", doc)
end

local function narrowed(self, what, conditions)
  if type(conditions) ~= "table" then
    misuse("%s: %s takes a table of conditions", self._set._meta.name, what)
  end
  return self._set:filter(conditions)
end

--- Changes all documents that fit the conditions.
---@param conditions table as filter takes them
---@param changes modm.Changes as QuerySet:change takes them
---@param given { upsert: boolean?, array_filters: table? }|nil
---@return modm.Bulk self
function Bulk:update(conditions, changes, given)
  base.check_options("update", given, { upsert = "boolean", array_filters = "table" })
  given = given or {}
  local set = narrowed(self, "update", conditions)
  if given.upsert then set = base.step(set, { upsert = true }) end
  local update, filters, err = changing.compile(set._meta, changes, given)
  return add(self, { kind = "update", meta = set._meta, conditions = conditions, set = set,
    group = "update", upsert = given.upsert, update = update, array_filters = update and filters,
    error = err })
end

--- Deletes a document, or all that fit the conditions. Delete rules are followed, and
--- Meta.soft_delete marks; then it is a command of its own.
---@param what modm.Document|table
---@return modm.Bulk self
function Bulk:delete(what)
  if core.model_of(what) then return add_document(self, "delete", what) end
  local set = narrowed(self, "delete", what)
  return add(self, { kind = "delete", meta = set._meta, conditions = what, set = set })
end

-- ---- before it is sent ----

-- Validates a document and runs the hooks before it. Sets the event that it is.
local function prepare_document(task, force_insert)
  local doc, meta = task.doc, task.meta
  local ok, message, err = validation.run(doc, nil, false)
  if not ok then return nil, message, err end
  task.event, message, err = saving.before(doc, meta, force_insert)
  if not task.event then return nil, message, err end
  if not hooks.saves(meta) then return true end
  return validation.check(doc, nil, false)
end

local prepare = {}

function prepare.insert(task)
  task.group = "insert"
  return prepare_document(task, true)
end

-- A document with a version has to know whether it was found, so it goes alone.
function prepare.save(task)
  if task.meta.counter then
    task.alone = function() return task.doc:save() end
    return validation.check(task.doc, nil, false)
  end
  local ok, message, err = prepare_document(task, false)
  if not ok then return nil, message, err end
  if task.event == "insert" then
    task.group = core.key(task.doc) == nil and "insert" or "update"
  elseif task.event == "update" then
    task.group = "save"
  end
  return true
end

function prepare.replace(task)
  task.group = "update"
  if core.key(task.doc) == nil then
    return errors.failure(errors.new("OperationError",
      task.meta.name .. ": a document without a key replaces none"))
  end
  local ok, message, err = prepare_document(task, false)
  if task.event == "nothing" then task.event = "update" end
  return ok, message, err
end

function prepare.update(task)
  local err = task.set._how.error or task.error
  if err then return errors.failure(err) end
  return true
end

function prepare.delete(task)
  local meta, doc = task.meta, task.doc
  if doc and core.key(doc) == nil then
    return errors.failure(errors.new("OperationError",
      meta.name .. ": cannot delete a document that has no key"))
  end
  local rules = relation.has_rules(meta)
  if doc and (rules or meta.mark or meta.counter) then
    task.alone = function() return doc:delete() end
    return true
  elseif doc then
    task.set, task.group = meta.default_manager:filter { pk = core.key(doc) }, "delete"
    return hooks.run(meta, doc, "before delete")
  elseif task.set._how.error then
    return errors.failure(task.set._how.error)
  elseif rules then
    task.alone = function() return task.set:delete() end
  else
    task.group = meta.mark and "mark" or "delete"
  end
  return true
end

local function prepare_all(job)
  for _, task in ipairs(job.tasks) do
    if task.doc then guard.refuse(task.meta, task.doc, "bulk") end
    local ok, _, err = prepare[task.kind](task)
    if not ok then sending.add_failure(job, task, err) end
  end
  if #job.failures > 0 then return sending.failed(job) end
  return true
end

--- Validates all, with the hooks before each, and then sends it, with as few commands as it takes.
--- Nothing is sent when something is not valid.
---@return modm.BulkResult|nil result
---@return string? message
---@return modm.Error? err with failures, a list of modm.BulkFailure, and result: what was done
function Bulk:run()
  local set = self._set
  if self._ran then misuse("%s: this bulk write has run", set._meta.name) end
  self._ran = true
  local job = { set = set, meta = set._meta, tasks = self._tasks, ordered = self._ordered,
    failures = {}, result = { inserted = 0, matched = 0, modified = 0, deleted = 0, upserted = 0 } }
  if #job.tasks == 0 then return job.result end
  job.conn, job.database, job.collection = opening.open(set)
  if not job.conn then return nil, job.database, job.collection end
  local ok, message, err = prepare_all(job)
  if not ok then return nil, message, err end
  return sending.run(job)
end

--- Begins a bulk write: add operations by its methods, and run() it. Conditions of the queryset
--- hold for its updates and deletes.
---@param given { ordered: boolean?, session: modm.Session|false|nil }|nil ordered (true): stop at
--- the first that fails
---@return modm.Bulk
function QuerySet:bulk(given)
  base.check_options("bulk", given, { ordered = "boolean", session = "boolean|table" })
  if self._how.limit or self._how.skip > 0 then
    misuse("%s: a bulk write has no limit, skip or slice", self._meta.name)
  end
  return setmetatable({ _set = base.joined(self, given), _tasks = {}, _seen = {}, _ran = false,
    _ordered = not given or given.ordered ~= false }, Bulk)
end

return Bulk
