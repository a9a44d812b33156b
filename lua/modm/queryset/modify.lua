--- One document is changed, replaced or deleted, and comes back: find_one_and_update and its like.

local base = require "modm.queryset.base"
local changing = require "modm.queryset.changing"
local core = require "modm.core"
local duplicate = require "modm.model.duplicate"
local errors = require "modm.errors"
local hooks = require "modm.hooks"
local kept = require "modm.kept"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local relation = require "modm.relation"
local saving = require "modm.saving"
local scoped = require "modm.model.scoped"
local validation = require "modm.validation"
local writing = require "modm.queryset.writing"

local modify = {}

---@class modm.QuerySet
local QuerySet = base.QuerySet

local function failed(self, message)
  return errors.failure(errors.new("OperationError", self._meta.name .. ": " .. message))
end

-- What came back, as the queryset has its documents.
local function take(self, op, projection)
  local meta = self._meta
  local ok, doc, existed = pcall(core.modified, op, not self._how.values and meta.schema or nil,
    projection and core.encode(projection))
  if not ok then return failed(self, errors.plain(doc)) end
  if doc == nil then
    return errors.failure(errors.new(meta.DoesNotExist, meta.name .. ": there is no such document"))
  end
  if self._how.values then return doc, existed end
  scoped.note({ doc }, 1, 1)
  if not self._how.silent then
    local _, err = hooks.loaded(meta, { doc }, 0, 1)
    if err then return errors.failure(err) end
  end
  if self._how.related then
    local names = self._how.related ~= true and self._how.related or nil
    local done, message, err = relation.dereference({ doc }, names)
    if not done then return nil, message, err end
  end
  return doc, existed
end

--- Runs findAndModify for the first document of a queryset.
---@param self modm.QuerySet
---@param update string|table|nil in BSON or in the server's words; nil deletes
---@param members table of the command: new, upsert, arrayFilters
---@return modm.Document|table|nil document DoesNotExist when there is none
---@return boolean|string|nil existed whether it was there before; or the message
---@return modm.Error? err
function modify.run(self, update, members)
  if self._how.skip > 0 then
    misuse("%s: what changes one document and gives it back has no skip", self._meta.name)
  end
  local conn, database, collection = opening.open(self)
  if not conn then return nil, database, collection end
  if self._how.empty then
    return errors.failure(errors.new(self._meta.DoesNotExist,
      self._meta.name .. ": there is no such document"))
  end
  local projection = opening.projection(self)
  members.fields, members.sort = projection, self._how.order and core.ordered(self._how.order)
  members.collation, members.hint = opening.collation(self), self._how.hint
  local op, why = core.find_and_modify(conn.client, database, collection, opening.conditions(self),
    update, members, opening.write_settings(self))
  if not op then return failed(self, why) end
  local ok, message, err = duplicate.run(self._meta, conn, op)
  if not ok then return nil, message, err end
  return take(self, op, projection)
end

local function one(self, update, members)
  local doc, message, err = modify.run(self, update, members)
  if doc == nil then return nil, message, err end
  return doc
end

-- Checks options that say which state is returned. Returns them, and the queryset.
local function prepare(self, what, given, known)
  base.check_options(what, given, known)
  given = given or {}
  if given.returns ~= nil and given.returns ~= "before" and given.returns ~= "after" then
    misuse("%s: %s returns \"before\" or \"after\"", self._meta.name, what)
  end
  if given.upsert then
    if given.returns == "before" then
      misuse("%s: %s: what an upsert makes was not there before", self._meta.name, what)
    end
    writing.check_upsert(self)
    self = base.step(self, { upsert = true })
  end
  return base.joined(self, given), given
end

local update_options = { returns = "string", upsert = "boolean", array_filters = "table",
  session = "boolean|table" }

--- Changes the first document of the queryset, in its order, and gives it as it is then (or was
--- before), at once.
---@param changes modm.Changes as QuerySet:change takes them
---@param given modm.ModifyOptions|nil
---@return modm.Document|table|nil document
---@return string? message
---@return modm.Error? err DoesNotExist when there is none, ValidationError, ...
function QuerySet:find_one_and_update(changes, given)
  self, given = prepare(self, "find_one_and_update", given, update_options)
  local update, filters, err = changing.compile(self._meta, changes, given)
  if not update then return nil, filters, err end
  return one(self, update, { new = given.returns ~= "before", upsert = given.upsert,
    arrayFilters = filters })
end

local replace_options = { returns = "string", upsert = "boolean", session = "boolean|table" }

-- The document in BSON, as what replaces another.
local function replacement(self, doc)
  local meta = self._meta
  local ok, message, err = validation.run(doc, nil, false)
  if not ok then return nil, message, err end
  if kept.any(meta) then
    kept.put(doc, meta, "insert", true)
    core.convert(doc)
  end
  local bytes, _, why, path = core.encode_document(doc)
  if not bytes then return errors.failure(saving.encoding_error(meta, why, path)) end
  return bytes
end

--- Puts a document, as a whole, in the place of the first of the queryset, which keeps its key. The
--- document that is given is validated and stays as it is.
---@param doc modm.Document of the model
---@param given modm.ModifyOptions|nil without array_filters
---@return modm.Document|table|nil document as it is then, or was before
---@return string? message
---@return modm.Error? err DoesNotExist when there is none, ValidationError, ...
function QuerySet:find_one_and_replace(doc, given)
  local meta = self._meta
  self, given = prepare(self, "find_one_and_replace", given, replace_options)
  if core.model_of(doc) ~= meta.model then
    misuse("%s: find_one_and_replace takes a document of this model", meta.name)
  elseif meta.counter then
    misuse("%s: a document with a version is not replaced: find_one_and_update it", meta.name)
  end
  local bytes, message, err = replacement(self, doc)
  if not bytes then return nil, message, err end
  return one(self, bytes, { new = given.returns ~= "before", upsert = given.upsert })
end

local delete_options = { hard = "boolean", session = "boolean|table" }

--- Deletes the first document of the queryset, in its order, and gives it as it was. Of a model
--- with Meta.soft_delete it is marked, unless `hard` is set. Raises where delete rules hold for the
--- model: what refers to the document cannot follow at once.
---@param given { hard: boolean?, session: modm.Session|false|nil }|nil
---@return modm.Document|table|nil document
---@return string? message
---@return modm.Error? err DoesNotExist when there is none
function QuerySet:find_one_and_delete(given)
  local meta = self._meta
  self, given = prepare(self, "find_one_and_delete", given, delete_options)
  if relation.has_rules(meta) then
    misuse("%s: delete rules hold for it: find the document and delete() it", meta.name)
  end
  if not meta.mark or given.hard then return one(self, nil, {}) end
  return one(self, kept.marking(meta, true), { new = false })
end

return modify
