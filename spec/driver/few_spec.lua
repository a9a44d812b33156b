-- Finds of one or two documents: they go by a plain command, and nobody can tell.
local core = require "modm.core"
local server = require "spec.support.server"
local support = require "spec.driver.support"

describe("a find of one or two documents", function()
  local client

  setup(function()
    client = support.client(nil, (server.fresh("few")))
    support.insert(client, "c", support.documents(10))
    support.insert(client, "other", { core.ordered { { "_id", "there" } } })
  end)

  teardown(function() support.drop(client) end)

  local function ids(collection, filter, options, preference)
    local list = support.all(core.find(client, nil, collection, filter, options, preference))
    for i, document in ipairs(list) do list[i] = document._id end
    return list
  end

  it("gives as many as there are", function()
    local sort = { _id = 1 }
    assert.are.same({ 1 }, ids("c", {}, { limit = 1, sort = sort }))
    assert.are.same({ 1, 2 }, ids("c", {}, { limit = 2, sort = sort }))
    assert.are.same({ 10 }, ids("c", { _id = { ["$gt"] = 9 } }, { limit = 2 }))
    assert.are.same({}, ids("c", { _id = 11 }, { limit = 2 }))
    assert.are.same({}, ids("none", {}, { limit = 1 }))
    assert.are.same({ "there" }, ids("other", {}, { limit = 1 }))
    assert.are.same({ 3 }, ids("c", { _id = 3 }, { limit = 1 }))
  end)

  it("is over after one run", function()
    local op = core.find(client, nil, "c", {}, { limit = 2, sort = { _id = 1 } })
    assert.is_false(op:done())
    assert.is_nil(op:next_table())
    assert.is_true(op:run())
    assert.is_false(op:done())
    assert.are.equal(1, op:next_table()._id)
    assert.is_true(op:run()) -- what is at hand stays
    assert.are.equal(2, op:next_table()._id)
    assert.are.equal(2, op:last()._id)
    assert.is_true(op:done())
    assert.is_nil(op:next_table())
    assert.is_true(op:run())
    op:close()
    op:close()
  end)

  -- What the server is asked, without what differs from one command to the next.
  local function asked(options, preference)
    client:monitor(true)
    client:events()
    support.all(core.find(client, nil, "c", { text = "x" }, options, preference))
    client:monitor(false)
    local list = support.started(client, "find")
    assert.are.equal(1, #list)
    local command = list[1]
    command.limit, command.lsid, command["$clusterTime"] = nil, nil, nil
    return command
  end

  it("asks what a cursor asks", function()
    for _, given in ipairs {
      {}, { sort = { _id = -1 }, skip = 2, projection = { text = 0 }, hint = "_id_" },
      { collation = { locale = "de" }, comment = "why", maxTimeMS = 5000, let = { a = 1 } },
      { readConcern = { level = "majority" } }, { batchSize = 1 },
    } do
      for _, preference in ipairs { false, { mode = "secondaryPreferred" } } do
        given.limit = 2
        local found = asked(given, preference or nil)
        given.limit = 3
        assert.are.same(asked(given, preference or nil), found)
      end
    end
  end)

  it("asks on where a batch does not hold both, and leaves no cursor on the server", function()
    local large = ("x"):rep(9 * 1024 * 1024)
    for i = 1, 2 do
      support.insert(client, "large", { core.ordered { { "_id", i }, { "text", large } } })
    end
    local function open()
      local status = support.run(client, "read", { { "serverStatus", 1 } }, nil, nil, "admin")
      return status.metrics.cursor.open.total
    end
    local before = open()
    assert.are.same({ 1, 2 }, ids("large", {}, { limit = 2, sort = { _id = 1 } }))
    assert.are.equal(before, open())
  end)

  it("fails as a cursor does", function()
    for _, limit in ipairs { 1, 2, 3 } do
      local op = core.find(client, nil, "c", { ["$nonsense"] = 1 }, { limit = limit })
      local err = support.fail(op)
      assert.are.same({ "ServerError", 2, "BadValue" }, { err.kind, err.code, err.code_name })
      assert.is_truthy(op:reply().errmsg)
      assert.is_true(op:done())
      err = support.fail(core.find(client, nil, "c", { [""] = 1 }, { limit = limit }))
      assert.is_truthy(err.message:lower():find("empty key", 1, true), err.message)
    end
  end)

  it("is said again where the connection broke, once", function()
    local broken = { failCommands = core.array { "find" }, closeConnection = true }
    for _, limit in ipairs { 2, 3 } do
      support.failpoint(client, { times = 1 }, broken)
      assert.are.equal(limit, #ids("c", {}, { limit = limit }))
      support.failpoint(client, { times = 2 }, broken)
      local err = support.fail(core.find(client, nil, "c", {}, { limit = limit }))
      assert.are.equal("ConnectionError", err.kind)
    end
    support.failpoint(client, "off", core.object {})
  end)
end)
