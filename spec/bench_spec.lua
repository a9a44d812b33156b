-- The bench's works, once each on few documents: modm reads and writes what the raw program does.
local server = require "spec.support.server"

local N = 200

-- The build and the interpreter that run this spec. bash leaks: only Lua gets the sanitizers.
local flavour = os.getenv("MODM_FLAVOUR") or (jit and "luajit" or "lua5.4")
local lua = ("env -u LD_PRELOAD tools/lua-env %s %s "):format(flavour, (flavour:gsub("^asan%-",
  "")))

local function lines_of(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read("*a")
  pipe:close()
  return text
end

local function works()
  local names = {}
  for line in io.lines("bench/works.txt") do
    names[#names + 1] = line:match("^([%w_]+)%s+%d+")
  end
  return names
end

describe("bench", function()
  -- The sanitizers' libraries are for the module, not for the raw program and its compiler.
  local raw

  setup(function()
    raw = ("env -u LD_PRELOAD MODM_URI='%s' "):format((server.fresh("bench")))
    assert.equal("", lines_of("env -u LD_PRELOAD bench/build"))
  end)

  teardown(function()
    lines_of(raw .. "build/bench/raw drop")
  end)

  -- Gives the checksum of the program and that of what it stored.
  local function measure(work, command)
    assert.equal("", lines_of(("%sbuild/bench/raw prepare %s %d"):format(raw, work, N)))
    local text = lines_of(("%s %s %d"):format(command, work, N))
    local name, n, wall, cpu, sum = text:match("^([%w_]+) (%d+) ([%d.]+) ([%d.]+) ([%d.]+)\n$")
    assert.is_truthy(sum, text)
    assert.same({ work, N }, { name, tonumber(n) })
    assert.is_true(tonumber(wall) > 0 and tonumber(cpu) >= 0)
    return { sum, lines_of(raw .. "build/bench/raw verify") }
  end

  it("knows its works", function()
    assert.equal(10, #works())
  end)

  for _, work in ipairs(works()) do
    it(work .. " gives the same in C and in modm", function()
      local uri = raw:match("MODM_URI='([^']*)'")
      local modm = ("MODM_URI='%s' %s bench/modm.lua"):format(uri, lua)
      assert.same(measure(work, raw .. "build/bench/raw"), measure(work, modm))
    end)
  end
end)
