--- A file on its way into GridFS: its chunks are sent as they fill, its document last.

local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"

---@class modm.GridIn
---@field id any the id that the file has, or will have
---@field filename string|nil
---@field chunk_size integer bytes
---@field length integer bytes written so far
local Writer = {}
Writer.__index = Writer
Writer.__name = "modm.GridIn"

function Writer:__tostring()
  return ("modm.GridIn %s (%s)"):format(tostring(self.id), tostring(self.filename))
end

-- A value whose collection calls fn: Lua 5.4's tables have finalizers, LuaJIT's proxies.
local function when_collected(fn)
  local make = rawget(_G, "newproxy")
  if not make then return setmetatable({}, { __gc = fn }) end
  local proxy = make(true)
  getmetatable(proxy).__gc = fn
  return proxy
end

--- Begins an upload. The bucket's indexes are made first.
---@param bucket modm.Bucket
---@param name string|nil
---@param given { id: any, metadata: table?, content_type: string?, chunk_size: integer? }
---@return modm.GridIn|nil, string?, modm.Error?
function Writer.new(bucket, name, given)
  local conn, message, err = bucket:connect()
  if not conn then return nil, message, err end
  local ok, why, failure = bucket:ensure_indexes(conn)
  if not ok then return nil, why, failure end
  ok, why, failure = bucket:sweep(conn)
  if not ok then return nil, why, failure end
  local id = given.id
  if id == nil then id = core.ObjectId() end
  local open = { id = id } -- what the finalizer knows: it must not hold the writer
  return setmetatable({
    id = id, filename = name, length = 0, chunk_size = given.chunk_size or bucket.chunk_size,
    _given = given, _bucket = bucket, _conn = conn, _parts = {}, _held = 0, _n = 0, _open = open,
    _sentinel = when_collected(function()
      if open.sent then bucket.abandoned[#bucket.abandoned + 1] = open.id end
    end),
  }, Writer)
end

local function check_open(self, method)
  if not self._open then misuse("GridFS: %s on a file that is closed", method) end
end

local function finish(self)
  self._open.sent = false
  self._open, self._parts = nil, nil
end

-- Ends the upload and deletes what was sent; when that fails, it is done before the next upload.
local function discard(self)
  local sent = self._open.sent
  finish(self)
  if not sent then return true end
  local ok, message, err = self._bucket:delete_chunks(self._conn, self.id)
  if not ok then table.insert(self._bucket.abandoned, self.id) end
  return ok, message, err
end

local function fail(self, message, err)
  discard(self)
  return nil, message, err
end

-- Sends what is held as the next chunk.
local function flush(self)
  local data = table.concat(self._parts)
  self._open.sent = true
  local ok, message, err = self._bucket:insert(self._conn, "chunks", core.ordered {
    { "_id", core.ObjectId() }, { "files_id", self.id }, { "n", self._n },
    { "data", core.Binary(data) },
  })
  if not ok then
    -- another file has this id: its chunks are not ours to delete
    if self._n == 0 and err.kind == "DuplicateKeyError" then self._open.sent = false end
    return fail(self, message, err)
  end
  self._parts, self._held, self._n = {}, 0, self._n + 1
  return true
end

local function write_one(self, data)
  local at = 1
  while at <= #data do
    local part = data:sub(at, at + self.chunk_size - self._held - 1)
    self._parts[#self._parts + 1] = part
    self._held, at = self._held + #part, at + #part
    self.length = self.length + #part
    if self._held == self.chunk_size then
      local ok, message, err = flush(self)
      if not ok then return nil, message, err end
    end
  end
  return true
end

--- Adds strings or numbers to the file, as Lua's io does. When it fails the upload is at its end,
--- and nothing of it stays.
---@param ... string|number
---@return modm.GridIn|nil self, string? message, modm.Error? err
function Writer:write(...)
  check_open(self, "write")
  for i = 1, select("#", ...) do
    local data = select(i, ...)
    if type(data) ~= "string" and type(data) ~= "number" then
      misuse("GridFS: write takes strings, not a %s", type(data))
    end
    local ok, message, err = write_one(self, tostring(data))
    if not ok then return nil, message, err end
  end
  return self
end

-- The document of the file, in PyMODM's order of keys.
local function document_of(self)
  local given = self._given
  local list = { { "_id", self.id } }
  local function add(key, value)
    if value ~= nil then list[#list + 1] = { key, value } end
  end
  add("filename", self.filename)
  add("encoding", "utf8")
  add("metadata", given.metadata)
  add("contentType", given.content_type)
  add("chunkSize", self.chunk_size)
  add("length", core.Int64(self.length))
  add("uploadDate", core.DateTime.now())
  return core.ordered(list)
end

--- Sends the last chunk and then the file's document: only now is the file there.
---@return any id of the file; nil when it failed, and then nothing of it stays
---@return string? message
---@return modm.Error? err
function Writer:close()
  check_open(self, "close")
  if self._held > 0 then
    local ok, message, err = flush(self)
    if not ok then return nil, message, err end
  end
  local ok, message, err = self._bucket:insert(self._conn, "files", document_of(self))
  if not ok then return fail(self, message, err) end
  finish(self)
  return self.id
end

--- Gives the upload up and deletes what was sent. Does nothing once it has ended.
---@return true|nil, string?, modm.Error?
function Writer:abort()
  if not self._open then return true end
  return discard(self)
end

--- `local file <close> = ...`: ends the upload, or gives it up when an error ends the block.
function Writer:__close(raised)
  if not self._open then return end
  if raised ~= nil then
    self:abort()
  else
    local id, _, err = self:close()
    if id == nil then error(errors.is_error(err) and err or tostring(err), 0) end
  end
end

return Writer
