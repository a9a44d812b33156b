--- A model's Meta: its options, and what the other modules ask of a model.

local connection = require "modm.connection"
local indexes = require "modm.indexes"
local invalid = require "modm.model.invalid"
local options = require "modm.options"

local meta = {}

-- The options of Meta and their types. Those marked "own" are not inherited.
local meta_options = {
  connection_alias = "string", collection_name = "string", final = "boolean", cascade = "boolean",
  read_preference = "table|string", read_concern = "table|string",
    write_concern = "table|number|string",
  indexes = "table", auto_index = "boolean", collation = "table", ignore_unknown_fields = "boolean",
  codec_options = "table", cls = "string", cls_aliases = "table", cls_optional = "boolean",
}
local own = { final = true, cls = true, cls_aliases = true, collection_name = true }

-- Meta's methods: what the other modules ask of a model.
local Meta = {}
Meta.__index = Meta

--- The connection, database and collection name of the model; its indexes are made at the first
--- call.
---@return table|nil connection
---@return string database or the message
---@return string|table collection or the error
function Meta:open()
  local conn, message, err = connection.get(self.connection_alias)
  if not conn then return nil, message, err end
  if not self.indexed and self.auto_index ~= false then
    self.indexed = true
    local ok, why, failure = indexes.ensure(self, conn)
    if not ok then
      self.indexed = nil
      return nil, why, failure
    end
  end
  return conn, conn.database, self.collection_name
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
  local merged = setmetatable({}, Meta)
  options.check(name .. ".Meta", given, meta_options)
  for key in pairs(meta_options) do
    merged[key] = given[key]
    if merged[key] == nil and parent and not own[key] then merged[key] = parent[key] end
  end
  for _, alias in pairs(given.cls_aliases or {}) do
    if type(alias) ~= "string" then invalid("%s.Meta: cls_aliases is a list of strings", name) end
  end
  merged.connection_alias = merged.connection_alias or "default"
  merged.collection_name = merged.collection_name or (parent and parent.collection_name)
    or snake_case(name:match "[^.]+$")
  return merged
end

return meta
