--- Which line of the program modm is called from.

local caller = {}

-- Where modm's own files are: "@.../modm/".
local here = debug.getinfo(1, "S").source:match "^.*[/\\]" or "@"

--- The level, as the function that asks would give it to error(), of the first caller that is no
--- part of modm; a manager or queryset of the program's own is none.
---@return integer level
function caller.level()
  local level = 3
  while true do
    local info = debug.getinfo(level, "S")
    local is_ours = info and (info.what == "C" or info.source:sub(1, #here) == here)
    if not is_ours then return level - 1 end
    level = level + 1
  end
end

--- The same as "file:line", or nil when there is no such caller.
---@return string|nil
function caller.place()
  local info = debug.getinfo(caller.level(), "Sl")
  return info and ("%s:%d"):format(info.short_src, info.currentline)
end

return caller
