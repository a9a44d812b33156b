-- The pool transport: only the calling coroutine waits, for as long as it wants, and nothing is
-- lost with one that is forgotten.
local core = require "modm.core"
local cqueues = require "cqueues"
local modm = require "modm"
local server = require "spec.support.server"
local waiting = require "modm.transport.waiting"

local fields = modm.fields
local ALIAS = "pooled"
local LONG_MS = 2000 -- what a command is held for that a busy machine must not see the end of

describe("a pool", function()
  local conn, Item, controller

  local function failpoint(mode, data)
    local command = { { "configureFailPoint", "failCommand" }, { "mode", mode } }
    if data then command[3] = { "data", data } end
    assert(conn:run(core.command(conn.client, "read", "admin", core.ordered(command))))
  end

  -- Holds a command for so many milliseconds each time.
  local function hold(name, ms, mode)
    failpoint(mode or "alwaysOn", { failCommands = core.array { name }, blockConnection = true,
      blockTimeMS = ms })
  end

  local function connect(options)
    options = options or {}
    options.alias, options.transport = ALIAS, "pool"
    conn = assert(modm.connect((server.fresh "pool"), options))
    Item = modm.MongoModel:extend("Item", {
      n = fields.IntegerField { primary_key = true }, text = fields.CharField {},
      Meta = { connection_alias = ALIAS, collection_name = "items" },
    })
    for i = 1, 20 do assert(Item { n = i, text = "t" .. i }:save()) end
  end

  -- Runs functions side by side to their ends; what one raises is raised.
  local function together(...)
    for _, fn in ipairs { ... } do controller:wrap(fn) end
    assert(controller:loop())
  end

  before_each(function() controller = cqueues.new() end)

  after_each(function()
    collectgarbage() -- cursors that a spec has left
    collectgarbage()
    failpoint "off"
    assert(conn:run(core.command(conn.client, "write", nil,
      core.ordered { { "dropDatabase", 1 } })))
    modm.disconnect(ALIAS)
  end)

  it("runs operations side by side", function()
    connect()
    hold("find", 300)
    local under_way, most, found = 0, 0, 0
    local finds = {}
    for i = 1, 10 do
      finds[i] = function()
        under_way = under_way + 1
        most = math.max(most, under_way)
        local n = Item.objects:get { n = i }.n
        found = found + n
        under_way = under_way - 1
      end
    end
    together((table.unpack or unpack)(finds)) -- luacheck: ignore
    assert.equal(10, most)
    assert.equal(55, found)
  end)

  it("lets the loop go on", function()
    connect()
    hold("find", LONG_MS)
    local ticks, done = 0, false
    together(function()
      assert(Item.objects:get { n = 1 })
      done = true
    end, function()
      while not done do
        cqueues.sleep(0.005)
        ticks = ticks + 1
      end
    end)
    assert.is_true(ticks > 5)
  end)

  it("works in the main coroutine, which then waits", function()
    connect()
    assert.equal("t3", Item.objects:get { n = 3 }.text)
  end)

  it("yields below iterations, lazy references, hooks and validators", function()
    connect()
    local log = {}
    local Holder = modm.MongoModel:extend("Holder", {
      item = fields.ReferenceField { Item },
      name = fields.CharField { validators = { function() cqueues.sleep(0) return true end } },
      Meta = { connection_alias = ALIAS },
    })
    Holder:before("save", function() log[#log + 1] = Item.objects:all():count() end)
    together(function()
      assert(Holder { item = Item.objects:get { n = 4 }, name = "a" }:save())
      for holder in Holder.objects:all():iter() do
        cqueues.sleep(0)
        log[#log + 1] = holder.item.text
      end
    end)
    assert.same({ 20, "t4" }, log)
  end)

  it("frees a caller whose time is over, and drops the result", function()
    connect()
    hold("find", LONG_MS, { times = 1 })
    local kind, ticks, done = nil, 0, false
    together(function()
      local ok, message, err = modm.timeout(200, function() return Item.objects:get { n = 1 } end)
      assert.is_nil(ok)
      assert.matches("longer than the %d+ ms", message)
      kind, done = err.kind, true
    end, function()
      while not done do
        cqueues.sleep(0.01)
        ticks = ticks + 1
      end
    end)
    assert.equal("TimeoutError", kind)
    assert.is_true(ticks < LONG_MS / 10, ticks)
    assert.equal(1, modm.stats(ALIAS).dropped)
    assert.equal("t1", Item.objects:get { n = 1 }.text)
  end)

  it("takes times from the connection, the model, the queryset and the call", function()
    connect { timeout_ms = 60000 }
    local Slow = modm.MongoModel:extend("Slow", {
      n = fields.IntegerField { primary_key = true }, text = fields.CharField {},
      Meta = { connection_alias = ALIAS, collection_name = "items", cls_optional = true,
        timeout_ms = 40 },
    })
    local doc = Item.objects:get { n = 1 }
    local function expect(fn)
      local _, _, err = fn()
      assert.equal("TimeoutError", err.kind)
    end
    hold("find", LONG_MS)
    expect(function() return Item.objects:filter { n = 1 }:timeout(40):first() end)
    expect(function() return Slow.objects:filter { n = 1 }:first() end)
    expect(function() return doc:refresh_from_db(nil, { timeout_ms = 40 }) end)
    hold("update", LONG_MS)
    doc.text = "changed"
    expect(function() return doc:save { timeout_ms = 40 } end)
    failpoint "off"
    assert(doc:save())
    assert.equal("changed", Item.objects:get { n = 1 }.text)
  end)

  it("does not ask the server when the time was over before", function()
    connect()
    local _, message, err = modm.timeout(1, function()
      os.execute "sleep 0.01"
      return Item.objects:get { n = 1 }
    end)
    assert.equal("TimeoutError", err.kind)
    assert.matches("before the server was asked", message)
  end)

  it("frees a caller that is cancelled, and all that it does after", function()
    connect()
    hold("find", LONG_MS, { times = 1 })
    local canceller = modm.canceller()
    local errs = {}
    together(function()
      canceller:run(function()
        for i = 1, 2 do
          local _, message, err = Item.objects:get { n = i }
          assert.equal("not needed", message)
          errs[i] = err.kind
        end
      end)
      errs[3] = Item.objects:get { n = 3 }.n
    end, function()
      cqueues.sleep(0.02)
      canceller:cancel "not needed"
    end)
    assert.same({ "CancelledError", "CancelledError", 3 }, errs)
  end)

  it("refuses what its queue has no room for", function()
    connect { threads = 1, max_queue = 1 }
    hold("find", LONG_MS, { times = 1 })
    local kinds = {}
    local function find()
      local doc, message, err = Item.objects:get { n = 1 }
      if not doc then assert.matches("queue is full: 1 operations wait .-max_queue", message) end
      kinds[#kinds + 1] = doc and "found" or err.kind
    end
    local function find_later() -- when the thread has taken the first
      while modm.stats(ALIAS).running == 0 do cqueues.sleep(0.002) end
      find()
    end
    together(find, find_later, find_later)
    table.sort(kinds)
    assert.same({ "PoolError", "found", "found" }, kinds)
    assert.equal(1, modm.stats(ALIAS).refused)
  end)

  it("has more to do than threads", function()
    connect { threads = 2 }
    local found, finds = 0, {}
    for i = 1, 20 do
      finds[i] = function()
        local n = Item.objects:get { n = i }.n
        found = found + n
      end
    end
    together((table.unpack or unpack)(finds)) -- luacheck: ignore
    assert.equal(210, found)
    assert.is_true(modm.stats(ALIAS).threads <= 2)
  end)

  it("keeps a client for a cursor, and takes it back", function()
    connect()
    local n = 0
    for _ in Item.objects:all():batch_size(5):iter() do
      n = n + 1
      assert.equal(1, modm.stats(ALIAS).in_use)
      if n == 3 then break end
    end
    collectgarbage()
    collectgarbage()
    for _ = 1, 1000 do
      if modm.stats(ALIAS).in_use == 0 then break end
      os.execute "sleep 0.01"
    end
    assert.equal(0, modm.stats(ALIAS).in_use)
  end)

  it("says so when cursors have all its clients", function()
    connect { maxPoolSize = 1 }
    local iterator, state, first = Item.objects:all():batch_size(5):iter()
    assert(iterator(state, first))
    local _, _, err = modm.timeout(200, function() return Item.objects:get { n = 1 } end)
    assert.equal("TimeoutError", err.kind)
  end)

  it("keeps the calls of one session in their order, on one client", function()
    connect()
    local session = assert(modm.session(ALIAS))
    local saves = {}
    for i = 1, 8 do
      saves[i] = function()
        session:run(function() assert(Item { n = 100 + i }:save()) end)
      end
    end
    together((table.unpack or unpack)(saves)) -- luacheck: ignore
    assert.equal(28, Item.objects:all():count())
    assert.equal(1, modm.stats(ALIAS).in_use)
    session:close()
  end)

  it("rolls transactions back side by side", function()
    connect()
    local bodies = {}
    for i = 1, 6 do
      bodies[i] = function()
        local ok, message = modm.transaction(ALIAS, function()
          assert(Item { n = 200 + i }:save())
          cqueues.sleep(0.001)
          if i % 2 == 0 then return nil, "even" end
          return true
        end)
        assert.equal(i % 2 == 1 or nil, ok)
        assert.equal(i % 2 == 0 and "even" or nil, message)
      end
    end
    together((table.unpack or unpack)(bodies)) -- luacheck: ignore
    assert.equal(23, Item.objects:all():count())
  end)

  it("loses nothing with a coroutine that is forgotten", function()
    connect()
    hold("find", 500, { times = 5 })
    do
      local lost = cqueues.new()
      for i = 1, 5 do lost:wrap(function() return Item.objects:get { n = i } end) end
      lost:step(0)
    end
    collectgarbage()
    collectgarbage()
    for i = 1, 20 do assert.equal(i, Item.objects:get { n = i }.n) end
    for _ = 1, 1000 do
      local stats = modm.stats(ALIAS)
      if stats.running == 0 and stats.in_use == 0 then break end
      os.execute "sleep 0.01"
      waiting.drain()
    end
    assert.equal(0, modm.stats(ALIAS).in_use)
    assert.equal(0, modm.stats(ALIAS).running)
  end)

  it("does not wait for what was drained before the waiting began, as by a finalizer", function()
    connect()
    local loops = require "modm.loop"
    local current = loops.current
    loops.current = function()
      core.wait(LONG_MS)
      waiting.drain()
      return current()
    end
    finally(function() loops.current = current end)
    assert.equal(1, Item.objects:get { n = 1 }.n)
  end)

  it("fails what waits when it is closed", function()
    connect { threads = 1 }
    hold("find", LONG_MS, { times = 1 })
    local kinds = {}
    local function find()
      local doc, _, err = Item.objects:get { n = 1 }
      kinds[#kinds + 1] = doc and "found" or err.kind
    end
    together(find, find, function()
      repeat -- until a thread has the one, and the other waits
        cqueues.sleep(0.002)
        local stats = modm.stats(ALIAS)
      until stats.running == 1 and stats.waiting == 1
      modm.disconnect(ALIAS)
    end)
    table.sort(kinds)
    assert.same({ "ConnectionError", "found" }, kinds)
    conn = assert(modm.connect(server.uri(), { alias = ALIAS, transport = "pool" }))
  end)

  it("gives the events of an operation to whoever asked for it", function()
    connect()
    local places = {}
    local off = modm.on("operation", function(operation)
      if operation.name == "find" then places[#places + 1] = operation.place end
    end)
    together(
      function() assert(Item.objects:get { n = 1 }) end, -- one line
      function() assert(Item.objects:get { n = 2 }) end) -- another
    off()
    assert.equal(2, #places)
    assert.is_true(places[1] ~= places[2])
    for _, place in ipairs(places) do assert.matches("pool_spec.lua:%d+$", place) end
  end)

  it("refuses an operation that is under way", function()
    connect()
    local op = core.find(conn.client, nil, "items", {}, {})
    assert.is_number(op:submit())
    assert.error_matches(function() op:reply() end, "under way")
    assert.error_matches(function() op:submit() end, "under way")
    assert.is_true(op:abandon("cancelled", "enough"))
    assert.equal("CancelledError", op:error().kind)
  end)

  it("refuses options that it cannot take", function()
    connect()
    for option, value in pairs { transport = "carrier pigeon", threads = 0, max_queue = 1.5 } do
      local options = { transport = "pool" }
      options[option] = value
      local ok, message, err = modm.connect(server.uri(), options)
      assert.is_nil(ok)
      assert.equal("ConfigurationError", err.kind)
      assert.matches("option '" .. option .. "' must be", message)
    end
  end)

  it("does not save one document twice at once", function()
    connect()
    local Both = modm.MongoModel:extend("Both", { a = fields.IntegerField {},
      Meta = { connection_alias = ALIAS } })
    local doc, kinds = Both { a = 1 }, {}
    local function save()
      local ok, _, err = doc:save()
      kinds[#kinds + 1] = ok and "saved" or err.kind
    end
    together(save, save)
    table.sort(kinds)
    assert.same({ "OperationError", "saved" }, kinds)
    assert.equal(1, Both.objects:all():count())
    assert(doc:save())
  end)

  it("saves what is assigned while a save is under way with the next one", function()
    connect()
    local Both = modm.MongoModel:extend("Both", {
      a = fields.IntegerField {}, b = fields.CharField {}, list = fields.ListField {},
      Meta = { connection_alias = ALIAS },
    })
    for _, how in ipairs { "insert", "update", "bulk" } do
      local doc = Both { a = 1, b = "b", list = { 1 } }
      if how == "update" then
        assert(doc:save())
        doc.a, doc.b = 2, "c"
      end
      hold(how == "update" and "update" or "insert", 100, { times = 1 })
      together(function()
        if how == "bulk" then assert(Both.objects:bulk_create { doc }) else assert(doc:save()) end
      end, function()
        cqueues.sleep(0.03)
        doc.a, doc.b = 7, nil
        doc.list[2] = 2
      end)
      assert.equal(7, doc.a, how)
      assert.is_nil(doc.b, how)
      assert(doc:save())
      local stored = Both.objects:get { pk = doc.pk }
      assert.equal(7, stored.a, how)
      assert.is_nil(stored.b, how)
      assert.same({ 1, 2 }, stored.list, how)
    end
  end)
end)
