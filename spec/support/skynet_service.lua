-- A service of skynet that uses modm: prints what it saw, and ends. For spec/transport.
local core = require "modm.core"
local modm = require "modm"
local skynet = require "skynet"
require "skynet.manager"

local Thing = modm.MongoModel:extend("SkynetThing", { name = modm.fields.CharField {} })

local function failpoint(mode, data)
  local conn = require "modm.connection".get()
  assert(conn:run(core.command(conn.client, "write", "admin", core.ordered {
    { "configureFailPoint", "failCommand" }, { "mode", mode }, { "data", data or {} } })))
end

local function say(format, ...)
  io.stdout:write("skynet_spec: ", format:format(...), "\n")
  io.stdout:flush()
end

-- Twenty coroutines that each find, and this one, which goes on meanwhile.
local function find_at_once()
  local left, most, ticks, names = 20, 0, 0, {}
  for i = 1, 20 do
    skynet.fork(function()
      names[i] = assert(Thing.objects:first()).name
      left = left - 1
    end)
  end
  while left > 0 do
    ticks, most = ticks + 1, math.max(most, modm.stats().in_use)
    skynet.sleep(1)
  end
  say("found %s, %s, %s", table.concat(names), most > 1 and "at once" or "one by one",
    ticks > 5 and "others went on" or "nobody went on")
end

local function run()
  local uri = assert(os.getenv "SKYNET_SPEC_URI")
  assert(modm.connect(uri, { transport = "pool", maxPoolSize = 32 }))
  assert(Thing { name = "x" }:save())
  failpoint("alwaysOn", { failCommands = { "find" }, blockConnection = true, blockTimeMS = 200 })
  find_at_once()
  local _, _, err = modm.timeout(50, function() return Thing.objects:first() end)
  failpoint "off"
  say("limit %s", err and err.kind)
end

skynet.start(function()
  local ok, failed = xpcall(run, debug.traceback)
  say("%s", ok and "ended well" or failed)
  skynet.abort()
end)
