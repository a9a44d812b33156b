--- Transports: the ways in which a program waits for a server.

local blocking = require "modm.transport.blocking"
local core = require "modm.core"
local loop = require "modm.loop"
local pool = require "modm.transport.pool"

local transport = {}

--- What is taken where connect's options name none: "pool" in OpenResty, whose workers must not
--- block, and else "blocking".
transport.default = loop.is_openresty() and "pool" or "blocking"

local THREADS, QUEUE = 32, 10000

local transports = { blocking = blocking, pool = pool }

---@class modm.TransportOptions
---@field transport? "blocking"|"pool" how calls wait: the whole program, or the coroutine alone
---@field threads? integer of a pool: how many operations can be under way at once (32)
---@field max_queue? integer of a pool: how many more may wait for a thread (10000)

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
---@return { transport: table, threads: integer?, max_queue: integer? }|nil
---@return string? message
function transport.choose(given)
  if type(given) ~= "table" then return { transport = transports[transport.default] } end
  local name = given.transport == nil and transport.default or given.transport
  if name == "coroutine" then return nil, select(2, core.can_suspend()) end
  local chosen = transports[name]
  if not chosen then
    return nil, ("option 'transport' must be \"blocking\" or \"pool\" (got %s)")
      :format(tostring(name))
  end
  given.transport = nil
  if chosen ~= pool then return { transport = chosen } end
  local threads, wrong = count(given, "threads", THREADS)
  if not threads then return nil, wrong end
  local queue
  queue, wrong = count(given, "max_queue", QUEUE)
  if not queue then return nil, wrong end
  return { transport = pool, threads = threads, max_queue = queue }
end

return transport
