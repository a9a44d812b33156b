--- No event loop: the thread waits, and whoever else is in it.

local core = require "modm.core"

local plain = { name = "plain" }

-- So that Ctrl-C is seen soon.
local SLICE = 0.1

function plain.is_running() return true end

function plain.waiter() return { woken = false } end

function plain.wait(waiter, seconds)
  if not waiter.woken then core.wait(math.min(seconds, SLICE) * 1000) end
  waiter.woken = false
end

function plain.wake(waiter) waiter.woken = true end

function plain.spawn(fn)
  fn()
  return true
end

function plain.watch() end

return plain
