-- What the specs of GridFS share: a bucket of its own, and what the server has of it.
local core = require "modm.core"
local modm = require "modm"
local server = require "spec.support.server"

local help = {}

--- Connects under an alias to a database that nobody else uses; returns the connection.
function help.connect(alias)
  return assert(modm.connect(server.uri(server.database(alias)), { alias = alias }))
end

--- The documents of a collection, in order of n.
function help.documents(conn, name)
  local op = core.find(conn.client, nil, name, {}, { sort = { n = 1 } })
  local list = {}
  repeat
    assert(conn:run(op))
    for document in function() return op:next_table() end do list[#list + 1] = document end
  until op:done()
  return list
end

--- How many documents files and chunks hold.
function help.counts(conn, bucket)
  bucket = bucket or "fs"
  return { #help.documents(conn, bucket .. ".files"), #help.documents(conn, bucket .. ".chunks") }
end

--- Runs a command that must succeed.
function help.command(conn, pairs_, database)
  local op = core.command(conn.client, "write", database, core.ordered(pairs_))
  assert(conn:run(op))
  return op:reply()
end

--- Has the server refuse commands by the fail point.
function help.failpoint(conn, mode, data)
  help.command(conn, { { "configureFailPoint", "failCommand" }, { "mode", mode },
    { "data", data or {} } }, "admin")
end

--- A file object that is nothing but a read function.
function help.source(read) return { read = function(_, n) return read(n) end } end

return help
