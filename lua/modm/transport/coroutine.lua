--- The coroutine transport: libmongoc's calls run in fibers, C stacks of their own, and what they
--- want of a socket is done by those of the event loop.

local core = require "modm.core"
local fibers = require "modm.transport.fibers"
local loops = require "modm.loop"
local misuse = require "modm.misuse"
local pool = require "modm.transport.pool"
local waiting = require "modm.transport.waiting"

local suspending = {}

local function run(own, op, seconds, canceller)
  local loop = loops.current()
  local ok, why = fibers.sockets(loop)
  if not ok then misuse("%s", why) end
  own:forget_parents()
  local number = core.fiber_of(op)
  local bound = number and own.list[number]
  if bound and bound.loop ~= loop then
    misuse("a cursor or a session that was begun in one event loop (%s) cannot go on in another "
      .. "(%s)", bound.loop.name, loop.name)
  end
  local id = op:submit(fibers.numbers[loop.name])
  if not id then return false end
  local wait = waiting.begin(op, id)
  ok, why = own:dispatch(loop)
  if not ok then
    wait:close()
    op:abandon("busy", "there is no coroutine for it: " .. tostring(why))
    return false
  end
  return pool.await(op, wait, seconds, canceller)
end

--- The transport of one connection.
---@param client userdata a modm.Client
---@return table transport
function suspending.open(client)
  local own = fibers.new(client)
  return {
    name = "coroutine",
    yields = true,
    run = function(op, seconds, canceller) return run(own, op, seconds, canceller) end,
    close = function() own:close() end,
  }
end

return suspending
