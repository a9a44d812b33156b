--- A GridFS bucket: the operations on its two collections, files and chunks.

local connection = require "modm.connection"
local core = require "modm.core"
local options = require "modm.options"

local unpack = table.unpack or unpack -- luacheck: ignore

---@class modm.Bucket
---@field name string
---@field chunk_size integer bytes
local Bucket = {}
Bucket.__index = Bucket

--- Makes a bucket; nothing is sent.
---@param given table options of GridFSStorage, checked
---@return modm.Bucket
function Bucket.new(given)
  local concern = options.wrapped(given.write_concern, "w")
  return setmetatable({
    alias = given.connection_alias or "default",
    name = given.bucket_name or "fs",
    chunk_size = given.chunk_size or 255 * 1024,
    write_options = concern and { writeConcern = concern },
    read_concern = options.wrapped(given.read_concern, "level"),
    read_preference = options.wrapped(given.read_preference, "mode"),
    indexed = setmetatable({}, { __mode = "k" }), -- connections whose indexes were looked at
    abandoned = {}, -- ids of uploads whose writer was collected
  }, Bucket)
end

---@return modm.Connection|nil, string?, modm.Error?
function Bucket:connect() return connection.get(self.alias) end

function Bucket:collection(which) return self.name .. "." .. which end

---@param which "files"|"chunks"
---@param document table
---@return true|nil, string?, modm.Error?
function Bucket:insert(conn, which, document)
  local op = core.insert(conn.client, conn.database, self:collection(which), { document },
    self.write_options)
  local ok, message, err = conn:run(op)
  op:close()
  return ok, message, err
end

--- The operation that finds documents.
---@param settings table|nil of find: sort, limit, batchSize
---@param preference table|nil instead of the bucket's
function Bucket:find(conn, which, filter, settings, preference)
  settings = settings or {}
  settings.readConcern = self.read_concern
  return core.find(conn.client, conn.database, self:collection(which), core.ordered(filter),
    settings, preference or self.read_preference)
end

--- The first document that a query finds.
---@return table|false|nil document false: there is none; nil: it could not be asked
---@return string? message
---@return modm.Error? err
function Bucket:first(conn, which, filter, preference)
  local op = self:find(conn, which, filter, { limit = 1 }, preference)
  local ok, message, err = conn:run(op)
  if not ok then return nil, message, err end
  local document = op:next_table()
  op:close()
  return document or false
end

-- Deletes one document (limit 1) or all (limit 0) that a filter finds.
local function delete(self, conn, which, filter, limit)
  local statement = core.ordered { { "q", core.ordered(filter) }, { "limit", limit } }
  local op = core.command(conn.client, "write", conn.database, core.ordered {
    { "delete", self:collection(which) }, { "deletes", core.array { statement } } },
    self.write_options)
  return conn:run(op)
end

--- Deletes a file and its chunks; one that is not there is no error. The file's document goes
--- first, so that nobody begins to read what is half gone.
---@return true|nil, string?, modm.Error?
function Bucket:delete(conn, id)
  local ok, message, err = delete(self, conn, "files", { { "_id", id } }, 1)
  if not ok then return nil, message, err end
  return self:delete_chunks(conn, id)
end

---@return true|nil, string?, modm.Error?
function Bucket:delete_chunks(conn, id)
  return delete(self, conn, "chunks", { { "files_id", id } }, 0)
end

local function create_index(self, conn, which, keys, unique)
  local names = {}
  for i, key in ipairs(keys) do names[i] = key[1] .. "_" .. key[2] end
  local index = { { "key", core.ordered(keys) }, { "name", table.concat(names, "_") } }
  if unique then index[3] = { "unique", true } end
  return conn:run(core.command(conn.client, "write", conn.database, core.ordered {
    { "createIndexes", self:collection(which) }, { "indexes", core.array { core.ordered(index) } },
  }))
end

--- Makes the indexes of the bucket unless it holds a file, as the GridFS specification says; looked
--- at once for each connection, outside of any transaction, which cannot make indexes.
---@return true|nil, string?, modm.Error?
function Bucket:ensure_indexes(conn)
  if self.indexed[conn] then return true end
  local outside = conn:within(false)
  local found, message, err = self:first(outside, "files", {}, { mode = "primary" })
  if found == false then
    for _, index in ipairs {
      { "files", { { "filename", 1 }, { "uploadDate", 1 } }, false },
      { "chunks", { { "files_id", 1 }, { "n", 1 } }, true },
    } do
      found, message, err = create_index(self, outside, unpack(index))
      if not found then break end
    end
  end
  if not found then return nil, message, err end
  self.indexed[conn] = true
  return true
end

--- Deletes the chunks of uploads whose writer was collected: a finalizer must not wait for a
--- server, so it is done before the next upload.
---@return true|nil, string?, modm.Error?
function Bucket:sweep(conn)
  while #self.abandoned > 0 do
    local id = table.remove(self.abandoned)
    local ok, message, err = self:delete_chunks(conn:within(false), id)
    if not ok then
      table.insert(self.abandoned, id)
      return nil, message, err
    end
  end
  return true
end

return Bucket
