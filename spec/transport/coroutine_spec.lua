-- The coroutine transport: refused with the reason where it cannot be had; elsewhere each call
-- suspends its coroutine alone, under cqueues, under libuv, and blocks where there is no loop.
local core = require "modm.core"
local cqueues = require "cqueues"
local modm = require "modm"
local replica_set = require "spec.support.replica_set"
local server = require "spec.support.server"

local fields = modm.fields
local ALIAS = "suspended"
local can, reason = core.can_suspend()

-- Event loops: together(fn, ...) runs functions side by side to their ends, and raises what one of
-- them raises; sleep(seconds) is of the running coroutine.
local loops = {}

loops.cqueues = {
  together = function(...)
    local controller = cqueues.new()
    for _, fn in ipairs { ... } do controller:wrap(fn) end
    assert(controller:loop())
  end,
  sleep = cqueues.sleep,
}

loops.luv = {
  together = function(...)
    local uv, left, failed = require "luv", select("#", ...), nil
    for _, fn in ipairs { ... } do
      coroutine.wrap(function()
        local ok, raised = xpcall(fn, debug.traceback)
        if not ok then failed = raised end
        left = left - 1
      end)()
    end
    while left > 0 do uv.run "once" end
    uv.run "nowait" -- luv ends the process over timers that are closed, but not yet seen to be
    if failed then error(failed, 0) end
  end,
  sleep = function(seconds)
    local uv, thread = require "luv", coroutine.running()
    local timer = uv.new_timer()
    timer:start(math.ceil(seconds * 1000), 0, function()
      timer:close()
      assert(coroutine.resume(thread))
    end)
    coroutine.yield()
  end,
}

