--- Keys of documents: found, deleted and joined to filters in bounded lists.

local core = require "modm.core"
local duplicate = require "modm.model.duplicate"
local errors = require "modm.errors"
local kept = require "modm.kept"
local opening = require "modm.queryset.opening"

local keys = {}

--- Keys that one command carries.
keys.MOST = 1000

local ID = { "_id", 0 }

---@class modm.DeleteGuard
---@field filter string in BSON, what must hold for the document when it goes
---@field explain fun(): true|nil, string?, modm.Error? the error, where it no longer held

---@class modm.Place where the documents of a model are
---@field meta table
---@field conn table
---@field database string
---@field collection string
---@field soft boolean whether its documents are marked instead of deleted
---@field guard modm.DeleteGuard|nil of one document, which goes last of all or not at all
---@field settings table|nil what its writes have besides, for the driver

---@param meta table
---@return modm.Place|nil place, string? message, modm.Error? err
function keys.open(meta, hard)
  local conn, database, collection = meta:open()
  if not conn then return nil, database, collection end
  return { meta = meta, conn = conn, database = database, collection = collection,
    soft = meta.mark ~= nil and not hard }
end

--- The error for an operation that could not be made.
---@return nil, string, modm.Error
function keys.failed(meta, message)
  return errors.failure(errors.new("OperationError", meta.name .. ": " .. message))
end

--- The filter, in BSON, of what refers by a rule to the keys from <= index < to of a set.
---@param rule modm.DeleteRule
---@param set userdata
---@param from integer
---@param to integer
---@param hard boolean|nil also those that are marked as deleted
---@return string
function keys.filter(rule, set, from, to, hard)
  local parts = { core.keys_filter(set, from, to, rule.path) }
  if rule.except then
    parts[2] = core.encode { _cls = { ["$nin"] = core.array(rule.except) } }
  end
  if rule.owner.mark and not hard then parts[#parts + 1] = kept.marked(rule.owner, false) end
  return core.join(rule.owner.schema, parts)
end

--- An operation that finds keys. A delete must see what is there, so it reads from the primary.
---@param place modm.Place
---@param filter string
---@param limit integer|nil
---@return userdata|nil op, string? message
function keys.find(place, filter, limit)
  return core.query_find(place.conn.client, place.database, place.collection, filter,
    { projection = { _id = 1 }, batchSize = keys.MOST, limit = limit }, { mode = "primary" })
end

--- Adds the keys that an operation finds to a set, until it has `most` or there are no more.
---@param conn table
---@param op userdata
---@param set userdata
---@param most number
---@return boolean|nil done whether there are no more; nil: it failed
---@return string? message
---@return modm.Error? err
function keys.read(conn, op, set, most)
  local done = false
  while not done and #set < most do
    local ok, message, err = conn:run(op)
    if not ok then return nil, message, err end
    done = core.keys_take(set, op)
  end
  return done
end

--- Runs a write that core has made, or failed to make.
---@param place modm.Place
---@param op userdata|nil
---@param why string|nil
---@return integer|nil n, string? message, modm.Error? err
function keys.write(place, op, why)
  if not op then return keys.failed(place.meta, why) end
  local ok, message, err = duplicate.run(place.meta, place.conn, op)
  if not ok then return nil, message, err end
  return (core.write_result(op))
end

--- Deletes what a filter finds.
---@param place modm.Place
---@param filter string
---@return integer|nil n, string? message, modm.Error? err
function keys.delete_filter(place, filter)
  local settings = place.settings or opening.write_options(place.meta)
  if place.soft then
    return keys.write(place, core.update(place.conn.client, place.database, place.collection,
      filter, kept.marking(place.meta, true), { multi = true }, settings))
  end
  return keys.write(place, core.delete(place.conn.client, place.database, place.collection, filter,
    nil, settings))
end

--- Deletes the documents of the keys from <= index < to of a set, or marks those that are not.
---@param place modm.Place
---@param set userdata
---@param from integer
---@param to integer as core.keys_slice says
---@return integer|nil n, string? message, modm.Error? err
function keys.delete(place, set, from, to)
  local parts = { core.keys_filter(set, from, to, ID) }
  if place.soft then parts[2] = kept.marked(place.meta, false) end
  if place.guard then parts[#parts + 1] = place.guard.filter end
  return keys.delete_filter(place, core.join(place.meta.schema, parts))
end

return keys
