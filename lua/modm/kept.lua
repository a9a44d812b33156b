--- Fields that modm keeps itself: the times of Meta.timestamps, the counter of Meta.version, by
--- which a save notices that another one came first, and the mark of Meta.soft_delete.

local core = require "modm.core"
local errors = require "modm.errors"
local fields = require "modm.fields".fields
local invalid = require "modm.model.invalid"

local kept = {}

-- ---- definition ----

-- { created = name or nil, updated = name or nil } of Meta.timestamps.
local function stamps_of(name, given)
  if given == true then return { created = "created_at", updated = "updated_at" } end
  for key, field in pairs(given) do
    if (key ~= "created" and key ~= "updated") or type(field) ~= "string" then
      invalid("%s.Meta: timestamps is true, or { created = name, updated = name }", name)
    end
  end
  return { created = given.created, updated = given.updated }
end

-- Makes sure that there is a field of one of the kinds; the first is made where there is none.
local function declare(meta, parts, base, name, kinds)
  local field = parts.fields[name] or base and base.fields[name]
  if not field then
    parts.fields[name] = fields[kinds[1]] {}
    return
  end
  for _, kind in ipairs(kinds) do
    if field.kind == kind then return end
  end
  invalid("%s.%s: modm keeps this field, so it must be a %s, not a %s", meta.name, name,
    kinds[1], field.kind)
end

--- Adds the fields that Meta asks for to those of a definition.
---@param meta table
---@param parts table of the definition
---@param base table|nil the parent's meta
function kept.define(meta, parts, base)
  local shared = base and base.collection_name == meta.collection_name
  for _, option in ipairs { "timestamps", "version", "soft_delete" } do
    if parts.meta[option] ~= nil and (meta.embedded or shared) then
      invalid("%s.Meta: %s is for %s", meta.name, option, meta.embedded
        and "models with a collection" or "the first model of a collection: " .. base.name)
    end
  end
  if meta.embedded then return end
  if meta.timestamps then
    meta.stamps = stamps_of(meta.name, meta.timestamps)
    for _, name in pairs(meta.stamps) do declare(meta, parts, base, name, { "DateTimeField" }) end
  end
  if meta.version then
    meta.counter = meta.version == true and "version" or meta.version
    declare(meta, parts, base, meta.counter, { "IntegerField", "BigIntegerField" })
  end
  if meta.soft_delete then
    meta.mark = meta.soft_delete == true and "deleted_at" or meta.soft_delete
    declare(meta, parts, base, meta.mark, { "DateTimeField" })
  end
end

--- Whether modm keeps any field of a model that each write sets.
---@param meta table
---@return boolean
function kept.any(meta) return (meta.stamps or meta.counter) ~= nil end

-- ---- documents ----

