--- Cosockets. They belong to the light thread that made them, which is the owner of their fiber.

local sockets = {}

local LONG = 24 * 3600 -- for who waits without a limit, in seconds

-- 0 would be the default of a minute.
local function limit(one, seconds)
  one:settimeout(math.max(1, math.ceil((seconds or LONG) * 1000)))
end

function sockets.connect(host, port, seconds)
  local one = ngx.socket.tcp()
  limit(one, seconds)
  local ok, reason = one:connect(host, port, { pool = "modm: none", pool_size = 1 })
  if not ok then return nil, reason end
  return one
end

function sockets.send(one, data, seconds)
  limit(one, seconds)
  return one:send(data)
end

function sockets.receive(one, max, seconds)
  limit(one, seconds)
  return one:receiveany(max)
end

function sockets.close(one) one:close() end

sockets.sleep = ngx.sleep

return sockets
