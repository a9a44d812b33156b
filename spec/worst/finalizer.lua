-- Holds a time many times, and a canceller in a finalizer while the state is closed: prints "done".
-- LuaJIT never leaves a loop over a table there that it compiled for other values.
local modm = require "modm"

local function nothing() end

for _ = 1, 300 do modm.timeout(1000, nothing) end

local canceller = modm.canceller()
local function finalize()
  for _ = 1, 50 do canceller:run(nothing) end
  print "done"
end

if newproxy then -- luacheck: ignore
  _G.last = newproxy(true) -- luacheck: ignore
  getmetatable(_G.last).__gc = finalize
else
  _G.last = setmetatable({}, { __gc = finalize })
end
