--- Hooks: functions that a model has called before and after what happens to its documents.
--
-- They are kept where they were declared and put together, the ancestors' first, when they are
-- first asked for, and again after another one was declared. A model without any pays for a look
-- into that list. Every hook is called from here, with no C frame below, so it may yield.

local core = require "modm.core"
local errors = require "modm.errors"
local guard = require "modm.guard"
local misuse = require "modm.misuse"

local hooks = {}

local events = { validate = true, save = true, insert = true, update = true, delete = true }
local around_save = { "before save", "after save", "before insert", "after insert",
  "before update", "after update" }

local unpack = table.unpack or unpack -- luacheck: ignore

local generation = 0 -- of all that was declared

--- Declares a hook.
---@param meta table
---@param when "before"|"after"
---@param event string
---@param fn fun(document: modm.Document): any, string?, modm.Error?
function hooks.add(meta, when, event, fn)
  if meta.embedded then
    misuse("%s: an embedded document has no hooks, the document that it lies in has them",
      meta.name)
  elseif not events[event] and not (event == "load" and when == "after") then
    misuse("%s: there is no hook %s '%s'", meta.name, when, tostring(event))
  elseif type(fn) ~= "function" then
    misuse("%s: %s takes the name of an event and a function, not a %s", meta.name, when,
      type(fn))
  end
  local key = when .. " " .. event
  meta.hooks[key] = meta.hooks[key] or {}
  table.insert(meta.hooks[key], fn)
  generation = generation + 1
end

-- Whether a model, or one that extends it, has hooks under a key.
local function anywhere(all, meta, key)
  if all[key] then return true end
  for _, child in ipairs(meta.children) do
    if child.hooks[key] then return true end
  end
  return false
end

-- All hooks of a model by "before save" and the like; `saves`, `loads` and `validates` say whether
-- it has any of that sort, the latter two also for the models that extend it.
local function all_of(meta)
  local all = meta.all_hooks
  if all and all.generation == generation and all.children == #meta.children then return all end
  all = { generation = generation, children = #meta.children }
  for key, list in pairs(meta.parent and all_of(meta.parent) or {}) do
    if type(list) == "table" then all[key] = { unpack(list) } end
  end
  for key, list in pairs(meta.hooks) do
    all[key] = all[key] or {}
    for _, fn in ipairs(list) do table.insert(all[key], fn) end
  end
  for _, key in ipairs(around_save) do all.saves = all.saves or all[key] ~= nil end
  all.loads = anywhere(all, meta, "after load")
  all.validates = anywhere(all, meta, "before validate") or anywhere(all, meta, "after validate")
  meta.all_hooks = all
  return all
end

--- What hooks a model has: `saves` and `validates` as the functions below say it, and `loads`,
--- whether it, or one that extends it, has a hook after load.
---@param meta table
---@return table
hooks.of = all_of

--- Whether a model, or one that extends it, has a hook around validation.
---@param meta table
---@return boolean
function hooks.validates(meta) return all_of(meta).validates end

--- Whether a model has a hook that a save runs.
---@param meta table
---@return boolean
function hooks.saves(meta) return all_of(meta).saves or false end

--- Whether a model, or one that extends it, has a hook that reading and validating a document runs.
---@param meta table
---@return boolean
function hooks.checks(meta)
  local all = all_of(meta)
  return all.loads or all.validates
end

--- Whether a model has a hook of a name.
---@param meta table
---@param key string "before save"
---@return boolean
function hooks.has(meta, key) return all_of(meta)[key] ~= nil end

-- The error of a hook that failed. What it gave as an error object stays that.
local function failure(meta, key, text, err)
  for _, value in ipairs { err or false, text } do
    if errors.is_error(value) then return errors.failure(value) end
  end
  return errors.failure(errors.new("HookError", tostring(text), { model = meta.name, hook = key }))
end

-- Calls hooks in order, until one fails. Want of memory is no fault of a hook's.
local function call_all(list, meta, doc, key)
  for _, fn in ipairs(list) do
    local ok, result, message, err = pcall(fn, doc)
    if not ok then
      if result == "not enough memory" then error(result, 0) end
      if not errors.is_error(result) then
        result = ("%s: %s: %s"):format(meta.name, key, tostring(result))
      end
      return failure(meta, key, result)
    elseif not result and message ~= nil then
      return failure(meta, key, message, err)
    end
  end
  return true
end

--- Runs the hooks of a document, in order. The first that raises, or returns nil and a message,
--- ends it.
---@param meta table
---@param doc modm.Document
---@param key string "before save"
---@return true|nil ok, string? message, modm.Error? err a HookError, or what the hook gave
function hooks.run(meta, doc, key)
  local list = all_of(meta)[key]
  if not list then return true end
  return guard.run(doc, { what = "hook", path = { key } }, function()
    return call_all(list, meta, doc, key)
  end)
end

--- Runs the hooks after load for the documents from place n + 1 to `count` of a list.
---@param meta table of the model that was asked for
---@param list modm.Document[]
---@param n integer
---@param count integer
---@return integer count of the documents that are good: those before one whose hook failed
---@return modm.Error? err
function hooks.loaded(meta, list, n, count)
  if not all_of(meta).loads then return count end
  for i = n + 1, count do
    local doc = list[i]
    local ok, _, err = true, nil, nil
    if doc then ok, _, err = hooks.run(core.meta_of(doc), doc, "after load") end
    if not ok then return i - 1, err end
  end
  return count
end

return hooks
