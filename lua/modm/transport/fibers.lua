--- The fibers of a connection: which is idle, who drives those that work, and how.

local core = require "modm.core"
local loops = require "modm.loop"
local requests = require "modm.transport.requests"
local waiting = require "modm.transport.waiting"

local fibers = {}

-- How long the owner of a fiber waits at most before it looks whether it has to end.
local LOOK = 1

--- The event loops whose sockets are known, as C tells them apart.
fibers.numbers = { plain = 1, cqueues = 2, luv = 3, openresty = 4 }

---@class modm.Fiber
---@field handle userdata
---@field number integer
---@field loop modm.Loop that its sockets are of
---@field calls table<string, function> what does its requests
---@field sockets table<integer, any>
---@field idle boolean
---@field started boolean|nil it is in the middle of its work
---@field driver table weak: what the coroutine that resumes it holds
---@field waiter any of the owner, which outlives the work; nil where there is none
---@class modm.Fibers
---@field client userdata
---@field list table<integer, modm.Fiber> by number
---@field idle table<modm.Loop, modm.Fiber[]> the one that was used last at the end
---@field starting table<modm.Loop, integer> how many are about to begin
---@field last integer
---@field sample userdata|nil a fiber of this process
local Fibers = {}
Fibers.__index = Fibers

local weak = { __mode = "v" }
local known = {} -- loop -> the functions for its sockets

--- What does the requests of fibers in an event loop; nil and the reason where nothing can.
---@param loop modm.Loop
---@return table|nil calls, string|nil reason
function fibers.sockets(loop)
  if known[loop] then return known[loop] end
  if not fibers.numbers[loop.name] then
    return nil, ("transport 'coroutine' knows no sockets of %s: take transport 'pool'")
      :format(loop.name)
  end
  local ok, sockets = pcall(require, "modm.transport.sockets." .. loop.name)
  if not ok then
    return nil, "outside of event loops, transport 'coroutine' needs LuaSocket: "
      .. tostring(sockets)
  end
  known[loop] = requests.new(sockets)
  return known[loop]
end

---@param client userdata
---@return modm.Fibers
function fibers.new(client)
  return setmetatable({ client = client, list = {}, idle = {}, starting = {}, last = 0 }, Fibers)
end

--- After a fork: those of the parent are left alone.
function Fibers:forget_parents()
  if self.sample and not self.sample:is_here() then
    self.list, self.idle, self.starting, self.sample = {}, {}, {}, nil
  end
end

local function idle_of(self, loop)
  local list = self.idle[loop]
  if not list then
    list = {}
    self.idle[loop] = list
  end
  return list
end

-- Closes an idle one, and its sockets.
local function shut(self, fiber)
  self.list[fiber.number] = nil
  for id in pairs(fiber.sockets) do pcall(fiber.calls.close, fiber.sockets, nil, id) end
  fiber.handle:close()
end

-- Takes it off the list of idle ones.
local function occupy(self, fiber)
  local list = idle_of(self, fiber.loop)
  for i = #list, 1, -1 do
    if list[i] == fiber then table.remove(list, i) end
  end
  fiber.idle = false
end

-- Closes one of another loop that nobody needs now.
local function make_room(self, loop)
  for other, list in pairs(self.idle) do
    for _, fiber in ipairs(list) do
      if other ~= loop and not fiber.handle:is_held() then
        occupy(self, fiber)
        shut(self, fiber)
        return true
      end
    end
  end
  return false
end

-- nil when there are as many as there may be.
local function new(self, loop)
  self.last = self.last + 1
  local number = fibers.numbers[loop.name]
  local handle = core.fiber(self.client, number, self.last)
  if not handle and make_room(self, loop) then
    handle = core.fiber(self.client, number, self.last)
  end
  if not handle then return nil end
  local fiber = { handle = handle, number = self.last, loop = loop, calls = fibers.sockets(loop),
    sockets = {}, driver = setmetatable({}, weak), waiter = loop.is_ending and loop.waiter() }
  self.list[self.last] = fiber
  self.sample = handle
  return fiber
