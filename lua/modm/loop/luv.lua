--- Waiting under luv: any coroutine that libuv's callbacks may resume.

local core = require "modm.core"
local loops = require "modm.loop"
local uv = require "luv"

local loop = { name = "luv" }

local poll, watched  -- libuv's handle, and the descriptor that it is for
local ready, soon = {}, nil -- waiters that were woken, and the timer that resumes them

loop.is_running = loops.is_in_coroutine

function loop.waiter() return {} end

local function resume(waiter)
  local thread = waiter.thread
  if not thread then return end
  waiter.thread = nil
  local ok, raised = coroutine.resume(thread)
  if not ok then error(debug.traceback(thread, tostring(raised)), 0) end
end

function loop.wait(waiter, seconds)
  if waiter.woken then
    waiter.woken = nil
    return
  end
  local timer = uv.new_timer()
  waiter.thread = coroutine.running()
  timer:start(math.ceil(seconds * 1000), 0, function() resume(waiter) end)
  coroutine.yield()
  timer:close()
end

-- Not in here: the woken coroutine may go far, and others are to be woken.
function loop.wake(waiter)
  if not waiter.thread then
    waiter.woken = true
    return
  end
  ready[#ready + 1] = waiter
  if not soon then soon = uv.new_timer() end
  if #ready > 1 then return end
  soon:start(0, 0, function()
    local woken = ready
    ready = {}
    for i, one in ipairs(woken) do
      woken[i] = nil
      resume(one)
    end
  end)
end

function loop.spawn(fn)
  local waiter = { thread = coroutine.create(fn) }
  loop.wake(waiter)
  return true
end

-- The poll alone keeps no program from its end. Who waits does, by the timer.
function loop.watch(waiting)
  local descriptor = core.descriptor()
  if watched == descriptor then return end
  if poll then poll:close() end
  poll, watched = uv.new_poll(descriptor), descriptor
  poll:start("r", waiting.drain)
  poll:unref()
end

return loop
