--- What orders are written as: "name", "-name", { "name", 1 or -1 }, and lists of them.

local misuse = require "modm.misuse"

local order = {}

-- { "name", direction }, not { "name", "other" }
local function is_pair(item)
  return type(item) == "table" and type(item[1]) == "string" and item[2] ~= nil
    and type(item[2]) ~= "string"
end

-- Adds pairs of stored name and direction to the list.
local function add(owner, stored_of, list, item)
  local name, direction = item, 1
  if is_pair(item) then
    name, direction = item[1], item[2]
  elseif type(item) == "table" then
    local n = 0
    for _ in next, item do n = n + 1 end
    if n ~= #item then misuse("%s: an order is a list, without holes or other keys", owner) end
    for _, one in ipairs(item) do add(owner, stored_of, list, one) end
    return
  elseif type(item) == "string" and item:sub(1, 1) == "-" then
    name, direction = item:sub(2), -1
  end
  if type(name) ~= "string" then
    misuse("%s: an order is \"name\", \"-name\" or { \"name\", 1 or -1 }", owner)
  end
  if type(direction) == "table" then -- {["$meta"] = "textScore"}: no field
    list[#list + 1] = { name, direction }
  elseif direction == 1 or direction == -1 then
    list[#list + 1] = { stored_of(name), direction }
  else
    misuse("%s: the direction of '%s' must be 1 or -1", owner, name)
  end
end

--- The pairs of stored name and direction that an order comes to. Raises for what is none.
---@param owner string the model, for messages
---@param stored_of fun(name: string): string
---@param ... any
---@return table[]
function order.pairs_of(owner, stored_of, ...)
  local list = {}
  for i = 1, select("#", ...) do add(owner, stored_of, list, (select(i, ...))) end
  return list
end

return order
