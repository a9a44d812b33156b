--- Scopes: what holds for the running coroutine, and for no other, while a function runs.

local scope = {}

---@class modm.Scope
---@field held table<any, table> coroutine -> key -> value
---@field runs integer 0 where no coroutine holds anything: what costs nothing to ask. It may stay
--- above for a while when a coroutine is never resumed.
local Scope = {}
Scope.__index = Scope

local unset = {}

-- LuaJIT has no value for the main coroutine, so it is under a name.
local function running()
  local thread, main = coroutine.running()
  if main or not thread then return "main" end
  return thread
end

--- The value that a key has in the running coroutine, or nil.
---@param key any
---@return any
function Scope:get(key)
  if self:is_empty() then return nil end
  local own = self.held[running()]
  return own and own[key]
end

local function finish(self, thread, before, ok, ...)
  local own = self.held[thread]
  self.runs = self.runs - 1
  for key, value in pairs(before) do
    if value == unset then own[key] = nil else own[key] = value end
  end
  if next(own) == nil then self.held[thread] = nil end
  if not ok then error((...), 0) end
  return ...
end

--- Whether no coroutine holds anything.
---@return boolean
function Scope:is_empty()
  if self.runs > 0 and next(self.held) == nil then self.runs = 0 end
  return self.runs == 0
end

--- Whether the running coroutine holds anything.
---@return boolean
function Scope:is_active() return next(self.held) ~= nil and self.held[running()] ~= nil end

--- Calls fn and returns what it returns; meanwhile the keys have the given values. They get back
--- what they had, however fn ends; when its coroutine is never resumed they are forgotten with it.
---@param values table<any, any>
---@param fn fun(): ...
---@return ...
function Scope:run(values, fn)
  local thread, before = running(), {}
  local own = self.held[thread] or {}
  self.held[thread] = own
  self.runs = self.runs + 1
  for key, value in pairs(values) do
    before[key] = own[key] == nil and unset or own[key]
    own[key] = value
  end
  return finish(self, thread, before, pcall(fn))
end

--- Makes a scope, which knows nothing of any other.
---@return modm.Scope
function scope.new()
  return setmetatable({ held = setmetatable({}, { __mode = "k" }), runs = 0 }, Scope)
end

return scope
