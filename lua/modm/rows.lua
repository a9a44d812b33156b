--- What a query finds, fetched from its operation: batch by batch for iteration, or as one list.

local core = require "modm.core"
local errors = require "modm.errors"
local hooks = require "modm.hooks"
local relation = require "modm.relation"
local scoped = require "modm.model.scoped"
local running = require "modm.session.running"

local rows = {}

-- How much an iteration takes from an operation at once: documents, and bytes of BSON.
local FEW, SMALL = 128, 256 * 1024
-- The same where each batch costs further queries (select_related).
local MANY, LARGE = 1000, 4 * 1024 * 1024
local ALL = 2 ^ 31 - 1

---@class modm.Source an operation, and how its documents are to be read
---@field name string the model, for messages
---@field conn table
---@field op userdata
---@field was_run boolean? the operation, so that it may have documents at hand
---@field schema userdata? documents of it; plain tables without
---@field meta table? whose hooks after load are run
---@field projection string? what was asked for, in BSON
---@field related string[]|true|nil references to fetch with each batch; true: all
---@field session table? what the earlier batches' references were resolved to

-- The error of a document that cannot be read.
local function reading_error(source, raised)
  if type(raised) ~= "string" then return raised end
  local text = errors.plain(raised)
  if not text:find(source.name, 1, true) then text = source.name .. ": " .. text end
  return errors.new("OperationError", text)
end

local function fetch_related(source, list)
  source.session = source.session or relation.session()
  local fields = source.related ~= true and source.related or nil
  local ok, _, err = running.with(source.conn.session, relation.dereference, list, fields,
    source.session)
  return not ok and err or nil
end

-- Adds what was fetched to the n in the list, up to `most`. Returns how many are in it, whether
-- that is all there is, and when not all could be read the error.
local function add(source, list, n, most, bytes)
  local ok, count, done = pcall(core.batch, source.op, source.schema, source.projection, list, n,
    most, bytes)
  local failed
  if not ok then count, failed = #list, reading_error(source, count) end
  if count == n then return n, done, failed end
  if source.schema then scoped.note(list, n + 1, count) end
  if source.meta and hooks.of(source.meta).loads then
    local good, err = running.with(source.conn.session, hooks.loaded, source.meta, list, n, count)
    count, failed = good, err or failed
  end
  return count, done, failed
end

-- Adds to an empty list up to `most` documents; with `eager` it runs the operation until there
-- are so many, else only when it has none at hand. Returns their number, and when not all could
-- be read the error.
local function fill(source, list, most, bytes, eager)
  local n = 0
  while true do
    if source.was_run then
      local count, done, failed = add(source, list, n, most, bytes)
      if failed or done or count >= most or (count > n and not eager) then return count, failed end
      n = count
    end
    local ran, _, err = source.conn:run(source.op)
    if not ran then return n, err end
    source.was_run = true
  end
end

--- All that it finds.
---@param source modm.Source
---@return table[]|nil list, string? message, modm.Error? err
function rows.list(source)
  local list = {}
  local n, err = fill(source, list, ALL, ALL, true)
  if not err and source.related and n > 0 then err = fetch_related(source, list) end
  source.op:close()
  if err then return errors.failure(err) end
  return list
end

-- Puts the next documents of an iteration into an empty list. Returns the error that keeps it from
-- going on behind them.
local function next_batch(source, list)
  local related = source.related
  local most, bytes = related and MANY or FEW, related and LARGE or SMALL
  local n, err = fill(source, list, most, bytes, related ~= nil)
  if related and not err and n > 0 then err = fetch_related(source, list) end
  for i = err and #list or 0, n + 1, -1 do list[i] = nil end
  return err
end

-- What Lua 5.4 closes when a loop ends, however it ends.
local Closing = { __close = function(self) self.op:close() end }

--- For `for document in ...`: a function, two nils, and what closes the cursor when a loop ends
--- early (Lua 5.4 closes it by itself; under LuaJIT the collector does). Raises error objects.
---@param source modm.Source
---@return fun(): modm.Document|table|nil
---@return nil
---@return nil
---@return table
function rows.iterate(source)
  local batch, i, err = {}, 0, nil
  local function step()
    i = i + 1
    local row = batch[i]
    if not row and not err then
      err = next_batch(source, batch)
      i = 1
      row = batch[1]
    end
    if row then
      batch[i] = nil -- so that the table is empty, and is filled again
      return row
    end
    source.op:close()
    if err then error(err, 0) end
    return nil
  end
  return step, nil, nil, setmetatable({ op = source.op }, Closing)
end

---@class modm.Rows what an aggregation gives: tables
local Rows = {}
Rows.__index = Rows
Rows.__name = "modm.Rows"

--- Iterates over the rows; the aggregation runs anew each time. Raises error objects.
function Rows:iter()
  local source, _, err = self._open()
  if not source then error(err, 0) end
  return rows.iterate(source)
end

---@return table[]|nil list, string? message, modm.Error? err
function Rows:list()
  local source, message, err = self._open()
  if not source then return nil, message, err end
  return rows.list(source)
end

--- The first row, or nil when there is none.
---@return table|nil row, string? message, modm.Error? err
function Rows:first()
  local source, message, err = self._open()
  if not source then return nil, message, err end
  local list = {}
  local _, failed = fill(source, list, 1, ALL, false)
  source.op:close()
  if failed then return errors.failure(failed) end
  return list[1]
end

--- Rows that are fetched when they are asked for.
---@param open fun(): modm.Source|nil, string?, modm.Error?
---@return modm.Rows
function rows.new(open) return setmetatable({ _open = open }, Rows) end

return rows
