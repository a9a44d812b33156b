--- Waiting under Copas, from version 2 on: those before cannot suspend a coroutine without a socket.

local copas = require "copas"
local core = require "modm.core"
local socket = require "socket"

local loop = {}

local reading = false

function loop.is_running()
  local thread, main = coroutine.running()
  return copas.running == true and thread ~= nil and not main
end

function loop.waiter() return {} end

function loop.wait(waiter, seconds)
  if not waiter.woken then
    waiter.thread = coroutine.running()
    copas.pause(seconds)
    waiter.thread = nil
  end
  waiter.woken = nil
end

function loop.wake(waiter)
  waiter.woken = true
  if waiter.thread then copas.wakeup(waiter.thread) end
end

function loop.watch(waiting)
  if reading then return end
  reading = true
  copas.addthread(function()
    local notifier = socket.tcp()
    notifier:settimeout(0)
    notifier:setfd(core.descriptor())
    copas.settimeouts(notifier, nil, nil, 1)
    while waiting.any() do
      copas.receive(notifier, 1)
      waiting.drain()
    end
    notifier:setfd(-1) -- the descriptor stays modm's
    reading = false
  end)
end

return loop
