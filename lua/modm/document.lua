--- The methods of documents, and reading a field where Lua has a part: function defaults,
--- references.

local unpack = table.unpack or unpack -- luacheck: ignore

local base = require "modm.queryset.base"
local core = require "modm.core"
local errors = require "modm.errors"
local field = require "modm.fields".internal
local field_file = require "modm.field_file"
local guard = require "modm.guard"
local hooks = require "modm.hooks"
local limits = require "modm.limits"
local misuse = require "modm.misuse"
local options = require "modm.options"
local relation = require "modm.relation"
local removing = require "modm.removing"
local running = require "modm.session.running"
local saving = require "modm.saving"
local scope = require "modm.scope"
local scoped = require "modm.model.scoped"
local session = require "modm.session"
local validation = require "modm.validation"

local document = { methods = {}, embedded_methods = {} }

-- What core's read says that a value still needs; the numbers of modm_need in codec.h.
local NEED_DEFAULT, NEED_REFERENCE, NEED_REFERENCES, NEED_FILE = 1, 2, 3, 4

-- The __index of a model whose reads may run Lua: no C frame stands below a default or a fetch.
local function wrap(read)
  return function(doc, name)
    local value, need = read(doc, name)
    if need == NEED_DEFAULT then
      core.set_default(doc, name, core.default(doc, name)())
      value, need = read(doc, name)
    end
    if not need then
      return value
    elseif need == NEED_REFERENCE then
      return relation.fetch(doc, name, value)
    elseif need == NEED_REFERENCES then
      return relation.fetch_list(doc, name, value)
    elseif need == NEED_FILE then
      return field_file.of(doc, name, value)
    end
  end
end

-- Kinds whose values are fetched.
local fetched = { ReferenceField = true, FileField = true, ImageField = true }

--- The function that makes the __index of a model with these fields, or nil when C can do it alone.
function document.wrap_for(list)
  for _, item in ipairs(list) do
    if type(item.options.default) == "function" then return wrap end
    if fetched[field.innermost(item).kind] then return wrap end
  end
end

-- The meta of the document that a method was called on.
local function meta_of(doc, method)
  local meta = core.meta_of(doc)
  if not meta then
    misuse("%s is called on a document, with a colon, not on a %s", method, type(doc))
  end
  return meta
end

-- The same for a method that needs the server.
local function meta_with_collection(doc, method)
  local meta = core.meta_of(doc) or meta_of(doc, method)
  if meta.embedded then misuse("%s: an embedded document has no %s", meta.name, method) end
  return meta
end

local both = {}

--- Validates all fields, then calls the model's own clean.
---@param exclude string[]|nil names of fields to leave out
---@return true|nil, string? message, modm.Error? err a ValidationError with err.errors
function both:full_clean(exclude)
  local meta = core.meta_of(self) or meta_of(self, "full_clean")
  return validation.run(self, exclude, false, meta)
end

---@param exclude string[]|nil
---@return boolean
function both:is_valid(exclude)
  return (validation.run(self, exclude, false, meta_of(self, "is_valid"))) == true
end

--- The document as it would be stored: a table under stored names, in order.
---@return table|nil, string?, modm.Error?
function both:to_son()
  meta_of(self, "to_son")
  core.convert(self)
  local bytes, _, message, path = core.encode_document(self)
  if bytes then return core.decode(bytes) end
  local meta = core.meta_of(self)
  return errors.failure(saving.encoding_error(meta, message, path))
end

--- The key that a reference holds (a list of them for a list), without a query.
---@param name string
function both:id_of(name)
  meta_of(self, "id_of")
  local ok, key = pcall(core.id_of, self, name)
  if not ok then misuse("%s", key) end
  return key
end

-- What `pairs` iterates with; reading may wait, so no C frame stands below.
local function next_field(doc, name)
  name = core.document_next(doc, name)
  if name == nil then return nil end
  return name, doc[name]
end

--- Iterates over the names and values of the fields that are set.
function both:pairs()
  meta_of(self, "pairs")
  return next_field, self, nil
end

