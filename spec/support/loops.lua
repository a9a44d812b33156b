-- The event loops that specs run coroutines in, under one interface: spawn(f) adds a coroutine,
-- sleep(seconds) suspends the running one, run() goes on until all have ended, and raises what one
-- raised.
local loops = {}

function loops.cqueues()
  local cqueues = require "cqueues"
  local controller = cqueues.new()
  return {
    spawn = function(f) controller:wrap(f) end,
    sleep = cqueues.sleep,
    run = function() assert(controller:loop()) end,
  }
end

-- luv, which crashes when it is loaded, collected and loaded again, as busted has it with modules.
function loops.load_luv()
  local uv = require "luv"
  package.preload.luv = function() return uv end
  return uv
end

function loops.luv()
  local uv = loops.load_luv()
  local raised
  -- What is raised in a callback of luv's would end the program.
  local function spawn(f)
    coroutine.wrap(function()
      local ok, message = xpcall(f, debug.traceback)
      if ok then return end
      raised = raised or message
      uv.stop()
    end)()
  end
  return {
    spawn = spawn,
    sleep = function(seconds)
      local thread, timer = coroutine.running(), uv.new_timer()
      timer:start(math.ceil(seconds * 1000), 0, function()
        timer:close()
        coroutine.resume(thread)
      end)
      coroutine.yield()
    end,
    run = function()
      uv.run()
      if raised then error(raised, 0) end
    end,
  }
end

-- Whether the library of a loop is installed.
function loops.has(name)
  return package.loaded[name] ~= nil or pcall(name == "luv" and loops.load_luv or require, name)
end

return loops
