--- Scopes: what holds for the running coroutine, and for no other, while a function runs.

local scope = {}

---@class modm.Scope
---@field held table<any, table> coroutine -> key -> value
---@field runs integer 0 where no coroutine holds anything: what costs nothing to ask. It may stay
--- above for a while when a coroutine is never resumed, or killed.
local Scope = {}
Scope.__index = Scope

-- OpenResty gives the coroutine of a request that was killed to a later one.
local recycles = ngx ~= nil -- luacheck: ignore

-- What a coroutine holds is kept alive by its stack alone, and so ends with it.
local weak = { __mode = "kv" }

-- LuaJIT has no value for the main coroutine, so it is under a name.
local function running()
  local thread, main = coroutine.running()
  if main or not thread then return "main" end
  return thread
end

-- Whether the running coroutine is inside of the scope's run, seen from the caller's caller.
local function is_inside(self)
  local level = 4
  local frame = debug.getinfo(level, "f")
  while frame do
    if frame.func == Scope.run and select(2, debug.getlocal(level, 1)) == self then return true end
    level = level + 1
    frame = debug.getinfo(level, "f")
  end
  return false
end

-- What the running coroutine holds, or nil. What it held when it was killed does not count.
local function own_of(self)
  local thread = running()
  local own = self.held[thread]
  if own and recycles and not is_inside(self) then
    self.held[thread] = nil
    return nil
  end
  return own
end

--- The value that a key has in the running coroutine, or nil.
---@param key any
---@return any
function Scope:get(key)
  if self:is_empty() then return nil end
  local own = own_of(self)
  return own and own[key]
end

--- Whether no coroutine holds anything.
---@return boolean
function Scope:is_empty()
  if self.runs > 0 and next(self.held) == nil then self.runs = 0 end
  return self.runs == 0
end

--- Whether the running coroutine holds anything.
---@return boolean
function Scope:is_active()
  return not self:is_empty() and own_of(self) ~= nil
end

-- Gives one table another's values of some keys. Without `for`: a finalizer that LuaJIT runs while
-- it closes a state never leaves such a loop if it was compiled for values of other types.
local function copy(to, from, keys)
  local key = next(keys)
  while key ~= nil do
    if to[key] ~= from[key] then to[key] = from[key] end
    key = next(keys, key)
  end
end

-- `values` comes along to be alive as long as fn runs.
local function finish(self, own, values, before, ok, ...)
  self.runs = self.runs - 1
  copy(own, before, values)
  if next(own) == nil then self.held[running()] = nil end
  if not ok then error((...), 0) end
  return ...
end

-- Under pcall, so that all is taken back where memory ends in the middle of it, too.
local function begin(self, own, values, fn)
  self.held[running()] = own
  copy(own, values, values)
  return fn()
end

--- Calls fn and returns what it returns; meanwhile the keys have the given values. They get back
--- what they had, however fn ends; when its coroutine is never resumed they are forgotten with it.
---@param values table<any, any>
---@param fn fun(): ...
---@return ...
function Scope:run(values, fn)
  if next(values) == nil then return fn() end -- or it would count as what holds nothing
  local own, before = own_of(self) or setmetatable({}, weak), {}
  copy(before, own, values)
  self.runs = self.runs + 1
  return finish(self, own, values, before, pcall(begin, self, own, values, fn))
end

--- Makes a scope, which knows nothing of any other.
---@return modm.Scope
function scope.new()
  return setmetatable({ held = setmetatable({}, { __mode = "k" }), runs = 0 }, Scope)
end

return scope
