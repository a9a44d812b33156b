-- Errors that the server itself returns, set off by its fail points.
local core = require "modm.core"
local help = require "spec.faults.help"
local modm = require "modm"
local server = require "spec.support.server"

-- Errors after which a driver tries again once, by their codes.
local PASSING = { NotWritablePrimary = 10107, NotPrimaryNoSecondaryOk = 13435,
  NotPrimaryOrSecondary = 13436, InterruptedDueToReplStateChange = 11602,
  PrimarySteppedDown = 189 }

-- The same, but libmongoc's pool then waits for its monitor's next look, up to ten seconds later.
local SHUTDOWN = { InterruptedAtShutdown = 11600, ShutdownInProgress = 91 }

for _, transport in ipairs(help.transports) do
  describe("a server's error (" .. transport .. ")", function()
    local Model, conn, name, Plain, plain

    setup(function()
      name = server.database "faults"
      Model, conn = help.model(server.uri(name) .. "&appName=" .. name
        .. "&serverSelectionTimeoutMS=20000", { transport = transport })
      Plain, plain = help.model(server.uri(name))
    end)

    local function fail(commands, times, data)
      data.failCommands, data.appName = core.array(commands), name
      assert(plain:run(core.command(plain.client, "read", "admin", core.ordered {
        { "configureFailPoint", "failCommand" }, { "mode", times and { times = times } or "off" },
        { "data", data } })))
    end

    before_each(function() Plain.objects:all():delete() end)
    after_each(function() fail({ "insert" }, nil, {}) end)

    for label, code in pairs(PASSING) do
      it(label .. " is not shown, and nothing is done twice", function()
        fail({ "insert" }, 1, { errorCode = code })
        local document = Model { n = 1 }
        help.same_transaction(help.commands("insert", function() assert(document:save()) end))
        fail({ "update" }, 1, { errorCode = code })
        document.n = 2
        help.same_transaction(help.commands("update", function() assert(document:save()) end))
        fail({ "find" }, 1, { errorCode = code })
        assert.equal(2, assert(Model.objects:first()).n)
        assert.same({ 2 }, help.stored(Plain))
      end)
    end

    for label, code in pairs(SHUTDOWN) do
      it(label .. " is not shown", function()
        if transport == "pool" and os.getenv "MODM_FAULTS" ~= "long" then return end
        fail({ "insert" }, 1, { errorCode = code })
        assert(Model { n = 1 }:save())
        assert.same({ 1 }, help.stored(Plain))
      end)
    end

    it("that comes twice is shown, and the document can be saved again", function()
      local document = Model { n = 1, list = { 1 } }
      fail({ "insert" }, 2, { errorCode = PASSING.PrimarySteppedDown })
      local err = help.failed(document:save())
      assert.same({ "ServerError", 189, "PrimarySteppedDown" },
        { err.kind, err.code, err.code_name })
      assert.is_true(err:has_label "RetryableWriteError")
      assert(document:save())
      assert.same({ 1 }, help.stored(Plain))
    end)

    it("before the server applied a write: the connection is closed", function()
      fail({ "insert" }, 1, { closeConnection = true })
      help.same_transaction(help.commands("insert", function() assert(Model { n = 1 }:save()) end))
      assert.same({ 1 }, help.stored(Plain))
    end)

    it("of the write concern says that it is written", function()
      local concern = { code = 64, codeName = "WriteConcernFailed", errmsg = "too few" }
      local document = Model { n = 1, list = { 1 } }
      fail({ "insert", "update", "delete" }, 1, { writeConcernError = concern })
      local err = help.failed(document:save())
      assert.same({ "WriteConcernError", 64, "WriteConcernFailed" },
        { err.kind, err.code, err.code_name })
      assert.same({ 1 }, help.stored(Plain))
      assert.equal(0, #help.commands("update", function() assert(document:save()) end))

      document.list[2] = 2
      fail({ "update" }, 1, { writeConcernError = concern })
      assert.equal("WriteConcernError", help.failed(document:save()).kind)
      assert(document:save())
      assert.same({ 1, 2 }, Plain.objects:first().list)

      fail({ "insert" }, 1, { writeConcernError = concern })
      err = help.failed(Model.objects:bulk_create { Model { n = 2 }, Model { n = 3 } })
      assert.equal("WriteConcernError", err.kind)
      assert.is_nil(err.unsure)
      assert.same({ 1, 2, 3 }, help.stored(Plain))

      fail({ "delete" }, 1, { writeConcernError = concern })
      assert.equal("WriteConcernError", help.failed(document:delete()).kind)
      assert.same({ 2, 3 }, help.stored(Plain))
    end)

    it("of the write concern is no conflict of versions afterwards", function()
      local Counted = modm.MongoModel:extend("faults.Counted" .. transport, {
        n = modm.fields.IntegerField {},
        Meta = { connection_alias = conn.alias, final = true, version = true },
      })
      local document = assert(Counted { n = 1 }:save())
      document.n = 2
      fail({ "update" }, 1, { writeConcernError = { code = 64, errmsg = "too few" } })
      assert.equal("WriteConcernError", help.failed(document:save()).kind)
      document.n = 3
      assert(document:save())
      assert.equal(3, Counted.objects:first().version)
    end)

    it("of a time limit is shown, and nothing was done", function()
      assert(Model { n = 1 }:save())
      fail({ "update", "find", "aggregate" }, 1, { errorCode = 50 }) -- MaxTimeMSExpired
      local document = assert(Plain.objects:first())
      local err = help.failed(Model.objects:filter { n = 1 }:count())
      assert.same({ 50, "MaxTimeMSExpired" }, { err.code, err.code_name })
      fail({ "insert" }, 2, { errorCode = 262 })
      err = help.failed(Model { n = 2 }:save())
      assert.same({ 262, "ExceededTimeLimit" }, { err.code, err.code_name })
      assert.same({ 1 }, help.stored(Plain))
      assert.equal(1, document.n)
    end)

    it("of a cursor that was killed between batches is raised where it is read", function()
      for i = 1, 10 do assert(Model { n = i }:save()) end
      local id
      local off = modm.on("command", function(event)
        if event.phase == "succeeded" and event.name == "find" then id = event.reply.cursor.id end
      end)
      local read = 0
      local ok, err = pcall(function()
        for _ in Model.objects:order_by({ "n" }):batch_size(4):iter() do
          read = read + 1
          if read == 1 then
            off()
            assert(plain:run(core.command(plain.client, "write", nil, core.ordered {
              { "killCursors", "models" }, { "cursors", core.array { id } } })))
          end
        end
      end)
      assert.is_false(ok)
      assert.same({ "ServerError", 43, "CursorNotFound" }, { err.kind, err.code, err.code_name })
      assert.equal(4, read)
      assert.equal(10, Model.objects:all():count())
    end)
  end)
end
