--- Waiting under cqueues.

local condition = require "cqueues.condition"
local core = require "modm.core"
local cqueues = require "cqueues"

local loop = { name = "cqueues" }

local readers = setmetatable({}, { __mode = "k" }) -- controller -> true: it reads the notifier

-- A coroutine that the program resumes itself must not be suspended by the controller around it.
function loop.is_running() return select(2, cqueues.running()) == true end

function loop.waiter() return condition.new() end

function loop.wait(waiter, seconds) waiter:wait(seconds) end

function loop.wake(waiter) waiter:signal() end

function loop.spawn(fn)
  cqueues.running():wrap(fn)
  return true
end

function loop.watch(waiting)
  local controller = cqueues.running()
  if readers[controller] then return end
  readers[controller] = true
  controller:wrap(function()
    local notifier = { pollfd = core.descriptor(), events = "r" }
    while waiting.any() do
      cqueues.poll(notifier, 1)
      waiting.drain()
    end
    readers[controller] = nil
  end)
end

return loop
