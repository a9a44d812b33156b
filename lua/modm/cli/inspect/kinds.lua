--- Which kind of field takes the types that were seen.

local kinds = {}

-- Kinds by the types that they take, the narrowest first.
local takes = {
  { "CharField", "string" },
  { "IntegerField", "int long" },
  { "FloatField", "double int long" },
  { "Decimal128Field", "decimal int long" },
  { "BooleanField", "bool" },
  { "ObjectIdField", "objectId" },
  { "DateTimeField", "date" },
  { "BinaryField", "binData" },
  { "RegularExpressionField", "regex" },
  { "JavaScriptField", "javascript javascriptWithScope" },
  { "TimestampField", "timestamp" },
  { "ListField", "array" },
  { "EmbeddedModelField", "object" },
  { "CharField", "string int long double bool objectId date decimal" }, -- by tostring
}

local function has_word(list, word)
  return (" " .. list .. " "):find(" " .. word .. " ", 1, true)
end

local function takes_all(list, types)
  for type in pairs(types) do
    if not has_word(list, type) then return false end
  end
  return true
end

-- The types without what is blank to every kind: a field of lists or documents that is empty text
-- is left as it is, but an item is refused.
local function solid_types(node, is_item)
  local types, blank = {}, false
  local refused = is_item and (node.types.array or node.types.object)
  for type, n in pairs(node.types) do
    if type == "null" then
      blank = true
    else
      local empty = node.blanks[type] or 0
      blank = blank or empty > 0
      if empty < n or refused then types[type] = n end
    end
  end
  return types, blank
end

---@class modm.cli.Choice
---@field kind string|nil nil when no kind takes them all
---@field blank boolean whether null or "" is among them
---@field mixed boolean whether it is of several types that a save makes one of

--- The kind for what was seen.
---@param node modm.cli.Node
---@param is_item boolean whether it is of the items of a list
---@return modm.cli.Choice
function kinds.choose(node, is_item)
  local types, blank = solid_types(node, is_item)
  local choice = { blank = blank, mixed = false }
  if next(types) == nil then
    choice.kind = "CharField"
  elseif next(types) == "long" and next(types, "long") == nil then
    choice.kind = "BigIntegerField"
  else
    for _, row in ipairs(takes) do
      if takes_all(row[2], types) then
        choice.kind = row[1]
        break
      end
    end
  end
  local first = next(types)
  choice.mixed = first ~= nil and next(types, first) ~= nil
    and not takes_all("int long", types) and not takes_all("javascript javascriptWithScope", types)
  return choice
end

return kinds
