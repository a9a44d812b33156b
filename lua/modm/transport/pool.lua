--- The pool transport: a thread runs the operation, and only the calling coroutine waits.

local limits = require "modm.limits"
local waiting = require "modm.transport.waiting"

local pool = { name = "pool", yields = true }

-- How long an operation waits for a thread and a client of the pool, in seconds.
local QUEUE = 30

local function busy(op)
  return op:abandon("busy", ("no client of the pool became free within %d s: open cursors, "
    .. "sessions and change streams keep theirs (maxPoolSize sets how many there are)")
    :format(QUEUE))
end

-- Waits for the end; false when it was given up before.
local function wait_for(op, wait, seconds)
  if seconds and seconds <= QUEUE then return wait:run(seconds) end
  if wait:run(QUEUE) then return true end
  collectgarbage() -- cursors that were forgotten give their clients back
  if wait:run(1) then return true end
  if wait.stopped or busy(op) then return false end
  return wait:run(seconds and seconds - QUEUE - 1)
end

--- Suspends the coroutine until an operation that was submitted has ended, or was given up.
---@param op userdata a modm.Op
---@param wait modm.Wait
---@param seconds number|nil after which the caller goes on without it
---@param canceller modm.Canceller|nil
---@return boolean ok
function pool.await(op, wait, seconds, canceller)
  limits.note(canceller, wait, true)
  local done = wait_for(op, wait, seconds)
  limits.note(canceller, wait, nil)
  wait:close()
  if done then return op:ok() end
  if wait.stopped then
    op:abandon("cancelled", limits.reason(canceller))
  elseif op:is_under_way() then
    op:abandon("timeout", ("it took longer than the %.0f ms that it had"):format(seconds * 1000))
  end
  return false
end

---@param op userdata a modm.Op
---@param seconds number|nil
---@param canceller modm.Canceller|nil
---@return boolean ok
function pool.run(op, seconds, canceller)
  local id = op:submit()
  if not id then return false end
  return pool.await(op, waiting.begin(op, id), seconds, canceller)
end

return pool
