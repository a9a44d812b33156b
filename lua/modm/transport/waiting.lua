--- Coroutines that wait for operations of pools, each in the manner of its event loop.

local core = require "modm.core"
local loops = require "modm.loop"

local waiting = {}

-- How long one waits at most before it looks itself: should whoever reads the notifier be gone.
local LOOK = 1

---@class modm.Wait
---@field loop modm.Loop
---@field waiter any the loop's
---@field done boolean|nil the operation has ended
---@field stopped boolean|nil
local Wait = {}
Wait.__index = Wait

local waits = {} -- id of an operation -> who waits for it

--- Whether any coroutine waits.
---@return boolean
function waiting.any() return next(waits) ~= nil end

--- Wakes those whose operations have ended.
function waiting.drain()
  local ids, woken = core.drain(), {}
  for i = 1, ids.n do
    local wait = waits[ids[i]]
    waits[ids[i]] = nil
    if wait then
      wait.done = true
      woken[#woken + 1] = wait
    end
  end
  for _, wait in ipairs(woken) do wait.loop.wake(wait.waiter) end
end

--- Wakes it before its operation has ended.
function Wait:stop()
  self.stopped = true
  self.loop.wake(self.waiter)
end

--- Begins to wait for an operation of the running coroutine.
---@param id number that submit gave
---@return modm.Wait
function waiting.begin(id)
  local loop = loops.current()
  local wait = setmetatable({ loop = loop, waiter = loop.waiter(), id = id }, Wait)
  waits[id] = wait
  return wait
end

--- Suspends the coroutine until the operation has ended, it was stopped, or the time is over.
---@param seconds number|nil
---@return boolean done
function Wait:run(seconds)
  local loop = self.loop
  local deadline = seconds and core.now() + seconds
  while not self.done and not self.stopped do
    local left = deadline and deadline - core.now() or LOOK
    if left <= 0 then break end
    local most = loop.watch(waiting) or LOOK
    loop.wait(self.waiter, left < most and left or most)
    if not self.done then waiting.drain() end
  end
  return self.done == true
end

--- Nobody waits any longer.
function Wait:close()
  waits[self.id] = nil
  if self.done and self.loop.reuse then self.loop.reuse(self.waiter) end
end

return waiting
