--- The command line: finds the command, runs it, and says what became of it.
--
-- Exit codes: 0 fine, 1 invalid documents or indexes that differ, 2 wrong usage or a file of models
-- that cannot be loaded, 3 the server or the way to it.

local arguments = require "modm.cli.arguments"
local failure = require "modm.cli.failure"

local unpack = table.unpack or unpack -- luacheck: ignore

local cli = {}

local names = { "inspect", "check", "indexes", "schema", "diagram" }

local function help()
  local lines = { "usage: modm COMMAND [arguments]", "" }
  for _, name in ipairs(names) do
    local command = require("modm.cli." .. name)
    lines[#lines + 1] = ("  %-8s %s"):format(name, command.text:match "^[^\n]*")
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "`modm COMMAND --help` says more. Exit codes: 0 fine, 1 something does not"
  lines[#lines + 1] = "fit the models, 2 wrong usage or models that cannot be loaded, 3 the server."
  return table.concat(lines, "\n") .. "\n"
end

local function find(name)
  for _, known in ipairs(names) do
    if known == name then return require("modm.cli." .. name) end
  end
end

-- An error of modm's own in the middle of a command is one of the server.
local function code_of(raised)
  if failure.is_one(raised) then return raised.code, raised.message end
  if type(raised) == "table" and raised.kind then return failure.SERVER, tostring(raised) end
  return nil, tostring(raised)
end

--- Runs a command.
---@param words string[] as given, the command's name first
---@return integer code
function cli.main(words)
  local name = words[1]
  if name == "--version" then
    print(require "modm"._VERSION)
    return 0
  elseif name == nil or name == "--help" then
    (name and io.stdout or io.stderr):write(help())
    return name and 0 or failure.USAGE
  end
  local command = find(name)
  if not command then
    failure.say "there is no such command; `modm --help` lists them"
    return failure.USAGE
  end
  local given, message = arguments.parse(command, { unpack(words, 2) })
  if not given then
    failure.say(("%s; `modm %s --help` says what it takes"):format(message, name))
    return failure.USAGE
  elseif given.help then
    io.write(arguments.help(command))
    return 0
  end
  local ok, code = xpcall(command.run, function(raised)
    local exit, text = code_of(raised)
    failure.say(exit and text or debug.traceback(text, 2))
    return exit or failure.SERVER
  end, given)
  io.stdout:flush()
  return code, ok
end

return cli
