-- A primary that steps down under coroutines that read and write: none of them sees an error, no
-- write is lost or done twice, and the loop goes on.
local core = require "modm.core"
local loops = require "spec.support.loops"
local modm = require "modm"
local replica_set = require "spec.support.replica_set"

local fields = modm.fields
local ALIAS, DIRECT = "step_down", "step_down_primary"
local WORKERS, AFTER = 6, 10 -- AFTER: rounds of each worker once another is primary

if not os.getenv "MODM_MONGOD" then
  describe("a step-down", function() pending "needs a mongod of our own" end)
  return
end

describe("a step-down", function()
  local set, Entry, Counter, had_luv

  setup(function()
    had_luv = package.loaded.luv
    set = replica_set.start()
    assert(modm.connect(set:uri "step_down", { alias = ALIAS, transport = "pool" }))
    local meta = { connection_alias = ALIAS }
    Entry = modm.MongoModel:extend("StepDownEntry", {
      key = fields.CharField { primary_key = true },
      worker = fields.IntegerField {}, n = fields.IntegerField {}, Meta = meta,
    })
    Counter = modm.MongoModel:extend("StepDownCounter", {
      worker = fields.IntegerField { primary_key = true },
      n = fields.IntegerField { default = 0 }, Meta = meta,
    })
  end)

  teardown(function()
    modm.disconnect(ALIAS)
    modm.disconnect(DIRECT)
    set:stop()
    package.loaded.luv = had_luv -- other specs run without it
  end)

  before_each(function()
    assert(Entry.objects:all():delete())
    assert(Counter.objects:all():delete())
    for worker = 1, WORKERS do assert(Counter { worker = worker }:save()) end
  end)

  -- One insert, one update of a document in hand, one that adds on the server, and two reads.
  local function round(counter, n)
    local worker = counter.worker
    local entry = Entry { key = worker .. "/" .. n, worker = worker, n = n }
    assert(entry:save())
    entry.n = -n
    assert(entry:save())
    assert(counter:inc { n = 1 })
    assert(assert(Entry.objects:get { key = entry.key }).n == -n)
    assert(counter:refresh_from_db())
    assert(counter.n == n)
  end

  -- Has the primary step down, without standing in the loop's way.
  local function step_down(primary)
    local conn = assert(modm.connect("mongodb://" .. primary.host .. "/admin",
      { alias = DIRECT, transport = "pool", directConnection = true }))
    assert(conn:run(core.command(conn.client, "read", nil, core.ordered {
      { "replSetStepDown", 60 }, { "secondaryCatchUpPeriodSecs", 10 } })))
    modm.disconnect(DIRECT)
  end

  local function check(done)
    for worker = 1, WORKERS do
      assert.equal(done[worker], Counter.objects:get { worker = worker }.n)
      local entries = Entry.objects:filter { worker = worker }
      assert.equal(done[worker], entries:count())
      assert.equal(done[worker], entries:filter { n = modm.lt(0) }:count())
    end
  end

  for _, name in ipairs { "cqueues", "luv" } do
    it("is seen by no coroutine of " .. name, function()
      if not loops.has(name) then return pending(name .. " is not installed") end
      local loop, done, over, working, ticks = loops[name](), {}, false, WORKERS, 0
      local primary = set:primary()
      for worker = 1, WORKERS do
        loop.spawn(function()
          local counter, n, after = assert(Counter.objects:get { worker = worker }), 0, 0
          while after < AFTER do
            n = n + 1
            round(counter, n)
            if over then after = after + 1 end
          end
          done[worker], working = n, working - 1
        end)
      end
      loop.spawn(function()
        loop.sleep(0.1)
        step_down(primary)
        over = true
      end)
      loop.spawn(function()
        while working > 0 do
          loop.sleep(0.005)
          if over then ticks = ticks + 1 end
        end
      end)
      loop.run()
      assert.is_true(set:primary() ~= primary)
      assert.is_true(ticks > 20, ticks .. " ticks")
      check(done)
      assert.equal(0, modm.stats(ALIAS).failed)
    end)
  end
end)
