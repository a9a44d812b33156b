--- Writing one document.

local core = require "modm.core"
local errors = require "modm.errors"
local opening = require "modm.queryset.opening"
local scoped = require "modm.model.scoped"

local saving = {}

--- The error of a document that cannot be written.
---@param meta table
---@param message string
---@param path string of the value that is the reason, or ""
---@return modm.Error
function saving.encoding_error(meta, message, path)
  local where = path ~= "" and meta.name .. "." .. path or meta.name
  local tree = path ~= "" and { [path] = { message } } or {}
  return errors.new("ValidationError", where .. ": " .. message,
    { model = meta.name, errors = tree })
end

--- Sends what has to be sent for a document that was validated, and nothing when nothing differs.
---@param doc modm.Document
---@param meta table of its model
---@param force_insert boolean
---@return modm.Document|nil document
---@return string? message
---@return modm.Error? err DoesNotExist: it is gone from the server
function saving.save(doc, meta, force_insert)
  local conn, database, collection = meta:open()
  if not conn then return nil, database, collection end
  local op, encoding, path = core.save(conn.client, doc, database, collection, force_insert,
    opening.write_options(meta), scoped.is_elsewhere(doc, meta))
  if op == false then return doc end
  if not op then return errors.failure(saving.encoding_error(meta, encoding, path)) end
  local ok, message, err = conn:run(op)
  if not ok then return nil, message, err end
  if not core.saved(doc, op, encoding) then
    return errors.failure(errors.new(meta.DoesNotExist,
      meta.name .. ": the document is no longer there, so its changes were not saved"))
  end
  scoped.note({ doc }, 1, 1)
  return doc
end

return saving
