--- The command line's words, by a command's table of what it takes.

local arguments = {}

---@class modm.cli.Command
---@field name string
---@field takes string[] what stands without a name, in order
---@field options table[] { name, "VALUE" or false, text }
---@field text string
---@field run fun(given: table): integer the exit code

local common = {
  { "json", false, "machine-readable output" },
  { "help", false, "this help" },
}

local function all_options(command)
  local list = {}
  for _, option in ipairs(command.options) do list[#list + 1] = option end
  for _, option in ipairs(common) do list[#list + 1] = option end
  return list
end

local function find(command, name)
  for _, option in ipairs(all_options(command)) do
    if option[1] == name then return option end
  end
end

--- The table of what was given, by name; or nil and what is wrong. A message repeats no
--- value, which may be a URI with a password.
---@param command modm.cli.Command
---@param words string[]
---@return table|nil given, string? message
function arguments.parse(command, words)
  local given, place, i = {}, 0, 1
  while i <= #words do
    local name, value = words[i]:match "^%-%-([%w-]+)=?(.*)$"
    if name then
      local option = find(command, name)
      if not option then return nil, "there is no option --" .. name end
      if not option[2] then
        given[name] = true
      elseif words[i]:find("=", 1, true) then
        given[name] = value
      else
        i = i + 1
        given[name] = words[i]
        if not words[i] then return nil, ("--%s needs a value: %s"):format(name, option[2]) end
      end
    else
      place = place + 1
      if not command.takes[place] then return nil, "there are too many arguments" end
      given[command.takes[place]] = words[i]
    end
    i = i + 1
  end
  if place < #command.takes and not given.help then
    return nil, command.takes[place + 1] .. " is missing"
  end
  return given
end

--- A whole number of at least 1 among what was given; or nil, or nil and what is wrong.
function arguments.number(given, name)
  local text = given[name]
  local number = tonumber(text)
  if text and (not number or number < 1 or number % 1 ~= 0) then
    return nil, ("--%s takes a whole number of 1 or more"):format(name)
  end
  return number
end

---@param command modm.cli.Command
---@return string
function arguments.help(command)
  local lines = {
    ("usage: modm %s %s [options]"):format(command.name, table.concat(command.takes, " ")), "",
    command.text, "",
  }
  for _, option in ipairs(all_options(command)) do
    local name = "--" .. option[1] .. (option[2] and " " .. option[2] or "")
    lines[#lines + 1] = ("  %-22s %s"):format(name, option[3])
  end
  return table.concat(lines, "\n") .. "\n"
end

return arguments
