-- What the specs of the command line share: running bin/modm as a program of its own.
local help = {}

local lua = (os.getenv "MODM_FLAVOUR" or "lua5.4"):gsub("^asan%-", "")

local function contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  os.remove(path)
  return text
end

local function quoted(word) return "'" .. tostring(word):gsub("'", "'\\''") .. "'" end

local function command_line(...)
  local words = { "PATH=spec/cli/programs:$PATH", lua, "bin/modm" }
  for i = 1, select("#", ...) do words[i + 3] = quoted((select(i, ...))) end
  return table.concat(words, " ")
end

--- Runs the command with words: { code =, out =, err = }.
function help.run(...)
  local out, err = os.tmpname(), os.tmpname()
  local pipe = io.popen(command_line(...) .. " >" .. out .. " 2>" .. err .. "; echo $?")
  local code = tonumber(pipe:read "*a")
  pipe:close()
  return { code = code, out = contents(out), err = contents(err) }
end

--- Runs the command on a terminal of its own, and gives what came there.
function help.on_terminal(...)
  local preload = os.getenv "LD_PRELOAD" -- the sanitizers are for Lua, not for script(1)
  local command = (preload and "LD_PRELOAD=" .. quoted(preload) .. " " or "") .. command_line(...)
  local pipe = io.popen("env -u LD_PRELOAD script -qec " .. quoted(command) .. " /dev/null")
  local text = pipe:read "*a"
  pipe:close()
  return text
end

--- The path of a new file with this text.
function help.file(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

return help
