--- Waiting in a service of skynet.

local core = require "modm.core"
local loops = require "modm.loop"
local skynet = require "skynet"
local socket = require "skynet.socket"

local loop = { name = "skynet" }

local reading = false

-- The main chunk of a service runs outside of coroutines: there the thread blocks.
loop.is_running = loops.is_in_coroutine

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

-- Reads as long as the service lives: a coroutine that waits keeps no service from its end.
function loop.watch(waiting)
  if reading then return end
  reading = true
  skynet.fork(function()
    local notifier = socket.bind(core.descriptor())
    while notifier and socket.read(notifier) do waiting.drain() end
    reading = false
  end)
end

return loop
