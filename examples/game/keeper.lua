-- Keeps the world in the database: a document for each player, of which a save sends what changed.
local Player = require "models".Player

local keeper = {}

local Keeper = {}
Keeper.__index = Keeper

-- The loop runs nothing else while one batch is encoded, so a batch is a few milliseconds of work.
local BATCH = 250

local state = { "x", "y", "health", "score", "tick" }

--- Stores the world for the first time.
function keeper.new(world)
  local documents = {}
  for number, player in ipairs(world.players) do documents[number] = Player(player) end
  assert(Player.objects:bulk_create(documents))
  return setmetatable({ world = world, documents = documents }, Keeper)
end

function Keeper:add(bulk, number)
  local player, document = self.world.players[number], self.documents[number]
  for _, name in ipairs(state) do document[name] = player[name] end
  bulk:save(document)
end

--- Saves who changed. What could not be saved is still a change of its document, which the next
--- save sends, with whatever came to it since.
---@return integer saved, string|nil failure
function Keeper:save()
  local saved, failure = 0, nil
  for first = 1, #self.documents, BATCH do
    local bulk = Player.objects:bulk { ordered = false }
    for number = first, math.min(first + BATCH - 1, #self.documents) do self:add(bulk, number) end
    local result, message, err = bulk:run()
    if not result then result, failure = err.result or { matched = 0 }, message end
    saved = saved + result.matched
  end
  return saved, failure
end

return keeper
