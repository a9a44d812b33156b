-- What the specs of the driver share: short ways to run one operation.
local assert = require "luassert"
local core = require "modm.core"
local server = require "spec.support.server"

local support = {}

-- A client with a database of its own, which is dropped at the end by `finish`.
function support.client(options, uri)
  return assert(core.client(uri or server.fresh("driver"), options))
end

-- The reply of a command that must succeed; `pairs_` is a list of key and value pairs.
function support.run(client, kind, pairs_, options, preference, database)
  local op = core.command(client, kind, database, core.ordered(pairs_), options, preference)
  if not op:run() then
    error(op:error().message, 2)
  end
  return op:reply()
end

-- The error of an operation that must fail.
function support.fail(op)
  assert.is_false(op:run())
  return op:error()
end

function support.failpoint(client, mode, data)
  support.run(client, "read", {
    { "configureFailPoint", "failCommand" }, { "mode", mode }, { "data", data },
  }, nil, nil, "admin")
end

-- n documents with ids from 1.
function support.documents(n, more)
  local list = {}
  for i = 1, n do
    list[i] = core.ordered { { "_id", i }, { "text", more or "x" } }
  end
  return list
end

function support.insert(client, name, list, options)
  local op = core.insert(client, nil, name, list, options)
  if not op:run() then
    error(op:error().message, 2)
  end
  return op:reply()
end

-- All documents of a cursor, and how many runs it took.
function support.all(op)
  local list, runs = {}, 0
  while not op:done() do
    if not op:run() then
      error(op:error().message, 2)
    end
    runs = runs + 1
    for document in function() return op:next_table() end do
      list[#list + 1] = document
    end
  end
  return list, runs
end

-- The commands of a name that were started since the last call.
function support.started(client, name)
  local list = {}
  for _, event in ipairs(client:events()) do
    if event.phase == "started" and event.name == name then
      list[#list + 1] = event.command
    end
  end
  return list
end

function support.drop(client)
  support.run(client, "write", { { "dropDatabase", 1 } })
  client:close()
end

return support
