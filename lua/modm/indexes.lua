--- The indexes that Meta declares, made on the server.

local core = require "modm.core"

local indexes = {}

-- { "author", 1 } or "author" or "-author" -> stored name, direction
local function key_of(meta, part)
  local name, direction = part, 1
  if type(part) == "table" then
    name, direction = part[1], part[2] or 1
  elseif type(part) == "string" and part:sub(1, 1) == "-" then
    name, direction = part:sub(2), -1
  end
  if type(name) ~= "string" then
    error(("%s: an index key is a name or { name, direction }"):format(meta.name), 0)
  end
  local head, rest = name:match "^([^.]+)(.*)$"
  return (meta.stored_names[head] or head or name) .. (rest or ""), direction
end

-- One index as createIndexes takes it: the list of keys, and beside it the server's options by
-- name.
local function index_document(meta, index)
  local key, names = {}, {}
  for _, part in ipairs(index) do
    local name, direction = key_of(meta, part)
    key[#key + 1] = { name, direction }
    names[#names + 1] = name .. "_" .. tostring(direction)
  end
  local out = { { "key", core.ordered(key) }, { "name", index.name or table.concat(names, "_") } }
  for option, value in pairs(index) do
    if type(option) == "string" and option ~= "name" then out[#out + 1] = { option, value } end
  end
  return core.ordered(out)
end

--- Creates the indexes of a model; those that are there stay as they are.
---@param meta table
---@param conn table
---@param collection string
---@return true|nil, string?, modm.Error?
function indexes.ensure(meta, conn, collection)
  if not meta.indexes or #meta.indexes == 0 then return true end
  local list = {}
  for i, index in ipairs(meta.indexes) do list[i] = index_document(meta, index) end
  local op = core.command(conn.client, "write", conn.database,
    core.ordered { { "createIndexes", collection }, { "indexes", core.array(list) } })
  return conn:run(op)
end

return indexes
