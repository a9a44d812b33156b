--- Inserting many documents: QuerySet:bulk_create.

local base = require "modm.queryset.base"
local core = require "modm.core"
local duplicate = require "modm.model.duplicate"
local errors = require "modm.errors"
local field_file = require "modm.field_file"
local guard = require "modm.guard"
local hooks = require "modm.hooks"
local kept = require "modm.kept"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local running = require "modm.session.running"
local saving = require "modm.saving"
local scoped = require "modm.model.scoped"
local validation = require "modm.validation"

---@class modm.QuerySet
local QuerySet = base.QuerySet

-- Bytes of documents in one operation: what memory is bounded by.
local CHUNK = 8 * 1024 * 1024

local known_options = {
  retrieve = "boolean", full_clean = "boolean", ordered = "boolean",
  bypass_document_validation = "boolean", session = "boolean|table",
}

---@class modm.InsertFailure
---@field index integer of the document in the list
---@field message string
---@field code integer|nil the server's
---@field document modm.Document
---@field errors table|nil of a document that is not valid

---@class modm.Insertion a bulk insert under way
---@field meta table
---@field documents modm.Document[]
---@field ordered boolean
---@field conn table
---@field database string
---@field collection string
---@field settings table for the driver
---@field failures modm.InsertFailure[]
---@field keys any[]|nil of the documents that were inserted, where they are wanted
---@field stored table<integer, modm.StoredFile[]> files of documents that are not inserted yet
---@field metas table<table, true> of the documents' models
---@field begun {op: userdata, last: integer}|nil the first operation, where validation has made it

-- The list of documents, and the set of their models' metas.
local function check_documents(meta, documents)
  if core.model_of(documents) then documents = { documents } end
  if type(documents) ~= "table" or documents[1] == nil then
    misuse("%s: bulk_create takes a list of documents that is not empty", meta.name)
  end
  local metas, stranger = core.check_list(meta.schema, documents)
  if stranger == 0 then
    misuse("%s: bulk_create got a list with holes or other keys", meta.name)
  elseif stranger then
    misuse("%s: bulk_create takes documents of this model; number %d is none", meta.name, stranger)
  end
  return documents, metas
end

