--- Waiting in OpenResty. A light thread of the worker's own reads the notifier for all requests: a
--- socket there belongs to what made it.

local core = require "modm.core"
local semaphore = require "ngx.semaphore"

local loop = { name = "openresty" }

local LOOK = 1      -- seconds after which the reader looks whether the worker is to end
local READ = 60     -- seconds that it reads at most; nginx writes each time-out into its log
local POLL = 0.005  -- seconds after which those look who have no reader

-- Where a light thread can wait.
local phases = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true, preread = true,
}

local reading = false
local idle -- the semaphore by which the reader waits while nobody does
local spare = {}

function loop.is_running() return phases[ngx.get_phase()] == true end

function loop.waiter()
  local waiter = table.remove(spare)
  return waiter or semaphore.new()
end

function loop.wait(waiter, seconds) waiter:wait(seconds) end

function loop.wake(waiter) waiter:post(1) end

function loop.reuse(waiter)
  if #spare < 1000 and waiter:count() == 0 then spare[#spare + 1] = waiter end
end

-- A timer's light thread: what it connects is its own, and lives as long.
function loop.spawn(fn) return ngx.timer.at(0, function() fn() end) end

function loop.is_ending() return ngx.worker.exiting() end

local function open()
  local path = assert(core.listen())
  local notifier = ngx.socket.tcp()
  notifier:settimeouts(1000, 1000, READ * 1000)
  assert(notifier:connect("unix:" .. path))
  assert(core.accept())
  return notifier
end

-- Reads on as long as the worker lives, and as long after as somebody waits.
local function read(waiting)
  local notifier = open()
  idle = idle or semaphore.new() -- one made before the fork would name a log that a reload frees
  local over
  repeat
    over = false
    if waiting.any() then
      local _, failed = notifier:receiveany(64)
      waiting.drain()
      if failed and failed ~= "timeout" then return end
    else
      over = not idle:wait(LOOK)
    end
  until over and ngx.worker.exiting() and not waiting.any()
end

function loop.watch(waiting)
  if reading then
    if idle and idle:count() < 0 then idle:post(1) end
    return nil
  end
  reading = ngx.timer.at(0, function()
    local ok, failed = pcall(read, waiting)
    reading = false
    if not ok then ngx.log(ngx.ERR, "modm: ", failed) end
  end) and true or false
  return not reading and POLL or nil
end

return loop
