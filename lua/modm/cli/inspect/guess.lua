--- Which collection the ObjectIds of a field are keys of. Each collection is asked once, for all
--- keys that were seen.

local core = require "modm.core"
local server = require "modm.cli.server"

local guess = {}

-- Adds to a set the samples of what lies below documents: of fields and items.
local add_object

local function add_node(all, node)
  for text, key in pairs(node.samples) do all[text] = key end
  if node.objects then add_object(all, node.objects) end
  if node.items then add_node(all, node.items) end
end

function add_object(all, object)
  for name, node in pairs(object.all.fields) do
    if name ~= "_id" then add_node(all, node) end
  end
end

-- Collection -> the set of those of the keys that it has.
local function look_up(conn, keys)
  local found = {}
  for _, name in ipairs(server.collections(conn, "collection")) do
    local op = core.find(conn.client, conn.database, name,
      { _id = { ["$in"] = core.array(keys) } }, { projection = { _id = 1 } })
    for document in server.each(conn, op) do
      found[name] = found[name] or {}
      found[name][tostring(document[1][3])] = true
    end
  end
  return found
end

local function hits_of(node, keys)
  local hits = 0
  for text in pairs(node.samples) do
    if keys[text] then hits = hits + 1 end
  end
  return hits
end

-- More hits, then the own collection, then the first by name.
local function is_better(one, other, own)
  if one.hits ~= other.hits then return one.hits > other.hits end
  if one.collection == own or other.collection == own then return one.collection == own end
  return one.collection < other.collection
end

--- A function that says for a node which collection has most of its keys; nil when none has one.
---@param conn modm.Connection
---@param own string the collection that is looked at: it is preferred where others have as many
---@param object table what was seen of its documents
---@return fun(node: modm.cli.Node): { collection: string, hits: integer, tried: integer }|nil
function guess.new(conn, own, object)
  local all, keys = {}, {}
  add_object(all, object)
  for _, key in pairs(all) do keys[#keys + 1] = key end
  local found = #keys > 0 and look_up(conn, keys) or {}
  return function(node)
    local best
    for name, those in pairs(found) do
      local hits = hits_of(node, those)
      local one = { collection = name, hits = hits, tried = node.sampled }
      if hits > 0 and (not best or is_better(one, best, own)) then best = one end
    end
    return best
  end
end

return guess
