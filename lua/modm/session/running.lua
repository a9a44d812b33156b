--- Which session a coroutine's calls are part of.

local scope = require "modm.scope"

local running = {}

local sessions = scope.new() -- connection -> session
local NONE = {}              -- true: no session at all

--- The session of the running coroutine for a connection, or nil.
---@param conn modm.Connection
---@return modm.Session|nil
function running.session(conn)
  if sessions.runs == 0 or sessions:get(NONE) then return nil end
  return sessions:get(conn)
end

--- Calls fn and returns what it returns; meanwhile the coroutine's calls are part of the session.
---@param session modm.Session
---@param fn fun(): ...
---@return ...
function running.run(session, fn)
  return sessions:run({ [session.connection] = session, [NONE] = false }, fn)
end

--- Calls fn with arguments: in a session, in none (false), or as the coroutine is (nil).
---@param session modm.Session|false|nil
---@param fn fun(...): ...
---@return ...
function running.with(session, fn, ...)
  if session == nil then return fn(...) end
  local n, arguments = select("#", ...), { ... }
  local unpack = table.unpack or unpack -- luacheck: ignore
  local function call() return fn(unpack(arguments, 1, n)) end
  if session then return running.run(session, call) end
  return sessions:run({ [NONE] = true }, call)
end

return running
