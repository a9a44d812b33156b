--- Guards a document while a function of the program's runs for it: a hook, a validator, clean or
--- a default. One that saves, validates or deletes the same document would be called without end.

local errors = require "modm.errors"
local misuse = require "modm.misuse"
local scope = require "modm.scope"

local guard = {}

---@class modm.GuardedPlace what runs
---@field what "hook"|"validator"|"clean"|"default"
---@field path table<integer, string|integer> the field that it belongs to, or the hook's name

-- In the running coroutine: document -> the place that it is in.
local running = scope.new()

--- Calls fn and returns what it returns; meanwhile the document is in that place.
---@param doc modm.Document
---@param place modm.GuardedPlace it may change while fn runs
---@param fn fun(): ...
---@return ...
function guard.run(doc, place, fn) return running:run({ [doc] = place }, fn) end

--- Whether no function of the program's runs for any document.
---@return boolean
function guard.is_idle() return running.runs == 0 end

--- Raises an OperationError when a function of the program's runs for the document.
---@param meta table
---@param doc modm.Document
---@param method string what was asked for
function guard.refuse(meta, doc, method)
  local place = running.runs > 0 and running:get(doc)
  if not place then return end
  local name = table.concat(place.path, ".")
  local _, text = pcall(misuse, "%s: %s is called on a document in a %s of its own%s", meta.name,
    method, place.what, name ~= "" and (" (%s)"):format(name) or "")
  errors.raise(errors.new("OperationError", text, { model = meta.name }))
end

return guard
