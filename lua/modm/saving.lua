--- Writing: one document, many new ones, and all that a queryset finds.

local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local options = require "modm.options"
local queryset = require "modm.queryset"
local registry = require "modm.registry"
local validation = require "modm.validation"

local saving = {}

-- Bytes of documents in one operation of a bulk insert, and keys in one $in: what memory is bounded by.
local CHUNK, KEYS = 8 * 1024 * 1024, 1000

-- Checks options of a method that may have been called through a manager.
local function check_options(what, given, known)
  local ok, message = pcall(options.check, what, given, known, 0)
  if not ok then misuse("%s", message) end
end

-- The error of a document that cannot be written.
local function encoding_error(meta, message, path)
  local where = path ~= "" and meta.name .. "." .. path or meta.name
  return errors.new("ValidationError", where .. ": " .. message,
    { model = meta.name, errors = path ~= "" and { [path] = { message } } or {} })
end

--- Sends what has to be sent for a document that was validated, and nothing when nothing differs.
---@param doc modm.Document
---@param meta table of its model
---@param force_insert boolean
---@return modm.Document|nil, string? message, modm.Error? err DoesNotExist: it is gone from the server
function saving.save(doc, meta, force_insert)
  local conn, database, collection = meta:open()
  if not conn then return nil, database, collection end
  local op, encoding, path = core.save(conn.client, doc, database, collection, force_insert,
    queryset.write_options(meta))
  if op == false then return doc end
  if not op then return errors.failure(encoding_error(meta, encoding, path)) end
  local ok, message, err = conn:run(op)
  if not ok then return nil, message, err end
  if not core.saved(doc, op, encoding) then
    return errors.failure(errors.new(meta.DoesNotExist,
      meta.name .. ": the document is no longer there, so its changes were not saved"))
  end
  return doc
end

-- ---- many new ones ----

local bulk_options = { retrieve = "boolean", full_clean = "boolean", ordered = "boolean" }

local function failed(name, failures, total)
  local first = failures[1]
  return errors.new(first.kind or "ServerError",
    ("%s: %d of %d documents were not inserted; number %d: %s"):format(name, #failures, total, first.index,
      first.message), { failures = failures, code = first.code, model = name })
end

local function validate_all(documents, given)
  local failures = {}
  for i, doc in ipairs(documents) do
    if given.full_clean == false then
      core.convert(doc)
    else
      local ok, message, err = validation.run(doc, nil, false)
      if not ok then
        failures[#failures + 1] = { index = i, message = message, document = doc, errors = err.errors,
          kind = "ValidationError" }
      end
    end
  end
  return failures
end

-- Marks in `not_done` the documents of one operation that were not inserted, and lists those that failed.
local function note_failures(chunk, err, failures, not_done)
  local reply = chunk.op:reply()
  local write_errors = reply and reply.writeErrors or {}
  for _, one in ipairs(write_errors) do
    local index = chunk.first + one.index
    failures[#failures + 1] = { index = index, message = one.errmsg, code = one.code,
      document = chunk.documents[index], kind = one.code == err.code and err.kind or "ServerError" }
    not_done[index] = true
  end
  local stopped = chunk.ordered and write_errors[1] and chunk.first + write_errors[1].index
  if not write_errors[1] and not (reply and reply.n and reply.n > 0) then stopped = chunk.first end
  for i = stopped or chunk.last + 1, chunk.last do not_done[i] = true end
  return #write_errors > 0
end

