--- Change streams: QuerySet:watch.

local core = require "modm.core"
local base = require "modm.queryset.base"
local errors = require "modm.errors"
local hooks = require "modm.hooks"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"
local options = require "modm.options"

---@class modm.QuerySet
local QuerySet = base.QuerySet

---@class modm.Change
---@field operation string "insert", "update", "replace", "delete", or what befell the collection
---@field key any the document's primary key
---@field document modm.Document|nil as it is now (see full_document)
---@field before modm.Document|nil as it was, where the server keeps that
---@field updated table|nil of an update: path -> new value
---@field removed string[]|nil of an update: paths
---@field time modm.Timestamp|nil
---@field token table resume_after takes it
---@field raw table the server's own words, its documents typed

---@class modm.ChangeStream
---@field token table|nil where to go on: for watch { resume_after = token }
local ChangeStream = {}
ChangeStream.__index = ChangeStream
ChangeStream.__name = "modm.ChangeStream"

local known = {
  full_document = "string", full_document_before_change = "string", resume_after = "table",
  start_after = "table", start_at = "userdata", max_await_ms = "integer", batch_size = "integer",
  operations = "table", stages = "table", show_expanded_events = "boolean",
  javascript = "boolean",
}

-- Paths as the model names them: their first step is a stored name.
local function named(meta, path)
  local head, rest = path:match "^([^.]+)(.*)$"
  for name, stored in pairs(meta.stored_names) do
    if stored == head and name ~= "pk" then return name .. rest end
  end
  return path
end

local function change_of(meta, raw)
  local description = raw.updateDescription
  local change = {
    operation = raw.operationType, token = raw._id, time = raw.clusterTime, raw = raw,
    key = raw.documentKey and raw.documentKey._id,
    document = raw.fullDocument, before = raw.fullDocumentBeforeChange,
  }
  if description then
    change.updated, change.removed = {}, {}
    for path, value in pairs(description.updatedFields) do
      change.updated[named(meta, path)] = value
    end
    for i, path in ipairs(description.removedFields) do change.removed[i] = named(meta, path) end
  end
  return change
end

-- Leaves out what happens to documents that are marked as deleted, but not the marking itself: who
-- keeps a copy of what a queryset finds has to know what left it.
local function living(meta)
  local name = meta.stored_names[meta.mark]
  return { ["$match"] = { ["$or"] = core.array {
    { ["fullDocument." .. name] = core.null },
    { ["updateDescription.updatedFields." .. name] = { ["$exists"] = true } },
  } } }
end

