--- no_auto_dereference: models whose references read as keys, for one coroutine.

local core = require "modm.core"
local references = require "modm.relation.references"
local registry = require "modm.registry"

local suspension = {}

-- coroutine -> meta -> how often it is held. The main coroutine, which LuaJIT has no value for, is
-- under a name.
local held = setmetatable({}, { __mode = "k" })

local function running()
  local thread, main = coroutine.running()
  if main or not thread then return "main" end
  return thread
end

-- Adds a model and those embedded in it to the set.
local function spread(meta, set)
  if set[meta] then return set end
  set[meta] = true
  for _, definition in pairs(meta.fields) do
    local inner = references.innermost(definition)
    if inner.kind:find "^Embedded" then
      local found, target = pcall(registry.find, inner.options.model)
      if found then spread(target, set) end
    end
  end
  return set
end

local function finish(thread, set, ok, ...)
  local own = held[thread]
  for meta in pairs(set) do own[meta] = own[meta] > 1 and own[meta] - 1 or nil end
  if next(own) == nil then held[thread] = nil end
  if not ok then error((...), 0) end
  return ...
end

--- Calls fn and returns what it returns. Meanwhile references of the model, of those that extend it
--- and of documents embedded in them read as keys, unless they were fetched before. It holds for
--- the coroutine that runs, and for no other; it ends however fn ends.
---@param model modm.Model
---@param fn fun(): ...
---@return ...
function suspension.run(model, fn)
  local meta = registry.meta(model)
  if not meta or not meta.fields then error("no_auto_dereference: a model expected", 2) end
  if type(fn) ~= "function" then error("no_auto_dereference: a function expected", 2) end
  local thread, set = running(), spread(meta, {})
  local own = held[thread] or {}
  held[thread] = own
  for one in pairs(set) do own[one] = (own[one] or 0) + 1 end
  return finish(thread, set, pcall(fn))
end

--- Whether the references of a document read as keys now.
---@param doc modm.Document
---@return boolean
function suspension.holds(doc)
  if next(held) == nil then return false end
  local own = held[running()]
  if not own then return false end
  local meta = registry.meta(core.model_of(doc))
  while meta do
    if own[meta] then return true end
    meta = meta.parent
  end
  return false
end

return suspension
