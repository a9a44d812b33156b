-- Compares the database with what was played.
local board = require "board"
local models = require "models"

-- The place of each player in the leaderboard, best first; equal scores by their numbers.
local function ranking(world)
  local order = {}
  for number, player in ipairs(world.players) do order[number] = player end
  table.sort(order, function(a, b)
    if a.score ~= b.score then return a.score > b.score end
    return a.number < b.number
  end)
  return order
end

--- What differs, as lines of text; and how many pages the leaderboard had.
---@return string[] problems, integer pages
local function check(world, bank)
  local problems = {}
  local function expect(what, name, is, wanted)
    if is == wanted then return end
    problems[#problems + 1] = ("%s: %s is %s in the database, and was %s in the game")
      :format(what, name, tostring(is), tostring(wanted))
  end
  local players, wallets = models.Player.objects:all(), models.Wallet.objects:all()
  expect("players", "their number", players:count(), #world.players)
  for stored in players:iter() do
    for name, value in pairs(world.players[stored.number]) do
      expect("player " .. stored.number, name, stored[name], value)
    end
  end
  expect("wallets", "their number", wallets:count(), #world.players)
  for wallet in wallets:iter() do
    local entry = bank.ledger[wallet.player]
    expect("wallet " .. wallet.player, "gold", wallet.gold, entry.gold)
    expect("wallet " .. wallet.player, "version", wallet.version, entry.version)
  end
  local top, pages = board.top(math.huge)
  for place, player in ipairs(ranking(world)) do
    expect("leaderboard", "place " .. place, top[place] and top[place].number, player.number)
  end
  return problems, pages
end

return check
