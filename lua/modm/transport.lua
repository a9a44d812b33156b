--- Transports: the ways in which a program waits for a server.

local blocking = require "modm.transport.blocking"
local core = require "modm.core"
local coroutine_transport = require "modm.transport.coroutine"
local loop = require "modm.loop"
local pool = require "modm.transport.pool"

local transport = {}

--- What is taken where connect's options name none: "pool" in OpenResty, whose workers must not
--- block, and else "blocking".
transport.default = loop.is_openresty() and "pool" or "blocking"

local THREADS, QUEUE = 32, 10000

local transports = { blocking = blocking, pool = pool, coroutine = coroutine_transport }

---@class modm.TransportOptions
--- How calls wait: the whole program, or, with both others, the coroutine alone.
---@field transport? "blocking"|"pool"|"coroutine"
---@field threads? integer of a pool: how many operations can be under way at once (32)
---@field max_queue? integer how many more may wait, for a thread or a fiber (10000)

local function count(given, name, default)
  local value = given[name]
  given[name] = nil
  if value == nil then return default end
  if type(value) ~= "number" or value % 1 ~= 0 or value < 1 or value > 2 ^ 31 - 1 then
    return nil, ("option '%s' must be a positive integer (got %s)"):format(name, tostring(value))
  end
  return value
end

--- Takes a transport's options out of those of connect.
---@param given table|any
---@return { transport: table, threads: integer?, max_queue: integer?, suspends: boolean? }|nil
---@return string? message
function transport.choose(given)
  if type(given) ~= "table" then return { transport = transports[transport.default] } end
  local name = given.transport == nil and transport.default or given.transport
  local chosen = transports[name]
  if not chosen then
    return nil, ("option 'transport' must be \"blocking\", \"pool\" or \"coroutine\" (got %s)")
      :format(tostring(name))
  end
  given.transport = nil
  if chosen == blocking then return { transport = chosen } end
  local suspends = chosen == coroutine_transport
  if suspends then
    local can, why = core.can_suspend()
    if not can then return nil, why end
  end
  local threads, wrong
  if suspends then threads = 1 else threads, wrong = count(given, "threads", THREADS) end
  if not threads then return nil, wrong end
  local queue
  queue, wrong = count(given, "max_queue", QUEUE)
  if not queue then return nil, wrong end
  return { transport = chosen, threads = threads, max_queue = queue, suspends = suspends }
end

return transport
