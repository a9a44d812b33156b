-- The world: players that walk, fight, score and find gold. It knows nothing of databases.
local world = {}

local World = {}
World.__index = World

local WIDTH = 1000

--- Makes a world of so many players.
function world.new(size)
  local players = {}
  for number = 1, size do
    players[number] = {
      number = number, name = ("Player %04d"):format(number),
      x = math.random() * WIDTH, y = math.random() * WIDTH, health = 100, score = 0, tick = 0,
    }
  end
  return setmetatable({ players = players, tick = 0 }, World)
end

local function move(place) return (place + math.random() * 2 - 1) % WIDTH end

--- Plays one tick. Everybody walks; some score, some are hurt, and some find gold.
---@return { player: integer, gold: integer }[] found
function World:step()
  local found = {}
  self.tick = self.tick + 1
  for _, player in ipairs(self.players) do
    player.x, player.y, player.tick = move(player.x), move(player.y), self.tick
    if math.random() < 0.3 then player.score = player.score + math.random(50) end
    if math.random() < 0.1 then player.health = math.max(player.health - math.random(20), 0) end
    if player.health == 0 then player.health = 100 end
  end
  for i = 1, 20 do
    found[i] = { player = math.random(math.min(#self.players, 20)), gold = math.random(9) }
  end
  return found
end

return world
