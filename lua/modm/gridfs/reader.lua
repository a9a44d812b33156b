--- A file read from GridFS, chunk by chunk, as Lua's io reads files.

local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"

local unpack = table.unpack or unpack -- luacheck: ignore

-- Chunks that the server sends at once.
local BATCH = 8
local CURSOR_NOT_FOUND = 43

---@class modm.GridOut
---@field id any
---@field filename string|nil
---@field name string|nil the same
---@field length integer bytes
---@field size integer the same
---@field chunk_size integer
---@field upload_date modm.DateTime
---@field content_type string|nil
---@field metadata table|nil
---@field md5 string|nil where whoever wrote the file stored one
local Reader = {}
Reader.__index = Reader
Reader.__name = "modm.GridOut"

function Reader:__tostring()
  return ("modm.GridOut %s (%s, %d bytes)"):format(tostring(self.id), tostring(self.filename),
    self.length)
end

local function corrupt(self, format, ...)
  local text = ("the file %s in the bucket '%s' is damaged: "):format(tostring(self.id),
    self._bucket.name)
  return errors.failure(errors.new("CorruptGridFile", text .. format:format(...)))
end

-- A count as any driver may have stored it, or nil.
local function count_of(value)
  if core.type(value) == "Int64" then value = value:tonumber() end
  if type(value) ~= "number" or value < 0 or value % 1 ~= 0 then return nil end
  return value
end

--- Finds the file; its chunks are fetched when they are read.
---@param bucket modm.Bucket
---@param id any
---@return modm.GridOut|nil, string?, modm.Error?
function Reader.new(bucket, id)
  local conn, message, err = bucket:connect()
  if not conn then return nil, message, err end
  local document, why, failure = bucket:first(conn, "files", { { "_id", id } })
  if document == nil then return nil, why, failure end
  if not document then
    return errors.failure(errors.new("DoesNotExist", "No file with id: " .. tostring(id)))
  end
  local self = setmetatable({ id = id, _bucket = bucket, _conn = conn }, Reader)
  local length, chunk_size = count_of(document.length), count_of(document.chunkSize)
  if not length or not chunk_size or chunk_size == 0 then
    return corrupt(self, "its document has no length or no chunkSize")
  end
  self.length, self.size, self.chunk_size = length, length, chunk_size
  self.filename, self.name = document.filename, document.filename
  self.upload_date, self.md5 = document.uploadDate, document.md5
  self.content_type, self.metadata = document.contentType, document.metadata
  self._at, self._wanted = 0, 0 -- the next byte; the chunk that the cursor gives next
  return self
end

--- Reads bytes that are at hand in the same way.
---@param bytes string
---@return modm.GridOut
function Reader.of_bytes(bytes)
  return setmetatable({ length = #bytes, size = #bytes, chunk_size = #bytes, _at = 0,
    _chunk = bytes, _chunk_n = 0 }, Reader)
end

local function check_open(self, method)
  if self._closed then misuse("GridFS: %s on a file that is closed", method) end
end

local function close_cursor(self)
  if self._op then self._op:close() end
  self._op = nil
end

-- The cursor over the chunks from a number on.
local function open_cursor(self, n)
  close_cursor(self)
  self._wanted = n
  self._op = self._bucket:find(self._conn, "chunks",
    { { "files_id", self.id }, { "n", { ["$gte"] = n } } },
    { sort = { n = 1 }, batchSize = BATCH })
end

-- The cursor's next document, false at its end. One that the server forgot is opened again.
local function next_document(self)
  local again = true
  while true do
    local document = self._op:next_table()
    if document then return document end
    if self._op:done() then return false end
    local ok, message, err = self._conn:run(self._op)
    if not ok and again and err.code == CURSOR_NOT_FOUND then
      again = false
      open_cursor(self, self._wanted)
    elseif not ok then
      close_cursor(self)
      return nil, message, err
    end
  end
end

