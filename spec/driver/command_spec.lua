-- Commands: that what is asked for reaches the server, retries, deadlines, and the errors.
local core = require "modm.core"
local server = require "spec.support.server"
local support = require "spec.driver.support"

local run, fail, started, failpoint = support.run, support.fail, support.started, support.failpoint

local unpack = table.unpack or unpack
local SET = { ["$set"] = { a = 1 } }
local MULTI, UPSERT = { { "multi", true } }, { { "upsert", true } }

local function write(client, name, pairs_, options)
  return core.command(client, "write", nil, core.ordered { { name, "c" }, unpack(pairs_) }, options)
end

local function update(q, u, more)
  local statement = { { "q", core.object(q) }, { "u", u } }
  for _, pair in ipairs(more or {}) do
    statement[#statement + 1] = pair
  end
  return { "updates", { core.ordered(statement) } }
end

local function delete(q, limit)
  return { "deletes", { core.ordered { { "q", core.object(q) }, { "limit", limit } } } }
end

describe("a command", function()
  local client, name

  before_each(function()
    local uri
    uri, name = server.fresh("command")
    client = support.client(nil, uri)
    client:monitor(true)
  end)

  after_each(function()
    failpoint(client, "off", core.object {})
    support.drop(client)
  end)

  it("goes to the client's database, or to another", function()
    run(client, "read", { { "ping", 1 } })
    run(client, "read", { { "ping", 1 } }, nil, nil, "admin")
    local pings = started(client, "ping")
    assert.are.equal(name, pings[1]["$db"])
    assert.are.equal("admin", pings[2]["$db"])
  end)

  it("may be BSON in a string", function()
    local op = core.command(client, "read", nil, core.encode { ping = 1 })
    assert.is_true(op:run())
    assert.are.equal(1, op:reply().ok)
    assert.is_true(op:run()) -- and again
    assert.are.equal("modm.Op: read on " .. name, tostring(op))
  end)

  it("carries read concern, read preference and any other option", function()
    run(client, "read", { { "count", "c" } },
      { readConcern = { level = "majority" }, comment = "spec", maxTimeMS = 999 },
      core.ordered { { "mode", "secondaryPreferred" },
        { "tags", core.array { { dc = "ny" }, core.object {} } },
        { "maxStalenessSeconds", 120 }, { "hedge", { enabled = true } } })
    local sent = started(client, "count")[1]
    assert.are.equal("majority", sent.readConcern.level)
    assert.are.equal("secondaryPreferred", sent["$readPreference"].mode)
    assert.are.equal("ny", sent["$readPreference"].tags[1].dc)
    assert.are.equal(2, #sent["$readPreference"].tags)
    assert.are.equal(120, sent["$readPreference"].maxStalenessSeconds)
    assert.is_true(sent["$readPreference"].hedge.enabled)
    assert.are.equal("spec", sent.comment)
    assert.are.equal(999, sent.maxTimeMS)
  end)

  it("takes the URI's concerns and preference where it has none", function()
    local other = support.client(
      { w = 1, journal = true, read_concern_level = "local", read_preference = "nearest" },
        server.uri(name))
    other:monitor(true)
    run(other, "read", { { "count", "c" } })
    support.insert(other, "c", { { _id = 1 } })
    assert.is_true(write(other, "update", { update({ _id = 1 }, SET) }):run())
    assert.is_true(write(other, "findAndModify", { { "query", { _id = 1 } },
      { "remove", true } }):run())
    assert.is_true(core.find(other, nil, "c", {}):run())
    local events = other:events()
    local sent = {}
    for _, event in ipairs(events) do
      sent[event.name] = event.command or sent[event.name]
    end
    for _, reader in ipairs { "count", "find" } do
      assert.are.equal("local", sent[reader].readConcern.level)
      assert.are.equal("nearest", sent[reader]["$readPreference"].mode)
    end
    for _, writer in ipairs { "insert", "update", "findAndModify" } do
      assert.are.equal(1, sent[writer].writeConcern.w, writer)
      assert.is_true(sent[writer].writeConcern.j)
    end
    other:close()
  end)

  it("carries its write concern, in insert, update, delete and the rest", function()
    local options = { writeConcern = core.ordered { { "w", "majority" }, { "wtimeout", 5000 } },
      comment = "x" }
    support.insert(client, "c", { { _id = 1 } }, options)
    assert.is_true(write(client, "update", { update({ _id = 1 }, SET) }, options):run())
    assert.is_true(write(client, "findAndModify", { { "query", { _id = 1 } },
      { "update", { ["$set"] = { a = 2 } } } }, options):run())
    assert.is_true(write(client, "delete", { delete({ _id = 1 }, 0) }, options):run())
    local events = client:events()
    local n = 0
    for _, event in ipairs(events) do
      if event.phase == "started" then
        n = n + 1
        assert.are.equal("majority", event.command.writeConcern.w)
        assert.are.equal(5000, event.command.writeConcern.wtimeout)
        assert.are.equal("x", event.command.comment)
      end
    end
    assert.are.equal(4, n)
  end)

  it("may be unacknowledged", function()
    local options = { writeConcern = { w = 0 } }
    local reply = support.insert(client, "c", { { _id = 1 } }, options)
    assert.is_nil(reply)
    assert.is_true(write(client, "update", { update({ _id = 1 }, SET) }, options):run())
  end)

  it("refuses a read preference that is none", function()
    for message, preference in pairs {
      ["unknown read preference 'next'"] = { mode = "next" },
      ["'speed' is unknown"] = { speed = 1 },
      ["'mode' is unknown or of the wrong type"] = { mode = 1 },
      ["'tags' is unknown or of the wrong type"] = { tags = "dc:ny" },
      ["'maxStalenessSeconds' is unknown or of the wrong type"] = { maxStalenessSeconds = "90" },
      ["'hedge' is unknown or of the wrong type"] = { hedge = true },
      ["the read preference is not valid"] = { mode = "primary",
        tags = core.array { { a = "b" } } },
    } do
      local err = fail(core.command(client, "read", nil, { ping = 1 }, nil, preference))
      assert.is_truthy(err.message:find(message, 1, true), err.message)
      assert.are.equal("OperationError", err.kind)
      assert.is_truthy(fail(core.find(client, nil, "c", {}, nil, preference)))
    end
  end)
end)

describe("update and delete", function()
  local client

  before_each(function()
    client = support.client(nil, (server.fresh("write")))
    client:monitor(true)
    support.insert(client, "c", support.documents(3))
    client:events()
  end)

  after_each(function()
    failpoint(client, "off", core.object {})
    support.drop(client)
  end)

  it("reply as the server does", function()
    local op = write(client, "update", { update({}, SET, MULTI) })
    assert.is_true(op:run())
    assert.are.same({ 3, 3 }, { op:reply().n, op:reply().nModified })
    assert.is_true(op:run())
    assert.are.same({ 3, 0 }, { op:reply().n, op:reply().nModified })
    op = write(client, "update", { update({ _id = 9 }, SET, UPSERT) })
    assert.is_true(op:run())
    local reply = op:reply()
    assert.are.same({ 1, 0, 0, 9 },
      { reply.n, reply.nModified, reply.upserted[1].index, reply.upserted[1]._id })
    op = write(client, "delete", { delete({}, 0) })
    assert.is_true(op:run())
    assert.are.equal(4, op:reply().n)
    assert.is_nil(op:reply().nModified)
    assert.is_true(op:run())
    assert.are.equal(0, op:reply().n)
  end)

  it("take all that a statement can have", function()
    assert.is_true(write(client, "update", {
      update({ _id = 1 }, { ["$set"] = { ["list.$[e]"] = 1 } }, {
        { "arrayFilters", core.array { { e = 0 } } }, { "hint", { _id = 1 } },
        { "collation", { locale = "en" } }, { "upsert", false } }),
      { "ordered", false }, { "bypassDocumentValidation", true },
      { "let", { x = 1 } } }):run() == false)
    local sent = started(client, "update")[1]
    assert.is_false(sent.ordered)
    assert.is_true(sent.bypassDocumentValidation)
    assert.are.equal(1, sent.let.x)
    local statement = sent.updates[1]
    assert.are.same({ 0, 1, "en" },
      { statement.arrayFilters[1].e, statement.hint._id, statement.collation.locale })
  end)

  it("replace, and run a pipeline", function()
    assert.is_true(write(client, "update", { update({ _id = 1 }, { b = 2 }) }):run())
    assert.is_true(write(client, "update", { update({ _id = 2 },
      core.array { { ["$set"] = { c = { ["$add"] = core.array { "$_id", 1 } } } } }) }):run())
    local found = support.all(core.find(client, nil, "c", {}, { sort = { _id = 1 } }))
    assert.are.same({ 2, nil, 3 }, { found[1].b, found[1].text, found[2].c })
  end)

  it("do not take a document for a pipeline, nor the other way round", function()
    -- libmongoc would send this as a pipeline, and set x
    local op = write(client, "update", { update({ _id = 1 },
      { ["0"] = { ["$set"] = { x = 1 } } }) })
    op:run()
    assert.is_nil(support.all(core.find(client, nil, "c", { _id = 1 }))[1].x)
    assert.are.equal("table", type(started(client, "update")[1].updates[1].u["0"]))
    -- and these as documents, which replace
    for _, pipeline in ipairs { core.array {}, core.array { { a = 1 } }, core.array { 7 },
      core.array { core.object {} } } do
      write(client, "update", { update({ _id = 2 }, pipeline) }):run()
      assert.are.equal("x", support.all(core.find(client, nil, "c", { _id = 2 }))[1].text)
    end
  end)

  it("can be many, and each may fail", function()
    local function statement(id, n)
      return core.ordered { { "q", { _id = id } }, { "u", { ["$inc"] = { n = n } } } }
    end
    for _, ordered in ipairs { true, false } do
      local op = write(client, "update", {
        { "updates", { statement(1, 1), statement(2, "x"), statement(3, 1), statement(1, "y") } },
        { "ordered", ordered } })
      local err = fail(op)
      assert.are.equal("ServerError", err.kind)
      assert.are.equal("TypeMismatch", err.code_name)
      local reply = op:reply()
      assert.are.equal(ordered and 1 or 2, reply.n)
      assert.are.equal(ordered and 1 or 2, #reply.writeErrors)
      assert.are.equal(1, reply.writeErrors[1].index)
      assert.are.equal(14, reply.writeErrors[1].code)
    end
  end)

  it("are retried once, with the same transaction number", function()
    for _, command in ipairs {
      { "update", update({ _id = 1 }, { ["$inc"] = { n = 1 } }) },
      { "delete", delete({ _id = 3 }, 1) },
      { "findAndModify", { "query", { _id = 1 } }, { "update", { ["$inc"] = { n = 1 } } } },
    } do
      failpoint(client, { times = 1 }, { failCommands = core.array { command[1] },
        closeConnection = true })
      local op = write(client, command[1], { unpack(command, 2) })
      assert.is_true(op:run(), op:error() and op:error().message)
      local sent = started(client, command[1])
      assert.are.equal(2, #sent)
      assert.is_true(sent[1].txnNumber >= 1)
      assert.are.equal(sent[1].txnNumber, sent[2].txnNumber)
    end
    failpoint(client, { times = 1 }, { failCommands = core.array { "insert" },
      closeConnection = true })
    support.insert(client, "c", { { _id = 77 } })
    local sent = started(client, "insert")
    assert.are.equal(sent[1].txnNumber, sent[2].txnNumber)
    assert.are.equal(2, support.all(core.find(client, nil, "c", { _id = 1 }))[1].n)
  end)

  it("of many documents at once are not, since that could do it twice", function()
    failpoint(client, { times = 1 }, { failCommands = core.array { "update", "delete" },
      closeConnection = true })
    local err = fail(write(client, "update", { update({}, { ["$inc"] = { n = 1 } }, MULTI) }))
    assert.are.equal("ConnectionError", err.kind)
    local sent = started(client, "update")
    assert.are.equal(1, #sent)
    assert.is_nil(sent[1].txnNumber)
  end)

  it("go as plain commands with what bulk writes do not have", function()
    local op = write(client, "update", { update({ _id = 1 }, SET) }, { maxTimeMS = 777 })
    assert.is_true(op:run())
    assert.are.equal(1, op:reply().nModified)
    assert.are.equal(777, started(client, "update")[1].maxTimeMS)
    local err = fail(write(client, "update", { update({ _id = 1 }, { ["$inc"] = { _id = 1 } }),
      { "maxTimeMS", 777 } }))
    assert.are.equal("ServerError", err.kind)
    assert.are.equal("ImmutableField", err.code_name)
    err = fail(write(client, "delete", { delete({ _id = 1 }, 5) }))
    assert.are.equal("ServerError", err.kind)
    err = fail(write(client, "update", { update({ _id = 1 }, SET), { "nonsense", 1 } }))
    assert.is_truthy(err.message:find("nonsense", 1, true))
    err = fail(write(client, "update", { { "updates", core.array {} } }))
    assert.is_truthy(err.message)
    err = fail(write(client, "update", {}))
    assert.is_truthy(err.message)
  end)

  it("that are not well formed go as they are, and the server says what is wrong", function()
    local function statement(name, ...)
      return write(client, name, { { name == "update" and "updates" or "deletes",
        core.array { ... } } })
    end
    local q = { "q", { _id = 1 } }
    for code_name, op in pairs {
      TypeMismatch = statement("update", 7),
      [40414] = statement("update", core.ordered { { "u", SET } }), -- a field is missing
      [40415] = statement("update", core.ordered { q, { "u", SET }, { "limit", 1 } }), -- unknown
      FailedToParse = statement("update", core.ordered { q, { "u", 7 } }),
    } do
      local err = fail(op)
      assert.are.equal("ServerError", err.kind)
      assert.are.equal(code_name, type(code_name) == "number" and err.code or err.code_name)
    end
    for _, op in ipairs {
      statement("delete", core.ordered { q, { "u", SET }, { "limit", 1 } }),
      statement("delete", core.ordered { q, { "multi", true } }),
      statement("delete", core.ordered { q }),
      statement("update", core.ordered { { "q", 7 }, { "u", SET } }),
      write(client, "update", { { "updates", 7 } }),
      core.command(client, "write", nil, core.ordered { { "update", 7 } }),
    } do
      assert.are.equal("ServerError", fail(op).kind)
    end
    assert.are.equal(3, #support.all(core.find(client, nil, "c", {})))
  end)

  it("of one document may pass by the collection's validation", function()
    run(client, "write", { { "collMod", "c" },
      { "validator", { text = { ["$type"] = "string" } } } })
    local u = { ["$set"] = { text = 7 } }
    local err = fail(write(client, "update", { update({ _id = 1 }, u) }))
    assert.are.equal("DocumentValidationFailure", err.code_name)
    assert.is_true(write(client, "update", { update({ _id = 1 }, u),
      { "bypassDocumentValidation", true } }):run())
    assert.are.equal(7, support.all(core.find(client, nil, "c", { _id = 1 }))[1].text)
  end)
end)

describe("an error", function()
  local client

  before_each(function()
    client = support.client(nil, (server.fresh("error")))
    client:monitor(true)
  end)

  after_each(function()
    failpoint(client, "off", core.object {})
    support.drop(client)
  end)

  it("of the server has code, name and labels", function()
    failpoint(client, { times = 2 }, { failCommands = core.array { "insert" }, errorCode = 11600 })
    local err = fail(core.insert(client, nil, "c", { { _id = 1 } }))
    assert.are.same({ "ServerError", 11600, "InterruptedAtShutdown", { "RetryableWriteError" } },
      { err.kind, err.code, err.code_name, { unpack(err.labels) } })
    failpoint(client, { times = 2 }, { failCommands = core.array { "count" }, errorCode = 189 })
    err = fail(core.command(client, "read", nil, core.ordered { { "count", "c" } }))
    assert.are.same({ "ServerError", 189, "PrimarySteppedDown" },
      { err.kind, err.code, err.code_name })
    err = fail(core.command(client, "read", nil, { nonsense = 1 }))
    assert.are.same({ "ServerError", 59, "CommandNotFound", "no such command: 'nonsense'" },
      { err.kind, err.code, err.code_name, err.message })
    assert.are.equal(0, #err.labels)
  end)

  it("of a duplicate key is one by the codes of older servers, too", function()
    for _, code in ipairs { 11001, 12582 } do
      failpoint(client, { times = 1 }, { failCommands = core.array { "insert" }, errorCode = code })
      local err = fail(core.insert(client, nil, "c", { { _id = 1 } }))
      assert.are.same({ "DuplicateKeyError", code }, { err.kind, err.code })
      assert.is_nil(err.key) -- this one does not say
    end
  end)

  it("of the network is a ConnectionError, and the next command goes on", function()
    failpoint(client, { times = 2 }, { failCommands = core.array { "count" },
      closeConnection = true })
    local op = core.command(client, "read", nil, core.ordered { { "count", "c" } })
    local err = fail(op)
    assert.are.equal("ConnectionError", err.kind)
    assert.is_nil(err.code)
    assert.is_true(op:run())
    assert.is_nil(op:error())
  end)

  it("of a single fault is not seen at all when reading", function()
    failpoint(client, { times = 1 }, { failCommands = core.array { "count", "find" },
      closeConnection = true })
    run(client, "read", { { "count", "c" } })
    failpoint(client, { times = 1 }, { failCommands = core.array { "find" }, errorCode = 10107 })
    assert.is_true(core.find(client, nil, "c", {}):run())
  end)

  it("of replication says that the write was applied", function()
    local data = { failCommands = core.array { "insert", "update", "findAndModify" },
      writeConcernError = core.ordered { { "code", 100 }, { "errmsg", "not enough nodes" } } }
    failpoint(client, { times = 1 }, data)
    local op = core.insert(client, nil, "c", { { _id = 1 } })
    local err = fail(op)
    assert.are.same({ "WriteConcernError", 100, "UnsatisfiableWriteConcern", "not enough nodes" },
      { err.kind, err.code, err.code_name, err.message })
    assert.are.equal(1, op:reply().n)
    assert.are.equal(100, op:reply().writeConcernError.code)
    failpoint(client, { times = 1 }, data)
    err = fail(write(client, "update", { update({ _id = 1 }, SET) }))
    assert.are.same({ "WriteConcernError", 100 }, { err.kind, err.code })
    failpoint(client, { times = 1 }, data)
    op = write(client, "findAndModify", { { "query", { _id = 1 } },
      { "update", { ["$set"] = { a = 2 } } } })
    err = fail(op)
    assert.are.same({ "WriteConcernError", 100, "UnsatisfiableWriteConcern" },
      { err.kind, err.code, err.code_name })
    assert.are.equal(1, op:reply().value.a)
  end)

  it("of a duplicate key names key and value", function()
    run(client, "write", { { "createIndexes", "c" }, { "indexes", {
      core.ordered { { "key", { email = 1 } }, { "name", "email_1" }, { "unique", true } },
      core.ordered { { "key", core.ordered { { "a", 1 }, { "b", -1 } } }, { "name", "ab" },
        { "unique", true } },
    } } })
    support.insert(client, "c", { { _id = 1, email = "x@y.z", a = 1, b = 2 } })
    local op = core.insert(client, nil, "c", { { _id = 2, email = "x@y.z" } })
    local err = fail(op)
    assert.are.same({ "DuplicateKeyError", 11000, "email", "x@y.z" },
      { err.kind, err.code, err.key, err.value })
    assert.are.equal(1, err.key_pattern.email)
    assert.are.equal(0, op:reply().n)
    err = fail(core.insert(client, nil, "c", { { _id = 3, a = 1, b = 2 } }))
    assert.are.same({ "a, b", 1, 2 }, { err.key, err.value.a, err.value.b })
    err = fail(core.insert(client, nil, "c", { { _id = 1 } }))
    assert.are.same({ "_id", 1 }, { err.key, err.value })
    err = fail(write(client, "update", { update({ email = "x@y.z" }, { _id = 4, email = "x@y.z" },
      UPSERT) }))
    assert.are.equal("ServerError", err.kind) -- an _id cannot change
    support.insert(client, "c", { { _id = 5 } })
    err = fail(write(client, "update", { update({ _id = 5 }, { ["$set"] = { email = "x@y.z" } }) }))
    assert.are.same({ "DuplicateKeyError", "email", "x@y.z" }, { err.kind, err.key, err.value })
    err = fail(write(client, "findAndModify", { { "query", { _id = 5 } },
      { "update", { ["$set"] = { email = "x@y.z" } } } }))
    assert.are.same({ "DuplicateKeyError", "email", "x@y.z" }, { err.kind, err.key, err.value })
  end)

  it("comes by the deadline of timeout_ms", function()
    local quick = support.client({ timeout_ms = 1000 }, server.uri("x"))
    quick:monitor(true)
    run(quick, "read", { { "ping", 1 } })
    assert.are.equal(1000, started(quick, "ping")[1].maxTimeMS)
    run(quick, "read", { { "ping", 1 } }, { maxTimeMS = 900 })
    run(quick, "read", { { "ping", 1 }, { "maxTimeMS", 800 } })
    local pings = started(quick, "ping")
    assert.are.same({ 900, 800 }, { pings[1].maxTimeMS, pings[2].maxTimeMS })
    support.insert(quick, "c", { { _id = core.ObjectId() } })
    assert.are.equal(1000, started(quick, "insert")[1].maxTimeMS)
    local err = fail(core.find(quick, nil, "c", { ["$where"] = "sleep(5000) || true" }))
    assert.are.same({ "ServerError", "MaxTimeMSExpired" }, { err.kind, err.code_name })
    support.drop(quick)
  end)

  it("of a silent server comes by the deadline, too", function()
    local quick = support.client({ timeout_ms = 200, retry_reads = false }, server.uri("x"))
    run(quick, "read", { { "ping", 1 } })
    failpoint(client, { times = 1 }, { failCommands = core.array { "count" },
      blockConnection = true,
      blockTimeMS = 4000 })
    local start = os.time()
    local err = fail(core.command(quick, "read", nil, core.ordered { { "count", "c" } }))
    assert.is_truthy(err.kind == "ConnectionError" or err.code_name == "MaxTimeMSExpired",
      err.message)
    assert.is_true(os.time() - start <= 3)
    quick:close()
  end)

  it("of a name that the server cannot have is one, and not the end of the process", function()
    for _, name in ipairs { "", "a.b", "a b", "a/b", "a\\b", "\255", ("x"):rep(64) } do
      local err = fail(core.command(client, "read", name, { ping = 1 }))
      assert.are.equal("OperationError", err.kind)
      assert.is_truthy(err.message:find("cannot be the name of a database", 1, true))
    end
    for _, name in ipairs { "", "\255" } do
      for _, op in ipairs { core.find(client, nil, name, {}), core.aggregate(client, nil, name, {}),
        core.insert(client, nil, name, { { _id = 1 } }) } do
        local err = fail(op)
        assert.are.equal("OperationError", err.kind)
        assert.is_truthy(err.message:find("cannot be the name of a collection", 1, true))
      end
    end
    for _, name in ipairs { "", "$x", ".x", ("x"):rep(100000) } do
      assert.are.equal("ServerError", fail(core.command(client, "write", nil,
        core.ordered { { "update", name }, update({}, SET) })).kind)
    end
    for _, name in ipairs { "$x", ".x", ("x"):rep(100000) } do
      assert.are.equal("ServerError", fail(core.insert(client, nil, name, { { _id = 1 } })).kind)
      core.find(client, nil, name, {}):run() -- some of these just find nothing
    end
  end)

  it("of an operation that is none is one", function()
    for _, op in ipairs {
      core.command(client, "read", nil, {}), core.command(client, "write", nil, {}),
      core.command(client, "read", nil), core.insert(client, nil, "c", {}),
      core.find(client, nil, "c", nil),
      core.command(client, "read", nil, { ping = 1 }, { readConcern = 7 }),
      core.find(client, nil, "c", {}, { readConcern = 7 }),
    } do
      local err = fail(op)
      assert.are.equal("OperationError", err.kind)
      assert.is_true(#err.message > 5)
    end
  end)
end)
