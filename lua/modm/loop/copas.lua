--- Waiting under Copas, from version 4.4 on. Under one before that, modm blocks the thread: those
--- before 2 (Debian's is 1.1.7) cannot suspend a coroutine that has no socket.

local copas = require "copas"
local core = require "modm.core"
local events = require "modm.events"
local loops = require "modm.loop"

local loop = { name = "copas" }

local reading, warned = false, false

-- What Copas waits for: LuaSocket's select takes whatever has a descriptor.
local notifier = { getfd = core.descriptor, looked = false }

function notifier.dirty() return false end

-- Called before Copas waits and after. The bytes are taken by whoever drains.
function notifier:receive()
  self.looked = not self.looked
  if self.looked then return nil, "timeout" end
  return ""
end

-- Said once: such a Copas has `running` not either, so that this may be a coroutine of others.
local function warn()
  if warned then return end
  warned = true
  events.warn(("%s is too old to wait in: a call of modm blocks the whole loop. Copas 4.4 or newer "
    .. "does not"):format(copas._VERSION or "this Copas"))
end

function loop.is_running()
  if not loops.is_in_coroutine() then return false end
  if not copas.pause then warn() end
  return copas.pause ~= nil and copas.running == true
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
  copas.settimeouts(notifier, nil, nil, 1)
  copas.addthread(function()
    while waiting.any() do
      notifier.looked = false
      copas.receive(notifier)
      waiting.drain()
    end
    reading = false
  end)
end

return loop
