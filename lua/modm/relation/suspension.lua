--- no_auto_dereference: models whose references read as keys, for one coroutine.

local core = require "modm.core"
local references = require "modm.relation.references"
local registry = require "modm.registry"
local scope = require "modm.scope"

local suspension = {}

local suspended = scope.new()

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
  return suspended:run(spread(meta, {}), fn)
end

--- Whether the references of a document read as keys now.
---@param doc modm.Document
---@return boolean
function suspension.holds(doc)
  local meta = core.meta_of(doc)
  while meta do
    if suspended:get(meta) then return true end
    meta = meta.parent
  end
  return false
end

return suspension
