-- Faults of the connection, made by a proxy between modm and the server.
local help = require "spec.faults.help"
local modm = require "modm"
local proxy = require "spec.support.proxy"
local server = require "spec.support.server"

-- Each fault costs half a second, the driver's pause between looks at a server: MODM_FAULTS=long
-- tries each with each.
local LONG = os.getenv "MODM_FAULTS" == "long"

local ENOUGH = { serverSelectionTimeoutMS = 15000 }

-- What is sent again after a single fault, by the rules for drivers: { command, what, f }, and with
-- a fourth what has no number, as twice is the same as once.
local RETRIED = {
  { "insert", "save of a new document", function(Model) return Model { n = 2 }:save() end },
  { "insert", "bulk_create", function(Model)
    return Model.objects:bulk_create { Model { n = 2 }, Model { n = 3 } }
  end },
  { "update", "save of a change", function(_, document)
    document.n = 7
    return document:save()
  end },
  { "update", "save of a list that grew", function(_, document)
    document.list[#document.list + 1] = 9
    return document:save()
  end },
  { "update", "save with a key set by hand", function(Model)
    return Model { _id = modm.ObjectId(), n = 2 }:save()
  end },
  { "update", "update by key", function(Model, document)
    return Model.objects:filter { pk = document._id }:update { ["$inc"] = { n = 1 } }
  end },
  { "delete", "delete of a document", function(_, document) return document:delete() end },
  { "findAndModify", "find_one_and_update", function(Model)
    return Model.objects:filter { n = 1 }:find_one_and_update { inc = { n = 1 } }
  end },
  { "find", "first", function(Model) return Model.objects:filter { n = 1 }:first() end, "read" },
  { "aggregate", "count", function(Model) return Model.objects:filter { n = 1 }:count() end,
    "read" },
  { "distinct", "distinct", function(Model) return Model.objects:distinct "n" end, "read" },
  { "createIndexes", "ensure_indexes", function(Model) return Model:ensure_indexes() end, "made" },
}

-- What is not, since twice may be another thing than once.
local NOT_RETRIED = {
  { "update", "update of many", function(Model)
    return Model.objects:filter { n = 1 }:update { ["$inc"] = { n = 1 } }
  end },
  { "delete", "delete of many", function(Model)
    return Model.objects:filter { n = 1 }:delete()
  end },
  { "getMore", "the next batch of a cursor", function(Model)
    return pcall(function()
      for _ in Model.objects:all():batch_size(2):iter() do end -- luacheck: ignore
    end)
  end },
}

-- All but one in six where there is no time.
local function skips(fault, i)
  return not LONG and fault ~= "close_after" and i % 6 ~= 1
end

for _, transport in ipairs(help.transports) do
  describe("a fault of the wire (" .. transport .. ")", function()
    local wire, Model, Plain

    setup(function()
      wire = proxy.start(tonumber(server.uri():match ":(%d+)/"))
      local name = server.database "faults"
      Model = help.model(wire:uri(name, ENOUGH), { transport = transport })
      Plain = help.model(server.uri(name))
    end)

    before_each(function() wire:reset() end)

    teardown(function()
      if wire then wire:stop() end
    end)

    -- One document with n = 1, and nothing else.
    local function fresh()
      Plain.objects:all():delete()
      local document = assert(Model { n = 1, list = { 8 } }:save())
      wire:reset()
      return document
    end

    for _, fault in ipairs { "close", "close_after", "half" } do
      for i, case in ipairs(RETRIED) do
        if not skips(fault, i) then it(("%s: %s is done once"):format(fault, case[2]), function()
          local document = fresh()
          assert(case[3](Model, document))
          local expected = help.raw(Plain)
          document = fresh()
          wire:rule(case[1], fault)
          local sent = help.commands(case[1], function() assert(case[3](Model, document)) end)
          if not case[4] then help.same_transaction(sent) end
          assert.equal(2, wire:count(case[1]))
          assert.same(expected, help.raw(Plain))
        end) end
      end

      for i, case in ipairs(NOT_RETRIED) do
        if not skips(fault, i) then it(("%s: %s says so"):format(fault, case[2]), function()
          fresh()
          for _ = 1, 4 do assert(Model { n = 5 }:save()) end
          wire:reset()
          wire:rule(case[1], fault)
          local ok, why, err = case[3](Model)
          err = err or why
          assert.is_true(not ok)
          assert.equal("ConnectionError", err.kind)
          assert.equal(1, wire:count(case[1]))
        end) end
      end
    end

    it("that comes twice is an error, and the document can be saved again, once", function()
      fresh()
      for _, fault in ipairs { "close", "close_after", "half" } do
        local document = Model { n = 2, text = fault }
        wire:rule("insert", fault, { times = 2 })
        local err = help.failed(document:save())
        assert.equal("ConnectionError", err.kind)
        assert.equal(fault, document.text)
        assert(document:save())
        assert.equal(1, Plain.objects:filter { text = fault }:count())
        document.n = 3
        assert(document:save())
        assert.equal(3, Plain.objects:get { text = fault }.n)
      end
    end)

    it("that comes twice doubles nothing in a list that grew", function()
      for _, fault in ipairs { "close", "close_after" } do
        local document = fresh()
        document.list[2] = 9
        wire:rule("update", fault, { times = 2 })
        assert.equal("ConnectionError", help.failed(document:save()).kind)
        assert(document:save())
        assert.same({ 8, 9 }, Plain.objects:first().list)
        document.list[3] = 10
        local sent = help.commands("update", function() assert(document:save()) end)
        assert.same({ 8, 9, 10 }, Plain.objects:first().list)
        assert.truthy(sent[1].updates[1].u["$push"]) -- what it has is known again
      end
    end)

    it("in a bulk says which may be in, and none is doubled", function()
      for _, fault in ipairs { "close", "close_after" } do
        fresh()
        local documents = { Model { n = 2 }, Model { n = 3 } }
        wire:rule("insert", fault, { times = 2 })
        local err = help.failed(Model.objects:bulk_create(documents))
        assert.equal("ConnectionError", err.kind)
        assert.same({ 1, 2 }, err.unsure)
        for _, document in ipairs(documents) do assert(document:save()) end
        assert.same({ 1, 2, 3 }, help.stored(Plain))
      end
    end)

    it("in a bulk of several kinds says so, too", function()
      local document = fresh()
      local created = Model { n = 2 }
      document.list[2] = 9
      wire:rule("update", "close_after", { times = 2 })
      local err = help.failed(Model.objects:bulk():insert(created):save(document):run())
      assert.equal("ConnectionError", err.kind)
      assert.same({ 2 }, err.unsure)
      assert.equal(1, err.result.inserted)
      assert(document:save())
      assert(created:save())
      assert.same({ 1, 2 }, help.stored(Plain))
      assert.same({ 8, 9 }, Plain.objects:get({ n = 1 }).list)
    end)

    it("that delays is waited for", function()
      fresh()
      wire:rule("*", "delay", { number = 30, times = -1 })
      local document = assert(Model { n = 2 }:save())
      document.n = 3
      assert(document:save())
      assert.same({ 1, 3 }, help.stored(Model))
      assert.equal(1, wire:count "insert")
    end)

    it("that is silence ends by the socket's timeout", function()
      fresh()
      local Quick = help.model(wire:uri(server.database "faults", { socketTimeoutMS = 1000,
        serverSelectionTimeoutMS = 15000 }), { transport = transport })
      assert(Quick { n = 1 }:save())
      local faults = { transport == "blocking" and "silence" or "silence_after" }
      if LONG then faults = { "silence", "silence_after" } end
      for _, fault in ipairs(faults) do
        wire:rule("insert", fault)
        assert(Quick { n = 2, text = fault }:save())
        wire:rule("insert", fault, { times = 2 })
        local document = Quick { n = 3, text = fault }
        assert.equal("ConnectionError", help.failed(document:save()).kind)
        assert(document:save())
        assert.equal(2, Quick.objects:filter { text = fault }:count())
      end
      Quick.objects:all():delete()
    end)
  end)
end
