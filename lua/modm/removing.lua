--- Deleting one document, and giving one back that was marked as deleted.

local base = require "modm.queryset.base"
local core = require "modm.core"
local errors = require "modm.errors"
local hooks = require "modm.hooks"
local kept = require "modm.kept"
local saving = require "modm.saving"
local transaction = require "modm.transaction"

local removing = {}

-- What it is that nothing was found: a conflict, where the document has another version.
local function explain(doc, meta, version)
  if not meta.counter then return true end
  local moved, message, err = saving.is_there(doc, meta, kept.moved(meta, version))
  if moved == nil then return nil, message, err end
  if moved then return errors.failure(kept.conflict(doc, meta)) end
  return true
end

-- The queryset of a document, as long as it has the version that is expected of it, which comes
-- second.
local function set_of(doc, meta)
  local set = meta.default_manager:filter { pk = core.key(doc) }
  if not meta.counter then return set end
  local version, err = kept.version(doc, meta)
  if err then return errors.failure(err) end
  local guard = { filter = kept.guard(meta, version),
    explain = function() return explain(doc, meta, version) end }
  return base.step(set, { guard = guard }), version
end

-- Reads the kept fields of a document anew, which a write past it has set. A version that is not
-- what this write has made is not taken over: another change came since, and the next save has to
-- notice it.
local function take_kept(doc, meta, version)
  local names, stored = {}, {}
  local stamps = meta.stamps or {}
  for _, name in pairs { mark = meta.mark, counter = meta.counter, updated = stamps.updated } do
    names[#names + 1], stored[meta.stored_names[name]] = name, true
  end
  local set = meta.default_manager:filter { pk = core.key(doc) }:with_deleted():only(names)
  local fresh, message, err = base.step(set, { silent = true }):first()
  if not fresh then return nil, message, err end
  if meta.counter and fresh[meta.counter] ~= version then
    stored[meta.stored_names[meta.counter]] = nil
  end
  core.refresh(doc, fresh, stored)
  return doc
end

local function delete(doc, meta, given)
  local ok, message, err = hooks.run(meta, doc, "before delete")
  if not ok then return nil, message, err end
  local set, version, refused = set_of(doc, meta)
  if not set then return nil, version, refused end
  if given.hard and meta.mark then set = set:with_deleted() end
  local n
  n, message, err = set:delete(given)
  if not n then return nil, message, err end
  if n == 0 then return explain(doc, meta, version) end
  if meta.mark and not given.hard then
    ok, message, err = take_kept(doc, meta, (version or 0) + 1)
    if not ok then return nil, message, err end
  end
  return hooks.run(meta, doc, "after delete")
end

--- Deletes a document, or marks it as deleted, with the hooks around it and the delete rules.
---@param doc modm.Document
---@param meta table of its model
---@param given table options of delete
---@return true|nil ok, string? message, modm.Error? err ConflictError: another change came first
function removing.delete(doc, meta, given)
  given = { hard = given.hard, atomic = given.atomic } -- the session is the coroutine's by now
  if not given.atomic then return delete(doc, meta, given) end
  return transaction.join(meta, function() return delete(doc, meta, given) end)
end

--- Takes the mark of a deleted document away. Nothing is sent twice: one that has none stays.
---@param doc modm.Document
---@param meta table of its model
---@return modm.Document|nil document, string? message, modm.Error? err
function removing.restore(doc, meta)
  local set, version, refused = set_of(doc, meta)
  if not set then return nil, version, refused end
  local n, message, err = set:restore()
  if not n then return nil, message, err end
  if n > 0 then return take_kept(doc, meta, (version or 0) + 1) end
  local ok
  ok, message, err = explain(doc, meta, version)
  if not ok then return nil, message, err end
  return take_kept(doc, meta, version)
end

return removing
