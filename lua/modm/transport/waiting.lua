--- Coroutines that wait for operations of pools, each in the manner of its event loop.

local core = require "modm.core"
local loops = require "modm.loop"

local waiting = {}

-- How long one waits at most before it looks itself: should whoever reads the notifier be gone.
local LOOK = 1

---@class modm.Wait
---@field loop modm.Loop
---@field waiter any the loop's
---@field done boolean the operation has ended
---@field stopped boolean
---@field next modm.Wait|false that ended after it, while both are to be woken
local Wait = {}
Wait.__index = Wait

local waits = {} -- id of an operation -> who waits for it

--- Whether any coroutine waits.
---@return boolean
function waiting.any() return next(waits) ~= nil end

-- Gives the first of those who waited for what has ended. It asks for no memory: nobody is told of
-- that again.
local function take(ids)
  local first, last
  for i = 1, ids.n do
    local wait = waits[ids[i]]
    waits[ids[i]] = nil
    if wait then
      wait.done = true
      if last then last.next = wait else first = wait end
      last = wait
    end
  end
  return first
end

--- Wakes those whose operations have ended.
function waiting.drain()
  local wait = take(core.drain())
  while wait do
    local next = wait.next
    wait.loop.wake(wait.waiter)
    wait = next
  end
end

--- Wakes it before its operation has ended.
function Wait:stop()
  self.stopped = true
  self.loop.wake(self.waiter)
end

--- Begins to wait for an operation of the running coroutine.
---@param op userdata a modm.Op
---@param id number that its submit gave
---@return modm.Wait
function waiting.begin(op, id)
  local loop = loops.current()
  local wait = setmetatable({ loop = loop, waiter = loop.waiter(), id = id, done = false,
    stopped = false, next = false }, Wait)
  waits[id] = wait
  if not op:is_under_way() then -- it was drained already, by what a finalizer did meanwhile
    waits[id], wait.done = nil, true
  end
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
  return self.done
end

--- Nobody waits any longer.
function Wait:close()
  waits[self.id] = nil
  if self.done and self.loop.reuse then self.loop.reuse(self.waiter) end
end

return waiting
