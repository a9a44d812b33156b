--- Files that wait to be stored: what a program assigns to a FileField.

local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local options = require "modm.options"
local Reader = require "modm.gridfs.reader"

local file = {}

-- The header of a picture lies in its first bytes, behind what a camera adds.
local HEADER = 1024 * 1024

---@class modm.File
---@field name string|nil
---@field metadata table|nil
---@field content_type string|nil
---@field size integer|nil bytes; nil where that cannot be told before it is read
local File = {}

-- The size of a file object that can seek, which stays where it is.
local function size_of(source)
  local ok, at = pcall(source.seek, source)
  local found, size = pcall(source.seek, source, "end")
  if not (ok and found and at and size) then return nil end
  source:seek("set", at)
  return size
end

-- What is known without having been given.
local known = {
  -- that of a file object
  name = function(self)
    local source = rawget(self, "_source")
    local name = type(source) == "table" and source.name or nil
    return type(name) == "string" and name or nil
  end,
  size = function(self)
    local bytes, path, source = self._bytes, self._path, self._source
    if bytes then return #bytes end
    if source then return source.seek and size_of(source) or nil end
    local opened = io.open(path, "rb")
    local size = opened and size_of(opened)
    if opened then opened:close() end
    return size
  end,
}

function File:__index(key)
  if known[key] then return known[key](self) end
  return File[key]
end

File.__name = "modm.File"
core.file_class(File)

function File:__tostring() return ("modm.File (%s)"):format(tostring(self.name)) end

local file_options = { name = "string", metadata = "table", content_type = "string" }

local function make(what, given, parts)
  options.check(what, given, file_options)
  for key, value in pairs(given or {}) do parts[key] = value end
  return setmetatable(parts, File)
end

--- A file of a path, or of an object with `read`. It is opened when it is stored.
---@param source string|table|userdata
---@param given { name: string?, metadata: table?, content_type: string? }|nil without a name, a
--- path's last part, or the object's own `name`
---@return modm.File
function file.File(source, given)
  if type(source) == "string" then
    return make("File", given, { _path = source, name = source:match "[^/\\]+$" })
  end
  local kind = type(source)
  if (kind ~= "table" and kind ~= "userdata") or source.read == nil then
    misuse("File takes a path or an object with read, not a %s", kind)
  end
  return make("File", given, { _source = source })
end

--- A file of bytes.
---@param bytes string
---@param given { name: string?, metadata: table?, content_type: string? }|nil
---@return modm.File
function file.ContentFile(bytes, given)
  if type(bytes) ~= "string" then misuse("ContentFile takes a string, not a %s", type(bytes)) end
  return make("ContentFile", given, { _bytes = bytes })
end

-- Reads what was looked at already, then the rest.
local function joined(head, source)
  local at = 1
  return { read = function(_, n)
    if at <= #head then
      local part = head:sub(at, at + n - 1)
      at = at + #part
      return part
    end
    return source:read(n)
  end }
end

local function rewinds(source)
  if source.seek == nil then return false end
  local ok, position = pcall(source.seek, source, "set", 0)
  return ok and position ~= nil
end

--- Opens the file at its beginning.
---@return table|userdata|nil object with read, string? message, modm.Error? err
function File:open()
  local bytes, path, source = self._bytes, self._path, self._source
  if bytes then return Reader.of_bytes(bytes) end
  if path then
    local opened, message = io.open(path, "rb")
    if opened then return opened end
    return errors.failure(errors.new("OperationError", message))
  end
  if rewinds(source) then return source end
  if self._used then
    return errors.failure(errors.new("OperationError",
      "the file was read already, and cannot be read again: it has no seek"))
  end
  self._used = true
  return joined(self._head or "", source)
end

-- Closes what `open` opened: an object of the program's stays open.
local function close(self, opened)
  if self._path then opened:close() end
end

--- The first bytes, which stay there to be read.
---@param most integer
---@return string|nil bytes, string? message, modm.Error? err
function File:peek(most)
  if self._head then return self._head end
  local opened, message, err = self:open()
  if not opened then return nil, message, err end
  local parts, size = {}, 0
  local ok, failure = pcall(function()
    while size < most do
      local part, why = opened:read(most - size)
      if part == nil and why then error(why, 0) end
      if part == nil or part == "" then break end
      parts[#parts + 1], size = part, size + #part
    end
  end)
  close(self, opened)
  if not ok then return errors.failure(errors.new("OperationError", tostring(failure))) end
  local head = table.concat(parts)
  if self._used then self._head, self._used = head, nil end
  return head
end

--- Puts the file into a storage.
---@return any id, string? message, modm.Error? err
function File:store(storage)
  local opened, message, err = self:open()
  if not opened then return nil, message, err end
  local more = self.content_type and { content_type = self.content_type } or nil
  local ok, id, why, failure = pcall(storage.save, storage, self.name, opened, self.metadata, more)
  close(self, opened)
  if not ok then error(id, 0) end
  if id == nil and not failure then
    return errors.failure(errors.new("OperationError", why or "the storage gave no id"))
  end
  return id, why, failure
end

--- Format, width and height of a picture by its first bytes, or nil and why it is none.
---@return string|nil format, integer|string width_or_why, integer? height
function file.image(read)
  local head, message = read(HEADER)
  if not head then return nil, message end
  return core.image(head)
end

--- Whether a value is a file that is not stored yet.
function file.is_waiting(value) return getmetatable(value) == File end

--- The validator of an ImageField. One that is stored was looked at before.
---@param value modm.FieldFile
function file.check_image(value)
  local waiting = rawget(value, "_file")
  if not waiting then return true end
  local format, why = file.image(function(n) return waiting:peek(n) end)
  if format then return true end
  return nil, "not a PNG, JPEG, GIF, WebP or BMP: " .. tostring(why)
end

return file