for name, method in pairs(both) do
  document.methods[name], document.embedded_methods[name] = method, method
end

local methods = document.methods

local save_options = { cascade = "boolean", full_clean = "boolean", force_insert = "boolean",
  session = "boolean|table", timeout_ms = "number" }

-- In the running coroutine: documents whose references are being saved before them.
local under_way = scope.new()

--- Methods whose names fields may have: name -> method.
document.hidable = { related = require "modm.relation.reverse".related }
for name, method in pairs(require "modm.atomic".methods) do document.hidable[name] = method end

for name, method in pairs(document.hidable) do methods[name] = method end

-- Saves what a document holds through its references.
local function save_held(doc)
  for _, other in ipairs(relation.loaded(doc)) do
    if not under_way:get(other) then
      local ok, message, err = other:save()
      if not ok then return nil, message, err end
    end
  end
  return true
end

local function save_cascading(doc)
  return under_way:run({ [doc] = true }, function() return save_held(doc) end)
end

local NONE = {} -- options that nobody gave

local function save(self, meta, given)
  local cascade, called = given.cascade, hooks.of(meta)
  if cascade == nil then cascade = meta.cascade or false end
  if given.full_clean == false then
    core.convert(self)
  elseif called.validates then
    local ok, message, err = validation.run(self, nil, cascade)
    if not ok then return nil, message, err end
  else
    if not (cascade or called.saves) then
      local taken, doc, message, err = saving.save_new(self, meta)
      if taken then return doc, message, err end
    end
    local ok, message, err = validation.check(self, nil, cascade)
    if not ok then return nil, message, err end
  end
  if cascade then
    local ok, message, err = save_cascading(self)
    if not ok then return nil, message, err end
  end
  if not called.saves then return saving.save(self, meta, given.force_insert or false) end
  return saving.save_with_hooks(self, meta, given, cascade)
end

--- Calls change(document) and saves it; where another save came first, reads the document anew and
--- does so again. All changes belong into the function. Of a model with Meta.version.
---@param change fun(document: modm.Document): any, string?, modm.Error? nil and a message end it
---@param given { attempts: integer? }|nil at most so many (100), and then the ConflictError
---@return modm.Document|nil, string? message, modm.Error? err
function methods:save_with(change, given)
  local meta = meta_with_collection(self, "save_with")
  options.check("save_with", given, { attempts = "integer" })
  if not meta.counter then misuse("%s: save_with needs Meta.version", meta.name) end
  if type(change) ~= "function" then misuse("%s: save_with takes a function", meta.name) end
  local left = given and given.attempts or 100
  while true do
    local ok, message, err = change(self)
    if not ok and message ~= nil then return nil, message, err end
    ok, message, err = self:save()
    left = left - 1
    if ok or err.kind ~= "ConflictError" or left <= 0 then return ok, message, err end
    ok, message, err = self:refresh_from_db()
    if not ok then return nil, message, err end
  end
end

-- Calls fn with arguments, in the session and the time that options name.
local function under(meta, given, fn, ...)
  local own, ms
  if given then own, ms = given.session, given.timeout_ms end
  if own ~= nil then own = session.check(meta, own) end
  if not ms then return running.with(own, fn, ...) end
  local n, arguments = select("#", ...), { ... }
  return limits.timeout(ms, function()
    return running.with(own, fn, unpack(arguments, 1, n))
  end)
end

--- Validates and writes the document: a new one is inserted, one whose key was set by hand replaces
--- what has this key, one that came from the server sends what differs, and nothing when nothing
--- does.
---@param given { cascade: boolean?, full_clean: boolean?, force_insert: boolean?,
--- session: modm.Session|false|nil, timeout_ms: number? }|nil timeout_ms: for all that it asks of
--- the server
---@return modm.Document|nil, string? message, modm.Error? err
function methods:save(given)
  local meta = meta_with_collection(self, "save")
  if given ~= nil then options.check("save", given, save_options) end
  guard.refuse(meta, self, "save")
  if given == nil then return save(self, meta, NONE) end
  return under(meta, given, save, self, meta, given)
