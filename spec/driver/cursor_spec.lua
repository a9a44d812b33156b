-- Cursors: batches, and that the server keeps none that nobody reads.
local core = require "modm.core"
local server = require "spec.support.server"
local support = require "spec.driver.support"

local function collect()
  collectgarbage()
  collectgarbage()
end

describe("a cursor", function()
  local client, uri

  -- Cursors that the server has open.
  local function open()
    local status = support.run(client, "read", { { "serverStatus", 1 } }, nil, nil, "admin")
    return status.metrics.cursor.open.total
  end

  setup(function()
    uri = server.fresh("cursor")
    client = support.client(nil, uri)
    support.insert(client, "c", support.documents(1000))
  end)

  teardown(function() support.drop(client) end)

  it("gives all documents in order, and then is done", function()
    for _, size in ipairs { false, 1, 2, 7, 100, 101, 102, 999, 1000, 1001, 5000 } do
      local op = core.find(client, nil, "c", {}, { sort = { _id = 1 }, batchSize = size or nil })
      assert.is_false(op:done())
      assert.is_nil(op:next_table())
      local list = support.all(op)
      assert.are.equal(1000, #list)
      for i = 1, 1000 do
        assert.are.equal(i, list[i]._id)
      end
      assert.is_true(op:done())
      assert.is_nil(op:next_table())
      assert.is_true(op:run()) -- nothing more, and no error
    end
  end)

  it("asks for a batch only when the one before is read", function()
    client:monitor(true)
    local op = core.find(client, nil, "c", {}, { batchSize = 10 })
    assert.is_true(op:run())
    for _ = 1, 10 do
      assert.is_truthy(op:next_table())
      assert.is_true(op:done() == false)
    end
    assert.is_nil(op:next_table())
    assert.are.equal(0, #support.started(client, "getMore"))
    assert.is_true(op:run())
    client:monitor(false)
    op:close()
    local events = client:events()
    assert.are.equal("getMore", events[1].name)
    assert.are.equal(10, events[1].command.batchSize)
    assert.are.equal(2, #events)
  end)

  it("that is run before its documents are read keeps them", function()
    local op = core.find(client, nil, "c", {}, { sort = { _id = 1 }, batchSize = 5 })
    assert.is_true(op:run())
    assert.are.equal(1, op:next_table()._id)
    assert.is_true(op:run())
    assert.are.equal(2, op:next_table()._id)
    op:close()
  end)

  it("takes skip, limit, sort, projection, collation, hint, comment", function()
    client:monitor(true)
    local list = support.all(core.find(client, nil, "c", { _id = { ["$gt"] = 10 } }, {
      skip = 5, limit = 3, sort = { _id = -1 }, projection = { text = 0 },
      collation = { locale = "en" },
      hint = { _id = 1 }, comment = "spec", maxTimeMS = 5000, allowDiskUse = true,
    }, { mode = "primaryPreferred" }))
    assert.are.same({ 995, 994, 993, nil }, { list[1]._id, list[2]._id, list[3]._id, list[1].text })
    local sent = support.started(client, "find")[1]
    client:monitor(false)
    assert.are.same({ "spec", "en", 5000, 1, "primaryPreferred" },
      { sent.comment, sent.collation.locale, sent.maxTimeMS, sent.hint._id,
        sent["$readPreference"].mode })
  end)

  it("reads an aggregation", function()
    local op = core.aggregate(client, nil, "c", { { ["$match"] = { _id = { ["$lte"] = 500 } } },
      { ["$group"] = core.ordered { { "_id", core.null }, { "sum", { ["$sum"] = "$_id" } } } } },
      { comment = "spec" })
    local list = support.all(op)
    assert.are.same({ 1, 125250 }, { #list, list[1].sum })
    assert.are.equal(1000, #support.all(core.aggregate(client, nil, "c", {}, { batchSize = 3 })))
    local err = support.fail(core.aggregate(client, nil, "c", { { ["$nonsense"] = 1 } }))
    assert.are.equal("ServerError", err.kind)
    assert.has_error(function() core.aggregate(client, nil, "c", { [3] = {} }) end)
    assert.has_error(function() core.aggregate(client, nil, "c", 7) end)
  end)

  it("streams large documents a few at a time", function()
    local big = support.client(nil, (server.fresh("big")))
    support.insert(big, "c", support.documents(40, ("x"):rep(300 * 1024)))
    local list, runs = support.all(core.find(big, nil, "c", {}))
    assert.are.equal(40, #list)
    assert.is_true(runs >= 40)
    support.drop(big)
  end)

  it("says what is wrong with a query, and again", function()
    local op = core.find(client, nil, "c", { ["$nonsense"] = 1 })
    local err = support.fail(op)
    assert.are.same({ "ServerError", 2, "BadValue" }, { err.kind, err.code, err.code_name })
    assert.is_truthy(op:reply().errmsg)
    op:close()
  end)

  it("gives what it has before the error that comes behind it", function()
    local op = core.find(client, nil, "c", {}, { batchSize = 2 })
    assert.is_true(op:run())
    op:next_table()
    op:next_table()
    support.failpoint(client, { times = 2 }, { failCommands = core.array { "getMore" },
      errorCode = 43 })
    local err = support.fail(op)
    assert.are.same({ "ServerError", "CursorNotFound" }, { err.kind, err.code_name })
    assert.is_nil(op:next_table())
    support.failpoint(client, "off", core.object {})

    -- without a batch size a run reads on past the end of the first batch
    op = core.find(client, nil, "c", {}, { sort = { _id = 1 } })
    assert.is_true(op:run())
    while op:next_table() do end
    support.failpoint(client, { times = 1 }, { failCommands = core.array { "getMore" },
      errorCode = 43 })
    assert.is_true(op:run())
    assert.are.equal(101, op:next_table()._id)
    assert.is_nil(op:next_table())
    assert.is_false(op:done())
    assert.are.equal("CursorNotFound", support.fail(op).code_name)
    support.failpoint(client, "off", core.object {})
  end)

  it("is killed when it is closed, and closing is idempotent", function()
    local before = open()
    local op = core.find(client, nil, "c", {}, { batchSize = 2 })
    assert.is_true(op:run())
    assert.are.equal(before + 1, open())
    op:close()
    op:close()
    assert.are.equal(before, open())
    assert.is_true(op:done())
    assert.is_nil(op:next_table())
    core.find(client, nil, "c", {}):close() -- never run
  end)

  it("is killed when it is collected", function()
    local before = open()
    for _ = 1, 5 do
      assert.is_true(core.find(client, nil, "c", {}, { batchSize = 2 }):run())
    end
    collect()
    assert.are.equal(before, open())
  end)

  if not jit then
    it("is killed when the variable that holds it goes out of scope", function()
      local before = open()
      local block = assert(load([[
        local op = ...
        do
          local held <close> = op
          assert(held:run())
          held:next_table()
        end
      ]]))
      local op = core.find(client, nil, "c", {}, { batchSize = 2 })
      block(op)
      assert.are.equal(before, open())
      assert.is_true(op:done())
    end)
  end

  it("is killed when its client is closed, and says so", function()
    local before = open()
    local other = support.client(nil, uri)
    local ops = {}
    for i = 1, 5 do
      ops[i] = core.find(other, nil, "c", {}, { batchSize = 2 })
      assert.is_true(ops[i]:run())
    end
    ops[3]:close() -- out of the middle of the client's list
    other:close()
    assert.are.equal(before, open())
    assert.is_truthy(ops[1]:next_table()) -- what was fetched is there
    assert.is_truthy(ops[1]:next_table())
    assert.are.equal("the connection is closed", support.fail(ops[1]).message)
    ops[1]:close()
    assert.is_true(ops[3]:done())
  end)

  it("outlives its client, in any order of collection", function()
    local before = open()
    for _, order in ipairs { { "client", "op" }, { "op", "client" } } do
      local held = { client = support.client(nil, uri) }
      held.op = core.find(held.client, nil, "c", {}, { batchSize = 400 })
      assert.is_true(held.op:run())
      held[order[1]] = nil
      collect()
      if held.op then
        assert.are.equal(1000, #support.all(held.op) )
      end
      held[order[2]] = nil
      collect()
    end
    assert.are.equal(before, open())
  end)

  it("may be open when the Lua state ends", function()
    local before = open()
    for _, order in ipairs { "client, op = c, o", "op, client = o, c" } do
      local script = os.tmpname()
      local file = assert(io.open(script, "w"))
      file:write(([[
        local core = require "modm.core"
        local c = assert(core.client(%q))
        local o = core.find(c, nil, "c", {}, { batchSize = 2 })
        assert(o:run())
        %s
      ]]):format(uri, order))
      file:close()
      local status = os.execute((jit and "luajit " or "lua5.4 ") .. script)
      assert.is_true(status == true or status == 0)
      os.remove(script)
    end
    assert.are.equal(before, open())
  end)

  it("that was closed is done, and gives nothing when it is run", function()
    local op = core.find(client, nil, "c", {}, { batchSize = 2 })
    assert.is_nil(op:last()) -- nothing was handed out yet
    assert.is_true(op:run())
    local first = op:next_table()
    assert.are.same({ first._id, "x" }, { op:last()._id, op:last().text })
    op:close()
    assert.is_true(op:done())
    assert.is_true(op:run())
    assert.is_nil(op:next_table())
    assert.is_nil(op:last())
  end)

  it("of a capped collection waits for the next document where it is tailable", function()
    support.run(client, "write", { { "create", "capped" }, { "capped", true }, { "size", 4096 } })
    support.insert(client, "capped", support.documents(3))
    local op = core.find(client, nil, "capped", {}, { tailable = true })
    for i = 1, 4 do
      if i == 4 then support.insert(client, "capped", { { _id = 4 } }) end
      assert.is_true(op:run())
      assert.are.equal(i, op:next_table()._id)
      assert.is_nil(op:next_table()) -- one at a time
      assert.is_false(op:done())
    end
    op:close()
    assert.are.equal(4, #support.all(core.find(client, nil, "capped", {}, { tailable = false })))
  end)

  it("goes to the database that is named, also where the collection is called the same", function()
    local other = core.find(client, "modm_no_such_database", "c", {}, { batchSize = 2 })
    assert.is_true(core.find(client, nil, "c", {}, { batchSize = 2 }):run())
    assert.is_true(other:run())
    assert.is_nil(other:next_table())
    assert.is_true(other:done())
    assert.are.equal("modm.Op: find on modm_no_such_database.c", tostring(other))
  end)

  it("is safe against wrong hands", function()
    local op = core.find(client, nil, "c", {})
    for _, name in ipairs { "run", "error", "reply", "done", "close", "next_table" } do
      for _, wrong in ipairs { 1, "x", {}, client } do
        local ok, message = pcall(op[name], wrong)
        assert.is_false(ok)
        assert.is_truthy(message:find("modm.Op expected", 1, true), message)
      end
    end
    assert.are.equal("modm.Op", getmetatable(op))
  end)
end)
