--- Files in MongoDB: GridFSStorage, which saves, opens and deletes the files of a bucket.

local Bucket = require "modm.gridfs.bucket"
local collection_name = require "modm.collection_name"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local options = require "modm.options"
local Reader = require "modm.gridfs.reader"
local Writer = require "modm.gridfs.writer"

-- What is read at once from what is uploaded.
local PIECE = 64 * 1024
-- A chunk must fit a document with its other keys.
local MOST = 16 * 1024 * 1024 - 1024

---@class modm.GridFSStorage
local Storage = {}
Storage.__index = Storage
Storage.__name = "modm.GridFSStorage"

function Storage:__tostring()
  return ("modm.GridFSStorage '%s' on the connection '%s'"):format(self.bucket.name,
    self.bucket.alias)
end

local storage_options = {
  connection_alias = "string", bucket_name = "string", chunk_size = "integer",
  write_concern = "table|number|string", read_concern = "table|string",
  read_preference = "table|string",
}
local file_options = {
  id = "any", metadata = "table", content_type = "string", chunk_size = "integer",
}

local function check_chunk_size(size)
  if size and (size < 1 or size > MOST) then
    misuse("GridFS: chunk_size must be from 1 to %d bytes", MOST)
  end
end

--- Makes a storage; nothing is sent before its first use.
---@param given { connection_alias: string?, bucket_name: string?, chunk_size: integer?,
--- write_concern: any, read_concern: any, read_preference: any }|nil
---@return modm.GridFSStorage
local function new(given)
  options.check("GridFSStorage", given, storage_options)
  given = given or {}
  check_chunk_size(given.chunk_size)
  local problem = collection_name.problem(given.bucket_name or "fs")
  if problem then
    misuse("GridFS: '%s' cannot be the name of a bucket: %s", given.bucket_name, problem)
  end
  return setmetatable({ bucket = Bucket.new(given) }, Storage)
end

--- Begins a new file; `write` to what it gives, then `close` it.
---@param name string|nil
---@param given { id: any, metadata: table?, content_type: string?, chunk_size: integer? }|nil
---@return modm.GridIn|nil, string?, modm.Error?
function Storage:create(name, given)
  if name ~= nil and type(name) ~= "string" then
    misuse("GridFS: the name of a file must be a string, got a %s", type(name))
  end
  options.check("a file of GridFS", given, file_options)
  given = given or {}
  check_chunk_size(given.chunk_size)
  return Writer.new(self.bucket, name, given)
end

-- What a read that failed gives, as an error.
local function source_error(raised)
  if errors.is_error(raised) then return raised end
  return errors.new("OperationError", "the upload was cut: its source failed: "
    .. errors.plain(raised))
end

-- Copies all that a file object reads.
local function copy(from, writer)
  while true do
    local ok, piece, message, err = pcall(from.read, from, PIECE)
    if ok and piece ~= nil and type(piece) ~= "string" then
      ok, piece = false, "read gave a " .. type(piece) .. " instead of a string"
    end
    local failure = not ok and piece or piece == nil and (err or message)
    if failure then
      writer:abort()
      return errors.failure(source_error(failure))
    end
    if piece == nil or piece == "" then return true end
    ok, message, err = writer:write(piece)
    if not ok then return nil, message, err end
  end
end

-- Whether a value has a method.
local function has(value, method)
  local kind = type(value)
  return (kind == "table" or kind == "userdata") and value[method] ~= nil
end

--- Stores a file as a whole. Nothing of it is there until all is.
---@param name string|nil
---@param content string|table|userdata bytes, or a file object: one with `read`, which is rewound
--- first where it has `seek`
---@param metadata table|nil
---@param given { content_type: string?, id: any, chunk_size: integer? }|nil
---@return any id nil when it failed
---@return string? message
---@return modm.Error? err
function Storage:save(name, content, metadata, given)
  if type(content) ~= "string" and not has(content, "read") then
    misuse("GridFS: save takes a string or a file object with read, not a %s", type(content))
  end
  local settings = { metadata = metadata }
  for key, value in pairs(given or {}) do settings[key] = value end
  local writer, message, err = self:create(name, settings)
  if not writer then return nil, message, err end
  local ok
  if type(content) == "string" then
    ok, message, err = writer:write(content)
  else
    if has(content, "seek") then pcall(content.seek, content, "set", 0) end
    ok, message, err = copy(content, writer)
  end
  if not ok then return nil, message, err end
  return writer:close()
end

--- Opens a file to read it ("rb"), or begins a new one with this id ("wb").
---@param id any
---@param mode "rb"|"wb"|nil
---@param given { filename: string?, metadata: table?, content_type: string? }|nil with "wb"
---@return modm.GridOut|modm.GridIn|nil file, string? message, modm.Error? err DoesNotExist
function Storage:open(id, mode, given)
  if id == nil then misuse("GridFS: open takes the id of a file") end
  if mode == nil or mode == "rb" or mode == "r" then return Reader.new(self.bucket, id) end
  if mode ~= "wb" and mode ~= "w" then
    misuse("GridFS: a file is opened with \"rb\" or \"wb\", not %q", tostring(mode))
  end
  local settings = { id = id }
  for key, value in pairs(given or {}) do settings[key] = value end
  local name = settings.filename
  settings.filename = nil
  return self:create(name, settings)
end

--- Deletes a file; one that is not there is no error.
---@return true|nil, string?, modm.Error?
function Storage:delete(id)
  if id == nil then misuse("GridFS: delete takes the id of a file") end
  local conn, message, err = self.bucket:connect()
  if not conn then return nil, message, err end
  return self.bucket:delete(conn, id)
end

---@return boolean|nil there nil when it could not be asked, with a message
---@return string? message
---@return modm.Error? err
function Storage:exists(id)
  if id == nil then misuse("GridFS: exists takes the id of a file") end
  local conn, message, err = self.bucket:connect()
  if not conn then return nil, message, err end
  local found, why, failure = self.bucket:first(conn, "files", { { "_id", id } })
  if found == nil then return nil, why, failure end
  return found ~= false
end

return { GridFSStorage = new, has = has }