-- The bytes of a document of chunks, which must be chunk number n and of its size.
local function data_of(self, document, n)
  if not document or document.n ~= n then return corrupt(self, "chunk %d is missing", n) end
  local data = core.type(document.data) == "Binary" and document.data:data()
  if not data then return corrupt(self, "chunk %d holds no bytes", n) end
  local size = math.min(self.chunk_size, self.length - n * self.chunk_size)
  if #data ~= size then
    return corrupt(self, "chunk %d has %d bytes instead of %d", n, #data, size)
  end
  return data
end

-- After the last chunk there must be none, but for an empty one.
local function check_end(self)
  local extra, message, err = next_document(self)
  if extra == nil then return nil, message, err end
  close_cursor(self)
  if extra and (core.type(extra.data) ~= "Binary" or #extra.data > 0) then
    return corrupt(self, "it has a chunk %s behind its end", tostring(extra.n))
  end
  return true
end

-- The chunk with the next byte, which the caller knows to be there.
local function chunk(self)
  local n = math.floor(self._at / self.chunk_size)
  if self._chunk_n == n then return self._chunk end
  if not self._op or self._wanted ~= n then open_cursor(self, n) end
  local document, message, err = next_document(self)
  if document == nil then return nil, message, err end
  local data, why, failure = data_of(self, document, n)
  if not data then
    close_cursor(self)
    return nil, why, failure
  end
  self._wanted = n + 1
  if (n + 1) * self.chunk_size >= self.length then
    local ok, text, e = check_end(self)
    if not ok then return nil, text, e end
  end
  self._chunk, self._chunk_n = data, n
  return data
end

-- Up to `most` of the bytes that are at hand from here on; "" at the end.
local function some(self, most)
  if self._at >= self.length then return "" end
  local data, message, err = chunk(self)
  if not data then return nil, message, err end
  local from = self._at % self.chunk_size
  local part = data:sub(from + 1, math.min(from + most, #data))
  self._at = self._at + #part
  return part
end

local function read_count(self, count)
  if self._at >= self.length then return nil end
  local parts = {}
  while count > 0 do
    local part, message, err = some(self, count)
    if not part then return nil, message, err end
    if part == "" then break end
    parts[#parts + 1] = part
    count = count - #part
  end
  return table.concat(parts)
end

local function read_all(self)
  local text, message, err = read_count(self, math.huge)
  if not text and not err then return "" end
  return text, message, err
end

local function read_line(self, keep)
  if self._at >= self.length then return nil end
  local parts = {}
  repeat
    local part, message, err = some(self, math.huge)
    if not part then return nil, message, err end
    local ends = part:find("\n", 1, true)
    if ends then
      self._at = self._at - #part + ends
      part = part:sub(1, keep and ends or ends - 1)
    end
    parts[#parts + 1] = part
  until ends or part == ""
  return table.concat(parts)
end

local function read_format(self, format)
  if type(format) == "number" then
    if format < 0 or format % 1 ~= 0 then misuse("GridFS: read takes a count of bytes") end
    return read_count(self, format)
  end
  local letter = type(format) == "string" and format:match "^%*?([alL])"
  if letter == "a" then return read_all(self) end
  if letter then return read_line(self, letter == "L") end
  misuse("GridFS: read takes a count, \"a\", \"l\" or \"L\"")
end

--- Reads as Lua's io does: for each format a string, or nil at the end of the file. Without a
--- format, a line.
---@param ... integer|"a"|"l"|"L" bytes; all that is left; a line without or with its end
---@return string|nil ... and after the nil of an error its message and object
function Reader:read(...)
  check_open(self, "read")
  local n, results = math.max(select("#", ...), 1), {}
  for i = 1, n do
    local text, message, err = read_format(self, select("#", ...) == 0 and "l" or (select(i, ...)))
    if err then return nil, message, err end
    if text == nil then return unpack(results, 1, i) end
    results[i] = text
  end
  return unpack(results, 1, n)
end

--- Iterates over what `read` with the format gives, by default lines. Raises error objects.
---@param format integer|"a"|"l"|"L"|nil
---@return fun(): string|nil
function Reader:lines(format)
  check_open(self, "lines")
  return function()
    local text, _, err = self:read(format or "l")
    if err then error(err, 0) end
    return text
  end
end

--- Moves to another byte; without arguments says where it is.
---@param whence "set"|"cur"|"end"|nil what the offset counts from, default "cur"
---@param offset integer|nil default 0
---@return integer|nil position from the beginning, string? message
function Reader:seek(whence, offset)
  check_open(self, "seek")
  local from = ({ set = 0, cur = self._at, ["end"] = self.length })[whence or "cur"]
  if not from then misuse("GridFS: seek takes \"set\", \"cur\" or \"end\"") end
  local to = from + (offset or 0)
  if to < 0 then return nil, "cannot seek before the beginning of a file" end
  self._at = to
  return to
end

--- Ends reading; the cursor is closed. May be called again.
function Reader:close()
  close_cursor(self)
  self._closed, self._chunk, self._chunk_n = true, nil, nil
  return true
end

Reader.__close = Reader.close

return Reader
