--- Writing one document.

local core = require "modm.core"
local duplicate = require "modm.model.duplicate"
local errors = require "modm.errors"
local field_file = require "modm.field_file"
local hooks = require "modm.hooks"
local kept = require "modm.kept"
local keys = require "modm.relation.keys"
local opening = require "modm.queryset.opening"
local probe = require "modm.probe"
local scoped = require "modm.model.scoped"
local validation = require "modm.validation"

local saving = {}

--- The error of a document that cannot be written.
---@param meta table
---@param message string
---@param path string of the value that is the reason, or ""
---@return modm.Error
function saving.encoding_error(meta, message, path)
  local where = path ~= "" and meta.name .. "." .. path or meta.name
  local tree = path ~= "" and { [path] = { message } } or {}
  return errors.new("ValidationError", where .. ": " .. message,
    { model = meta.name, errors = tree })
end

--- Whether what an error is about was written all the same.
---@param err modm.Error
---@return boolean
function saving.is_written(err) return err.kind == "WriteConcernError" end

-- document -> the operation that saves it, where others may run meanwhile
local under_way = setmetatable({}, { __mode = "k" })

-- Whether another coroutine saves the document.
local function is_under_way(doc)
  local other = under_way[doc]
  return other and other:is_under_way()
end

-- Runs the operation that saves a document; then the document is what the server has.
local function run(doc, meta, conn, op, encoding)
  local yields = conn.transport.yields
  if yields then under_way[doc] = op end
  local ok, message, err = duplicate.run(meta, conn, op)
  if yields then under_way[doc] = nil end
  local written = ok or saving.is_written(err)
  local found = written and core.saved(doc, op, encoding)
  if not ok then
    if not written and not field_file.is_refused(err) then core.unsure(doc, encoding) end
    return nil, message, err
  end
  if not found then
    return errors.failure(errors.new(meta.DoesNotExist,
      meta.name .. ": the document is no longer there, so its changes were not saved"))
  end
  op:close()
  scoped.note_one(doc, meta)
  if probe.saved then probe.saved(doc, meta) end
  return doc
end

-- Sends what has to be sent, where the guard holds on the server.
local function send(doc, meta, force_insert, guard)
  local conn, database, collection = meta:open()
  if not conn then return nil, database, collection end
  if is_under_way(doc) then
    return errors.failure(errors.new("OperationError", meta.name
      .. ": a save of this document is under way in another coroutine", { model = meta.name }))
  end
  local op, encoding, path = core.save(conn.client, doc, database, collection, force_insert,
    opening.write_options(meta), scoped.is_elsewhere(doc, meta), guard)
  if op == false then return doc, nil, nil, true end
  if not op then return errors.failure(saving.encoding_error(meta, encoding, path)) end
  return run(doc, meta, conn, op, encoding)
end

--- Whether a document's key is on the server.
---@param doc modm.Document
---@param meta table
---@param condition string|nil in BSON, that it has to fulfil there
---@return boolean|nil there, string? message, modm.Error? err
function saving.is_there(doc, meta, condition)
  local place, message, err = keys.open(meta)
  if not place then return nil, message, err end
  local filter = core.filter(meta.schema, { pk = core.key(doc) })
  if condition then filter = core.join(meta.schema, { filter, condition }) end
  local op, why = keys.find(place, filter, 1)
  if not op then return keys.failed(meta, why) end
  local found = core.keys()
  local done
  done, message, err = keys.read(place.conn, op, found, 1)
  if done == nil then return nil, message, err end
  return #found > 0
end

-- What a write that failed by its guard is: a conflict when somebody else's document is there.
local function explain(doc, meta, fresh, message, err)
  local taken = err.kind == "DuplicateKeyError" and err.key == "_id" and not fresh
  local there = taken
  if err:is(meta.DoesNotExist) then
    local why, failure
    there, why, failure = saving.is_there(doc, meta)
    if there == nil then return nil, why, failure end
  end
  if there then return errors.failure(kept.conflict(doc, meta)) end
  return nil, message, err
end

