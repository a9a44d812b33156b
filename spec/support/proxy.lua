-- A proxy between modm and a server, which does harm where a rule says so.
--
--   local wire = proxy.start(port)                    -- of the server
--   modm.connect(wire:uri "name")                     -- directConnection=true
--   wire:rule("insert", "close_after")                -- once, at the next insert
--   wire:rule("*", "delay", { number = 50, times = -1 })
--   wire:count "insert"                               -- since the last wire:reset()
--
-- `close`: the server does not get the request. `close_after`: it does, its reply is lost. `half`:
-- half of the reply comes. `delay`: the reply comes `number` ms late. `slice`: all bytes of all
-- connections go in pieces of `number`. `silence`: the request goes nowhere, and nobody answers.
-- `silence_after`: the server gets it, nobody answers. `hold`: the request waits for
-- wire:release(). The command "connect" stands for a new connection (`close`, `silence`).
local process = require "spec.support.process"
local socket = require "socket"

local proxy = {}

local Proxy = {}
Proxy.__index = Proxy

local PROGRAM = "spec/support/proxy_program.lua"

-- Starts one before the server on a port of the loopback interface. It ends with this process.
function proxy.start(server_port)
  local port, control = process.free_port(), process.free_port()
  local folder = process.folder "proxy"
  local child = process.start(("lua5.4 %s %d %d %d"):format(PROGRAM, port, control, server_port),
    folder .. "/log")
  local wire = setmetatable({ port = port, process = child, folder = folder }, Proxy)
  local ok, message = pcall(process.wait_for, "the proxy", 10, function()
    wire.control = socket.connect("127.0.0.1", control)
    return wire.control
  end)
  if not ok then
    wire:stop()
    error(message, 2)
  end
  return wire
end

function Proxy:uri(database, options)
  local text = ("mongodb://127.0.0.1:%d/%s?directConnection=true"):format(self.port, database)
  for name, value in pairs(options or {}) do
    text = text .. "&" .. name .. "=" .. tostring(value)
  end
  return text
end

-- Says a line to the program and gives its answer.
function Proxy:tell(...)
  assert(self.control:send(table.concat({ ... }, " ") .. "\n"))
  local answer, why = self.control:receive "*l"
  if answer then return answer end
  local log = io.open(self.folder .. "/log"):read "*a"
  error(("the proxy: %s: %s"):format(why, log), 2)
end

-- Does `action` to the next request with the command, or to its reply. `options`: skip (requests
-- to let by first), times (1; -1 for all), number.
function Proxy:rule(command, action, options)
  options = options or {}
  self:tell("rule", command, options.skip or 0, options.times or 1, action, options.number or 0)
end

-- How many requests with the command have come.
function Proxy:count(command) return tonumber(self:tell("count", command)) end

-- Lets what is held go to the server.
function Proxy:release() self:tell "release" end

-- Forgets rules and counts.
function Proxy:reset() self:tell "reset" end

-- Idempotent.
function Proxy:stop()
  if self.control then self.control:close() end
  self.process:stop()
  os.execute("rm -rf " .. self.folder)
end

return proxy
