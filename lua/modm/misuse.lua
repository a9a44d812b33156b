--- Raising what is the program's mistake at the line of the program.

-- Where modm's own files are: "@.../modm/".
local here = debug.getinfo(1, "S").source:match "^.*[/\\]" or "@"

--- Raises at the first caller that is no part of modm; a manager or queryset of the program's own
--- is none.
---@param format string
---@param ... any of string.format
local function misuse(format, ...)
  local level = 2
  while true do
    local info = debug.getinfo(level, "S")
    if not info or (info.what ~= "C" and info.source:sub(1, #here) ~= here) then break end
    level = level + 1
  end
  error(select("#", ...) > 0 and format:format(...) or format, level)
end

return misuse
