--- Raising what is the program's mistake at the line of the program.

local caller = require "modm.caller"

--- Raises at the first caller that is no part of modm.
---@param format string
---@param ... any of string.format
local function misuse(format, ...)
  local level = caller.level()
  error(select("#", ...) > 0 and format:format(...) or format, level)
end

return misuse