-- Inserts a chunk of the list from `first` on. Returns the number of the last that it took.
local function insert_chunk(documents, first, target, failures, ordered)
  local settings = queryset.write_options(target.meta) or {}
  settings.ordered = ordered
  local op, last, path, index = core.bulk_insert(target.conn.client, target.database, target.collection, documents,
    first, CHUNK, settings)
  if not op then
    local err = encoding_error(target.meta, last, path)
    return nil, failed(target.meta.name, { { index = index, message = err.message, document = documents[index],
      kind = "ValidationError" } }, #documents)
  end
  local ok, _, err = target.conn:run(op)
  local not_done
  if not ok then
    not_done = {}
    local chunk = { op = op, first = first, last = last, documents = documents, ordered = ordered }
    if not note_failures(chunk, err, failures, not_done) then
      core.bulk_inserted(documents, first, last, op, not_done)
      return nil, err
    end
  end
  core.bulk_inserted(documents, first, last, op, not_done)
  return last
end

local function check_list(set, documents)
  local meta = set._meta
  if core.model_of(documents) then documents = { documents } end
  if type(documents) ~= "table" or documents[1] == nil then
    misuse("%s: bulk_create takes a list of documents that is not empty", meta.name)
  end
  local n = 0
  for _ in pairs(documents) do n = n + 1 end
  if n ~= #documents then misuse("%s: bulk_create got a list with holes or other keys", meta.name) end
  for i, doc in ipairs(documents) do
    if not queryset.is_instance(doc, meta) then
      misuse("%s: bulk_create takes documents of this model; number %d is none", meta.name, i)
    end
  end
  return documents
end

--- See QuerySet:bulk_create.
function saving.bulk_create(set, documents, given)
  check_options("bulk_create", given, bulk_options)
  given = given or {}
  documents = check_list(set, documents)
  local meta = set._meta
  local conn, database, collection = queryset.open(set)
  if not conn then return nil, database, collection end
  local failures = validate_all(documents, given)
  if #failures > 0 then return errors.failure(failed(meta.name, failures, #documents)) end
  local target = { meta = meta, conn = conn, database = database, collection = collection }
  local ordered, first = given.ordered ~= false, 1
  while first <= #documents do
    local last, err = insert_chunk(documents, first, target, failures, ordered)
    if not last then return errors.failure(err) end
    if ordered and #failures > 0 then break end
    first = last + 1
  end
  if #failures > 0 then return errors.failure(failed(meta.name, failures, #documents)) end
  if given.retrieve then return documents end
  local keys = {}
  for i, doc in ipairs(documents) do keys[i] = core.key(doc) end
  return keys
end

-- ---- update and delete ----

local function refuse_everything(set, what)
  if #set._parts == 0 and not set._all and not set._error then
    misuse("%s: %s without a condition would take all documents: say all():%s", set._meta.name, what,
      what == "delete" and "delete()" or "update(...)")
  end
end

-- The filters of a write: one of all conditions, or where limit or skip narrow them, the keys of what is found in
-- bounded lists. All keys are there before the first write, which may move what is found.
local function targets(set)
  if set._skip == 0 and not set._limit then return { queryset.conditions(set) } end
  local keys = set:values():project { _id = 1 }
  local source, message, err = queryset.source(keys)
  if not source then return nil, message, err end
  local filters = {}
  while true do
    local filter, done = core.ids(source.op, KEYS)
    if filter then
      local parts = { filter }
      for i, part in ipairs(set._parts) do parts[i + 1] = part end
      filters[#filters + 1] = core.join(set._meta.schema, parts)
    elseif done then
      return filters
    else
      local ok, why, failure = source.conn:run(source.op)
      if not ok then return nil, why, failure end
    end
  end
end

-- Runs one write for each filter. `make(conn, database, collection, filter)` gives the operation. Returns the sums.
local function write(set, make)
  local conn, database, collection = queryset.open(set)
  if not conn then return nil, database, collection end
  if set._empty then return 0, 0 end
  local filters, message, err = targets(set)
  if not filters then return nil, message, err end
  local found, modified = 0, 0
  for _, filter in ipairs(filters) do
    local op, why = make(conn.client, database, collection, filter)
    if not op then
      return errors.failure(errors.new("OperationError", set._meta.name .. ": " .. why))
    end
    local ok, text, failure = conn:run(op)
    if not ok then return nil, text, failure end
    local n, changed = core.write_result(op)
    found, modified = found + n, modified + changed
  end
  return found, modified
end

--- Deletes what a queryset finds, without a look at delete rules. Class, limit, skip and order are honoured.
---@param set modm.QuerySet
---@return integer|nil deleted, string? message, modm.Error? err
function saving.delete_plain(set)
  local settings = queryset.write_options(set._meta)
  local statement = { collation = set._collation or set._meta.collation, hint = set._hint }
  local n, message, err = write(set, function(client, database, collection, filter)
    return core.delete(client, database, collection, filter, statement, settings)
  end)
  if not n then return nil, message, err end
  return n
end

--- See QuerySet:delete.
function saving.delete(set)
  refuse_everything(set, "delete")
  local relation = require "modm.relation"
  if relation.has_rules(set._meta) then return relation.delete(set) end
  return saving.delete_plain(set)
end

local update_options = { upsert = "boolean", array_filters = "table" }

local function check_update(set, update, upsert)
  if type(update) ~= "table" or next(update) == nil then
    misuse("%s: update takes a table of operators, { [\"$set\"] = {...} }", set._meta.name)
  end
  if update[1] ~= nil then
    if upsert and core.class_name(set._meta.schema) then
      misuse("%s: an upsert cannot be a pipeline, since it has to set _cls", set._meta.name)
    end
    return
  end
  for key in pairs(update) do
    if type(key) ~= "string" or key:sub(1, 1) ~= "$" then
      misuse("%s: '%s' is no operator: update takes { [\"$set\"] = {...} }", set._meta.name, tostring(key))
    end
  end
end

-- The update with the class that an upsert has to set, in a copy.
local function with_class(set, update)
  local name = core.class_name(set._meta.schema)
  if not name then return update end
  local copy, insert = {}, {}
  for key, value in pairs(update) do copy[key] = value end
  for key, value in pairs(update["$setOnInsert"] or {}) do insert[key] = value end
  insert._cls = name
  copy["$setOnInsert"] = insert
  return copy
end

--- See QuerySet:update.
function saving.update(set, update, given)
  check_options("update", given, update_options)
  given = given or {}
  check_update(set, update, given.upsert)
  refuse_everything(set, "update")
  if given.upsert and (set._limit or set._skip > 0) then
    misuse("%s: an upsert has no limit, skip or slice", set._meta.name)
  end
  if given.upsert then update = with_class(set, update) end
  local settings = queryset.write_options(set._meta)
  local statement = {
    multi = true, upsert = given.upsert or nil, collation = set._collation or set._meta.collation,
    hint = set._hint, arrayFilters = given.array_filters and core.array(given.array_filters) or nil,
  }
  local _, modified, err = write(set, function(client, database, collection, filter)
    return core.update(client, database, collection, filter, update, statement, settings)
  end)
  if err then return nil, modified, err end
  return modified
end

return saving
