--- Sends the operations of a bulk write, in groups that go into one command, and tells what came of
--- each.

local core = require "modm.core"
local duplicate = require "modm.model.duplicate"
local errors = require "modm.errors"
local field_file = require "modm.field_file"
local gone = require "modm.bulk.gone"
local hooks = require "modm.hooks"
local kept = require "modm.kept"
local opening = require "modm.queryset.opening"
local saving = require "modm.saving"
local scoped = require "modm.model.scoped"

local sending = {}

-- What goes into one command: bytes, which bounds memory, and statements, the server's limit.
local BYTES, STATEMENTS = 8 * 1024 * 1024, 100000

---@class modm.BulkJob
---@field set modm.QuerySet
---@field meta table
---@field tasks modm.BulkTask[]
---@field ordered boolean
---@field conn modm.Connection
---@field database string
---@field collection string
---@field failures modm.BulkFailure[]
---@field error modm.Error|nil of the first of them that was noted
---@field result modm.BulkResult

-- ---- failures ----

--- Notes that a task failed.
---@param job modm.BulkJob
---@param task modm.BulkTask
---@param err modm.Error
function sending.add_failure(job, task, err)
  local failure = {}
  for key, value in pairs(err) do failure[key] = value end
  failure.index, failure.operation = task.index, task.kind
  failure.document, failure.conditions = task.doc, task.conditions
  job.failures[#job.failures + 1] = failure
  task.failed, task.done = err, nil
  job.error = job.error or err
end

--- The error of a bulk write of which something failed: that of the first.
---@param job modm.BulkJob
---@return nil, string message, modm.Error err
function sending.failed(job)
  table.sort(job.failures, function(a, b) return a.index < b.index end)
  local first = job.failures[1]
  local text = ("%s: %d of %d operations failed; number %d (%s): %s"):format(job.meta.name,
    #job.failures, #job.tasks, first.index, first.operation, first.message)
  return errors.failure(errors.new(first.kind, text, { failures = job.failures,
    result = job.result, model = job.meta.name, code = first.code, key = first.key,
    value = first.value, field = first.field, fields = first.fields, values = first.values }))
end

-- Takes back what tasks that were not done have changed of their documents.
local function take_back(job, err)
  for _, task in ipairs(job.tasks) do
    if not task.done and task.before then kept.take_back(task.doc, task.before) end
    local why = task.failed or err or job.error
    if not task.done and task.stored and field_file.is_refused(why) then
      field_file.take_back(task.stored)
    end
  end
end

-- Runs the hooks after a task that was done.
local function run_after(task)
  local doc, meta = task.doc, task.meta
  if not doc then return true end
  if task.kind == "delete" then return hooks.run(meta, doc, "after delete") end
  scoped.note({ doc }, 1, 1)
  local ok, message, err = hooks.run(meta, doc, "after " .. task.event)
  if ok then ok, message, err = hooks.run(meta, doc, "after save") end
  return ok, message, err
end

-- Notes which tasks of a chunk the server says have failed. Returns whether it said so of any.
local function note_failures(job, chunk, op, err)
  local told = op:write_errors()
  for _, one in ipairs(told) do
    local task = chunk[one.index + 1]
    if one.key then
      sending.add_failure(job, task, duplicate.of_write(task.meta, one))
    else
      local kind = one.code == err.code and err.kind or "ServerError"
      sending.add_failure(job, task, errors.new(kind, one.message, { code = one.code }))
    end
  end
  return #told > 0
end

-- ---- statements ----

-- The statement of a save or replacement, in BSON. False: nothing differs.
local function document_statement(job, task)
  local doc, meta = task.doc, task.meta
  local replaces = task.kind == "replace"
  if kept.any(meta) then
    local event = replaces and core.is_loaded(doc) and "update" or task.event
    task.before = kept.put(doc, meta, event, false)
    core.convert(doc)
  end
  local op, encoding, path = core.save(job.conn.client, doc, job.database, job.collection, false,
    nil, replaces or scoped.is_elsewhere(doc, meta))
  if op == false then return false end
  if not op then return nil, saving.encoding_error(meta, encoding, path) end
  task.encoding = encoding
  return core.statement(op)
end

-- That of an update or a delete by conditions.
local function conditions_statement(job, task)
  local set = task.set
  local filter = opening.conditions(set)
  local statement = { collation = opening.collation(set), hint = set._how.hint }
  local op, why
  if task.group == "delete" then
    op, why = core.delete(job.conn.client, job.database, job.collection, filter, statement)
  else
    statement.multi, statement.upsert, statement.arrayFilters = true, task.upsert,
      task.array_filters
    op, why = core.update(job.conn.client, job.database, job.collection, filter,
      task.update or kept.marking(task.meta, true), statement)
  end
  if not op then return nil, errors.new("OperationError", job.meta.name .. ": " .. why) end
  return core.statement(op)
end

-- Takes tasks from `first` on into a chunk, until it is large enough. Returns it, their statements
-- and the next one.
local function next_chunk(job, tasks, first)
  local chunk, statements, bytes = {}, {}, 0
  for i = first, #tasks do
    if bytes >= BYTES or #chunk >= STATEMENTS then return chunk, statements, i end
    local task = tasks[i]
    local make = task.set and conditions_statement or document_statement
    local statement, err = make(job, task)
    if statement then
      chunk[#chunk + 1], statements[#statements + 1] = task, statement
      bytes = bytes + #statement
    elseif statement == nil then
      sending.add_failure(job, task, err)
      if job.ordered then break end
    else
      task.done = true
    end
  end
  return chunk, statements, #tasks + 1
end

-- Adds what a command says that it did.
local function count(job, group, op)
  local reply, result = op:reply() or {}, job.result
  local n, upserted = reply.n or 0, reply.upserted and #reply.upserted or 0
  if group == "insert" then
    result.inserted = result.inserted + n
  elseif group == "delete" or group == "mark" then
    result.deleted = result.deleted + n
  else
    result.matched, result.upserted = result.matched + n - upserted, result.upserted + upserted
    result.modified = result.modified + (reply.nModified or 0)
  end
end

-- Notes that nobody knows whether a task was done.
local function note_unsure(err, task)
  err.unsure = err.unsure or {}
  err.unsure[#err.unsure + 1] = task.index
  if task.encoding then core.unsure(task.doc, task.encoding) end
end

-- Runs an operation with a chunk of tasks. Returns those that were done; or nil, and them at the
-- end.
local function run_chunk(job, group, chunk, op)
  local ok, message, err = job.conn:run(op)
  local told = not ok and note_failures(job, chunk, op, err)
  count(job, group, op)
  local done = {}
  local written = ok or saving.is_written(err)
  local unsure = not written and not told and not field_file.is_refused(err)
  local stopped = not written and not told
  for _, task in ipairs(chunk) do
    stopped = stopped or (job.ordered and task.failed)
    if not stopped and not task.failed then done[#done + 1] = task end
    if unsure then note_unsure(err, task) end
  end
  for _, task in ipairs(done) do task.done = true end
  if not ok and not told then return nil, message, err, done end
  return done
end

local function finish(tasks)
  for _, task in ipairs(tasks) do
    local ok, message, err = run_after(task)
    if not ok then return nil, message, err end
  end
  return true
end

-- Settles documents that were stored by statements.
local function settle(job, group, op, done)
  if group == "save" and #done > (op:reply() and op:reply().n or 0) then
    local tasks, message, err = gone.of(job, done)
    if not tasks then return nil, message, err end
    for _, task in ipairs(tasks) do
      sending.add_failure(job, task, errors.new(task.meta.DoesNotExist, task.meta.name
        .. ": the document is no longer there, so its changes were not saved"))
    end
  end
  local good = {}
  for _, task in ipairs(done) do
    if task.done then
      if task.encoding then core.saved(task.doc, op, task.encoding) end
      good[#good + 1] = task
    end
    task.encoding = nil
  end
  return finish(good)
end

local function send_statements(job, group, tasks)
  local first = 1
  while first <= #tasks and not (job.ordered and #job.failures > 0) do
    local chunk, statements
    chunk, statements, first = next_chunk(job, tasks, first)
    if #chunk > 0 then
      local op, why = core.statements(job.conn.client, job.database, job.collection,
        group == "delete" and "delete" or "update", statements, job.ordered,
        opening.write_settings(job.set))
      if not op then return errors.failure(errors.new("OperationError", why)) end
      local done, message, err, known = run_chunk(job, group, chunk, op)
      local ok, text, failure = settle(job, group, op, done or known)
      if not done then return nil, message, err end
      if not ok then return nil, text, failure end
    end
  end
  return true
end

-- ---- inserts ----

-- Makes an operation of the documents from `first` on. One that cannot be written leaves the lists.
local function insert_op(job, tasks, docs, first)
  local settings = opening.write_settings(job.set)
  settings.ordered = job.ordered
  while first <= #docs do
    local op, last, path, index = core.bulk_insert(job.conn.client, job.database, job.collection,
      docs, first, BYTES, settings)
    if op then return op, last end
    local task = tasks[index]
    sending.add_failure(job, task, saving.encoding_error(task.meta, last, path))
    table.remove(tasks, index)
    table.remove(docs, index)
    while job.ordered and #docs >= index do docs[#docs] = nil end
  end
end

local function send_inserts(job, tasks)
  local docs, first = {}, 1
  for i, task in ipairs(tasks) do
    docs[i] = task.doc
    if kept.any(task.meta) then
      task.before = kept.put(task.doc, task.meta, "insert", true)
      core.convert(task.doc)
    end
  end
  while first <= #docs do
    local op, last = insert_op(job, tasks, docs, first)
    if not op then return true end
    local chunk, not_done = {}, {}
    for i = first, last do chunk[#chunk + 1], not_done[i] = tasks[i], true end
    local done, message, err, known = run_chunk(job, "insert", chunk, op)
    local set = {}
    for _, task in ipairs(done or known) do set[task] = true end
    for i = first, last do not_done[i] = not set[tasks[i]] end
    core.bulk_inserted(docs, first, last, op, not_done, err and err.unsure ~= nil)
    local ok, text, failure = finish(done or known)
    if not done then return nil, message, err end
    if not ok then return nil, text, failure end
    first = last + 1
    if job.ordered and #job.failures > 0 then break end
  end
  return true
end

-- ---- all of it ----

-- A task that is a command of its own.
local function send_alone(job, task)
  local result, event = job.result, nil
  if task.kind == "save" then
    event = core.plan(task.doc, false, scoped.is_elsewhere(task.doc, task.meta))
  end
  local done, _, err = task.alone()
  task.done = true
  if not done then
    sending.add_failure(job, task, err)
  elseif task.kind == "delete" then
    result.deleted = result.deleted + (task.doc and 1 or done)
  elseif event == "insert" then
    result.inserted = result.inserted + 1
  elseif event == "update" then
    result.matched, result.modified = result.matched + 1, result.modified + 1
  end
  return true
end

local order = { insert = 1, save = 2, update = 3, mark = 4, delete = 5, alone = 6 }

-- The tasks that send something, in lists of one group. Where the order is free, all of a group.
local function groups_of(job)
  local list = {}
  for _, task in ipairs(job.tasks) do
    if task.alone then task.group = "alone" end
    if task.group then list[#list + 1] = task end
  end
  if not job.ordered then
    table.sort(list, function(a, b)
      local x, y = order[a.group], order[b.group]
      if x ~= y then return x < y end
      return a.index < b.index
    end)
  end
  local groups = {}
  for _, task in ipairs(list) do
    local last = groups[#groups]
    if not last or last.group ~= task.group or task.alone then
      last = { group = task.group }
      groups[#groups + 1] = last
    end
    last[#last + 1] = task
  end
  return groups
end

-- Stores the files of all documents that will be sent.
local function store_files(job)
  for _, task in ipairs(job.tasks) do
    local message, err
    if task.event and task.group then
      task.stored, message, err = field_file.store(task.doc, task.meta)
      if not task.stored then
        sending.add_failure(job, task, err or errors.new("OperationError", message))
        return nil
      end
    end
  end
  return true
end

local function send(job, group)
  if group.group == "alone" then return send_alone(job, group[1]) end
  if group.group == "insert" then return send_inserts(job, group) end
  return send_statements(job, group.group, group)
end

--- Sends the tasks of a bulk write.
---@param job modm.BulkJob
---@return modm.BulkResult|nil result
---@return string? message
---@return modm.Error? err
function sending.run(job)
  local ok, message, err = true, nil, nil
  for _, group in ipairs(store_files(job) and groups_of(job) or {}) do
    if job.ordered and #job.failures > 0 then break end
    ok, message, err = send(job, group)
    if not ok then break end
  end
  take_back(job, err)
  if not ok then
    err.result, err.failures = job.result, job.failures
    return nil, message, err
  end
  if #job.failures > 0 then return sending.failed(job) end
  return job.result
end

return sending
