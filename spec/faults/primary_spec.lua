-- A primary that steps down, dies or hangs under a program that saves.
local help = require "spec.faults.help"
local replica_set = require "spec.support.replica_set"
local server = require "spec.support.server"

local LONG = os.getenv "MODM_FAULTS" == "long"
local SAVES = LONG and 2000 or 150
local HARM_AT = math.floor(SAVES / 3)

local PATIENCE = { serverSelectionTimeoutMS = 20000, connectTimeoutMS = 1000,
  heartbeatFrequencyMS = 500 }
-- A hung server is told from a slow one by a timeout alone, after which the driver asks the same
-- one again, unless it has looked at its servers meanwhile: a single connection does so before a
-- try, heartbeatFrequencyMS after the last time; a pool's monitor waits connectTimeoutMS longer.
local SEEN = { serverSelectionTimeoutMS = 60000, connectTimeoutMS = 4000,
  heartbeatFrequencyMS = 500, socketTimeoutMS = 10000 }
-- Where it has not, a program may see some timeouts. They also come of a busy machine, so that
-- only the long form, with its long times, holds that none does.
local UNSEEN = { serverSelectionTimeoutMS = 20000, connectTimeoutMS = 2000, socketTimeoutMS = 2000 }
local TIMEOUTS = 30

-- Does something to a process in a moment, while this one goes on.
local function soon(seconds, command) os.execute(("(sleep %s; %s) &"):format(seconds, command)) end

for _, transport in ipairs(help.transports) do
  describe("a primary (" .. transport .. ")", function()
    local set, name, Plain, Model

    setup(function() set = replica_set.start() end)
    teardown(function() if set then set:stop() end end)

    before_each(function()
      if not set then return end
      name = server.database "faults"
      Plain = help.model(set:uri(name, PATIENCE), { transport = transport })
      Model = Plain
    end)

    -- Saves, and does harm on the way. Nothing may be lost or doubled, and no more may fail than is
    -- said. Where none may, it counts in one document as well, which nobody can do again.
    local function save_through(harm, failures)
      local failed = 0
      local counter = assert(Model { n = 0, list = {} }:save())
      for i = 1, SAVES do
        if i == HARM_AT then harm() end
        local document = Model { n = i }
        local ok, message, err = document:save()
        while not ok do
          assert.equal("ConnectionError", err.kind, message)
          failed = failed + 1
          assert.is_true(failed <= (failures or 0), message)
          ok, message, err = document:save()
        end
        if not failures then assert(counter:change { inc = { n = -1 } }) end
      end
      local expected = help.numbers(SAVES)
      table.insert(expected, 1, failures and 0 or -SAVES)
      assert.same(expected, help.stored(Plain))
    end

    local function pending_without_set()
      if not set then pending "no mongod of our own with MONGODB_URI" end
      return not set
    end

    it("may step down during saves", function()
      if pending_without_set() then return end
      save_through(function() set:step_down() end)
      set:settle()
    end)

    it("may be killed during saves", function()
      if pending_without_set() then return end
      local dead
      save_through(function()
        dead = set:primary()
        soon(0.05, "kill -KILL " .. dead.process.pid)
      end)
      set:kill(dead)
      set:restart(dead)
      set:settle()
    end)

    local function save_through_hanging(options, failures)
      local hung
      Model = help.model(set:uri(name, options), { transport = transport })
      save_through(function()
        hung = set:primary()
        set:pause(hung)
        finally(function() set:resume(hung) end)
      end, failures)
      set:resume(hung)
      set:settle()
    end

    it("may hang during saves, where it is looked at within the socket timeout", function()
      if pending_without_set() or not LONG then return end
      save_through_hanging(SEEN)
    end)

    it("may hang during saves, and timeouts are shown where it is not", function()
      if pending_without_set() or transport == "pool" and not LONG then return end
      save_through_hanging(UNSEEN, TIMEOUTS)
    end)

    it("may be killed in the middle of a bulk write", function()
      if pending_without_set() or transport == "blocking" and not LONG then return end
      local documents = {}
      for i = 1, 20000 do documents[i] = Model { n = i, text = ("x"):rep(200) } end
      local dead = set:primary()
      soon(0.15, "kill -KILL " .. dead.process.pid)
      assert(Model.objects:bulk_create(documents))
      assert.same(help.numbers(20000), help.stored(Model))
      set:kill(dead)
      set:restart(dead)
      set:settle()
    end)
  end)

  describe("a server that stands alone (" .. transport .. ")", function()
    local set

    setup(function() set = replica_set.start(1) end)
    teardown(function() if set then set:stop() end end)

    local function model(options)
      return help.model(set:uri(server.database "faults", options), { transport = transport })
    end

    it("is waited for while it is no primary, unless the URI says otherwise", function()
      if not set then return pending "no mongod of our own with MONGODB_URI" end
      local Model = model { serverSelectionTimeoutMS = 20000 }
      assert(Model { n = 1 }:save())
      local function down()
        return set:command(set.nodes[1], { { "replSetStepDown", 2 }, { "force", true } })
      end
      assert(down())
      assert(Model { n = 2 }:save())
      -- The option is of single connections only; "blocking" is the default, whichever it is.
      if transport == "blocking" and require("modm.transport").default == "blocking" then
        local Hasty = model { serverSelectionTimeoutMS = 20000, serverSelectionTryOnce = true }
        assert(down())
        assert.equal("ConnectionError", help.failed(Hasty { n = 1 }:save()).kind)
      end
      set:settle()
    end)

    it("may be killed during bulk writes, which then tell what is known", function()
      if not set then return pending "no mongod of our own with MONGODB_URI" end
      local Model = model { serverSelectionTimeoutMS = 7000 }
      local total, last, keys, err = 0 -- luacheck: ignore
      soon(0.4, "kill -KILL " .. set.nodes[1].process.pid)
      repeat
        last = {}
        for i = 1, 300 do last[i] = Model { n = total + i } end
        keys, _, err = Model.objects:bulk_create(last)
        total = total + 300
      until not keys
      assert.equal("ConnectionError", err.kind)
      assert.same(help.numbers(300), err.unsure)
      set:kill(set.nodes[1])
      set:restart(set.nodes[1])
      set:settle()
      local stored = help.stored(Model)
      assert.same(help.numbers(#stored), stored)
      assert.is_true(#stored >= total - 300 and #stored <= total)
      for _, document in ipairs(last) do assert(document:save()) end
      assert.same(help.numbers(total), help.stored(Model))
    end)
  end)
end
