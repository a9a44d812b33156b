--- What a command tells people on standard error, and how it ends early: with an exit code.

local failure = { INVALID = 1, USAGE = 2, SERVER = 3 }

local Failure = {}
Failure.__index = Failure

--- Ends the command.
---@param code integer
---@param message string
function failure.raise(code, message)
  error(setmetatable({ code = code, message = message }, Failure), 0)
end

---@param value any
---@return boolean
function failure.is_one(value) return getmetatable(value) == Failure end

-- The text without what a URI in it has before its hosts: user and password.
local function scrub(text) return (text:gsub("mongodb%S*@", "mongodb://***@")) end

--- Tells people, without a password.
---@param text string
function failure.say(text) io.stderr:write("modm: ", scrub(text), "\n") end

--- Gives back what a call of modm gave, or ends the command with its error.
function failure.check(value, message)
  if value == nil or value == false then failure.raise(failure.SERVER, message) end
  return value
end

return failure
