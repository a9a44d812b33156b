--- Atomic changes of a document that also come to the document in hand.

local base = require "modm.queryset.base"
local changing = require "modm.queryset.changing"
local core = require "modm.core"
local errors = require "modm.errors"
local kept = require "modm.kept"
local misuse = require "modm.misuse"
local modify = require "modm.queryset.modify"
local options = require "modm.options"
local registry = require "modm.registry"
local scoped = require "modm.model.scoped"

local unpack = table.unpack or unpack -- luacheck: ignore

local atomic = {}

local known_options = { array_filters = "table", session = "boolean|table" }

local function refused(meta, why)
  return errors.failure(errors.new("OperationError", meta.name .. ": " .. why))
end

-- The set of stored names that a document takes over, and the names to fetch for it.
local function names_of(meta, changes)
  local stored, names = {}, {}
  for stored_name, name in pairs(kept.touched(meta, changes)) do
    stored[stored_name], names[#names + 1] = true, name
  end
  local updated = meta.stamps and meta.stamps.updated
  if updated then
    stored[meta.stored_names[updated]], names[#names + 1] = true, updated
  end
  return stored, names
end

-- Whether the counter that came back is the next one after the document's. Else others changed it
-- in between, and its next save has to notice.
local function follows(meta, fresh, version, err)
  return not err and fresh[meta.counter] == (version or 0) + 1
end

--- Changes a document on the server, at once, and takes over what the server then has in the fields
--- that were changed. Other changes of the document stay, and are not sent. For models that have a
--- field of a method's name, `document:change` is `modm.change(document, ...)`.
---@param doc modm.Document
---@param changes modm.Changes { inc = { views = 1 }, push = { tags = "new" }, ... }
---@param given { array_filters: table?, session: modm.Session|false|nil }|nil
---@return modm.Document|nil document
---@return string? message
---@return modm.Error? err DoesNotExist when it is gone, OperationError before its first save,
--- ValidationError, ...
function atomic.change(doc, changes, given)
  local class = core.model_of(doc)
  local meta = class and registry.meta(class)
  if not meta or meta.embedded then
    misuse("change: a document of a model with a collection expected, got a %s",
      meta and meta.name or type(doc))
  end
  options.check("change", given, known_options)
  given = given or {}
  local key = core.key(doc)
  if key == nil then return refused(meta, "cannot be changed before the first save") end
  if scoped.is_elsewhere(doc, meta) then
    return refused(meta, "it came from another collection, so it cannot be changed here")
  end
  local update, filters, err = changing.compile(meta, changes, given)
  if not update then return nil, filters, err end
  local stored, names = names_of(meta, changes)
  local set = base.joined(meta.default_manager:filter { pk = key }, given):only(unpack(names))
  local version, unknown
  if meta.counter then version, unknown = kept.version(doc, meta) end
  local fresh, message, failure = modify.run(base.step(set, { silent = true }), update,
    { new = true, arrayFilters = filters })
  if not fresh then return nil, message, failure end
  if meta.counter and follows(meta, fresh, version, unknown) then
    stored[meta.stored_names[meta.counter]] = true
  end
  core.refresh(doc, fresh, stored)
  scoped.note({ doc }, 1, 1)
  return doc
end

--- The methods of documents. A field may have the name of one, and then stands before it.
atomic.methods = { change = atomic.change }

for _, name in ipairs(changing.METHODS) do
  atomic.methods[name] = function(doc, names, given)
    return atomic.change(doc, { [name] = names }, given)
  end
end

return atomic
