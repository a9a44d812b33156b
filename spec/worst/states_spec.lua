-- Many Lua states in one process, each with modm: in threads, one after the other, called by
-- threads in turn, and closed with much alive. states.c is the host; MODM_WORST=long does more.
local server = require "spec.support.server"

local flavour = os.getenv "MODM_FLAVOUR" or (jit and "luajit" or "lua5.4")
local long = os.getenv "MODM_WORST" == "long"
local sanitized = flavour:find "san%-" ~= nil
local threaded = flavour:find "^tsan" ~= nil

-- Without what malloc and threads keep for later, so that all that is in use can be told.
local tunables = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.pthread.stack_cache_size=0 "

-- Runs states; how many there were. The sanitizers see what is left at the end: no generations.
local function states(script, options)
  options = ("%s generations=%d seed=%d"):format(options, sanitized and 0 or long and 5 or 1,
    os.time() % 1000000)
  local command = ("(%s %s timeout %d build/%s/states spec/worst/%s '%s' %s) 2>&1; echo $?"):format(
    threaded and "" or tunables, threaded and "setarch --addr-no-randomize" or "",
    long and 3600 or 300, flavour, script, (server.fresh "states"), options)
  local pipe = io.popen(command)
  local out = pipe:read "*a"
  pipe:close()
  local text, status = out:match "^(.-)(%d+)%s*$"
  assert.equal("0", status, options .. ": " .. text)
  return tonumber(text:match "(%d+) states")
end

describe("a Lua state", function()
  it("may be closed by a program whose finalizers call modm", function()
    local command = "env -u LD_PRELOAD timeout 60 tools/lua-env %s %s spec/worst/finalizer.lua 2>&1"
    local pipe = io.popen(command:format(flavour, (flavour:gsub("^.san%-", ""))))
    assert.equal("done", pipe:read "*l")
    pipe:close()
  end)
end)

describe("many Lua states", function()
  it("work side by side in threads", function()
    assert(states("threads.lua", long and "threads=8 states=4 rounds=4" or
      "threads=8 states=2 rounds=1") >= 32)
  end)

  it("may be called by one thread after the other", function()
    assert(states("threads.lua", ("wander=1 threads=4 states=2 rounds=%d"):format(
      long and 4 or 1)) >= 16)
  end)

  it("may follow each other in one thread", function()
    assert(states("threads.lua", ("threads=1 states=1 rounds=%d"):format(
      long and 50 or 5)) >= 10)
  end)

  it("may be closed with much alive, whatever goes first", function()
    assert(states("handles.lua", long and "threads=2 states=2 rounds=100" or
      "threads=2 states=1 rounds=6") >= 24)
  end)
end)