end

local function without_key(meta, method)
  return errors.failure(errors.new("OperationError",
    ("%s: cannot %s a document that has no key"):format(meta.name, method)))
end

local delete_options = { hard = "boolean", atomic = "boolean", session = "boolean|table",
  timeout_ms = "number" }

--- Deletes the document by its key, with the delete rules of the models that refer to it. The
--- hooks after it run when there was something to delete.
--- Of a model with Meta.soft_delete it is only marked, unless `hard` is set.
---@param given { hard: boolean?, atomic: boolean?, session: modm.Session|false|nil,
--- timeout_ms: number? }|nil atomic: all or nothing, with what the hooks do
---@return true|nil ok, string? message, modm.Error? err ConflictError: another save came first
function methods:delete(given)
  local meta = meta_with_collection(self, "delete")
  options.check("delete", given, delete_options)
  if core.key(self) == nil then return without_key(meta, "delete") end
  guard.refuse(meta, self, "delete")
  return under(meta, given, removing.delete, self, meta, given or {})
end

--- Takes away the mark of a document that is deleted, of a model with Meta.soft_delete. The others
--- stay as they are.
---@return modm.Document|nil, string? message, modm.Error? err
function methods:restore()
  local meta = meta_with_collection(self, "restore")
  if not meta.mark then misuse("%s: restore needs Meta.soft_delete", meta.name) end
  if core.key(self) == nil then return without_key(meta, "restore") end
  guard.refuse(meta, self, "restore")
  return removing.restore(self, meta)
end

-- The first parts of names, and their stored names as a set.
local function names_to_read(meta, names)
  if type(names) ~= "table" then misuse("%s: refresh_from_db takes a list of names", meta.name) end
  local heads, stored = {}, {}
  for i, name in ipairs(names) do
    if type(name) ~= "string" then
      misuse("%s: refresh_from_db takes a list of names", meta.name)
    end
    local head = name:match "^[^.]*"
    heads[i], stored[meta.stored_names[head] or head] = head, true
  end
  return heads, stored
end

-- Reads anew, with the hooks after load of this document, not of the one that is read.
local function refresh(self, meta, names)
  local set, stored = meta.default_manager:filter { pk = core.key(self) }, nil
  if meta.mark then set = set:with_deleted() end
  set = base.step(set, { silent = true })
  if names and scoped.is_elsewhere(self, meta) then
    return errors.failure(errors.new("OperationError", meta.name
      .. ": it came from another collection, so it can only be refreshed as a whole"))
  elseif names then
    local heads
    heads, stored = names_to_read(meta, names)
    set = set:only(unpack(heads))
  end
  local fresh, message, err = set:first()
  if not fresh then return nil, message, err end
  core.refresh(self, fresh, stored)
  scoped.note({ self }, 1, 1)
  local ok
  ok, message, err = hooks.run(meta, self, "after load")
  if not ok then return nil, message, err end
  return self
end

local refresh_options = { session = "boolean|table", timeout_ms = "number" }

--- Reads the document anew. With names, only those fields; changes of the others stay.
---@param names string[]|nil
---@param given { session: modm.Session|false|nil, timeout_ms: number? }|nil
---@return modm.Document|nil, string?, modm.Error?
function methods:refresh_from_db(names, given)
  local meta = meta_with_collection(self, "refresh_from_db")
  guard.refuse(meta, self, "refresh_from_db")
  options.check("refresh_from_db", given, refresh_options)
  if core.key(self) == nil then
    return errors.failure(errors.new("OperationError",
      meta.name .. ": cannot refresh before the first save"))
  end
  return under(meta, given, refresh, self, meta, names)
end

--- Fetches what the document refers to: one query for each collection and level.
---@param fields string[]|nil names, dotted into embedded documents and on through references; all
---without
---@return modm.Document|nil, string?, modm.Error?
function methods:dereference(fields)
  meta_with_collection(self, "dereference")
  local ok, message, err = relation.dereference({ self }, fields)
  if not ok then return nil, message, err end
  return self
end

return document
