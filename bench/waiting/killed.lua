-- Ten thousand requests to nginx of which each tenth is killed in the middle, half of them by
-- ngx.exit, half by clients that go away: prints what is in use, Lua's memory and the worker's
-- before and after.
local modm = require "modm"
local socket = require "socket"
local support = require "bench.waiting.support"

local REQUESTS, WARM = 10000, 1000
assert(modm.connect(os.getenv "MODM_URI", { transport = "blocking" }))
local Person = support.model()
assert(Person.objects:all():delete())
support.fill(Person, 10)
local own = support.nginx(support.uri "appName=killed", { aborts = true })

local function twenty()
  local answers, aborted = {}, own:send "/aborted"
  for i = 1, 19 do answers[i] = own:send(i == 1 and "/left" or "/get") end
  for i, answer in ipairs(answers) do
    local status, text = answer:receive()
    assert(status == 200 and (i == 1 or text ~= ""), text)
  end
  aborted:begin()
  aborted:abort()
end

-- in use, Lua's KB, resident KB; once nothing is under way.
local function settled()
  for _ = 1, 100 do
    local _, text = own:get "/stats"
    local used, lua, resident = text:match "(%S+) (%S+) (%S+)"
    if tonumber(used) == 0 then return 0, tonumber(lua), tonumber(resident) end
    socket.sleep(0.05)
  end
  error "something is in use for ever"
end

for _ = 1, WARM / 20 do twenty() end
local used, lua, resident = settled()
for _ = 1, REQUESTS / 20 do twenty() end
local used_after, lua_after, resident_after = settled()
own:stop()
support.say { requests = REQUESTS, in_use_before = used, in_use_after = used_after,
  lua_kb_before = lua, lua_kb_after = lua_after, resident_kb_before = resident,
  resident_kb_after = resident_after }
