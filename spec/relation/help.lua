-- What the specs of relations share, beside what those of queries do.
local core = require "modm.core"
local query = require "spec.query.help"

local help = { connect = query.connect, sent = query.sent }

--- Has the server fail commands by its fail point; mode "off" ends it.
function help.failpoint(conn, mode, data)
  assert(conn:run(core.command(conn.client, "write", "admin", core.ordered {
    { "configureFailPoint", "failCommand" }, { "mode", mode }, { "data", data or {} } })))
end

--- "find users, delete posts": the commands that fn sends, with their collections; and what fn
--- returned.
function help.names(fn)
  local list, result = help.sent(fn)
  local names = {}
  for i, event in ipairs(list) do
    local name = event.name
    names[i] = name .. " " .. tostring(event.command[name == "getMore" and "collection" or name])
  end
  return table.concat(names, ", "), result
end

--- Saves a document and reads it anew.
function help.stored(doc)
  assert(doc:save())
  local meta = require "modm.registry".meta(require "modm.core".model_of(doc))
  return assert(meta.default_manager:get { pk = doc.pk })
end

--- The keys of a list of documents.
function help.keys(list)
  local keys = {}
  for i, doc in ipairs(list) do keys[i] = doc.pk end
  return keys
end

return help
