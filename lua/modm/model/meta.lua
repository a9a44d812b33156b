--- A model's Meta: its options, and what the other modules ask of a model.

local codec = require "modm.model.codec"
local collection_name = require "modm.collection_name"
local connection = require "modm.connection"
local indexes = require "modm.indexes"
local invalid = require "modm.model.invalid"
local options = require "modm.options"
local scoped = require "modm.model.scoped"

local meta = {}

-- The options of Meta and their types. Those marked "own" are not inherited.
local meta_options = {
  connection_alias = "string", collection_name = "string", final = "boolean", cascade = "boolean",
  read_preference = "table|string", read_concern = "table|string",
    write_concern = "table|number|string",
  indexes = "table", auto_index = "boolean", collation = "table", ignore_unknown_fields = "boolean",
  codec_options = "table", cls = "string", cls_aliases = "table", cls_optional = "boolean",
  timestamps = "boolean|table", version = "boolean|string",
  soft_delete = "boolean|string", timeout_ms = "integer",
}
local own = { final = true, cls = true, cls_aliases = true, collection_name = true }

-- Meta's methods: what the other modules ask of a model.
local Meta = {}
Meta.__index = Meta

--- What an option is now: as declared, or as a scope of the running coroutine has it.
---@param name string
---@return any
function Meta:option(name) return scoped.option(self, name) end

-- Connection -> meta -> collections in which the model's indexes are there, as far as we know.
local indexed = setmetatable({}, { __mode = "k" })

-- The collections over a connection.
local function places_of(self, conn)
  local of_conn = indexed[conn]
  if not of_conn then
    of_conn = setmetatable({}, { __mode = "k" })
    indexed[conn] = of_conn
  end
  local places = of_conn[self]
  if not places then
    places = {}
    of_conn[self] = places
  end
  return places
end

--- Makes the indexes of the model in a collection.
---@param conn modm.Connection
---@param collection string
---@return true|nil ok, string? message, modm.Error? err
function Meta:make_indexes(conn, collection)
  local places = places_of(self, conn)
  places[collection] = true -- before it is done: making them may wait, and others go on meanwhile
  local ok, message, err = indexes.ensure(self, conn, collection)
  if not ok then
    places[collection] = nil
    return nil, message, err
  end
  return true
end

--- Where documents of the model are now.
---@return table|nil connection
---@return string collection or the message
---@return modm.Error? err
function Meta:place()
  local alias, collection = scoped.place(self)
  local conn, message, err = connection.get(alias)
  if not conn then return nil, message, err end
  return conn, collection
end

-- Whether the model's indexes are there, as far as we know, or nobody wants them.
local function is_indexed(self, conn, collection)
  local of_conn = indexed[conn]
  local places = of_conn and of_conn[self]
  return places and places[collection] or self.auto_index == false
end

-- What `open` gives.
local function opened(self, conn, collection)
  if self.timeout_ms then conn = conn:limited(self.timeout_ms) end
  return conn, conn.database, collection
end

--- The connection, database and collection name of the model; its indexes are made at the first
--- call for each place.
---@return table|nil connection
---@return string database or the message
---@return string|table collection or the error
function Meta:open()
  local conn, collection, err = self:place()
  if not conn then return nil, collection, err end
  if not is_indexed(self, conn, collection) then
    local ok, why, failure = self:make_indexes(conn, collection)
    if not ok then return nil, why, failure end
  end
  return opened(self, conn, collection)
end

--- The same, or nil where `open` would ask the server for something, or give an error.
---@return table|nil connection, string database, string collection
function Meta:at_hand()
  local conn, collection = self:place()
  if not conn or not is_indexed(self, conn, collection) then return nil end
  return opened(self, conn, collection)
end

-- HTTPServerLog -> http_server_log
local function snake_case(name)
  name = name:gsub("(.)(%u%l+)", "%1_%2"):gsub("([%l%d])(%u)", "%1_%2")
  return (name:lower())
end

--- The Meta that a definition gives, with what its parent's gives.
---@param name string of the model
---@param given table
---@param parent table|nil the parent's
---@return table
function meta.merge(name, given, parent)
  local merged = setmetatable({ given = given }, Meta)
  options.check(name .. ".Meta", given, meta_options)
  for key in pairs(meta_options) do
    merged[key] = given[key]
    if merged[key] == nil and parent and not own[key] then merged[key] = parent[key] end
  end
  codec.check(name, given.codec_options)
  for _, alias in pairs(given.cls_aliases or {}) do
    if type(alias) ~= "string" then invalid("%s.Meta: cls_aliases is a list of strings", name) end
  end
  merged.connection_alias = merged.connection_alias or "default"
  merged.collection_name = merged.collection_name or (parent and parent.collection_name)
    or snake_case(name:match "[^.]+$")
  local problem = collection_name.problem(merged.collection_name)
  if problem then
    invalid("%s.Meta: '%s' cannot be the name of a collection: %s", name, merged.collection_name,
      problem)
  end
  return merged
end

return meta
