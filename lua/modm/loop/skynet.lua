--- Waiting in a service of skynet.

local core = require "modm.core"
local skynet = require "skynet"
local socket = require "skynet.socket"

local loop = {}

local notifier, reading

function loop.is_running()
  local thread, main = coroutine.running()
  return thread ~= nil and not main
end

function loop.waiter() return {} end

-- skynet counts hundredths of a second.
function loop.wait(waiter, seconds)
  if not waiter.woken then skynet.sleep(math.ceil(seconds * 100), waiter) end
  waiter.woken = nil
end

function loop.wake(waiter)
  waiter.woken = true
  skynet.wakeup(waiter)
end

function loop.watch(waiting)
  notifier = notifier or socket.bind(core.descriptor())
  if reading then return end
  reading = true
  skynet.fork(function()
    while waiting.any() and socket.read(notifier, 1) do waiting.drain() end
    reading = false
  end)
end

return loop
