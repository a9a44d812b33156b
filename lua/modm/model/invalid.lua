--- Refuses a definition.

local errors = require "modm.errors"
local misuse = require "modm.misuse"

--- Raises InvalidModel at the line of the program.
---@param format string
local function invalid(format, ...)
  local _, where = pcall(misuse, "") -- nothing but the position
  error(errors.new("InvalidModel", format:format(...), { where = where }), 0)
end

return invalid
