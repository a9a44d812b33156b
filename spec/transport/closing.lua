-- A program that ends with much under way: lua closing.lua URI SEED END. In an order that the seed
-- draws it has finds that the server holds, operations that wait for a thread, half-read cursors,
-- transactions and change streams; drops some, and ends: END is "return", "exit" or "close".
local cqueues = require "cqueues"
local modm = require "modm"

local uri, seed, ending = arg[1], tonumber(arg[2]), arg[3]
math.randomseed(seed)

assert(modm.connect(uri, { alias = "few", transport = "pool", threads = 2 }))
assert(modm.connect(uri, { alias = "many", transport = "pool", threads = 16 }))

local function model(alias)
  return modm.MongoModel:extend(alias .. ".Item", {
    n = modm.fields.IntegerField { primary_key = true },
    Meta = { connection_alias = alias, collection_name = "items", final = true },
  })
end
local Few, Many = model "few", model "many"

local controller = cqueues.new()
local held = {} -- what lives to the end

-- Each gives a function to run in a coroutine.
local kinds = {
  function(Item) Item.objects:filter { n = 1 }:first() end,
  function(Item) Item { n = math.random(100, 1000000) }:save() end,
  function(Item)
    local rows = Item.objects:order_by { "n" }:batch_size(2)
    local iterator, state, first = rows:iter()
    held[#held + 1] = { iterator, state, iterator(state, first) }
  end,
  function(Item)
    modm.transaction(Item == Few and "few" or "many", function()
      local ok, message = Item.objects:filter { n = 2 }:update { ["$set"] = { m = seed } }
      cqueues.sleep(30)
      return ok, message
    end)
  end,
  function(Item)
    local stream = Item.objects:all():watch { max_await_ms = 400 }
    held[#held + 1] = stream
    if stream then stream:next() end
  end,
}

for _ = 1, 24 do
  local kind, Item = kinds[math.random(#kinds)], math.random(2) == 1 and Few or Many
  controller:wrap(function() kind(Item) end)
end
for _ = 1, math.random(0, 12) do assert(controller:step(0.01)) end

-- Some go before the end, each way.
for i = 1, #held do
  if math.random(3) == 1 then held[i] = false end
end
local way = math.random(4)
if way == 1 then
  controller = nil -- luacheck: ignore
elseif way == 2 then
  modm.disconnect(math.random(2) == 1 and "few" or "many")
elseif way == 3 then
  collectgarbage()
end

if ending == "exit" then os.exit(0) end
if ending == "close" then os.exit(0, true) end
