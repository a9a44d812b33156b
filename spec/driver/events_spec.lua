-- Command monitoring: modm.on("command", f).
local connection = require "modm.connection"
local core = require "modm.core"
local events = require "modm.events"
local server = require "spec.support.server"
local support = require "spec.driver.support"

local unpack = table.unpack or unpack

local function ping(conn)
  local command = core.ordered { { "ping", 1 }, { "comment", "x" } }
  return conn:run(core.command(conn.client, "read", nil, command))
end

describe("a listener", function()
  local conn

  before_each(function()
    conn = assert(connection.connect(server.uri("events"), { alias = "events" }))
  end)
  after_each(function() connection.disconnect() end)

  it("hears what is sent and what comes back, as long as it listens", function()
    local heard = {}
    assert.is_true(ping(conn))
    local off = events.on("command", function(event) heard[#heard + 1] = event end)
    assert.is_true(ping(conn))
    assert.is_nil(conn:run(core.command(conn.client, "read", nil, { nonsense = 1 })))
    off()
    off()
    assert.is_true(ping(conn))
    assert.are.equal(4, #heard)
    local started, succeeded, _, failed = unpack(heard)
    assert.are.same({ "started", "ping", "events", "events", "x" },
      { started.phase, started.name, started.alias, started.database, started.command.comment })
    assert.are.same({ "succeeded", "ping", "events", 1 },
      { succeeded.phase, succeeded.name, succeeded.alias, succeeded.reply.ok })
    assert.is_true(succeeded.duration_ms >= 0)
    assert.are.equal(started.request_id, succeeded.request_id)
    assert.are.equal(started.operation_id, succeeded.operation_id)
    assert.is_truthy(started.host:find("^127.0.0.1:%d+$"))
    assert.are.same({ "failed", "nonsense", 59, "no such command: 'nonsense'" },
      { failed.phase, failed.name, failed.reply.code, failed.message })
  end)

  it("hears connections made later, too", function()
    local n = 0
    local off = events.on("command", function(event)
      n = n + (event.alias == "later" and 1 or 0)
    end)
    local later = assert(connection.connect(server.uri("events"), { alias = "later" }))
    assert.is_true(ping(later))
    assert.are.equal(2, n)
    off()
  end)

  it("hears what is said on leaving", function()
    local heard = {}
    assert.is_true(ping(conn))
    local off = events.on("command", function(event) heard[event.name] = event end)
    local op = core.find(conn.client, "admin", "system.version", {}, { batchSize = 1 })
    assert.is_true(conn:run(op))
    assert.is_nil(heard.endSessions)
    connection.disconnect()
    off()
    assert.is_truthy(heard.find)
    assert.is_truthy(heard.endSessions or heard.killCursors)
  end)

  it("is one of several", function()
    local a, b = 0, 0
    local off_a = events.on("command", function() a = a + 1 end)
    local off_b
    off_b = events.on("command", function()
      b = b + 1
      off_b() -- while they are called
    end)
    assert.is_true(ping(conn))
    off_a()
    assert.are.same({ 2, 1 }, { a, b })
  end)

  it("can itself talk to the server", function()
    local n = 0
    local off
    off = events.on("command", function()
      n = n + 1
      off()
      assert.is_true(ping(conn))
    end)
    assert.is_true(ping(conn))
    assert.is_true(n >= 1)
  end)

  it("that raises is heard of, and the operation is done all the same", function()
    local off = events.on("command", function() error("oops") end)
    local op = core.command(conn.client, "read", nil, { ping = 1 })
    assert.has_error(function() conn:run(op) end)
    off()
    assert.are.equal(1, op:reply().ok)
  end)

  it("of something else is misuse", function()
    local ok, message = pcall(events.on, "query", print)
    assert.is_false(ok)
    assert.is_truthy(message:find("there are no 'query' events", 1, true))
    assert.has_error(function() events.on("command", "print") end)
  end)
end)

describe("a client's events", function()
  it("are bounded: the oldest go", function()
    local client = support.client(nil, server.uri("events"))
    client:monitor(true)
    local op = core.command(client, "read", nil, { ping = 1 })
    for _ = 1, 2100 do
      assert(op:run())
    end
    local list = client:events()
    assert.are.equal(4096, #list)
    assert.are.equal(104, list.dropped)
    assert.are.equal(0, #client:events())
    assert.is_nil(client:events().dropped)
    assert(op:run())
    client:close() -- with events in the queue
  end)

  it("are bounded in bytes", function()
    local client = support.client(nil, (server.fresh("events")))
    client:monitor(true)
    for i = 1, 6 do
      support.insert(client, "c", { { _id = i, text = ("x"):rep(15 * 1024 * 1024) } })
    end
    assert.is_true(client:events().dropped > 0)
    support.drop(client)
  end)
end)