describe("the coroutine transport", function()
  if not can then
    it("is refused with the reason where it cannot be had", function()
      local ok, message, err = modm.connect(server.uri(), { transport = "coroutine", alias = "co" })
      assert.is_nil(ok)
      assert.equal("ConfigurationError", err.kind)
      assert.equal(reason, message)
      assert.matches("^transport 'coroutine' ", message)
    end)
    return
  end

  local Item

  local function command(client, ...)
    local op = core.command(client, "read", "admin", core.ordered { ... })
    return op:run() or error(op:error().message)
  end

  local admin -- a client of its own: fail points are no part of what is tested

  local function failpoint(mode, data)
    command(admin, { "configureFailPoint", "failCommand" }, { "mode", mode },
      data and { "data", data })
  end

  -- Holds a command for so many milliseconds each time.
  local function hold(name, ms, mode)
    failpoint(mode or "alwaysOn", { failCommands = core.array { name }, blockConnection = true,
      blockTimeMS = ms })
  end

  local function connect(options, uri)
    options = options or {}
    options.alias, options.transport = ALIAS, "coroutine"
    assert(modm.connect(uri or (server.fresh "coroutine"), options))
    Item = modm.MongoModel:extend("Item", {
      n = fields.IntegerField { primary_key = true }, text = fields.CharField {},
      Meta = { connection_alias = ALIAS, collection_name = "items" },
    })
  end

  local function fill()
    for i = 1, 20 do assert(Item { n = i, text = "t" .. i }:save()) end
  end

  setup(function() admin = assert(core.client(server.uri "admin", {})) end)
  teardown(function() admin:close() end)

  after_each(function()
    failpoint "off"
    modm.disconnect(ALIAS)
    collectgarbage()
    collectgarbage()
  end)

  it("blocks where there is no loop", function()
    connect()
    fill()
    assert.equal("t3", Item.objects:get { n = 3 }.text)
    local n = 0
    for item in Item.objects:all():batch_size(3):iter() do n = n + item.n end
    assert.equal(210, n)
    assert.equal("coroutine", modm.stats(ALIAS).transport)
  end)

  for name, loop in pairs(loops) do
    describe("under " .. name, function()
      local together, sleep = loop.together, loop.sleep

      it("runs operations side by side, and lets the loop go on", function()
        connect()
        together(fill)
        hold("find", 300)
        local under_way, most, found, ticks, finds = 0, 0, 0, 0, {}
        for i = 1, 10 do
          finds[i] = function()
            under_way = under_way + 1
            most = math.max(most, under_way)
            local n = Item.objects:get { n = i }.n
            found = found + n
            under_way = under_way - 1
          end
        end
        finds[11] = function()
          while found < 55 do
            sleep(0.005)
            ticks = ticks + 1
          end
        end
        together((table.unpack or unpack)(finds)) -- luacheck: ignore
        assert.equal(10, most)
        assert.is_true(ticks > 5)
        assert.equal(0, modm.stats(ALIAS).in_use)
      end)

      it("yields below iterations, lazy references, hooks and validators", function()
        connect()
        local log = {}
        local Holder = modm.MongoModel:extend("Holder", {
          item = fields.ReferenceField { Item },
          name = fields.CharField { validators = { function() sleep(0.001) return true end } },
          Meta = { connection_alias = ALIAS },
        })
        Holder:before("save", function() log[#log + 1] = Item.objects:all():count() end)
        together(function()
          fill()
          assert(Holder { item = Item.objects:get { n = 4 }, name = "a" }:save())
          for holder in Holder.objects:all():iter() do
            sleep(0.001)
            log[#log + 1] = holder.item.text
          end
        end)
        assert.same({ 20, "t4" }, log)
      end)

      it("keeps a fiber for a cursor, and ends it when it is forgotten", function()
        connect()
        local n = 0
        together(function()
          fill()
          for _ in Item.objects:all():batch_size(5):iter() do
            n = n + 1
            assert.equal(1, modm.stats(ALIAS).in_use)
            if n == 3 then break end
          end
        end)
        collectgarbage()
        collectgarbage()
        together(function() assert.equal(20, Item.objects:all():count()) end)
        assert.equal(0, modm.stats(ALIAS).in_use)
        assert.equal(1, modm.stats(ALIAS).threads)
      end)

      it("frees a caller whose time is over, and drops the result", function()
        connect()
        together(fill)
        hold("find", 400, { times = 1 })
        local kind, ticks = nil, 0
        together(function()
          local _, message, err = modm.timeout(50, function() return Item.objects:get { n = 1 } end)
          assert.matches("longer than the %d+ ms", message)
          kind = err.kind
        end, function()
          while not kind do
            sleep(0.01)
            ticks = ticks + 1
          end
        end)
        assert.equal("TimeoutError", kind)
        assert.is_true(ticks < 35, ticks)
        assert.equal(1, modm.stats(ALIAS).dropped)
        together(function() assert.equal("t1", Item.objects:get { n = 1 }.text) end)
      end)

      it("frees a caller that is cancelled", function()
        connect()
        together(fill)
        hold("find", 400, { times = 1 })
        local canceller, kind = modm.canceller(), nil
        together(function()
          canceller:run(function()
            local _, message, err = Item.objects:get { n = 1 }
            assert.equal("not needed", message)
            kind = err.kind
          end)
        end, function()
          sleep(0.02)
          canceller:cancel "not needed"
        end)
        assert.equal("CancelledError", kind)
      end)

      it("has more to do than fibers, and has those wait for whom there is none", function()
        connect { maxPoolSize = 2 }
        local found, finds = 0, {}
        for i = 1, 20 do
          finds[i] = function()
            local n = Item.objects:get { n = i }.n
            found = found + n
          end
        end
        together(fill)
        together((table.unpack or unpack)(finds)) -- luacheck: ignore
        assert.equal(210, found)
        assert.is_true(modm.stats(ALIAS).threads <= 2)
      end)

      it("keeps the calls of one session in their order, on one fiber", function()
        connect()
        local session = assert(modm.session(ALIAS))
        local saves = {}
        for i = 1, 8 do
          saves[i] = function()
            session:run(function() assert(Item { n = 100 + i }:save()) end)
          end
        end
        together((table.unpack or unpack)(saves)) -- luacheck: ignore
        assert.equal(1, modm.stats(ALIAS).in_use)
        assert.equal(1, modm.stats(ALIAS).threads)
        session:close()
        together(function() assert.equal(8, Item.objects:all():count()) end)
        assert.equal(0, modm.stats(ALIAS).in_use)
      end)

      it("rolls transactions back side by side", function()
        connect()
        together(fill)
        local bodies = {}
        for i = 1, 6 do
          bodies[i] = function()
            local ok, message = modm.transaction(ALIAS, function()
              assert(Item { n = 200 + i }:save())
              sleep(0.001)
              if i % 2 == 0 then return nil, "even" end
              return true
            end)
            assert.equal(i % 2 == 1 or nil, ok)
            assert.equal(i % 2 == 0 and "even" or nil, message)
          end
        end
        together((table.unpack or unpack)(bodies)) -- luacheck: ignore
        assert.equal(23, Item.objects:all():count())
      end)

      it("connects anew when a connection was cut", function()
        connect()
        together(fill)
        failpoint({ times = 1 }, { failCommands = core.array { "find" }, closeConnection = true })
        together(function() assert.equal("t2", Item.objects:get { n = 2 }.text) end)
      end)

      it("says that no server is there, in time", function()
        connect({ serverSelectionTimeoutMS = 700 }, "mongodb://127.0.0.1:1/none")
        local message, ticks = nil, 0
        together(function()
          message = select(2, Item.objects:get { n = 1 })
        end, function()
          while not message do
            sleep(0.01)
            ticks = ticks + 1
          end
        end)
        assert.matches("no server answered within 700 ms", message)
        assert.matches("cannot connect to 127.0.0.1:1", message)
        assert.is_true(ticks > 20, ticks) -- libmongoc's sleeps were the coroutine's
      end)

      it("rides out a step-down", function()
        local set, why = replica_set.start()
        if not set then return pending(why) end
        finally(function() set:stop() end)
        connect({}, set:uri "stepped")
        local saved = 0
        together(function()
          assert(Item { n = 0 }:save())
          set:step_down()
          for i = 1, 30 do
            assert(Item { n = i }:save())
            saved = saved + 1
          end
        end, function()
          while saved < 30 do sleep(0.005) end
        end)
        assert.equal(31, Item.objects:all():count())
      end)
    end)
  end

  it("goes on with what a forgotten loop had begun", function()
    connect { maxPoolSize = 1 }
    loops.cqueues.together(fill)
    hold("find", 100, { times = 1 })
    do
      local lost = cqueues.new()
      for i = 1, 5 do lost:wrap(function() return Item.objects:get { n = i } end) end
      for _ = 1, 5 do lost:step(0.01) end
    end
    collectgarbage()
    collectgarbage()
    loops.cqueues.together(function()
      for i = 1, 20 do assert.equal(i, Item.objects:get { n = i }.n) end
    end)
    local stats = modm.stats(ALIAS)
    assert.equal(0, stats.running)
    assert.equal(0, stats.in_use)
  end)

  it("lets go of a fiber in the middle of its work", function()
    connect()
    loops.cqueues.together(fill)
    hold("find", 300, { times = 1 })
    local lost = cqueues.new()
    lost:wrap(function() return Item.objects:get { n = 1 } end)
    for _ = 1, 5 do lost:step(0.01) end
    assert.equal(1, modm.stats(ALIAS).running)
    modm.disconnect(ALIAS)
    lost = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
  end)

  it("refuses a cursor of another event loop", function()
    connect()
    local iterator, state, first
    loops.cqueues.together(function()
      fill()
      iterator, state, first = Item.objects:all():batch_size(5):iter()
      first = iterator(state, first)
    end)
    assert.error_matches(function()
      for _ = 1, 20 do first = iterator(state, first) end
    end, "begun in one event loop %(cqueues%) cannot go on in another %(plain%)")
  end)
end)
