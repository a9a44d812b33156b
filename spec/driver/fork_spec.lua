-- Fork: a child opens the client anew, and leaves its parent's connections alone.
local core = require "modm.core"
local fork = require "spec.support.fork"
local server = require "spec.support.server"
local support = require "spec.driver.support"

local child = fork.child

describe("a fork", function()
  local client, uri

  before_each(function()
    uri = server.fresh("fork")
    client = support.client(nil, uri)
    support.insert(client, "c", support.documents(10))
  end)

  after_each(function() support.drop(client) end)

  local function sessions()
    return support.run(client, "read", { { "serverStatus", 1 } }, nil, nil, "admin")
      .logicalSessionRecordCache.activeSessionsCount
  end

  it("may use the client on both sides", function()
    for _ = 1, 3 do
      assert.is_true(child(function()
        support.insert(client, "c", { { _id = core.ObjectId() } })
        return true
      end))
      support.run(client, "read", { { "ping", 1 } })
    end
    assert.are.equal(13, support.run(client, "read", { { "count", "c" } }).n)
  end)

  it("gives the child a connection of its own", function()
    local function id()
      local connection = support.run(client, "read", { { "hello", 1 } }).connectionId
      return tonumber(tostring(connection))
    end
    local own = id()
    assert.is_true(child(function() return id() ~= own end))
    assert.are.equal(own, id())
  end)

  it("leaves the parent's cursor and sessions alone, used or not, closed or collected", function()
    local op = core.find(client, nil, "c", {}, { batchSize = 2, sort = { _id = 1 } })
    assert.is_true(op:run())
    local before = sessions()
    for _, use in ipairs {
      function() op:close() end,
      function() client:close() end,
      function()
        support.run(client, "read", { { "ping", 1 } })
        op:close()
        client:close()
      end,
      function()
        op, client = nil, nil
        collectgarbage()
        collectgarbage()
      end,
      function() end,
    } do
      assert.is_true(child(function()
        use()
        return true
      end))
    end
    assert.is_true(sessions() >= before)
    assert.are.equal(10, #support.all(op))
  end)

  it("does not go on with the parent's cursor", function()
    local op = core.find(client, nil, "c", {}, { batchSize = 2, sort = { _id = 1 } })
    assert.is_true(op:run())
    assert.is_true(child(function()
      assert(op:next_table()._id == 1 and op:next_table()._id == 2)
      local err = support.fail(op)
      return err.message == "the cursor belongs to the process before the fork"
        and err.kind == "OperationError"
    end))
    assert.are.equal(10, #support.all(op))
  end)

  it("keeps monitoring", function()
    client:monitor(true)
    assert.is_true(child(function()
      client:events()
      support.run(client, "read", { { "ping", 1 } })
      return #client:events() == 2
    end))
  end)
end)
