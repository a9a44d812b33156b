-- Memory that runs out anywhere: an error, and then all works as before, and nothing is left when
-- the state is closed. walk.c has the allocator that fails. Each run takes every STEP-th
-- allocation, beginning anywhere; MODM_OOM=all (`make oom`) takes them all.
local server = require "spec.support.server"

local lua = jit and "luajit" or "lua5.4"
local sanitized = (os.getenv "MODM_FLAVOUR" or lua):find "asan" ~= nil
local program = ("build/%s%s/walk"):format(sanitized and "asan-" or "", lua)
local all = os.getenv "MODM_OOM" == "all"
local counted = os.getenv "MODM_COVER" -- then each of the C module's: they are few
local STEP = 67

math.randomseed(os.time())

-- Runs walk; what it printed, and its status. Without stacks of ended threads, which would be kept.
local function walk(options)
  if not options:find "every" then
    options = ("%s every=%d start=%d"):format(options, all and 1 or STEP,
      all and 1 or math.random(STEP))
  end
  local pipe = io.popen(("(GLIBC_TUNABLES=glibc.pthread.stack_cache_size=0 %s spec/memory/%s) "
    .. "2>&1; echo $?"):format(program, options))
  local out = pipe:read "*a"
  pipe:close()
  local text, status = out:match "^(.-)(%d+)%s*$"
  assert.equal("0", status, options .. ": " .. text)
  return tonumber(text:match "(%d+) rounds"), tonumber(text:match "allocation (%d+)")
end

-- The parts of parts.lua, and after how many rounds a state is closed: to define a model again and
-- again takes memory under LuaJIT, whose weak tables keep what refers to itself.
local parts = {
  "define rounds=10", "connect", "save", "find", "references", "bulk", "rules", "transaction",
  "session", "atomic", "pages", "files", "watch", "schema", "large", "heard", "pool.abandon",
  "pool.find", "pool.save", "pool.transaction", "pool.files", "pool.watch",
}

describe("memory that runs out", function()
  it("leaves documents as they were", function()
    local rounds = walk "documents.lua - - every=1 start=1"
    assert.is_true(rounds > 300)
  end)

  it("leaves documents as they were when it does not come back", function()
    walk "documents.lua - - fails=0 every=1 start=1"
  end)

  it("may run out while modm is loaded", function()
    local every = all and 7 or 1499
    local _, last = walk(("documents.lua - - fresh=1 every=%d start=%d"):format(every,
      math.random(every)))
    assert.is_true(last > 10000)
  end)

  -- What is loaded later may fail to be for want of memory, which LuaJIT's require does not forget.
  it("finds all loaded with modm but what an event loop or the command line needs", function()
    require "modm"
    local files = io.popen "find lua/modm -name '*.lua'"
    for file in files:lines() do
      local name = file:match "^lua/(.*)%.lua$":gsub("/", "."):gsub("%.init$", "")
      if not name:find "^modm%.loop%." and not name:find "^modm%.cli"
        and not name:find "%.sockets%." then
        assert.not_nil(package.loaded[name], name)
      end
    end
    files:close()
  end)

  local uri = server.fresh "memory"
  it("leaves no time behind that a call was limited to", function()
    walk(("parts.lua '%s' pool.abandon every=1 start=1"):format(uri))
  end)

  for _, part in ipairs(parts) do
    it("harms nothing: " .. part, function()
      local _, last = walk(("parts.lua '%s' %s"):format(uri, part))
      assert.is_true(last > 20)
    end)

    if all or part == "save" or part == "pool.find" then
      it("harms nothing in a new state: " .. part, function()
        local every = all and 53 or 1009
        walk(("parts.lua '%s' %s rounds=1 every=%d start=%d"):format(uri,
          part:gsub(" .*", ""), every, math.random(every)))
      end)
    end

    -- Where the sanitizers have malloc it cannot be made to fail.
    if not sanitized then
      it("harms nothing when it is the C module's: " .. part, function()
        walk(("parts.lua '%s' %s c=1 every=%d start=1"):format(uri, part,
          (all or counted) and 1 or 11))
      end)
    end
  end
end)