-- The stages after which only what the queryset is about comes through.
local function stages_of(self, given)
  local stages = {}
  if self._meta.mark and not self._how.with_deleted then stages[1] = living(self._meta) end
  if given.operations then
    stages[#stages + 1] = { ["$match"] = {
      operationType = { ["$in"] = core.array(given.operations) } } }
  end
  for _, stage in ipairs(given.stages or {}) do stages[#stages + 1] = stage end
  return stages
end

local function server_options(self, given)
  return {
    fullDocument = given.full_document or "updateLookup",
    fullDocumentBeforeChange = given.full_document_before_change,
    resumeAfter = given.resume_after, startAfter = given.start_after,
    startAtOperationTime = given.start_at, maxAwaitTimeMS = given.max_await_ms,
    batchSize = given.batch_size or self._how.batch_size, collation = opening.collation(self),
    showExpandedEvents = given.show_expanded_events, comment = self._how.comment,
  }
end

local function open(self, given)
  local conn, database, collection = opening.open(self)
  if not conn then return nil, database, collection end
  local name, filter = self._meta.name, nil
  if #self._parts > 0 or core.class_name(self._meta.schema) then
    local why
    filter, why = core.watch_match(core.join(self._meta.schema, self._parts))
    if not filter then misuse("%s: watch: %s", name, why) end
  end
  local op, why = core.query_watch(conn.client, database, collection, filter,
    stages_of(self, given), server_options(self, given), opening.read_preference(self),
    given.javascript)
  if not op then misuse("%s: watch: %s", name, why) end
  return setmetatable({ op = op, conn = conn, meta = self._meta,
    token = given.resume_after or given.start_after }, ChangeStream)
end

--- Watches what happens to the queryset's documents, from now on or from where a token says. Its
--- conditions are asked of the documents as they are after the change; a deletion, of which only
--- the key is known unless the server keeps images of before, always comes. The server has to be a
--- replica set. After a fault of the network or a new primary the stream goes on by itself where it
--- was.
---@param given { full_document: string?, full_document_before_change: string?,
---  resume_after: table?, start_after: table?, start_at: modm.Timestamp?, max_await_ms: integer?,
---  batch_size: integer?, operations: string[]?, stages: table[]?,
---  show_expanded_events: boolean?, javascript: boolean? }|nil full_document: "updateLookup"
---  (default), "default", "whenAvailable" or "required"; max_await_ms: how long the server waits
---  for a change before it answers that there is none, 1000 by default; operations: only these;
---  stages: more stages, in MongoDB's own words; javascript: what runs some on the server, as
---  $function, is allowed there
---@return modm.ChangeStream|nil stream, string? message, modm.Error? err
function QuerySet:watch(given)
  options.check("watch", given, known)
  local how = self._how
  if how.order or how.limit or how.skip > 0 or how.projection or how.empty or how.values
    or how.related then
    misuse("%s: watch takes conditions, not an order, a range or a shape", self._meta.name)
  end
  local stream, message, err = open(self, given or {})
  if not stream then return nil, message, err end
  -- to be told of what happens from now on, and of what is wrong with the stream, not later
  local ok
  ok, message, err = stream:_run()
  if not ok then return nil, message, err end
  return stream
end

-- Asks the server; a change may be at hand then.
function ChangeStream:_run()
  local ok, message, err = self.conn:run(self.op)
  if not ok then
    self.closed = true
    return nil, message, err
  end
  self.reached = self.op:reply() or self.reached
  return true
end

-- The change that is at hand, or nil.
local function take(self)
  local ok, raw = pcall(core.change, self.op, self.meta.schema)
  self.token = self.reached or self.token
  if not ok then
    local text = self.meta.name .. ": a change cannot be read: " .. tostring(raw)
    return errors.failure(errors.new("OperationError", text))
  elseif not raw then
    return nil
  end
  self.closed = raw.operationType == "invalidate" or self.closed
  local _, err = hooks.loaded(self.meta, { raw.fullDocument }, 0, raw.fullDocument and 1 or 0)
  if err then return errors.failure(err) end
  return change_of(self.meta, raw)
end

--- The next change; nil alone when none came within max_await_ms, or when the stream is over
--- (stream.closed).
---@return modm.Change|nil change, string? message, modm.Error? err
function ChangeStream:next()
  local change, message, err = take(self)
  if change or err or self.closed then return change, message, err end
  local ok
  ok, message, err = self:_run()
  if not ok then return nil, message, err end
  return take(self)
end

--- Iterates, and waits for each change, until the collection goes away or the stream is closed.
--- Raises error objects. When the loop ends early, Lua 5.4 closes the stream.
---@return fun(): modm.Change|nil
---@return nil
---@return nil
---@return modm.ChangeStream
function ChangeStream:iter()
  local function step()
    while not self.closed do
      local change, _, err = self:next()
      if err then error(err, 0) end
      if change then return change end
    end
    self:close()
    return nil
  end
  return step, nil, nil, self
end

--- Ends the stream. The token stays.
function ChangeStream:close()
  self.closed = true
  self.op:close()
end

ChangeStream.__close = ChangeStream.close

function ChangeStream:__tostring()
  return ("modm.ChangeStream of %s%s"):format(self.meta.name, self.closed and " (closed)" or "")
end

return ChangeStream
