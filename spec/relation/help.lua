-- What the specs of relations share: a connection of their own, and the commands that were sent.
local modm = require "modm"
local server = require "spec.support.server"

local help = {}

--- Connects under an alias to a database that nobody else uses.
function help.connect(alias)
  assert(modm.connect(server.uri(server.database(alias)), { alias = alias }))
end

--- The commands that fn sends, as a list of events, and what fn returned.
function help.sent(fn)
  local list = {}
  local off = modm.on("command", function(event)
    if event.phase == "started" and event.name ~= "endSessions" then list[#list + 1] = event end
  end)
  local ok, result = pcall(fn)
  off()
  if not ok then error(result, 0) end
  return list, result
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
