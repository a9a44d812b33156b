-- What the specs of queries share: a connection of their own, and the commands that were sent.
local modm = require "modm"
local server = require "spec.support.server"

local help = {}

--- Connects under an alias to a database that nobody else uses.
function help.connect(alias)
  return assert(modm.connect(server.fresh(alias), { alias = alias }))
end

--- The commands that fn sends, without those of sessions and cursors' ends: list of { name,
--- command }. And what fn returned.
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

--- The one command that fn sends. Cursors and transactions of earlier specs may end meanwhile.
function help.one(fn)
  local list = {}
  for _, event in ipairs((help.sent(fn))) do
    if event.name ~= "killCursors" and event.name ~= "abortTransaction" then
      list[#list + 1] = event
    end
  end
  assert(#list == 1, "one command expected, got " .. #list)
  return list[1].command
end

--- Calls fn, and `act` once in the middle of it, when the server has answered the first command of
--- that name. What fn returned.
function help.between(name, act, fn)
  local off
  off = modm.on("command", function(event)
    if event.phase ~= "succeeded" or event.name ~= name or not off then return end
    local stop = off
    off = nil
    stop()
    act()
  end)
  local list = { pcall(fn) }
  if off then off() end
  assert(not off, "there was no " .. name)
  if not list[1] then error(list[2], 0) end
  return list[2], list[3], list[4]
end

--- The message that fn raises, and whether it is raised at a line of the file that calls this.
function help.raised(fn)
  local ok, err = pcall(fn)
  assert(not ok, "it did not raise")
  local file = debug.getinfo(2, "S").short_src
  return tostring(err), tostring(err):sub(1, #file) == file
end

--- The names that a list of documents has in a field.
function help.pluck(list, name)
  local out = {}
  for i, doc in ipairs(list) do out[i] = doc[name] end
  return out
end

return help