end

-- A fiber whose coroutine was forgotten in the middle of its work: what it wants, fails.
local function find_lost(self, loop)
  for _, fiber in pairs(self.list) do
    if fiber.loop == loop and not fiber.idle and not fiber.driver[1] then
      return fiber
    end
  end
end

-- Resumes it with what it asks for until there is no more to do.
local function drive(fiber)
  local handle, calls, sockets = fiber.handle, fiber.calls, fiber.sockets
  local want, seconds, id, a, b = handle:resume(fiber.started and "failed" or "ok")
  fiber.started = true
  while want ~= "nothing" do
    if want == "end" then
      waiting.drain()
      want, seconds, id, a, b = handle:resume("ok")
    else
      local ok, status, data, from = pcall(calls[want], sockets, seconds, id, a, b)
      if not ok then status, data = "failed", tostring(status) end
      want, seconds, id, a, b = handle:resume(status, data, from)
    end
  end
  fiber.started = nil
end

-- Where sockets belong to who made them, an owner waits for the next work. False when it is to end.
local function linger(self, fiber)
  local loop = fiber.loop
  if not loop.is_ending then return false end
  while fiber.idle do
    if fiber.handle:is_wanted() then
      occupy(self, fiber)
    elseif self.closed or loop.is_ending() then
      occupy(self, fiber)
      shut(self, fiber)
      return false
    else
      loop.wait(fiber.waiter, LOOK)
    end
  end
  return true
end

local function put_back(self, fiber)
  fiber.idle = true
  local list = idle_of(self, fiber.loop)
  list[#list + 1] = fiber
end

-- Its work is done; was there more than it could do, another is started.
local function rest(self, fiber)
  if self.closed and not fiber.waiter then
    shut(self, fiber)
  else
    put_back(self, fiber)
    self:dispatch(fiber.loop)
  end
end

-- Has the fiber do what there is to do. nil and the reason when the loop has no coroutine.
local function start(self, fiber)
  fiber.idle = false
  if fiber.waiter and fiber.driver[1] then
    fiber.loop.wake(fiber.waiter)
    return true
  end
  local driver = {} -- lives as long as the coroutine
  fiber.driver[1] = driver
  local starting, loop = self.starting, fiber.loop
  starting[loop] = (starting[loop] or 0) + 1
  local ok, why = loop.spawn(function()
    starting[loop] = starting[loop] - 1
    repeat
      drive(fiber)
      rest(self, fiber)
    until fiber.driver[1] ~= driver or not linger(self, fiber)
  end)
  if not ok then
    starting[loop] = starting[loop] - 1
    put_back(self, fiber)
  end
  return ok, why
end

--- Sees to it that what was submitted in this loop is done, when it can be.
---@param loop modm.Loop
---@return true|nil ok, string? reason
function Fibers:dispatch(loop)
  local list = idle_of(self, loop)
  for i = #list, 1, -1 do
    if list[i].handle:is_wanted() then return start(self, table.remove(list, i)) end
  end
  local fiber = find_lost(self, loop)
  local starting = self.starting[loop] or 0
  if not fiber and core.wanted_fibers(self.client, fibers.numbers[loop.name]) > starting then
    fiber = new(self, loop)
  end
  if fiber then return start(self, fiber) end
  return true -- one that is at work will come to it
end

--- Closes those that are idle; the others when they are done. What has a cursor or session open
--- tells the server first, where it is called in the fiber's own loop.
function Fibers:close()
  self.closed = true
  local current = loops.current()
  for _, list in pairs(self.idle) do
    for i = #list, 1, -1 do
      local fiber = list[i]
      if fiber.waiter then
        fiber.loop.wake(fiber.waiter)
      else
        occupy(self, fiber)
        local leaves = fiber.loop == current and fiber.handle:is_wanted() and start(self, fiber)
        if not leaves then shut(self, fiber) end
      end
    end
  end
end

return fibers
