--- What a FileField reads as, and storing files before their document is written.

local core = require "modm.core"
local errors = require "modm.errors"
local field = require "modm.fields".internal
local file = require "modm.file"
local gridfs = require "modm.gridfs"
local registry = require "modm.registry"
local running = require "modm.session.running"

local field_file = {}

---@class modm.FieldFile
---@field file_id any nil while it is not stored
---@field storage table
local FieldFile = {}
FieldFile.__name = "modm.FieldFile"
core.file_class(FieldFile, true)

-- The storages of models without one of their own, by alias.
local defaults = {}

local function storage_of(doc, name)
  local meta = core.meta_of(doc)
  local own = meta.fields[name].options.storage
  if own then return own end
  local alias = meta:place() and meta:place().alias or meta.connection_alias
  defaults[alias] = defaults[alias] or gridfs.GridFSStorage { connection_alias = alias }
  return defaults[alias]
end

-- What file objects know; read as fields of a FieldFile it is asked of the file in the storage.
local delegated = {
  name = "filename", filename = "filename", size = "length", length = "length",
  chunk_size = "chunk_size", upload_date = "upload_date", content_type = "content_type",
  metadata = "metadata", md5 = "md5",
}
local of_waiting = { filename = "name", length = "size" } -- what modm.File has under other names
local of_images = { format = 1, width = 2, height = 3 }

local function header(self)
  if not self._image then
    local format, width, height = file.image(function(n)
      if self._file then return self._file:peek(n) end
      local opened, message, err = self.storage:open(self.file_id, "rb")
      if not opened then return nil, message, err end
      local bytes, why = opened:read(n)
      if opened.close then opened:close() end
      return bytes or (not why and "" or nil), why
    end)
    if not format then
      error(errors.new("OperationError", "the file is no picture: " .. tostring(width)), 0)
    end
    rawset(self, "_image", { format, width, height })
  end
  return self._image
end

function FieldFile:__index(key)
  local method = FieldFile[key]
  if method ~= nil then return method end
  if of_images[key] and rawget(self, "is_image") then return header(self)[of_images[key]] end
  if not delegated[key] then return nil end
  local waiting = rawget(self, "_file")
  if waiting then return waiting[of_waiting[key] or key] end
  local opened, _, err = self:open()
  if not opened then error(err, 0) end
  return opened[delegated[key]]
end

function FieldFile.__eq(a, b) return a.file_id ~= nil and a.file_id == b.file_id end

function FieldFile:__tostring()
  return ("modm.FieldFile %s"):format(tostring(rawget(self, "file_id")))
end

--- The object that a field of a document reads as.
---@return modm.FieldFile
function field_file.of(doc, name, value)
  local kind = core.meta_of(doc).fields[name].kind
  local waits = file.is_waiting(value)
  local made = setmetatable({ storage = storage_of(doc, name), _doc = doc, _name = name,
    _value = value, is_image = kind == "ImageField", file_id = not waits and value or nil,
    _file = waits and value or nil }, FieldFile)
  core.keep_file(doc, name, made)
  return made
end

--- Opens the file, at its beginning when it is not open yet.
---@return table|nil file, string? message, modm.Error? err
function FieldFile:open()
  if rawget(self, "_opened") then return self._opened end
  local opened, message, err
  if self._file then
    opened, message, err = self._file:open()
  else
    opened, message, err = self.storage:open(self.file_id, "rb")
  end
  if not opened then return nil, message, err end
  rawset(self, "_opened", opened)
  return opened
end

for _, method in ipairs { "read", "seek" } do
  FieldFile[method] = function(self, ...)
    local opened, message, err = self:open()
    if not opened then return nil, message, err end
    return opened[method](opened, ...)
  end
end

--- Iterates over lines, or what `read` with the format gives. Raises error objects.
function FieldFile:lines(format)
  local opened, _, err = self:open()
  if not opened then error(err, 0) end
  return opened:lines(format)
end

--- Ends reading; the next read begins anew.
function FieldFile:close()
  local opened = rawget(self, "_opened")
  rawset(self, "_opened", nil)
  if opened and opened.close and not (self._file and self._file._source) then opened:close() end
  return true
end

-- The object now stands for an id, a file that waits, or nothing.
local function become(self, value)
  self:close()
  local waits = file.is_waiting(value)
  self.file_id, self._file = not waits and value or nil, waits and value or nil
  self._value, self._image = value, nil
