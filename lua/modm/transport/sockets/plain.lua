--- Sockets where there is no event loop: LuaSocket's, which block the thread.

local socket = require "socket"

local sockets = {}

function sockets.connect(host, port, seconds)
  local one = socket.tcp()
  one:settimeout(seconds)
  local ok, reason = one:connect(host, port)
  if not ok then
    one:close()
    return nil, reason
  end
  one:setoption("tcp-nodelay", true)
  return one
end

function sockets.send(one, data, seconds)
  one:settimeout(seconds)
  return one:send(data)
end

-- What there is, without waiting.
local function take(one, max)
  one:settimeout(0)
  local data, reason, part = one:receive(max)
  if data or (part and #part > 0) then return data or part end
  return nil, reason
end

function sockets.receive(one, max, seconds)
  local data, reason = take(one, max)
  if data or reason ~= "timeout" then return data, reason end
  if not socket.select({ one }, nil, seconds)[1] then return nil, "timeout" end
  return take(one, max)
end

function sockets.close(one) one:close() end

sockets.sleep = socket.sleep

return sockets
