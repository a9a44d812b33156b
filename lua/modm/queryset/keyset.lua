--- What comes after a document in an order: the condition that a page begins with.
--
-- A query compares only values of one type, an order compares all: so "after" is a comparison
-- within the type, or one of the types behind. That much an index can answer.

local core = require "modm.core"

local keyset = {}

-- The server's types in its order; a missing field counts as null.
local ranks = {
  { "minKey" }, { "null", "undefined" }, { "double", "int", "long", "decimal" },
  { "string", "symbol" }, { "object" }, { "array" }, { "binData" }, { "objectId" }, { "bool" },
  { "date" }, { "timestamp" }, { "regex" }, { "dbPointer" }, { "javascript" },
  { "javascriptWithScope" }, { "maxKey" },
}
local rank_of_lua = { number = 3, string = 4, boolean = 9 }
local rank_of_value = {
  MinKey = 1, null = 2, Decimal128 = 3, Int64 = 3, Symbol = 4, object = 5, DBRef = 5, array = 6,
  Binary = 7, UUID = 7, ObjectId = 8, DateTime = 10, Timestamp = 11, MaxKey = 16,
}
local NULL, NUMBER = 2, 3

--- The place of a value's type in the server's order; nil for one that no page can end with, as
--- the server compares nothing with code or a regular expression.
---@param value any
---@return integer|nil
function keyset.rank(value)
  return rank_of_lua[type(value)] or rank_of_value[core.type(value)]
end

local function is_nan(value) return type(value) == "number" and value ~= value end

local function types_between(first, last)
  local list = {}
  for rank = first, last do
    for _, name in ipairs(ranks[rank]) do list[#list + 1] = name end
  end
  return list
end

-- Alternatives that together mean: the field lies behind the value.
local function behind(path, value, ascending)
  local rank, list = keyset.rank(value), {}
  if is_nan(value) then -- below all other numbers, and compares with none
    if ascending then list[1] = { [path] = { ["$gte"] = -math.huge } } end
  elseif rank ~= NULL then
    list[1] = { [path] = { [ascending and "$gt" or "$lt"] = value } }
    if rank == NUMBER and not ascending then list[2] = { [path] = { ["$eq"] = 0 / 0 } } end
  end
  local others = ascending and types_between(rank + 1, #ranks) or types_between(1, rank - 1)
  if #others > 0 then
    list[#list + 1] = { [path] = { ["$type"] = core.array(others) } }
  end
  if not ascending and rank > NULL then list[#list + 1] = { [path] = { ["$eq"] = core.null } } end
  return list
end

--- The condition of what comes after some values in an order, in the server's words.
---@param order table[] pairs of stored name and direction
---@param values any[] one for each
---@return table
function keyset.after(order, values)
  local all = {}
  for i = 1, #order do
    local list = behind(order[i][1], values[i], order[i][2] == 1)
    if #list > 0 then
      local both = {}
      for j = 1, i - 1 do both[j] = { [order[j][1]] = { ["$eq"] = values[j] } } end
      both[#both + 1] = { ["$or"] = core.array(list) }
      all[#all + 1] = { ["$and"] = core.array(both) }
    end
  end
  return { ["$or"] = core.array(all) }
end

return keyset