-- Sends what has to be sent, with the fields that modm keeps itself.
local function write(doc, meta, force_insert)
  if not kept.any(meta) then return send(doc, meta, force_insert) end
  local event, why, path = core.plan(doc, force_insert, scoped.is_elsewhere(doc, meta))
  if not event then return errors.failure(saving.encoding_error(meta, why, path)) end
  if event == "nothing" then return doc, nil, nil, true end
  local fresh = force_insert or core.key(doc) == nil
  local before, guard, refused = kept.put(doc, meta, event, fresh)
  if not before then return errors.failure(refused) end
  core.convert(doc)
  local ok, message, err = send(doc, meta, force_insert, guard)
  if ok then return doc end
  if not saving.is_written(err) then kept.take_back(doc, before) end
  if not guard then return nil, message, err end
  return explain(doc, meta, fresh, message, err)
end

--- Stores the files of a document that was validated, then sends what has to be sent for it, and
--- nothing when nothing differs. Files whose document is refused are deleted again.
---@param doc modm.Document
---@param meta table of its model
---@param force_insert boolean
---@return modm.Document|nil document
---@return string? message
---@return modm.Error? err DoesNotExist: it is gone; ConflictError: another save came first
---@return boolean? nothing whether nothing was sent
function saving.save(doc, meta, force_insert)
  if not field_file.may_hold(meta) then return write(doc, meta, force_insert) end
  local stored, message, err = field_file.store(doc, meta)
  if not stored then return nil, message, err end
  local saved, why, failure, nothing = write(doc, meta, force_insert)
  if not saved and field_file.is_refused(failure) then field_file.take_back(stored) end
  return saved, why, failure, nothing
end

--- Validates and inserts a new document without a key, of which each field is looked at once, where
--- neither hooks nor files nor fields that modm keeps have a part in it.
---@param doc modm.Document
---@param meta table
---@return boolean taken false: nothing was done, as it is another one or may not be valid
---@return modm.Document|nil, string?, modm.Error?
function saving.save_new(doc, meta)
  if core.is_loaded(doc) or kept.any(meta) or field_file.may_hold(meta) or is_under_way(doc) then
    return false
  end
  local conn, database, collection = meta:at_hand()
  if not conn then return false end
  local op, encoding = core.save_new(conn.client, doc, database, collection,
    opening.write_options(meta))
  if not op then return false end
  local saved, message, err = run(doc, meta, conn, op, encoding)
  if not saved then core.convert(doc) end
  return true, saved, message, err
end

--- Runs the hooks before a save.
---@param doc modm.Document validated
---@param meta table
---@param force_insert boolean
---@return string|nil event that it is besides: "insert", "update", or "nothing": nothing differs
---@return string? message
---@return modm.Error? err
function saving.before(doc, meta, force_insert)
  local ok, message, err = hooks.run(meta, doc, "before save")
  if not ok then return nil, message, err end
  core.convert(doc)
  local event, why, path = core.plan(doc, force_insert, scoped.is_elsewhere(doc, meta))
  if not event then return errors.failure(saving.encoding_error(meta, why, path)) end
  if event ~= "nothing" then ok, message, err = hooks.run(meta, doc, "before " .. event) end
  if not ok then return nil, message, err end
  return event
end

--- The same with the hooks around it. What those before it have changed is validated once more.
---@param doc modm.Document
---@param meta table
---@param given table options of save
---@param cascade boolean
---@return modm.Document|nil, string?, modm.Error?
function saving.save_with_hooks(doc, meta, given, cascade)
  local event, message, err = saving.before(doc, meta, given.force_insert or false)
  if not event then return nil, message, err end
  local ok, nothing
  if given.full_clean == false then
    core.convert(doc)
  elseif hooks.has(meta, "before save") or hooks.has(meta, "before " .. event) then
    ok, message, err = validation.check(doc, nil, cascade)
    if not ok then return nil, message, err end
  end
  ok, message, err, nothing = saving.save(doc, meta, given.force_insert or false)
  if not ok then return nil, message, err end
  if not nothing then ok, message, err = hooks.run(meta, doc, "after " .. event) end
  if ok then ok, message, err = hooks.run(meta, doc, "after save") end
  if not ok then return nil, message, err end
  return doc
end

return saving
