-- A game server: its loop under cqueues saves every player in each tick, and misses none.
-- It runs by `make game`, or with MODM_URI set to any server: it uses the database modm_game.
local cqueues = require "cqueues"
local modm = require "modm"
package.path = (arg[0]:match("^.*/") or "./") .. "?.lua;" .. package.path
local bank = require "bank"
local board = require "board"
local chart = require "chart"
local check = require "check"
local compare = require "compare"
local keeper = require "keeper"
local models = require "models"
local world = require "world"

local function setting(name, default) return tonumber(os.getenv(name) or default) end

local players = setting("GAME_PLAYERS", 1000)
local tick_ms = setting("GAME_TICK_MS", 1000)
local ticks = math.max(1, math.floor(setting("GAME_SECONDS", 10) * 1000 / tick_ms))

-- A tick is late that begins so many seconds after its time: a tenth of a tick.
local LATE = tick_ms / 1000 / 10

local now = cqueues.monotime
local loop = cqueues.new()
local seen = {
  tick = 0, ticks = ticks, tick_ms = tick_ms, late = 0,
  saved = 0, total = 0, saves = {}, -- players of the last tick and of all; milliseconds of each
  held = {}, longest = 0,           -- how long the loop ran nothing else, in milliseconds
  top = {}, running = true,
}

-- ---- what goes on beside the ticks ----

-- Looks each 10 ms how much later it comes: for so long somebody else held the loop.
local function pulse()
  while seen.running do
    local due = now() + 0.01
    cqueues.sleep(0.01)
    seen.longest = math.max(seen.longest, (now() - due) * 1000)
  end
end

local function leaderboard()
  while seen.running do
    local top = {}
    for place, player in ipairs(board.top(60)) do
      if place <= 3 then top[place] = ("%s %d"):format(player.name, player.score) end
    end
    seen.top = top
    cqueues.sleep(0.5)
  end
end

-- ---- the ticks ----

local function save(kept)
  local begun = now()
  local saved, failure = kept:save()
  if failure then io.stderr:write("not saved in this tick: ", failure, "\n") end
  table.insert(seen.saves, (now() - begun) * 1000)
  seen.saved, seen.total = saved, seen.total + saved
end

local function play(game, kept, money)
  local picture, start = chart.new(), now()
  for tick = 1, ticks do
    local due = start + tick * tick_ms / 1000
    cqueues.sleep(math.max(0, due - now()))
    if now() > due + LATE then seen.late = seen.late + 1 end
    seen.tick = tick
    money:owe(game:step())
    save(kept)
    table.insert(seen.held, seen.longest)
    seen.longest = 0
    seen.pool, seen.bank = assert(modm.stats "game"), money
    picture:show(seen)
  end
end

-- Plays one tick before the first, and prints what the server is sent for a player.
local function show_update(game, kept)
  local stop
  stop = modm.on("command", function(event)
    local updates = event.phase == "started" and event.command.updates
    if not updates then return end
    local set, names = updates[1].u["$set"], {}
    for name in pairs(set) do
      if not name:find "^_" then names[#names + 1] = name end
    end
    table.sort(names)
    print("one of them sends only what changed: " .. table.concat(names, ", "))
    stop()
  end)
  game:step()
  save(kept)
  stop()
  seen.saves, seen.total = {}, 0
end

-- ---- from the first to the last ----

local function empty()
  for _, model in pairs(models) do assert(model.objects:all():delete()) end
end

local function report(money, problems, pages)
  print(("\n%d ticks of %d ms, %d late; %d of %d states saved, in %.0f ms (median; highest %.0f)")
    :format(ticks, tick_ms, seen.late, seen.total, ticks * players,
      chart.quantile(seen.saves, 0.5), chart.quantile(seen.saves, 1)))
  print(("%d payments and %d gifts, %d conflicts between them"):format(money.payments,
    money.gifts, money.conflicts))
  print(("leaderboard of %d pages"):format(pages))
  for i, problem in ipairs(problems) do
    if i <= 10 then print(problem) end
  end
  print(#problems == 0 and "every player, wallet and place is in the database as it was played"
    or #problems .. " differences between the database and what was played")
end

-- Makes the world, and starts what goes on at once.
local function begin()
  empty()
  for _, model in pairs(models) do assert(model:sync_indexes()) end
  compare(math.min(players, 300))
  local game = world.new(players)
  local kept, money = keeper.new(game), bank.new(game)
  show_update(game, kept)
  loop:wrap(pulse)
  loop:wrap(leaderboard)
  loop:wrap(money.pay, money)
  loop:wrap(money.admin, money)
  loop:wrap(function()
    play(game, kept, money)
    seen.running = false
    money:close()
  end)
  return game, money
end

local uri = assert(os.getenv("MODM_URI"), "MODM_URI is not set: use `make game`")
local hosts, query = uri:match("^(mongodb[^:]*://[^/?]+)/?[^?]*(.*)$")
assert(modm.connect(hosts .. "/modm_game" .. query, { alias = "game", transport = "pool" }))

-- The loop ends when all its coroutines have.
local game, money, status
loop:wrap(function() game, money = begin() end)
assert(loop:loop())
loop:wrap(function()
  local problems, pages = check(game, money)
  if seen.total ~= ticks * players then
    problems[#problems + 1] = ("%d states were not saved in their tick")
      :format(ticks * players - seen.total)
  end
  report(money, problems, pages)
  empty()
  status = #problems > 0 and 1 or seen.late > 0 and 2 or 0
end)
assert(loop:loop())
modm.disconnect "game"
os.exit(status, true)
