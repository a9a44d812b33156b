--- Sockets of cqueues.

local cqueues = require "cqueues"
local errno = require "cqueues.errno"
local socket = require "cqueues.socket"

local sockets = {}

local function reason_of(code)
  if code == errno.ETIMEDOUT then return "timeout" end
  return code and errno.strerror(code) or "closed"
end

function sockets.connect(host, port, seconds)
  local one, code = socket.connect { host = host, port = port, nodelay = true }
  if not one then return nil, reason_of(code) end
  one:setmode("bn", "bn")
  one:onerror(function(_, _, why) return why end)
  local ok
  ok, code = one:connect(seconds)
  if ok then return one end
  one:close()
  return nil, reason_of(code)
end

function sockets.send(one, data, seconds)
  local ok, code = one:xwrite(data, "bn", seconds)
  return ok and true or nil, not ok and reason_of(code) or nil
end

function sockets.receive(one, max, seconds)
  local data, code = one:xread(-max, "b", seconds)
  if data then return data end
  if code == errno.ETIMEDOUT then one:clearerr "r" end
  return nil, reason_of(code)
end

function sockets.close(one) one:close() end

sockets.sleep = cqueues.sleep

return sockets
