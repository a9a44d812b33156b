--- Checks tables of options that programs pass in.

local misuse = require "modm.misuse"

local options = {}

local function fits(value, wanted)
  local found = type(value)
  for one in wanted:gmatch "[^|]+" do
    if one == found or one == "any"
      or (one == "integer" and found == "number" and value % 1 == 0) then
      return true
    end
  end
  return false
end

--- Raises for an option that is not in `known` or is not of its type ("boolean", "table|string").
---@param what string what the options are of, for the message
---@param given table|nil
---@param known table<string, string>
---@param level integer|nil as of error(); without, at the line of the program
function options.check(what, given, known, level)
  local function refuse(format, ...)
    if not level then misuse(format, ...) end
    error(format:format(...), level == 0 and 0 or level + 1)
  end
  if given == nil then return end
  if type(given) ~= "table" then
    refuse("%s: a table of options expected, got %s", what, type(given))
  end
  for name, value in pairs(given) do
    local wanted = known[name]
    if not wanted then
      refuse("%s has no option '%s'", what, tostring(name))
    elseif not fits(value, wanted) then
      wanted = wanted:gsub("|", " or a ")
      refuse("%s: option '%s' must be a %s, got a %s", what, name, wanted, type(value))
    end
  end
end

--- An option of the server's that may be short: "majority" for { w = "majority" }.
---@param value any
---@param key string
---@return table|nil
function options.wrapped(value, key)
  if value == nil or type(value) == "table" then return value end
  return { [key] = value }
end

return options
