--- Limits of what a coroutine asks of servers: until when, and whether it was told to stop.

local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local scope = require "modm.scope"

local limits = {}

local held = scope.new() -- "deadline": seconds of core.now(); "canceller"

---@class modm.Canceller
---@field outer modm.Canceller|nil around the function that it runs
---@field reason string|nil it was cancelled for
---@field waiting table<table, true> what waits in its functions, to be woken
local Canceller = {}
Canceller.__index = Canceller
Canceller.__name = "modm.Canceller"

--- Makes a canceller: what runs by its `run` stops at a call of `cancel`, from whatever coroutine.
---@return modm.Canceller
function limits.canceller() return setmetatable({ waiting = {} }, Canceller) end

--- Calls fn and returns what it returns. Once the canceller was used, each call of a server made
--- by this coroutine in it, also the one under way, fails with a CancelledError.
---@param fn fun(): ...
---@return ...
function Canceller:run(fn)
  if type(fn) ~= "function" then misuse("canceller:run takes a function, not a %s", type(fn)) end
  self.outer = held:get "canceller"
  return held:run({ canceller = self }, fn)
end

--- Stops what runs by it, now and from now on. What the server was already asked for it may do yet.
---@param reason string|nil for the error
function Canceller:cancel(reason)
  self.reason = reason or "cancelled"
  for wait in pairs(self.waiting) do wait:stop() end
end

--- The reason for which a canceller, or one around it, was used; nil: none was.
---@param canceller modm.Canceller|nil
---@return string|nil
function limits.reason(canceller)
  while canceller do
    if canceller.reason then return canceller.reason end
    canceller = canceller.outer
  end
  return nil
end

--- Notes that something waits, or no longer (nil), for what runs by a canceller and those around
--- it.
---@param canceller modm.Canceller|nil
---@param wait table it has stop()
---@param on true|nil
function limits.note(canceller, wait, on)
  while canceller do
    canceller.waiting[wait] = on
    canceller = canceller.outer
  end
end

--- Calls fn and returns what it returns. Calls of servers that this coroutine makes in it fail with
--- a TimeoutError once the time is over, that under way at once where the transport is a pool. A
--- shorter limit around it holds on.
---@param ms number milliseconds for all of it
---@param fn fun(): ...
---@return ...
function limits.timeout(ms, fn)
  if type(ms) ~= "number" or ms <= 0 or ms ~= ms then
    misuse "timeout: a positive number of milliseconds is expected"
  elseif type(fn) ~= "function" then
    misuse("timeout: a function is expected, got a %s", type(fn))
  end
  local deadline, before = core.now() + ms / 1000, held:get "deadline"
  if before and before < deadline then deadline = before end
  return held:run({ deadline = deadline }, fn)
end

--- What holds for the running coroutine.
---@return number|nil deadline in seconds of core.now()
---@return modm.Canceller|nil canceller
function limits.current()
  if held.runs == 0 then return nil end
  return held:get "deadline", held:get "canceller"
end

--- The error of a call whose time was over before it was made.
---@return modm.Error
function limits.over()
  return errors.new("TimeoutError", "the time for it was over before the server was asked")
end

--- The error of a call that a canceller stopped.
---@param reason string
---@return modm.Error
function limits.stopped(reason) return errors.new("CancelledError", reason) end

return limits
