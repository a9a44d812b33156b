--- What a query finds, fetched from its operation: batch by batch for iteration, or as one list.

local core = require "modm.core"
local errors = require "modm.errors"

local rows = {}

-- How much an iteration takes from an operation at once: documents, and bytes of BSON.
local FEW, SMALL = 128, 256 * 1024
-- The same where each batch costs further queries (select_related).
local MANY, LARGE = 1000, 4 * 1024 * 1024
local ALL = 2 ^ 31 - 1

---@class modm.Source an operation and how its documents are to be read
---@field name string the model, for messages
---@field conn table
---@field op userdata
---@field schema userdata? documents of it; plain tables without
---@field projection string? what was asked for, in BSON
---@field related string[]? references to fetch with each batch

-- The error of a document that cannot be read.
local function reading_error(source, raised)
  if type(raised) ~= "string" then return raised end
  local text = raised:gsub("^[^\n:]+:%d+: ", "")
  return errors.new("OperationError", text:find(source.name, 1, true) and text or source.name .. ": " .. text)
end

-- Puts up to `most` documents, or about `bytes` bytes, into a list. Returns their number, and when not all
-- could be read the error beside it.
local function fill(source, into, most, bytes)
  local n, done = 0, false
  while not done and n < most do
    local ok, count, at_end = pcall(core.batch, source.op, source.schema, source.projection, into, n, most, bytes)
    if not ok then return #into, reading_error(source, count) end
    local added = count - n
    n, done = count, at_end
    if added > 0 and bytes < LARGE then break end
    if not done and n < most then
      local ran, _, err = source.conn:run(source.op)
      if not ran then return n, err end
    end
  end
  if source.related and n > 0 then
    local ok, _, err = require "modm.relation".dereference(into, source.related)
    if not ok then return n, err end
  end
  return n
end

--- All that it finds.
---@param source modm.Source
---@return table[]|nil, string? message, modm.Error? err
function rows.list(source)
  local list = {}
  local _, err = fill(source, list, ALL, ALL)
  if err then
    source.op:close()
    return errors.failure(err)
  end
  return list
end

-- What Lua 5.4 closes when a loop ends, however it ends.
local Closing = { __close = function(self) self.op:close() end }

--- For `for document in ...`: a function, two nils, and what closes the cursor when a loop ends early (Lua
--- 5.4 closes it by itself; LuaJIT when it is collected). Raises error objects.
---@param source modm.Source
---@return fun(): modm.Document|table|nil
---@return nil
---@return nil
---@return table
function rows.iterate(source)
  local batch, n, i, failure = {}, 0, 0, nil
  local most, bytes = FEW, SMALL
  if source.related then most, bytes = MANY, LARGE end
  local function step()
    i = i + 1
    if i > n then
      if not failure then
        batch = {}
        n, failure = fill(source, batch, most, bytes)
        i = 1
      end
      if i > n then
        source.op:close()
        if failure then error(failure, 0) end
        return nil
      end
    end
    return batch[i]
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

---@return table[]|nil, string? message, modm.Error? err
function Rows:list()
  local source, message, err = self._open()
  if not source then return nil, message, err end
  return rows.list(source)
end

--- The first row, or nil when there is none.
---@return table|nil, string? message, modm.Error? err
function Rows:first()
  local list, message, err = self:list()
  if not list then return nil, message, err end
  return list[1]
end

--- Rows that are fetched when they are asked for.
---@param open fun(): modm.Source|nil, string?, modm.Error?
---@return modm.Rows
function rows.new(open) return setmetatable({ _open = open }, Rows) end

return rows
