--- What all writes of querysets share: which documents they are about, and how they are sent.

local core = require "modm.core"
local duplicate = require "modm.model.duplicate"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local opening = require "modm.queryset.opening"

local unpack = table.unpack or unpack -- luacheck: ignore

local writing = {}

-- Keys in one $in.
local KEYS = 1000

local takes_arguments = { delete = "delete()", restore = "restore()" }

--- Raises for a write of everything that all() does not ask for.
---@param self modm.QuerySet
---@param what string the method
function writing.refuse_everything(self, what)
  if #self._parts == 0 and not self._how.all and not self._how.error then
    misuse("%s: %s without a condition would take all documents: say all():%s", self._meta.name,
      what, takes_arguments[what] or what .. "(...)")
  end
end

-- ---- the filters of a write ----

-- The filters for what limit and skip leave, in bounded lists of keys. All keys are there before
-- the first write, which may move what is found.
local function filters_by_keys(self)
  local source, message, err = opening.source(self:values():project { _id = 1 })
  if not source then return nil, message, err end
  local conditions = not opening.collation(self) and opening.parts(self) or {}
  local filters = {}
  while true do
    local filter, done = core.ids(source.op, KEYS)
    if filter then
      filters[#filters + 1] = core.join(self._meta.schema, { filter, unpack(conditions) })
    elseif done then
      return filters
    else
      local ok, why, failure = source.conn:run(source.op)
      if not ok then return nil, why, failure end
    end
  end
end

-- The filters of a write, and what each of its statements has besides. By their keys documents are
-- found without the queryset's index. A collation would take keys for equal that are not, and then
-- more documents than the limit: so with one it is the keys alone, compared byte by byte.
local function filters_of(self)
  local collation = opening.collation(self)
  if self._how.skip == 0 and not self._how.limit then
    return { opening.conditions(self) }, { collation = collation, hint = self._how.hint }
  end
  local filters, message, err = filters_by_keys(self)
  if not filters then return nil, message, err end
  return filters, { collation = collation and { locale = "simple" } }
end

--- Runs a write for each filter.
---@param self modm.QuerySet
---@param make fun(client: userdata, database: string, collection: string, filter: string,
--- statement: table): userdata gives its operation; the statement has what stands beside the filter
---@return integer|nil found, integer|string? modified, modm.Error? err
function writing.run(self, make)
  local conn, database, collection = opening.open(self)
  if not conn then return nil, database, collection end
  if self._how.empty then return 0, 0 end
  local filters, statement, err = filters_of(self)
  if not filters then return nil, statement, err end
  local found, modified = 0, 0
  for _, filter in ipairs(filters) do
    local op, why = make(conn.client, database, collection, filter, statement)
    if not op then
      return errors.failure(errors.new("OperationError", self._meta.name .. ": " .. why))
    end
    local ok, text, failure = duplicate.run(self._meta, conn, op)
    if not ok then return nil, text, failure end
    local n, changed = core.write_result(op)
    found, modified = found + n, modified + changed
  end
  return found, modified
end

--- Raises for an upsert of a part of what is found.
---@param self modm.QuerySet
function writing.check_upsert(self)
  if self._how.limit or self._how.skip > 0 then
    misuse("%s: an upsert has no limit, skip or slice", self._meta.name)
  end
end

return writing
