-- modm under Copas: each call suspends only the calling coroutine.
local modm = require "modm"
local server = require "spec.support.server"
local help = require "spec.relation.help"

local found, copas = pcall(require, "copas")
local usable = found and copas.pause ~= nil
package.loaded.copas = nil -- other specs run without it

describe("Copas", function()
  if not usable then
    pending "Copas 4.4 or newer is not installed"
    return
  end

  local Thing, conn

  setup(function()
    package.loaded.copas = copas
    conn = assert(modm.connect(server.fresh "copas",
      { alias = "copas", transport = "pool", maxPoolSize = 32 }))
    Thing = modm.MongoModel:extend("CopasThing", {
      name = modm.fields.CharField {}, Meta = { connection_alias = "copas" },
    })
  end)

  teardown(function()
    modm.disconnect "copas"
    package.loaded.copas = nil
  end)

  it("waits for twenty finds at once, while others go on", function()
    local ticks, most, names, left = 0, 0, {}, 20
    local function find(number)
      names[number] = assert(Thing.objects:first()).name
      left = left - 1
      if left == 0 then help.failpoint(conn, "off") end
    end
    copas.addthread(function()
      assert(Thing { name = "x" }:save())
      help.failpoint(conn, "alwaysOn",
        { failCommands = { "find" }, blockConnection = true, blockTimeMS = 200 })
      for number = 1, 20 do copas.addthread(find, number) end
      while left > 0 do
        ticks = ticks + 1
        most = math.max(most, modm.stats("copas").in_use)
        copas.pause(0.005)
      end
    end)
    copas.loop() -- and it ends
    assert.equal(("x"):rep(20), table.concat(names))
    assert.is_true(most > 1)
    assert.is_true(ticks > 10, ticks .. " ticks")
  end)

  it("gives up what takes too long, and ends", function()
    local kind
    copas.addthread(function()
      help.failpoint(conn, { times = 1 },
        { failCommands = { "find" }, blockConnection = true, blockTimeMS = 400 })
      local _, _, err = modm.timeout(50, function() return Thing.objects:first() end)
      kind = err.kind
    end)
    copas.loop()
    assert.equal("TimeoutError", kind)
  end)

  it("keeps documents apart that come in many batches", function()
    local sums = {}
    local function sum(worker)
      local total, rows = 0, Thing.objects:filter { name = "w" .. worker }:batch_size(20)
      for _ in rows:iter() do total = total + 1 end
      sums[worker] = total
    end
    copas.addthread(function()
      for worker = 1, 4 do
        local list = {}
        for i = 1, 50 do list[i] = Thing { name = "w" .. worker } end
        assert(Thing.objects:bulk_create(list))
      end
      for worker = 1, 4 do copas.addthread(sum, worker) end
    end)
    copas.loop()
    assert.same({ 50, 50, 50, 50 }, sums)
  end)
end)

describe("an older Copas", function()
  if usable or not found then
    pending "a Copas before 4.4 is not installed"
    return
  end

  it("is no loop to wait in, which is said once", function()
    local said = {}
    local stop = modm.on("log", function(line) said[#said + 1] = line.message end)
    package.loaded.copas = copas
    local running = {}
    for i = 1, 2 do
      running[i] = coroutine.wrap(function() return require "modm.loop.copas".is_running() end)()
    end
    package.loaded.copas = nil
    stop()
    assert.same({ false, false }, running)
    assert.equal(1, #said)
    assert.is_truthy(said[1]:find("Copas 4.4 or newer", 1, true))
  end)
end)
