-- Runs the commands of docs/command-line.md as a user would, and holds the page to what they print.
local markdown = require "spec.support.markdown"
local server = require "spec.support.server"

local PAGE = "docs/command-line.md"
local flavour = os.getenv "MODM_FLAVOUR" or "lua5.4"

-- In the folder of models.lua, with `modm` as a command, which prints line by line as on a
-- terminal. The sanitizers are for the interpreter, which lua-env calls. Each command's output
-- ends with a mark, and leaves its exit code to the next command.
local SHELL = [[
root=$PWD PATH=$PWD/spec/cli/programs:$PATH
cd '%s'
modm() { "$root/tools/lua-env" %s %s -e 'io.stdout:setvbuf "line"' "$root/bin/modm" "$@"; }
]]
local MARK = "\n=== the end of a command\n"

local function written(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- The outputs of the commands, run one after the other by one shell.
local function outputs(commands, folder, uri)
  local script = { SHELL:format(folder, flavour, (flavour:gsub("^asan%-", ""))) }
  for i, command in ipairs(commands) do
    local line = command.command:gsub(markdown.URI:gsub("%p", "%%%0"), "'" .. uri .. "'")
    script[i + 1] = line .. "; code=$?; printf '" .. MARK:gsub("\n", "\\n") .. "'; (exit $code)\n"
  end
  written(folder .. "/script", table.concat(script))
  local pipe = assert(io.popen("env -u LD_PRELOAD bash " .. folder .. "/script 2>&1"))
  local text, list = pipe:read "*a", {}
  pipe:close()
  text = text:gsub(uri:match("/([^/?]+)%?"), (markdown.URI:match("[^/]+$")))
  for output in text:gmatch("(.-)" .. MARK) do list[#list + 1] = output end
  return list
end

-- What the page says as a pattern: `...` is anything within a line.
local function pattern_of(output)
  return "^" .. output:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", "[^\n]*") .. "$"
end

describe(PAGE, function()
  local commands = markdown.commands(PAGE)
  local folder, printed = os.tmpname(), nil

  setup(function()
    local uri = server.fresh "page"
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    written(folder .. "/models.lua", markdown.file(PAGE, "models.lua"))
    markdown.run(markdown.program(PAGE), PAGE, uri)
    require "modm".disconnect()
    printed = outputs(commands, folder, uri)
  end)
  teardown(function() os.execute("rm -r " .. folder) end)

  for i, command in ipairs(commands) do
    it(("line %d: %s"):format(command.line, command.command), function()
      assert.matches(pattern_of(command.output), printed[i])
    end)
  end

  it("shows every command", function()
    local shown = {}
    for _, command in ipairs(commands) do
      shown[command.command:match "^modm (%l+)" or ""] = true
    end
    for name in ("inspect check indexes schema diagram"):gmatch "%l+" do
      assert.is_true(shown[name], name)
    end
    assert.equal(#commands, #printed)
  end)
end)
