--- Event loops: which one runs a coroutine, and so how it waits.
---
--- A loop is a table of functions, `modm.loop.NAME`:
---   is_running() whether this loop runs the calling coroutine, and can suspend it here
---   waiter()     something to wait by, for one coroutine
---   wait(waiter, seconds) suspends the coroutine until it is woken or the time is over
---   wake(waiter) lets it go on, soon; before its `wait` it makes that return at once
---   watch(waiting) sees to it that, as long as waiting.any() holds, waiting.drain() is called when
---                the notifier's descriptor (core.descriptor()) can be read. When it cannot, it
---                gives the seconds after which to look without it
---   reuse(waiter) takes one back that was woken; optional
---   spawn(fn)    runs fn in a coroutine of its own, soon; or nil and the reason. For the coroutine
---                transport alone, as the next two
---   is_ending()  where sockets belong to the coroutine that made them: whether it has to end
---   name         of modm.transport.sockets.NAME

local plain = require "modm.loop.plain"

local loop = {}

---@class modm.Loop
---@field is_running fun(): boolean
---@field waiter fun(): any
---@field wait fun(waiter: any, seconds: number)
---@field wake fun(waiter: any)
---@field watch fun(waiting: table): number?
---@field reuse? fun(waiter: any)
---@field spawn? fun(fn: function): any, string?
---@field is_ending? fun(): boolean
---@field name string

-- In the order in which they are asked. One is loaded when its library is.
local names = { "cqueues", "copas", "skynet", "luv" }
local loaded = {}

local function load(name)
  if not loaded[name] then loaded[name] = require("modm.loop." .. name) end
  return loaded[name]
end

--- Whether the caller is in a coroutine, and not in the main one: LuaJIT has no value for that.
---@return boolean
function loop.is_in_coroutine()
  local thread, main = coroutine.running()
  return thread ~= nil and not main
end

--- Whether the program runs in OpenResty.
---@return boolean
function loop.is_openresty() return type(ngx) == "table" and ngx.get_phase ~= nil end

--- The loop that runs the calling coroutine; where there is none, the thread blocks.
---@return modm.Loop
function loop.current()
  if loop.is_openresty() then
    local own = load "openresty"
    return own.is_running() and own or plain
  end
  for _, name in ipairs(names) do
    if package.loaded[name] then
      local own = load(name)
      if own.is_running() then return own end
    end
  end
  return plain
end

return loop
