--- Transactions, by the rules of MongoDB's drivers: the whole is done again after a
--- TransientTransactionError, the commit after an UnknownTransactionCommitResult, 120 s in all.

local unpack = table.unpack or unpack -- luacheck: ignore

local connection = require "modm.connection"
local core = require "modm.core"
local errors = require "modm.errors"
local field_file = require "modm.field_file"
local misuse = require "modm.misuse"
local options = require "modm.options"
local registry = require "modm.registry"
local running = require "modm.session.running"
local session = require "modm.session"

local transaction = {}

local TIMEOUT = 120 -- seconds
local MAX_TIME_EXPIRED = 50

local known = {
  read_concern = "table|string", write_concern = "table|number|string",
  read_preference = "table|string", max_commit_time_ms = "integer", timeout = "number",
  clock = "function",
}

---@class modm.TransactionJob
---@field session modm.Session
---@field conn modm.Connection
---@field fn fun(session: modm.Session): ...
---@field given table
---@field log table what documents were before, as core notes it
---@field files modm.StoredFile[][] stored for documents
---@field deadline number

local function pack(...) return { n = select("#", ...), ... } end

local function time_left(job) return job.clock() < job.deadline end

local function step(job, name, settings, preference)
  return job.conn:run(core.transaction(job.session.handle, job.conn.client, name, settings,
    preference))
end

local function start(job)
  local given = job.given
  return step(job, "start", {
    readConcern = options.wrapped(given.read_concern, "level"),
    writeConcern = options.wrapped(given.write_concern, "w"),
    maxCommitTimeMS = given.max_commit_time_ms,
  }, options.wrapped(given.read_preference, "mode"))
end

-- Takes documents of the connection back by a way of core's.
local function take_back(job, way)
  for doc, entry in pairs(job.log.docs) do
    local meta = core.meta_of(doc)
    if meta.embedded or meta:place() == job.conn then way(doc, entry) end
  end
end

-- Runs the body. Returns what it did, as pcall says it, and the first error of an operation.
local function run_body(job)
  local state = { files = {} }
  job.files = state.files
  job.log = { docs = setmetatable({}, { __mode = "k" }) }
  job.session.transaction = state
  core.undo_begin(job.log)
  local results = pack(pcall(running.run, job.session, function() return job.fn(job.session) end))
  core.undo_end(job.log)
  job.session.transaction = nil
  return results, state.failure
end

-- What the whole gives when the body, or an operation that it overlooked, failed.
local function give_failure(results, failure)
  if not results[1] then error(results[2], 0) end
  if results[2] == nil and results[3] ~= nil then return unpack(results, 2, results.n) end
  return errors.failure(failure)
end

local function commit(job)
  local ok, message, err = step(job, "commit")
  while not ok and err:has_label "UnknownTransactionCommitResult"
    and err.code ~= MAX_TIME_EXPIRED and time_left(job) do
    ok, message, err = step(job, "commit")
  end
  return ok, message, err
end

-- Once from start to commit. Returns true and what is to be returned; false: again.
local function attempt(job)
  local ok, message, err = start(job)
  if not ok then return true, pack(nil, message, err) end
  local results, failure = run_body(job)
  local good = results[1] and not failure and not (results[2] == nil and results[3] ~= nil)
  if good then
    ok, message, err = commit(job)
    if ok then return true, pack(unpack(results, 2, results.n)) end
    failure, results = err, pack(true, nil, message, err)
  else
    step(job, "abort") -- whatever comes of it: the server gives up by itself
  end
  if not (failure and failure:has_label "UnknownTransactionCommitResult") then
    for _, stored in ipairs(job.files) do field_file.take_back(stored) end
  end
  -- the first operation that failed decides: those after it fail because of it
  if failure and failure:has_label "TransientTransactionError" and time_left(job) then
    take_back(job, core.undo_restore)
    return false
  end
  take_back(job, core.undo_save)
  return true, pack(give_failure(results, failure))
end

local function run(job)
  local done, results
  repeat done, results = attempt(job) until done
  return unpack(results, 1, results.n)
end

-- Indexes are made before, where no transaction holds the collections. One that cannot be made is
-- an error of its model's first use.
local function make_indexes(conn)
  for _, meta in ipairs(registry.all()) do
    if meta.indexes and not meta.embedded and meta:place() == conn then meta:open() end
  end
end

local function finish(own, ok, ...)
  if own then own:close() end
  if not ok then error((...), 0) end
  return ...
end

--- Calls fn in a transaction and returns what it returns. All that the coroutine asks of the
--- connection meanwhile is part of it, unless it says `session = false`. When fn raises, or returns
--- nil and an error, nothing of it remains, and the error is handed on; documents that it saved are
--- unsaved or changed again. fn may be called several times.
---@param alias string|nil of the connection ("default"); may be left out
---@param fn fun(session: modm.Session): ...
---@param given table|nil read_concern, write_concern, read_preference, max_commit_time_ms, timeout
--- (seconds for all attempts, 120), clock (a function that gives seconds, os.time)
---@return any ... what fn returns; or nil, message, err
function transaction.run(alias, fn, given)
  if type(alias) == "function" then alias, fn, given = nil, alias, fn end
  if type(fn) ~= "function" then misuse("transaction takes a function, not a %s", type(fn)) end
  options.check("transaction", given, known)
  given = given or {}
  local conn, message, err = connection.get(alias)
  if not conn then return nil, message, err end
  local current = running.session(conn)
  if current and current.transaction then
    misuse("a transaction of the connection '%s' is under way in this coroutine, and transactions "
      .. "do not nest", conn.alias)
  end
  make_indexes(conn)
  local clock = given.clock or os.time
  local own = not current and session.new(conn) or nil
  return finish(own, pcall(run, { session = current or own, conn = conn, fn = fn, given = given,
    clock = clock, deadline = clock() + (given.timeout or TIMEOUT) }))
end

--- The same for a model's connection, but as a part of the transaction that is under way, where
--- there is one.
---@param meta table
---@param fn fun(): ...
---@return any ...
function transaction.join(meta, fn)
  local conn, message, err = meta:place()
  if not conn then return nil, message, err end
  local current = running.session(conn)
  if current and current.transaction then return fn() end
  return transaction.run(conn.alias, fn)
end

return transaction
