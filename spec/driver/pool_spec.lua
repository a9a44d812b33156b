-- The pool's operations as Lua submits them: their order, those that are given up, and the end.
local core = require "modm.core"
local process = require "spec.support.process"
local server = require "spec.support.server"
local support = require "spec.driver.support"

describe("an operation of a pool", function()
  local client, plain, uri

  before_each(function()
    uri = server.fresh "driver_pool"
    plain = support.client(nil, uri)
    support.insert(plain, "c", support.documents(3))
    client = assert(core.client(uri, nil, 1, 10))
  end)

  after_each(function()
    support.failpoint(plain, "off", core.object {})
    client:close()
    support.drop(plain)
  end)

  local function find(id)
    return core.find(client, nil, "c", { _id = id })
  end

  -- Waits until operations have ended; their ids are not looked at.
  local function finish(...)
    for _, op in ipairs { ... } do
      process.wait_for("the end of an operation", 20, function()
        core.wait(100)
        core.drain()
        return not op:is_under_way()
      end)
    end
  end

  -- Has the one thread wait for the server, in the operation that is returned.
  local function hold()
    support.failpoint(plain, { times = 1 }, { failCommands = core.array { "find" },
      blockConnection = true, blockTimeMS = 300 })
    local held = find(1)
    held:submit()
    process.wait_for("a thread that begins", 20, function()
      return core.stats(client).running == 1
    end)
    return held
  end

  it("can be taken out of the queue, from its middle and its end", function()
    local held, second, third, fourth = hold(), find(2), find(2), find(3)
    for _, op in ipairs { second, third, fourth } do op:submit() end
    assert.are.equal(3, core.stats(client).waiting)
    assert.is_true(third:abandon("timeout", "too late"))
    assert.is_true(fourth:abandon("busy", "no thread"))
    assert.are.same({ 1, 2 }, { core.stats(client).waiting, core.stats(client).dropped })
    assert.are.same({ "TimeoutError", "too late" }, { third:error().kind, third:error().message })
    assert.are.same({ "PoolError", "no thread" }, { fourth:error().kind, fourth:error().message })
    local fifth = find(3) -- comes behind the second
    fifth:submit()
    finish(held, second, fifth)
    assert.are.same({ 1, 2, 3 },
      { held:next_table()._id, second:next_table()._id, fifth:next_table()._id })
  end)

  it("is not given up as one that waits when a thread has begun it", function()
    local held = hold()
    assert.is_false(held:abandon("busy", "no thread"))
    finish(held)
    assert.are.equal(1, held:next_table()._id)
    assert.error_matches(function() held:abandon("timeout", "too late") end, "not under way")
  end)

  it("is given up when it is closed", function()
    local held = hold()
    held:close()
    assert.are.same({ "CancelledError", "the operation was closed" },
      { held:error().kind, held:error().message })
  end)

  it("is not begun after the connection was closed", function()
    client:close()
    local op = find(1)
    assert.is_nil(op:submit())
    assert.are.same({ "ConnectionError", "the connection is closed" },
      { op:error().kind, op:error().message })
  end)

  it("is not begun in a session that has ended", function()
    local session = core.session(client)
    local op = find(1)
    op:join(session)
    session:close()
    session:close()
    assert.is_false(session:in_transaction())
    assert.is_nil(op:submit())
    assert.are.equal("OperationError", op:error().kind)
    assert.matches("the session has ended", op:error().message)
  end)

  it("says so when libmongoc makes no client", function()
    local nowhere = assert(core.client("mongodb+srv://db.nowhere.invalid/x", nil, 1, 10))
    local op = core.command(nowhere, "read", nil, { ping = 1 })
    op:submit()
    finish(op)
    assert.are.equal("ConnectionError", op:error().kind)
    assert.are.same({ 1, 0 }, { core.stats(nowhere).failed, core.stats(nowhere).in_use })
    nowhere:close()
  end)

  it("is submitted, and one of a client without a pool is run", function()
    assert.error_matches(function() find(1):run() end, "the client has a pool: submit it")
    local op = core.find(plain, nil, "c", { _id = 1 })
    assert.error_matches(function() op:submit() end, "the client has no pool")
    local before = core.stats(plain)
    assert.is_true(op:run())
    support.fail(core.command(plain, "read", nil, { nonsense = 1 }))
    assert.are.same({ before.done + 1, before.failed + 1 },
      { core.stats(plain).done, core.stats(plain).failed })
  end)
end)

describe("the notifier", function()
  -- Runs Lua in a process of its own, in which `core` is the C module; gives what it wrote.
  local function program(source, before)
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write('local core = require "modm.core"\n' .. source)
    file:close()
    local lua = jit and "luajit" or "lua5.4"
    local pipe = io.popen(("(%s %s %s) 2>&1"):format(before or "", lua, name))
    local text = pipe:read "*a"
    pipe:close()
    os.remove(name)
    return text
  end

  it("listens for its own process, once", function()
    local text = program [[
      local unix = require "socket.unix"
      print(core.accept())
      local first = core.listen()
      local path = core.listen()
      print(first ~= path, os.rename(first, first) == nil)
      print(core.accept()) -- nobody is there
      local own = unix()
      assert(own:connect(path))
      print(core.accept())
      print(os.rename(path, path) == nil)
      print(core.accept())
    ]]
    assert.matches("^nil\tthe notifier's socket: Bad file descriptor\ntrue\ttrue\n"
      .. "nil\tthe notifier's socket: Resource temporarily unavailable\ntrue\ntrue\n"
      .. "nil\tthe notifier's socket: [^\n]+\n$", text)
  end)

  it("makes its path below TMPDIR, or in /tmp where that is too long for one", function()
    assert.matches("^/var/tmp/modm%.%w+/notifier\n$",
      program("print(core.listen())", "TMPDIR=/var/tmp"))
    for _, folder in ipairs { "", ("/x"):rep(40) } do
      assert.matches("^/tmp/modm%.%w+/notifier\n$",
        program("print(core.listen())", "TMPDIR=" .. folder))
    end
    assert.are.equal("nil\tthe notifier's socket: No such file or directory\n",
      program("print(core.listen())", "TMPDIR=/no/such/folder"))
  end)

  it("says so when the process has no descriptor left", function()
    local text = program([[
      local held, file = {}
      repeat
        file = io.open "/dev/null"
        held[#held + 1] = file
      until not file
      print(core.descriptor())
      held[1]:close()
      held[2]:close()
      print(type(core.descriptor()))
    ]], "ulimit -n 200;")
    assert.are.equal("nil\tthe notifier's socket: Too many open files\nnumber\n", text)
  end)
end)
