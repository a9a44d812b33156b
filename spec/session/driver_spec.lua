-- Sessions of the C module: operations in a session, transactions, and how all this ends.
local core = require "modm.core"
local server = require "spec.support.server"
local support = require "spec.driver.support"

describe("a session of the driver", function()
  local client, uri

  before_each(function()
    uri = server.fresh("session")
    client = support.client(nil, uri)
    support.insert(client, "c", support.documents(5))
  end)

  after_each(function() support.drop(client) end)

  local function step(session, name, options)
    local op = core.transaction(session, client, name, options)
    if not op:run() then return nil, op:error() end
    return true
  end

  local function joined(session, op)
    op:join(session)
    return op
  end

  local function insert(session, id, options)
    return joined(session, core.insert(client, nil, "c", { { _id = id } }, options))
  end

  local function update(session, id, options)
    return joined(session, core.command(client, "write", nil, core.ordered {
      { "update", "c" },
      { "updates", core.array { { q = { _id = id }, u = { ["$set"] = { x = 1 } } } } },
    }, options))
  end

  local function ids(session)
    local list = {}
    for _, doc in ipairs(support.all(joined(session, core.find(client, nil, "c", {},
      { sort = { _id = 1 } })))) do
      list[#list + 1] = doc._id
    end
    return table.concat(list, " ")
  end

  it("commits what all kinds of operations did in its transaction", function()
    local session = core.session(client)
    assert(step(session, "start"))
    assert.is_true(session:in_transaction())
    assert.is_true(insert(session, 10):run())
    assert.is_true(update(session, 1):run())
    assert.is_true(joined(session, core.command(client, "write", nil, core.ordered {
      { "delete", "c" }, { "deletes", core.array { { q = { _id = 2 }, limit = 1 } } } })):run())
    assert.are.equal("1 3 4 5 10", ids(session))
    assert.are.equal("1 2 3 4 5", ids())
    local rows = support.all(joined(session, core.aggregate(client, nil, "c",
      { { ["$match"] = { x = 1 } } })))
    assert.are.equal(1, #rows)
    assert(step(session, "commit"))
    assert.is_false(session:in_transaction())
    assert.are.equal("1 3 4 5 10", ids())
    session:close()
  end)

  it("takes back what was aborted", function()
    local session = core.session(client)
    assert(step(session, "start"))
    assert.is_true(insert(session, 10):run())
    assert(step(session, "abort"))
    assert.are.equal("1 2 3 4 5", ids(session))
  end)

  it("fetches further batches in the transaction, too", function()
    local session = core.session(client)
    assert(step(session, "start"))
    local op = joined(session, core.find(client, nil, "c", {}, { batchSize = 2 }))
    assert.is_true(op:run())
    assert.is_true(insert(nil, 10):run())
    assert.are.equal(5, #support.all(op))
    assert(step(session, "commit"))
  end)

  it("leaves out concerns and preference that an operation brings into a transaction", function()
    local session = core.session(client)
    assert(step(session, "start"))
    local concern = { writeConcern = { w = "majority" } }
    assert.is_true(insert(session, 10, concern):run())
    assert.is_true(update(session, 10, { writeConcern = { w = 0 } }):run())
    local op = joined(session, core.find(client, nil, "c", {},
      { readConcern = { level = "majority" } }, { mode = "secondary" }))
    assert.are.equal(6, #support.all(op))
    assert(step(session, "commit"))
  end)

  it("sends the transaction's own concerns", function()
    local session = core.session(client)
    client:monitor(true)
    assert(step(session, "start", { readConcern = { level = "snapshot" },
      writeConcern = { w = "majority", wtimeout = 5000, j = true }, maxCommitTimeMS = 7000 }))
    assert.is_true(insert(session, 10):run())
    assert(step(session, "commit"))
    local started = {}
    for _, event in ipairs(client:events()) do
      if event.phase == "started" then started[event.name] = event.command end
    end
    client:monitor(false)
    assert.are.equal("snapshot", started.insert.readConcern.level)
    assert.is_true(started.insert.startTransaction)
    local concern = started.commitTransaction.writeConcern
    assert.are.same({ "majority", 5000, true }, { concern.w, concern.wtimeout, concern.j })
    assert.are.equal(7000, started.commitTransaction.maxTimeMS)
  end)

  it("refuses what is not acknowledged", function()
    local session = core.session(client)
    local none = { writeConcern = { w = 0 } }
    for _, op in ipairs { insert(session, 10, none), update(session, 1, none) } do
      assert.are.equal("an unacknowledged write (w = 0) cannot be in a session",
        support.fail(op).message)
    end
    local _, err = step(session, "start", none)
    assert.are.equal("a transaction cannot be unacknowledged (write concern w = 0)", err.message)
    _, err = step(session, "start", { writeConcern = { x = 0 } })
    assert.are.equal("write concern: 'x' is unknown or of the wrong type", err.message)
    _, err = step(session, "start", { x = 0 })
    assert.are.equal("transaction: 'x' is unknown or of the wrong type", err.message)
  end)

  it("refuses options of the wrong type", function()
    local session = core.session(client)
    for name, value in pairs { w = true, wtimeout = "soon" } do
      local _, err = step(session, "start", { writeConcern = { [name] = value } })
      assert.are.equal(("write concern: '%s' is unknown or of the wrong type"):format(name),
        err.message)
    end
    local _, err = step(session, "start", { writeConcern = 1 })
    assert.are.equal("a write concern is a document", err.message)
    for name, value in pairs { readConcern = 1, maxCommitTimeMS = "soon" } do
      _, err = step(session, "start", { [name] = value })
      assert.are.equal(("transaction: '%s' is unknown or of the wrong type"):format(name),
        err.message)
    end
    _, err = step(session, "start", { readConcern = { level = 7 } })
    assert.are.equal("transaction: 'readConcern' is unknown or of the wrong type", err.message)
    local op = core.transaction(session, client, "start", nil, { mode = "next" })
    assert.are.equal("unknown read preference 'next'", support.fail(op).message)
    assert.is_false(session:in_transaction())
  end)

  it("cannot be causal and a snapshot at once", function()
    local err = support.fail(joined(core.session(client, true, true),
      core.find(client, nil, "c", {})))
    assert.matches("[Ss]napshot", err.message)
  end)

  it("refuses a find that would not be acknowledged", function()
    local op = joined(core.session(client), core.find(client, nil, "c", {},
      { writeConcern = { w = 0 } }))
    assert.are.equal("an unacknowledged write (w = 0) cannot be in a session",
      support.fail(op).message)
  end)

  it("refuses steps out of order", function()
    local session = core.session(client)
    local _, err = step(session, "commit")
    assert.is_truthy(err.message:find("transaction", 1, true))
    assert(step(session, "start"))
    _, err = step(session, "start")
    assert.is_truthy(err.message:find("in progress", 1, true))
  end)

  it("reads what was there when it first read, as a snapshot", function()
    local session = core.session(client, nil, true)
    assert.are.equal("1 2 3 4 5", ids(session))
    assert.is_true(insert(nil, 10):run())
    assert.are.equal("1 2 3 4 5", ids(session))
    assert.are.equal("1 2 3 4 5 10", ids())
    local op = joined(session, core.find(client, nil, "c", {},
      { readConcern = { level = "local" } }))
    assert.are.equal(5, #support.all(op))
  end)

  it("is causal unless told otherwise", function()
    for _, causal in ipairs { true, false } do
      local session = core.session(client, causal)
      assert.is_true(insert(session, causal and 10 or 11):run())
      client:monitor(true)
      ids(session)
      local find = support.started(client, "find")[1]
      client:monitor(false)
      assert.are.equal(causal, find.readConcern ~= nil and
        find.readConcern.afterClusterTime ~= nil)
    end
  end)

  it("can be closed twice, with cursors open and a transaction under way", function()
    local session = core.session(client)
    assert(step(session, "start"))
    local op = joined(session, core.find(client, nil, "c", {}, { batchSize = 1 }))
    assert.is_true(op:run())
    assert.is_true(insert(session, 10):run())
    session:close()
    session:close()
    assert.are.equal("1 2 3 4 5", ids())
    assert.is_truthy(support.fail(insert(session, 11)).message:find("session has ended", 1, true))
    assert.is_table(op:next_table())
    assert.is_truthy(support.fail(op).message:find("session has ended", 1, true))
  end)

  it("outlives neither its client nor its userdata", function()
    local session = core.session(client)
    assert(step(session, "start"))
    assert.is_true(insert(session, 10):run())
    client:close()
    assert.are.equal("ConnectionError", support.fail(insert(session, 11)).kind)
    session:close()
    client = support.client(nil, uri)
    assert.are.equal("1 2 3 4 5", ids())
    do
      local lost = core.session(client)
      assert(step(lost, "start"))
      assert.is_true(update(lost, 1):run())
    end
    for _ = 1, 3 do collectgarbage() end
    assert.is_true(update(nil, 1, { maxTimeMS = 1000 }):run()) -- nothing holds the document
  end)

  it("may be collected in any order with its client and operations", function()
    for order = 1, 3 do
      local own = support.client(nil, uri)
      local session = core.session(own)
      local op = core.find(own, nil, "c", {}, { batchSize = 1 })
      op:join(session)
      assert.is_true(op:run())
      -- luacheck: push ignore 311
      if order == 1 then own = nil elseif order == 2 then session = nil else op = nil end
      -- luacheck: pop
      for _ = 1, 2 do collectgarbage() end
      if op then assert.is_table(op:next_table()) end
      own, session, op = own, nil, nil -- luacheck: ignore
      for _ = 1, 2 do collectgarbage() end
    end
  end)

  it("is of one client", function()
    local other = support.client(nil, uri)
    local session = core.session(other)
    assert.has_error(function() insert(session, 10) end)
    other:close()
  end)

  it("says which errors are transient", function()
    for _, fault in ipairs { { closeConnection = true },
      { errorCode = 112, errorLabels = core.array { "TransientTransactionError" } } } do
      for _, name in ipairs { "insert", "update", "find", "aggregate" } do
        local session = core.session(client)
        assert(step(session, "start"))
        fault.failCommands = core.array { name }
        support.failpoint(client, { times = 1 }, fault)
        local op
        if name == "insert" then op = insert(session, 20)
        elseif name == "update" then op = update(session, 1)
        elseif name == "find" then op = joined(session, core.find(client, nil, "c", {}))
        else op = joined(session, core.aggregate(client, nil, "c", {})) end
        local err = support.fail(op)
        assert.are.same({ name, "TransientTransactionError" },
          { name, err.labels and err.labels[1] })
        step(session, "abort")
      end
    end
  end)
end)
