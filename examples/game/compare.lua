-- Measures three ways to save many documents that changed, which is why the game takes the third.
local condition = require "cqueues.condition"
local cqueues = require "cqueues"
local modm = require "modm"
local fields = modm.fields

local Trial = modm.MongoModel:extend("Trial", {
  x = fields.FloatField {},
  y = fields.FloatField {},
  tick = fields.IntegerField {},
  Meta = { connection_alias = "game" },
})

local COROUTINES = 16

local ways = {
  { "one save after another", function(players)
    for _, player in ipairs(players) do assert(player:save()) end
  end },
  { "saves in " .. COROUTINES .. " coroutines", function(players)
    local at, left, ended = 0, COROUTINES, condition.new()
    local function work()
      while at < #players do
        at = at + 1
        assert(players[at]:save())
      end
      left = left - 1
      if left == 0 then ended:signal() end
    end
    for _ = 1, COROUTINES do cqueues.running():wrap(work) end
    ended:wait()
  end },
  { "one bulk write", function(players)
    local bulk = Trial.objects:bulk { ordered = false }
    for _, player in ipairs(players) do bulk:save(player) end
    assert(bulk:run())
  end },
}

local function change(players)
  for _, player in ipairs(players) do
    player.x, player.y, player.tick = math.random(), math.random(), player.tick + 1
  end
end

-- Saves so many documents in each way, and prints what it took.
return function(count)
  local players = {}
  for number = 1, count do players[number] = Trial { tick = 0 } end
  assert(Trial.objects:bulk_create(players))
  print(("%d players that changed, saved by"):format(count))
  for _, way in ipairs(ways) do
    change(players)
    local begun, cpu = cqueues.monotime(), os.clock()
    way[2](players)
    print(("  %-28s %5.0f ms, and %4.0f ms of the client's CPU"):format(way[1],
      (cqueues.monotime() - begun) * 1000, (os.clock() - cpu) * 1000))
  end
  assert(Trial.objects:all():delete())
end