-- Assigns a value, and remembers what was there.
local function put(doc, before, name, value)
  before[#before + 1] = { name, doc[name] }
  doc[name] = value
end

--- The counter of a document as it was read, or as the program has set it, which is what its next
--- save expects on the server.
---@param doc modm.Document
---@param meta table
---@return any version nil when it has none
---@return modm.Error? err it was not loaded
function kept.version(doc, meta)
  local ok, version = pcall(function() return doc[meta.counter] end)
  if ok then return version end
  return nil, errors.new("OperationError",
    ("%s.%s was not loaded, so a change cannot be checked by it"):format(meta.name, meta.counter))
end

--- The condition that the counter is still as expected, in BSON.
---@param meta table
---@param version any
---@return string
function kept.guard(meta, version)
  if version == nil then version = core.null end
  return core.encode { [meta.stored_names[meta.counter]] = version }
end

--- The condition that it no longer is, in BSON.
---@param meta table
---@param version any
---@return string
function kept.moved(meta, version)
  if version == nil then version = core.null end
  return core.encode { [meta.stored_names[meta.counter]] = { ["$ne"] = version } }
end

-- Before a document is stored as a whole. `fresh`: under a key that cannot be there yet.
local function put_new(doc, meta, before, fresh)
  local now, version = core.DateTime.now(), nil
  for _, name in pairs(meta.stamps or {}) do
    if doc[name] == nil then put(doc, before, name, now) end
  end
  if not meta.counter then return nil end
  if not fresh and not core.is_loaded(doc) then version = doc[meta.counter] end
  put(doc, before, meta.counter, (version or 0) + 1)
  return kept.guard(meta, version)
end

--- Sets the kept fields of a document that will be sent.
---@param doc modm.Document
---@param meta table
---@param event string "insert" or "update", as core.plan has it
---@param fresh boolean whether it is inserted and replaces nothing
---@return table|nil before what kept.take_back needs
---@return string|nil guard what must hold on the server
---@return modm.Error? err
function kept.put(doc, meta, event, fresh)
  local before = {}
  if event == "insert" then return before, put_new(doc, meta, before, fresh) end
  local guard
  if meta.counter then
    local version, err = kept.version(doc, meta)
    if err then return nil, nil, err end
    guard = kept.guard(meta, version)
    put(doc, before, meta.counter, (version or 0) + 1)
  end
  local updated = meta.stamps and meta.stamps.updated
  if updated then doc[updated] = core.DateTime.now() end
  return before, guard
end

--- Undoes kept.put, after a write that failed.
---@param doc modm.Document
---@param before table
function kept.take_back(doc, before)
  for _, one in ipairs(before) do doc[one[1]] = one[2] end
end

--- The error of a document whose counter is no longer as expected.
---@param doc modm.Document
---@param meta table
---@return modm.Error
function kept.conflict(doc, meta)
  local version = kept.version(doc, meta)
  return errors.new("ConflictError",
    ("%s.%s: another change came first, the document is no longer at %s"):format(meta.name,
      meta.counter, version == nil and "what was read" or tostring(version)),
    { model = meta.name, document = doc, version = version })
end

-- ---- updates ----

-- The names of stored fields that an update already sets in some way.
local function touched_by(update)
  local touched = {}
  for _, changes in pairs(update) do
    for path in pairs(type(changes) == "table" and changes or {}) do
      if type(path) == "string" then touched[path:match "^[^.]*"] = true end
    end
  end
  return touched
end

-- A pipeline with one stage more.
local function pipeline(update, updated, counter)
  local stages, set = {}, {}
  for i, stage in ipairs(update) do stages[i] = stage end
  if updated then set[updated] = core.DateTime.now() end
  if counter then
    set[counter] = { ["$add"] = { { ["$ifNull"] = { "$" .. counter, 0 } }, 1 } }
  end
  stages[#stages + 1] = { ["$set"] = set }
  return next(set) and stages or update
end

--- An update of many documents, with what it has to do to the kept fields. What it does to them
--- itself stays.
---@param meta table
---@param update table operators, or stages
---@param upsert boolean
---@return table
function kept.in_update(meta, update, upsert)
  if not kept.any(meta) then return update end
  local names, stamps = meta.stored_names, meta.stamps or {}
  local updated = stamps.updated and names[stamps.updated]
  local created = stamps.created and names[stamps.created]
  local counter = meta.counter and names[meta.counter]
  if update[1] ~= nil then return pipeline(update, updated, counter) end
  local touched, copy = touched_by(update), {}
  for operator, changes in pairs(update) do copy[operator] = changes end
  local function add(operator, name, value)
    if not name or touched[name] then return end
    local changes = {}
    for path, change in pairs(copy[operator] or {}) do changes[path] = change end
    changes[name] = value
    copy[operator] = changes
  end
  add("$set", updated, core.DateTime.now())
  add("$inc", counter, 1)
  if upsert then add("$setOnInsert", created, core.DateTime.now()) end
  return copy
end

--- The same for changes in the model's words.
---@param meta table
---@param changes table operator -> { name = value } or names
---@param upsert boolean
---@return table
function kept.in_changes(meta, changes, upsert)
  if not kept.any(meta) then return changes end
  local touched, copy, stamps = kept.touched(meta, changes), {}, meta.stamps or {}
  for operator, given in pairs(changes) do copy[operator] = given end
  local function add(operator, name, value)
    if not name or touched[meta.stored_names[name]] then return end
    local all = { [name] = value }
    for path, change in pairs(copy[operator] or {}) do all[path] = change end
    copy[operator] = all
  end
  add("set", stamps.updated, core.DateTime.now())
  add("inc", meta.counter, 1)
  if upsert then add("set_on_insert", stamps.created, core.DateTime.now()) end
  return copy
end

--- The fields at the top that changes in the model's words are about.
---@param meta table
---@param changes table
---@return table<string, string> stored name -> name
function kept.touched(meta, changes)
  local touched = {}
  local function touch(path)
    if type(path) ~= "string" then return end
    local name = path:match "^[^.]*"
    touched[meta.stored_names[name] or name] = name
  end
  for operator, given in pairs(changes) do
    for path, value in pairs(type(given) == "table" and given or {}) do
      touch(type(path) == "number" and value or path)
      if operator == "rename" then touch(value) end
    end
  end
  return touched
end

-- ---- marks ----

--- The condition that a document is, or is not, marked as deleted, in BSON.
---@param meta table of a model with Meta.soft_delete
---@param marked boolean
---@param upsert boolean|nil as a condition of an upsert, which would store what it must equal
---@return string
function kept.marked(meta, marked, upsert)
  local value = upsert and { ["$not"] = { ["$type"] = "date" } } or core.null
  if marked then value = { ["$ne"] = core.null } end
  return core.encode { [meta.stored_names[meta.mark]] = value }
end

--- The update that marks documents, or takes the mark away.
---@param meta table
---@param marked boolean
---@return table
function kept.marking(meta, marked)
  local name = meta.stored_names[meta.mark]
  local update = marked and { ["$set"] = { [name] = core.DateTime.now() } }
    or { ["$unset"] = { [name] = "" } }
  return kept.in_update(meta, update, false)
end

return kept
