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

--- Runs the command with words: { code =, out =, err = }.
function help.run(...)
  local words, out, err = { lua, "bin/modm" }, os.tmpname(), os.tmpname()
  for i = 1, select("#", ...) do words[i + 2] = quoted((select(i, ...))) end
  local pipe = io.popen(table.concat(words, " ") .. " >" .. out .. " 2>" .. err .. "; echo $?")
  local code = tonumber(pipe:read "*a")
  pipe:close()
  return { code = code, out = contents(out), err = contents(err) }
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
