-- What the specs of faults share: a model over a connection, what was sent, what is stored.
local assert = require "luassert"
local modm = require "modm"

local help = {}

-- The transports that this build has.
help.transports = { "blocking" }
if pcall(require, "modm.transport.pool") then help.transports[2] = "pool" end

local count = 0

-- A connection, and a model over it with fields n, text and list. `options` are those of connect.
function help.model(uri, options)
  count = count + 1
  local alias = "faults" .. count
  local given = { alias = alias }
  for name, value in pairs(options or {}) do given[name] = value end
  if given.transport == "blocking" then given.transport = nil end
  local conn = assert(modm.connect(uri, given))
  local Model = modm.MongoModel:extend("faults.Model" .. count, {
    n = modm.fields.IntegerField {}, text = modm.fields.CharField {},
    list = modm.fields.ListField { modm.fields.IntegerField {} },
    Meta = { connection_alias = alias, collection_name = "models", final = true,
      indexes = { { "n" } } },
  })
  return Model, conn
end

-- Runs f and gives the commands with the name that it sent, as they were started.
function help.commands(name, f)
  local list = {}
  local off = modm.on("command", function(event)
    if event.phase == "started" and event.name == name then list[#list + 1] = event.command end
  end)
  local ok, raised = pcall(f)
  off()
  if not ok then error(raised, 0) end
  return list
end

-- That the commands are one and its retry: the same number of the same session.
function help.same_transaction(list)
  assert.equal(2, #list)
  local first, second = list[1], list[2]
  assert.truthy(first.txnNumber)
  assert.equal(first.txnNumber, second.txnNumber)
  assert.same(first.lsid, second.lsid)
end

-- The values of n that are stored, in order.
function help.stored(Model)
  local list = {}
  for document in Model.objects:order_by { "n" }:iter() do list[#list + 1] = document.n end
  return list
end

-- All that is stored, but for the keys.
function help.raw(Model)
  local list = {}
  for document in Model.objects:order_by { "n" }:iter() do
    list[#list + 1] = { document.n, document.text, document.list }
  end
  return list
end

-- The numbers from 1 to n.
function help.numbers(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

-- The error of a call that must return one.
function help.failed(ok, message, err)
  assert.is_nil(ok)
  assert.equal("string", type(message))
  assert.equal(message, tostring(err))
  return err
end

return help
