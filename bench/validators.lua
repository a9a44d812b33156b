-- How long validators take for hostile texts: bench/validators.lua [BYTES] prints milliseconds for
-- each case of bench/hostile.lua, and how many times as long four times the bytes take.
local modm = require "modm"
local hostile = require "bench.hostile"

local BYTES = tonumber(arg[1]) or 2 ^ 20
local ROUNDS = 5

-- The shortest of some rounds, in milliseconds of CPU.
local function time(work)
  local best = math.huge
  for _ = 1, ROUNDS do
    collectgarbage()
    local start = os.clock()
    work()
    best = math.min(best, (os.clock() - start) * 1000)
  end
  return best
end

local function row(name, work)
  local once, four = time(work(BYTES)), time(work(4 * BYTES))
  print(("%-40s %8.2f %8.1f"):format(name, once, four / math.max(once, 0.001)))
  return once
end

local worst = 0
print(("%-40s %8s %8s"):format(("%d bytes"):format(BYTES), "ms", "x for 4x"))
for i, case in ipairs(hostile) do
  local Model = modm.EmbeddedMongoModel:extend("Case" .. i, { value = case[2] })
  worst = math.max(worst, row(case[1], function(bytes)
    local text = case[3](bytes)
    return function() Model { value = text }:is_valid() end
  end))
end
worst = math.max(worst, row("regular expression: options", function(bytes)
  local options = ("i"):rep(bytes)
  return function() modm.Regex("a", options) end
end))
print(("the slowest: %.2f ms"):format(worst))
