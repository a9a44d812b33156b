--- The server that a command names, and what is in its database.

local connection = require "modm.connection"
local core = require "modm.core"
local failure = require "modm.cli.failure"

local server = {}

--- Opens a connection for the command; nothing is sent yet.
---@param uri string
---@param alias string|nil
---@return modm.Connection
function server.connect(uri, alias)
  local conn, message = connection.connect(uri, { alias = alias or "default" })
  if not conn then failure.raise(failure.USAGE, message) end
  return conn
end

local function reply(conn, command)
  local op = core.command(conn.client, "read", conn.database, command)
  failure.check(conn:run(op))
  return op:reply()
end

--- Asks the server whether it is there.
---@param conn modm.Connection
function server.ping(conn) reply(conn, { ping = 1 }) end

--- How many documents a collection has, by its statistics.
---@param conn modm.Connection
---@param collection string
---@return number
function server.count(conn, collection)
  return tonumber(tostring(reply(conn, { count = collection }).n))
end

--- For `for document in ...`: what an operation finds, with the types of its values.
---@param conn modm.Connection
---@param op userdata
---@return fun(): table[]|nil
function server.each(conn, op)
  return function()
    local document = core.typed(op)
    while not document and not op:done() do
      failure.check(conn:run(op))
      document = core.typed(op)
    end
    return document
  end
end

--- The names of the collections and views that the user may see, sorted; the server's own are left
--- out. The reply's first batch has 16 MB: names of tens of thousands.
---@param conn modm.Connection
---@param kind "collection"|"view"|nil only these
---@return string[]
function server.collections(conn, kind)
  local found = reply(conn, core.ordered { { "listCollections", 1 }, { "nameOnly", true },
    { "authorizedCollections", true } })
  local list = {}
  for _, row in ipairs(found.cursor.firstBatch) do
    if (kind == nil or row.type == kind) and not row.name:find "^system%." then
      list[#list + 1] = row.name
    end
  end
  table.sort(list)
  return list
end

--- The text about a collection that is not there.
---@param conn modm.Connection
---@param collection string
---@return string
function server.missing(conn, collection)
  return ("no collection '%s' in database '%s'"):format(collection, conn.database)
end

return server
