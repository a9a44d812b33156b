-- Inserting: how much goes at once, and which documents failed.
local core = require "modm.core"
local server = require "spec.support.server"
local support = require "spec.driver.support"

describe("an insert", function()
  local client

  before_each(function()
    client = support.client(nil, (server.fresh("insert")))
    client:monitor(true)
  end)

  after_each(function() support.drop(client) end)

  it("of more bytes than a message holds is split", function()
    local reply = support.insert(client, "c", support.documents(30, ("x"):rep(2 * 1024 * 1024)))
    assert.are.equal(30, reply.n)
    local sent = support.started(client, "insert")
    assert.is_true(#sent >= 2)
    local n = 0
    for i, command in ipairs(sent) do
      n = n + #command.documents
      assert.are.equal(i, command.txnNumber)
    end
    assert.are.equal(30, n)
    assert.are.equal(30, support.run(client, "read", { { "count", "c" } }).n)
  end)

  it("of more documents than a command takes is split", function()
    assert.are.equal(100001, support.insert(client, "c", support.documents(100001)).n)
    assert.are.equal(100001, support.run(client, "read", { { "count", "c" } }).n)
  end)

  it("stops at the first that fails, unless it is not ordered", function()
    support.insert(client, "c", { { _id = 2 }, { _id = 4 } })
    local function insert(options)
      local op = core.insert(client, nil, "c", support.documents(5), options)
      local err = support.fail(op)
      assert.are.same({ "DuplicateKeyError", "_id", 2 }, { err.kind, err.key, err.value })
      return op:reply()
    end
    local reply = insert()
    assert.are.same({ 1, 1 }, { reply.n, #reply.writeErrors })
    assert.are.equal(1, reply.writeErrors[1].index)
    support.run(client, "write", { { "delete", "c" },
      { "deletes", { core.ordered { { "q", { _id = 1 } }, { "limit", 1 } } } } })
    reply = insert { ordered = false }
    assert.are.same({ 3, 2 }, { reply.n, #reply.writeErrors })
    assert.are.same({ 1, 3 }, { reply.writeErrors[1].index, reply.writeErrors[2].index })
    assert.are.equal(4, reply.writeErrors[2].keyValue._id)
  end)

  it("counts the index of a failure from the first document, also when it was split", function()
    local list = support.documents(30, ("x"):rep(2 * 1024 * 1024))
    list[29] = { _id = 1 }
    local op = core.insert(client, nil, "c", list)
    support.fail(op)
    assert.are.equal(28, op:reply().writeErrors[1].index)
    assert.are.equal(28, op:reply().n)
  end)

  it("takes the bytes as they are, keys with dots and dollars as well", function()
    support.insert(client, "c", { core.ordered { { "_id", 1 }, { "a.b", 1 },
      { "c", { ["$d"] = 2 } } } })
    local found = support.all(core.find(client, nil, "c", {}))[1]
    assert.are.same({ 1, 2 }, { found["a.b"], found.c["$d"] })
  end)

  it("of a document that is too large is an error, and the ones before it are stored", function()
    local op = core.insert(client, nil, "c", { { _id = 1 },
      { _id = 2, text = ("x"):rep(17 * 1024 * 1024) } })
    local err = support.fail(op)
    assert.is_truthy(err.message:find("too large", 1, true), err.message)
  end)

  it("of what is no list of documents is misuse", function()
    for _, wrong in ipairs { { 1 }, { {}, "x" }, "x", 7 } do
      assert.has_error(function() core.insert(client, nil, "c", wrong) end)
    end
    assert.has_error(function() core.insert(client, nil, nil, {}) end)
    local loop = {}
    loop.loop = loop
    assert.has_error(function() core.insert(client, nil, "c", { loop }) end)
  end)
end)