-- The error of all failures: its text is that of the first.
local function failed(job)
  local failures, first = job.failures, job.failures[1]
  local text = ("%s: %d of %d documents were not inserted; number %d: %s"):format(job.meta.name,
    #failures, #job.documents, first.index, first.message)
  return errors.failure(errors.new(first.kind, text,
    { failures = failures, code = first.code, model = job.meta.name, key = first.key,
      value = first.value, field = first.field, fields = first.fields, values = first.values }))
end

local function add_failure(job, index, kind, message, more)
  local failure = more or {}
  failure.index, failure.kind, failure.message = index, kind, message
  failure.document = job.documents[index]
  job.failures[#job.failures + 1] = failure
end

-- Whether a test holds for a model that one of the documents is of.
local function any_model(job, test)
  for meta in pairs(job.metas) do
    if test(meta) then return true end
  end
  return false
end

-- Runs what comes before a document is inserted: validation, where it is wanted, and hooks.
local function prepare_one(doc, meta, full_clean)
  guard.refuse(meta, doc, "bulk_create")
  if not full_clean then
    core.convert(doc)
  else
    local ok, message, err = validation.run(doc, nil, false, meta)
    if not ok then return nil, message, err end
  end
  if not hooks.saves(meta) then return true end
  local ok, message, err = hooks.run(meta, doc, "before save")
  if ok then ok, message, err = hooks.run(meta, doc, "before insert") end
  if ok and full_clean then ok, message, err = validation.check(doc, nil, false) end
  core.convert(doc)
  return ok, message, err
end

-- The operation that inserts documents from `first` on, as many as go into one, and the last of
-- them.
local function make_op(job, first, validate)
  return core.bulk_insert(job.conn.client, job.database, job.collection, job.documents, first,
    CHUNK, job.settings, validate)
end

local function has_hooks(meta) return hooks.validates(meta) or hooks.saves(meta) end

-- Whether documents change once they are validated.
local function changes_later(meta) return kept.any(meta) or field_file.may_hold(meta) end

-- Validates the documents. Where nothing changes them before they are sent, and nothing is wrong,
-- those of the first operation are encoded as they are validated, while they are in the cache.
local function check_all(job)
  local first = 1
  if not any_model(job, changes_later) then
    local op, last, _, other = make_op(job, 1, true)
    job.begun = op and { op = op, last = last }
    first = op and last + 1 or other
  end
  validation.check_list(job.documents, first, function(i, message, err)
    add_failure(job, i, err.kind, message, { errors = err.errors })
  end)
end

local function prepare(job, full_clean)
  if full_clean and guard.is_idle() and not any_model(job, has_hooks) then return check_all(job) end
  for i, doc in ipairs(job.documents) do
    local meta = core.meta_of(doc)
    local ok, message, err = prepare_one(doc, meta, full_clean)
    if not ok then
      add_failure(job, i, err.kind, message, { errors = err.errors })
    end
  end
end

-- Runs the hooks after an insert of the documents from `first` to `last` that were inserted.
local function run_after(job, first, last, not_done)
  if not any_model(job, hooks.saves) then return true end
  for i = first, last do
    local doc = job.documents[i]
    local meta = core.meta_of(doc)
    if hooks.saves(meta) and not (not_done and not_done[i]) then
      local ok, message, err = hooks.run(meta, doc, "after insert")
      if ok then ok, message, err = hooks.run(meta, doc, "after save") end
      if not ok then return nil, message, err end
    end
  end
  return true
end

-- Notes that nobody knows whether the documents from `first` to `last` were inserted.
local function note_unsure(err, first, last)
  err.unsure = {}
  for i = first, last do err.unsure[#err.unsure + 1] = i end
end

-- Notes what an operation with documents from `first` to `last` says that failed. Returns the set
-- of those that were not inserted, and whether the server said which they are.
local function note_failures(job, op, err, first, last)
  local not_done, stopped = {}, nil
  for _, one in ipairs(op:write_errors()) do
    local index = first + one.index
    if one.key then
      local own = duplicate.of_write(job.meta, one)
      add_failure(job, index, own.kind, own.message, own)
    else
      local kind = one.code == err.code and err.kind or "ServerError"
      add_failure(job, index, kind, one.message, { code = one.code })
    end
    not_done[index] = true
    stopped = job.ordered and index or stopped
  end
  local told = next(not_done) ~= nil
  if not told and not saving.is_written(err) then
    stopped = first
    if not field_file.is_refused(err) then note_unsure(err, first, last) end
  end
  for i = stopped or last + 1, last do not_done[i] = true end
  return not_done, told
end

-- Stores the files of all documents.
local function store_files(job)
  if not any_model(job, field_file.may_hold) then return true end
  for i, doc in ipairs(job.documents) do
    local message, err
    job.stored[i], message, err = field_file.store(doc, job.meta)
    if not job.stored[i] then
      add_failure(job, i, err.kind, message, { code = err.code })
      return failed(job)
    end
  end
  return true
end

-- The files of documents that were inserted, or may have been, stay.
local function keep_files(job, first, last, not_done)
  if next(job.stored) == nil then return end
  for i = first, last do
    if not (not_done and not_done[i]) then job.stored[i] = nil end
  end
end

-- Inserts documents from `first` on, as many as go into one operation. Returns the last of them.
local function insert_some(job, first)
  local op, last, path, index
  if job.begun then
    op, last, job.begun = job.begun.op, job.begun.last, nil
  else
    op, last, path, index = make_op(job, first)
  end
  if not op then
    local err = saving.encoding_error(job.meta, last, path)
    add_failure(job, index, "ValidationError", err.message, { errors = err.errors })
    return failed(job)
  end
  local ok, message, err = job.conn:run(op)
  local not_done, told
  if not ok then not_done, told = note_failures(job, op, err, first, last) end
  core.bulk_inserted(job.documents, first, last, op, not_done, err and err.unsure ~= nil,
    job.keys)
  local refused = not ok and (told or field_file.is_refused(err))
  keep_files(job, first, last, refused and not_done)
  scoped.note(job.documents, first, last)
  local ran, text, failure = run_after(job, first, last, not_done)
  if not ran then return nil, text, failure end
  if not ok and not told then return nil, message, err end
  return last
end

local function insert_all(job)
  local ok, why, failure = store_files(job)
  if not ok then return nil, why, failure end
  local next_one = 1
  while next_one <= #job.documents and not (job.ordered and #job.failures > 0) do
    local last, message, err = insert_some(job, next_one)
    if not last then return nil, message, err end
    next_one = last + 1
  end
  if #job.failures > 0 then return failed(job) end
  return true
end

-- Sets the fields that modm keeps itself.
local function put_kept(job)
  for _, doc in ipairs(job.documents) do
    local meta = core.meta_of(doc)
    if kept.any(meta) then
      kept.put(doc, meta, "insert", true)
      core.convert(doc)
    end
  end
end

local function create(self, documents, metas, given)
  local job = { meta = self._meta, documents = documents, ordered = given.ordered ~= false,
    failures = {}, stored = {}, metas = metas, keys = not given.retrieve and {} or nil }
  job.settings = opening.write_settings(self)
  job.settings.ordered = job.ordered
  job.settings.bypassDocumentValidation = given.bypass_document_validation
  job.conn, job.database, job.collection = opening.open(self)
  if not job.conn then return nil, job.database, job.collection end
  prepare(job, given.full_clean ~= false)
  if #job.failures > 0 then return failed(job) end
  if any_model(job, kept.any) then put_kept(job) end
  local ok, message, err = insert_all(job)
  for _, stored in pairs(job.stored) do field_file.take_back(stored) end
  if not ok then return nil, message, err end
  return job.keys or job.documents
end

--- Inserts many documents, with the hooks of validate, save and insert: those before it of all of
--- them, then those after it of what was inserted. Returns their keys in order, or with `retrieve`
--- the instances, which have them too. When some fail, err.failures lists them.
---@param documents modm.Document[]|modm.Document
---@param given modm.BulkCreateOptions|nil full_clean (true): validate all before anything is sent;
--- ordered (true): stop at the first that fails; bypass_document_validation: of the server's schema
---@return any[]|nil keys
---@return string? message
---@return modm.Error? err with failures, a list of modm.InsertFailure
function QuerySet:bulk_create(documents, given)
  base.check_options("bulk_create", given, known_options)
  given = given or {}
  local metas
  documents, metas = check_documents(self._meta, documents)
  self = base.joined(self, given)
  return running.with(opening.session(self), create, self, documents, metas, given)
end

return QuerySet