end

-- The same, and so does the document's field.
local function hold(self, value)
  become(self, value)
  if value == nil then
    self._doc[self._name] = nil
  else
    core.keep_file(self._doc, self._name, self, value)
  end
end

--- Stores another file at once and puts its id into the document, which is not saved.
---@param name string|nil
---@param content string|table|userdata
---@param metadata table|nil
---@return any id, string? message, modm.Error? err
function FieldFile:save(name, content, metadata)
  local id, message, err = self.storage:save(name, content, metadata)
  if id == nil then return nil, message, err end
  hold(self, id)
  return id
end

--- Deletes the file and unsets the field of the document, which is not saved.
---@return true|nil, string?, modm.Error?
function FieldFile:delete()
  if self.file_id ~= nil then
    local ok, message, err = self.storage:delete(self.file_id)
    if not ok then return nil, message, err end
  end
  hold(self, nil)
  return true
end

-- What may have happened though it failed: nobody heard what the server did, or it may undo it.
local unsure = { ConnectionError = true, WriteConcernError = true, TimeoutError = true,
  CancelledError = true }

--- Whether the server surely has not written what a write failed for.
---@param err modm.Error
---@return boolean
function field_file.is_refused(err)
  return not unsure[err.kind] and not err:has_label "RetryableWriteError"
end

---@class modm.StoredFile a file that was stored for a document that is not written yet
---@field object modm.FieldFile
---@field id any
---@field file modm.File what was assigned

--- Deletes files that were stored for documents which are not there, and has these hold what was
--- assigned. Of the list nothing is left, so that no file is deleted twice.
---@param stored modm.StoredFile[]
function field_file.take_back(stored)
  while #stored > 0 do
    local one = table.remove(stored)
    local object = one.object
    local current = object._doc[object._name]
    object.storage:delete(one.id)
    become(object, one.file)
    if rawequal(current, object) or current and current._value == one.id then
      hold(current, one.file)
    end
  end
end

-- Stores one file. What a storage of the program's raises is handed on when `stored` is deleted.
local function store_one(owner, name, stored)
  local object = owner[name]
  local waits = object._file
  object:close()
  local ok, id, message, err = pcall(waits.store, waits, object.storage)
  if ok and id ~= nil then
    hold(object, id)
    stored[#stored + 1] = { object = object, id = id, file = waits }
    return true
  end
  field_file.take_back(stored)
  if not ok then error(id, 0) end
  local model = core.meta_of(owner).name
  return nil, ("%s.%s: %s"):format(model, name, message), err
end

-- Whether documents of a model may hold files, also in embedded documents of those models that are
-- there now.
local function find_files(meta, seen)
  if seen[meta] then return false end
  seen[meta] = true
  for _, definition in pairs(meta.fields) do
    definition = field.innermost(definition)
    if definition.kind == "FileField" or definition.kind == "ImageField" then return true end
    local found, target = false, nil
    if definition.kind:find "^Embedded" then
      found, target = pcall(registry.find, definition.options.model)
    end
    if found and find_files(target, seen) then return true end
    for _, child in ipairs(found and target.children or {}) do
      if find_files(child, seen) then return true end
    end
  end
  return false
end

--- Whether documents of a model may hold files.
---@param meta table
---@return boolean
function field_file.may_hold(meta)
  local known = meta.files_known
  if not known or known.generation ~= registry.generation then
    known = { generation = registry.generation, answer = find_files(meta, {}) }
    meta.files_known = known
  end
  return known.answer
end

local NONE = {} -- never changed: nothing is stored, and nothing to take back

--- Stores the files that a document holds, also in embedded documents, and puts their ids in place.
--- Within a transaction they are taken back when it is not committed.
---@param doc modm.Document
---@param meta table of its model
---@return modm.StoredFile[]|nil stored, string? message, modm.Error? err
function field_file.store(doc, meta)
  if not field_file.may_hold(core.meta_of(doc)) then return NONE end
  local waiting, stored = core.files(doc), {}
  for i = 1, #waiting, 2 do
    local ok, message, err = store_one(waiting[i], waiting[i + 1], stored)
    if not ok then return nil, message, err end
  end
  local session = #stored > 0 and running.session(meta:place())
  if session and session.transaction then table.insert(session.transaction.files, stored) end
  return stored
end

return field_file
