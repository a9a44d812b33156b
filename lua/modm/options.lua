--- Checks tables of options that programs pass in.

local options = {}

local function fits(value, wanted)
  local found = type(value)
  for one in wanted:gmatch "[^|]+" do
    if one == found or one == "any" or (one == "integer" and found == "number" and value % 1 == 0) then
      return true
    end
  end
  return false
end

--- Raises, at `level`, for an option that is not in `known` or is not of its type ("boolean", "table|string").
---@param what string what the options are of, for the message
---@param given table|nil
---@param known table<string, string>
---@param level integer as of error()
function options.check(what, given, known, level)
  if given == nil then return end
  if type(given) ~= "table" then error(("%s: a table of options expected, got %s"):format(what, type(given)), level) end
  for name, value in pairs(given) do
    local wanted = known[name]
    if not wanted then
      error(("%s has no option '%s'"):format(what, tostring(name)), level)
    elseif not fits(value, wanted) then
      error(("%s: option '%s' must be a %s, got a %s"):format(what, name, wanted:gsub("|", " or a "), type(value)),
        level)
    end
  end
end

return options
