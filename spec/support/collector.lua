-- The collector while specs run, by MODM_GC: "stop" (only where a spec asks), "always" (a cycle
-- after the other), "generational" (Lua 5.4 alone); as it is without. busted loads this first.
local mode = os.getenv "MODM_GC"

if mode == "stop" then
  collectgarbage "stop"
elseif mode == "always" then
  collectgarbage("setpause", 0)
  collectgarbage("setstepmul", 1000)
elseif mode == "generational" then
  assert(not jit, "LuaJIT's collector knows no generations")
  collectgarbage "generational"
else
  assert(not mode, "MODM_GC is stop, always or generational")
end
