--- From a queryset to the operation that the server is asked with.

local base = require "modm.queryset.base"
local core = require "modm.core"
local errors = require "modm.errors"
local kept = require "modm.kept"
local options = require "modm.options"
local leading = require "modm.queryset.leading"
local scoped = require "modm.model.scoped"

local unpack = table.unpack or unpack -- luacheck: ignore

local opening = {}

--- Options of an aggregation, in MongoDB's own words as its stages are; and `javascript`, which
--- allows stages that run some on the server.
opening.aggregate_options = {
  allowDiskUse = "boolean", batchSize = "integer", bypassDocumentValidation = "boolean",
  collation = "table", comment = "any", hint = "table|string", javascript = "boolean",
  let = "table",
  maxTimeMS = "integer", readConcern = "table", writeConcern = "table",
}

--- The projection as a table for the server, without what a named parent already takes in.
---@param self modm.QuerySet
---@return table|nil
function opening.projection(self)
  local list = self._how.projection
  if not list or self._how.projection_kind == "project" then return list end
  local there, outer = {}, {}
  for _, pair in ipairs(list) do there[pair[1]] = true end
  for _, pair in ipairs(list) do
    local inside = false
    for dot in pair[1]:gmatch "()%." do inside = inside or there[pair[1]:sub(1, dot - 1)] end
    if not inside then outer[#outer + 1] = pair end
  end
  return #outer > 0 and core.ordered(outer) or nil
end

--- The collation of a queryset, or its model's.
function opening.collation(self) return self._how.collation or self._meta.collation end

-- MongoDB's words for what a queryset was told.
local words = { collation = "collation", hint = "hint", comment = "comment",
  max_time = "maxTimeMS", batch_size = "batchSize" }

-- Options that all that reads has. Most of it has none, so they are not looked for one by one.
local function read_options(self)
  local meta = self._meta
  local concern = scoped.option(meta, "read_concern")
  local settings = {
    collation = meta.collation, readConcern = concern and options.wrapped(concern, "level"),
  }
  for key, value in next, self._how do
    local word = words[key]
    if word then settings[word] = value end
  end
  return settings
end

--- The read preference of what a queryset asks.
function opening.read_preference(self)
  local preference = scoped.option(self._meta, "read_preference")
  return preference and options.wrapped(preference, "mode")
end

--- The options of a write of this model, for the driver.
---@param meta table
---@return table|nil
function opening.write_options(meta)
  local concern = scoped.option(meta, "write_concern")
  if concern == nil then return nil end
  return { writeConcern = options.wrapped(concern, "w") }
end

--- The session that a queryset was given; false: none; nil: that of the coroutine.
---@param self modm.QuerySet
---@return modm.Session|false|nil
function opening.session(self)
  if self._how.session == "none" then return false end
  return self._how.session
end

--- The options of a write of what a queryset finds.
---@param self modm.QuerySet
---@return table
function opening.write_settings(self)
  local settings = opening.write_options(self._meta) or {}
  settings.comment, settings.maxTimeMS = self._how.comment, self._how.max_time
  return settings
end

--- The connection, database and collection, after a look for an error that a step has kept.
---@param self modm.QuerySet
---@return table|nil connection
---@return string database or the message
---@return string|modm.Error collection or the error
function opening.open(self)
  local how = self._how
  if how.error then return errors.failure(how.error) end
  local conn, database, collection = self._meta:open()
  if conn and how.session then conn = conn:within(opening.session(self)) end
  if conn and how.timeout then conn = conn:limited(how.timeout) end
  return conn, database, collection
end

--- All conditions, with the class filter, in BSON.
---@param self modm.QuerySet
---@return string
function opening.conditions(self) return core.join(self._meta.schema, opening.parts(self)) end

--- Its conditions one by one, and that documents marked as deleted are hidden.
---@param self modm.QuerySet
---@return string[]
function opening.parts(self)
  local hides = self._meta.mark and not self._how.with_deleted
  if not hides and not self._how.guard then return self._parts end
  local parts = { unpack(self._parts) }
  if self._how.guard then parts[#parts + 1] = self._how.guard.filter end
  if hides then parts[#parts + 1] = kept.marked(self._meta, false, self._how.upsert) end
  return parts
end

-- What core's makers of operations give that fail.
local function failed(self, message)
  return errors.failure(errors.new("OperationError", self._meta.name .. ": " .. message))
end

-- The options of a find, besides its limit; nil where there are none, as there mostly are.
local function find_options(self)
  local how = self._how
  if how == base.plain and not self._meta.collation
    and scoped.option(self._meta, "read_concern") == nil then
    return nil
  end
  local settings = read_options(self)
  if how.projection then settings.projection = opening.projection(self) end
  if how.order then settings.sort = core.ordered(how.order) end
  if how.skip > 0 then settings.skip = how.skip end
  return settings
end

--- The operation that finds the documents.
---@param self modm.QuerySet
---@param limit integer|nil instead of the queryset's own
---@return modm.Source|nil source, string? message, modm.Error? err
function opening.source(self, limit)
  local conn, database, collection = opening.open(self)
  if not conn then return nil, database, collection end
  local op, message = core.queryset_find(conn.client, database, collection, self._meta.schema,
    opening.parts(self), limit or self._how.limit, find_options(self),
    opening.read_preference(self))
  if not op then return failed(self, message) end
  return opening.typed(self, conn, op)
end

--- An operation as a source of what the queryset gives: documents of the model, unless values() was
--- said.
---@param self modm.QuerySet
---@param conn modm.Connection
---@param op userdata
---@return modm.Source
function opening.typed(self, conn, op)
  local how, meta = self._how, self._meta
  if how.values then return { name = meta.name, conn = conn, op = op } end
  local projection = how.projection and opening.projection(self)
  return {
    name = meta.name, conn = conn, op = op, schema = meta.schema,
    meta = not how.silent and meta or nil,
    projection = projection and core.encode(projection) or nil,
    related = how.related,
  }
end

-- A command that asks about the documents, as pairs: its name and collection, what it has besides,
-- and what the queryset was told.
local function reading(self, what, collection, pairs_of)
  local settings = read_options(self)
  local list = { { what, collection } }
  for _, pair in ipairs(pairs_of) do list[#list + 1] = pair end
  for _, name in ipairs { "collation", "hint", "comment", "maxTimeMS" } do
    if settings[name] ~= nil then list[#list + 1] = { name, settings[name] } end
  end
  return list
end

local function read(self, conn, database, command)
  local concern = read_options(self).readConcern
  return core.command(conn.client, "read", database, core.ordered(command),
    concern and { readConcern = concern }, opening.read_preference(self))
end

--- The operation that asks for the distinct values of a stored name.
---@param self modm.QuerySet
---@param stored string
---@return table|nil connection, userdata|string op or the message, modm.Error? err
function opening.distinct(self, stored)
  local conn, database, collection = opening.open(self)
  if not conn then return nil, database, collection end
  local query = core.decode(opening.conditions(self))
  return conn, read(self, conn, database, reading(self, "distinct", collection,
    { { "key", stored }, { "query", query } }))
end

--- The operation that asks how the server would find the documents.
---@param self modm.QuerySet
---@param verbosity string
---@return table|nil connection, userdata|string op or the message, modm.Error? err
function opening.explaining(self, verbosity)
  local conn, database, collection = opening.open(self)
  if not conn then return nil, database, collection end
  local found = { { "filter", core.decode(opening.conditions(self)) } }
  if self._how.order then found[#found + 1] = { "sort", core.ordered(self._how.order) } end
  if self._how.skip > 0 then found[#found + 1] = { "skip", self._how.skip } end
  if self._how.limit then found[#found + 1] = { "limit", self._how.limit } end
  local projection = opening.projection(self)
  if projection then found[#found + 1] = { "projection", projection } end
  return conn, read(self, conn, database, {
    { "explain", core.ordered(reading(self, "find", collection, found)) },
    { "verbosity", verbosity },
  })
end

-- The queryset's own part of a pipeline, after its conditions. Sorted before it is projected, so
-- that what is sorted by need not be fetched.
local function own_stages(self)
  local list, projection = {}, opening.projection(self)
  if self._how.empty then list[1] = { ["$match"] = { _id = { ["$in"] = core.array {} } } } end
  if self._how.order then list[#list + 1] = { ["$sort"] = core.ordered(self._how.order) } end
  if self._how.skip > 0 then list[#list + 1] = { ["$skip"] = self._how.skip } end
  if self._how.limit then list[#list + 1] = { ["$limit"] = self._how.limit } end
  if projection then list[#list + 1] = { ["$project"] = projection } end
  return list
end

-- The conditions in BSON, or nil where all documents of the collection are meant.
local function limiting(self)
  local limited = #opening.parts(self) > 0 or core.class_name(self._meta.schema)
  return limited and opening.conditions(self) or nil
end

--- What a queryset finds as stages of a pipeline.
---@param self modm.QuerySet
---@return table[]
function opening.stages(self)
  local list, conditions = {}, limiting(self)
  if conditions then list[1] = { ["$match"] = core.decode(conditions) } end
  for _, stage in ipairs(own_stages(self)) do list[#list + 1] = stage end
  return list
end

--- The operation that runs stages over what the queryset finds.
---@param self modm.QuerySet
---@param stages table[]
---@param given table|nil options of the aggregation
---@return modm.Source|nil source of tables, string? message, modm.Error? err
function opening.pipeline(self, stages, given)
  local conn, database, collection = opening.open(self)
  if not conn then return nil, database, collection end
  local conditions = limiting(self)
  local front = leading.stages(self._meta.name, stages[1], conditions, #self._parts > 0)
  local all, settings = front or {}, read_options(self)
  for _, stage in ipairs(own_stages(self)) do all[#all + 1] = stage end
  for i = front and 2 or 1, #stages do all[#all + 1] = stages[i] end
  for name, value in pairs(given or {}) do settings[name] = value end
  local javascript = settings.javascript
  settings.javascript = nil
  local op, message = core.query_aggregate(conn.client, database, collection,
    not front and conditions or nil, all, settings, opening.read_preference(self), javascript)
  if not op then return failed(self, message) end
  return { name = self._meta.name, conn = conn, op = op }
end

--- The operation that counts.
---@param self modm.QuerySet
---@return modm.Source|nil source of one row with n or of none, string? message, modm.Error? err
function opening.counting(self)
  local bare = base.step(self, { order = false, batch_size = false, projection = false })
  return opening.pipeline(bare, { { ["$group"] = { _id = 1, n = { ["$sum"] = 1 } } } })
end

return opening
