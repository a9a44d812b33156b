-- modm.transaction: what it takes in, what it takes back, and when it is done again.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"
local fields = modm.fields

local ALIAS = "transaction"
local Meta = { connection_alias = ALIAS }

local Person = modm.MongoModel:extend("TxPerson", {
  name = fields.CharField { required = true },
  age = fields.IntegerField {},
  tags = fields.ListField { fields.CharField {} },
  Meta = { connection_alias = ALIAS, indexes = { { "name" } } },
})
local Pet = modm.MongoModel:extend("TxPet", {
  name = fields.CharField {},
  owner = fields.ReferenceField { Person, on_delete = modm.CASCADE },
  Meta = Meta,
})
local Toy = modm.MongoModel:extend("TxToy", {
  pet = fields.ReferenceField { Pet, on_delete = modm.CASCADE },
  Meta = Meta,
})
local Silent = modm.MongoModel:extend("TxSilent", {
  n = fields.IntegerField {},
  Meta = { connection_alias = ALIAS, write_concern = { w = 0 }, read_preference = "secondary",
    read_concern = "majority" },
})

describe("a transaction", function()
  setup(function() help.connect(ALIAS) end)

  local conn

  before_each(function()
    conn = assert(require "modm.connection".get(ALIAS))
    for _, model in ipairs { Person, Pet, Toy, Silent } do assert(model.objects:all():delete()) end
  end)

  teardown(function() modm.disconnect(ALIAS) end)

  local function failpoint(mode, data)
    local command = { { "configureFailPoint", "failCommand" }, { "mode", mode } }
    if data then command[3] = { "data", data } end
    local op = core.command(conn.client, "read", "admin", core.ordered(command))
    assert(conn:run(op))
  end

  -- The next runs of a command fail with a code and a label.
  local function fail(command, times, code, label)
    failpoint({ times = times }, { failCommands = core.array { command }, errorCode = code,
      errorLabels = label and core.array { label } or nil })
  end

  local function transaction(fn, options) return modm.transaction(ALIAS, fn, options) end

  local function outside(model) return model.objects:session(false):all():count() end

  -- Commits are sent once more by the driver itself.
  local unknown = "UnknownTransactionCommitResult"
  local transient = "TransientTransactionError"

  it("commits what fn did and returns what it returns", function()
    local a, b, c = transaction(function(session)
      assert(session:in_transaction() == true)
      local ann = assert(Person { name = "Ann" }:save())
      assert(Pet { name = "Rex", owner = ann }:save())
      assert.are.equal(1, Person.objects:all():count())
      assert.are.equal(0, outside(Person))
      return 1, nil, 3
    end)
    assert.are.same({ 1, nil, 3 }, { a, b, c })
    assert.are.equal(1, outside(Person))
    assert.is_nil((transaction(function() return nil end)))
  end)

  it("takes in everything: references, rules, bulk, updates, aggregates, cursors", function()
    local commands = help.sent(function()
      assert(transaction(function()
        local people = {}
        for i = 1, 3 do people[i] = Person { name = "P" .. i } end
        assert(Person.objects:bulk_create(people))
        assert(Pet { name = "Rex", owner = people[1] }:save())
        assert.are.equal("P1", assert(Pet.objects:get { name = "Rex" }).owner.name)
        assert(Person.objects:where("name", "P2"):update { ["$set"] = { age = 5 } })
        assert.are.equal(1, #assert(Person.objects:all():aggregate {
          ["$match"] = { age = 5 } }:list()))
        local n = 0
        for _ in Person.objects:all():batch_size(1):iter() do n = n + 1 end
        assert.are.equal(3, n)
        assert(Pet.objects:all():select_related():list())
        assert(people[1]:refresh_from_db())
        assert(people[1]:delete())
        assert.are.equal(0, Pet.objects:all():count())
        return true
      end))
    end)
    for _, event in ipairs(commands) do
      assert(event.command.autocommit == false, event.name .. " is outside of the transaction")
    end
    assert.are.equal(2, outside(Person))
  end)

  it("uses its own concerns, whatever the models say", function()
    assert(transaction(function()
      assert(Silent { n = 1 }:save())
      assert.are.equal(1, #assert(Silent.objects:all():list()))
      return true
    end, { read_concern = "snapshot", write_concern = "majority", max_commit_time_ms = 5000 }))
    local _, message = transaction(function() return Silent { n = 2 }:save() end,
      { write_concern = 0 })
    assert.is_truthy(message:find("cannot be unacknowledged", 1, true))
  end)

  it("leaves out what says session = false", function()
    local ann = assert(Person { name = "Ann" }:save())
    local commands = help.sent(function()
      local _, message = transaction(function()
        assert(Person { name = "Bob" }:save { session = false })
        assert(Person.objects:session(false):create { name = "Cy" })
        assert(Person.objects:bulk_create({ Person { name = "D" } }, { session = false }))
        assert(Person.objects:where("name", "D"):update({ ["$set"] = { age = 1 } },
          { session = false }))
        assert(ann:refresh_from_db(nil, { session = false }))
        assert(Person.objects:where("name", "Cy"):delete { session = false })
        assert(ann:delete { session = false, atomic = true })
        for _ in Person.objects:session(false):all():iter() do end -- luacheck: ignore
        return nil, "no"
      end)
      assert.are.equal("no", message)
    end)
    for _, event in ipairs(commands) do
      local its_own = event.name == "delete" or event.name == "find" or event.name:find "Trans"
      assert(its_own or event.command.autocommit == nil, event.name .. " is in the transaction")
    end
    assert.are.same({ "Bob", "D" },
      help.pluck(assert(Person.objects:all():order_by("name"):list()), "name"))
    assert.has_error(function() Person { name = "x" }:save { session = true } end)
  end)

  it("is the coroutine's alone, also when the body yields", function()
    local other
    local co = coroutine.create(function()
      return transaction(function()
        assert(Person { name = "Ann" }:save())
        coroutine.yield()
        assert(Person { name = "Bob" }:save())
        return "done"
      end)
    end)
    assert(coroutine.resume(co))
    other = Person.objects:all():count()
    assert(Person { name = "Cy" }:save())
    local _, result = coroutine.resume(co)
    assert.are.same({ 0, "done" }, { other, result })
    assert.are.equal(3, outside(Person))
  end)

  it("is aborted when its coroutine is never resumed", function()
    local ann = assert(Person { name = "Ann" }:save())
    local co = coroutine.create(function()
      transaction(function()
        assert(Person.objects:where("pk", ann.pk):update { ["$set"] = { age = 1 } })
        coroutine.yield()
      end)
    end)
    assert(coroutine.resume(co))
    co = nil -- luacheck: ignore
    for _ = 1, 4 do collectgarbage() end
    assert(Person.objects:where("pk", ann.pk):update { ["$set"] = { age = 2 } })
    assert.are.equal(2, assert(Person.objects:get { pk = ann.pk }).age)
  end)

  it("rolls back when fn raises, and raises the same", function()
    local thrown = {}
    local ok, raised = pcall(transaction, function()
      assert(Person { name = "Ann" }:save())
      error(thrown)
    end)
    assert.is_false(ok)
    assert.are.equal(thrown, raised)
    assert.are.equal(0, outside(Person))
  end)

  it("rolls back when fn returns nil and an error, and returns the same", function()
    local none, message, err = transaction(function()
      assert(Person { name = "Ann" }:save())
      return Person {}:save()
    end)
    assert.is_nil(none)
    assert.is_truthy(message:find("TxPerson.name", 1, true))
    assert.are.equal("ValidationError", err.kind)
    assert.are.equal(0, outside(Person))
  end)

  it("rolls back when an operation failed that fn overlooked", function()
    local ann = assert(Person { name = "Ann" }:save())
    local calls = 0
    local none, _, err = transaction(function()
      calls = calls + 1
      assert(Person { name = "Bob" }:save())
      Person { _id = ann.pk, name = "Twin" }:save { force_insert = true }
      Person { name = "after" }:save()
      return true
    end)
    assert.is_nil(none)
    assert.are.same({ "DuplicateKeyError", 1, 1 }, { err.kind, calls, outside(Person) })
  end)

  it("does not nest", function()
    local raised, here = help.raised(function()
      transaction(function() transaction(function() end) end)
    end)
    assert.is_truthy(raised:find("do not nest", 1, true))
    assert.is_true(here)
    assert.are.equal(1, (transaction(function() return 1 end)))
  end)

  it("refuses misuse", function()
    assert.has_error(function() modm.transaction(ALIAS) end)
    assert.has_error(function() transaction(function() end, { retries = 5 }) end)
    local none, message = modm.transaction("tx-nowhere", function() end)
    assert.is_nil(none)
    assert.is_truthy(message:find("tx-nowhere", 1, true))
  end)

  -- ---- retries ----

  for _, command in ipairs { "insert", "find", "update", "aggregate" } do
    it("is done again after a transient error of " .. command, function()
      local calls = 0
      local ann = assert(Person { name = "Ann", age = 1 }:save())
      fail(command, 2, 112, transient)
      local result = transaction(function()
        calls = calls + 1
        ann.age = ann.age + 1
        assert(ann:save())
        assert(Person { name = "B" }:save())
        assert(Person.objects:all():list())
        assert(Person.objects:all():count())
        return "done"
      end)
      assert.are.same({ "done", 3, 2 }, { result, calls, outside(Person) })
      assert.are.equal(2, assert(Person.objects:get { name = "Ann" }).age)
    end)
  end

  it("sends the commit again when its result is unknown", function()
    local calls = 0
    fail("commitTransaction", 4, 50000, unknown)
    assert(transaction(function()
      calls = calls + 1
      return assert(Person { name = "Ann" }:save())
    end))
    assert.are.same({ 1, 1 }, { calls, outside(Person) })
  end)

  it("does not send it again when the server says that the time is over", function()
    fail("commitTransaction", 1, 50, unknown)
    local none, _, err = transaction(function() return assert(Person { name = "Ann" }:save()) end)
    assert.is_nil(none)
    assert.are.same({ 50, 0 }, { err.code, outside(Person) })
  end)

  it("is done again as a whole when the commit is transient", function()
    local calls = 0
    fail("commitTransaction", 1, 251, transient)
    assert(transaction(function()
      calls = calls + 1
      return assert(Person { name = "Ann" }:save())
    end))
    assert.are.same({ 2, 1 }, { calls, outside(Person) })
  end)

  it("gives up when its time is over", function()
    for _, case in ipairs { { "insert", 112, transient, 4 },
      { "commitTransaction", 50000, unknown, 1 } } do
      local now, calls = 1000, 0
      failpoint("alwaysOn", { failCommands = core.array { case[1] }, errorCode = case[2],
        errorLabels = core.array { case[3] } })
      local none, _, err = transaction(function()
        calls = calls + 1
        now = now + 40
        return Person { name = "Ann" }:save()
      end, { clock = function() now = now + 2 return now end })
      failpoint("off", nil)
      assert.is_nil(none)
      assert.is_true(err:has_label(case[3]))
      if case[1] == "insert" then assert.are.equal(3, calls) end
    end
    assert.are.equal(0, outside(Person))
  end)

  it("lets two that change one document both happen", function()
    local ann = assert(Person { name = "Ann", age = 0 }:save())
    local function add()
      return transaction(function()
        local doc = assert(Person.objects:get { pk = ann.pk })
        coroutine.yield()
        doc.age = doc.age + 1
        return assert(doc:save())
      end)
    end
    local first, second = coroutine.create(add), coroutine.create(add)
    while coroutine.status(first) ~= "dead" or coroutine.status(second) ~= "dead" do
      for _, co in ipairs { first, second } do
        if coroutine.status(co) ~= "dead" then assert(coroutine.resume(co)) end
      end
    end
    assert.are.equal(2, assert(Person.objects:get { pk = ann.pk }).age)
  end)

  -- ---- documents ----

  it("leaves documents that it did not commit unsaved, with their values", function()
    local ann = Person { name = "Ann" }
    local bulk = { Person { name = "B1" }, Person { name = "B2", tags = { "x" } } }
    transaction(function()
      assert(ann:save())
      ann.age = 5
      assert(ann:save())
      ann.tags = { "late" }
      assert(Person.objects:bulk_create(bulk))
      return nil, "no"
    end)
    for _, doc in ipairs { ann, bulk[1], bulk[2] } do
      assert.is_false((core.is_loaded(doc)))
      assert.is_nil(doc.pk)
    end
    assert.are.same({ "Ann", 5, "late" }, { ann.name, ann.age, ann.tags[1] })
    assert.are.equal("x", bulk[2].tags[1])
    local command = help.one(function() assert(ann:save()) end)
    assert.are.equal("Ann", command.insert and command.documents[1].name)
    assert.are.equal("late", assert(Person.objects:get { name = "Ann" }).tags[1])
  end)

  it("leaves documents changed that were saved before", function()
    local ann = assert(Person { name = "Ann", age = 1, tags = { "a" } }:save())
    ann = assert(Person.objects:get { pk = ann.pk })
    transaction(function()
      ann.age = 2
      table.insert(ann.tags, "b")
      assert(ann:save())
      return nil, "no"
    end)
    assert.are.same({ 2, 2 }, { ann.age, #ann.tags })
    local update = help.one(function() assert(ann:save()) end).updates[1].u
    assert.are.equal(2, update["$set"] and update["$set"].age)
    ann = assert(Person.objects:get { pk = ann.pk })
    assert.are.same({ 2, "b" }, { ann.age, ann.tags[2] })
  end)

  it("keeps a key that was set by hand, and what is committed saved", function()
    local id = modm.ObjectId()
    local ann = Person { _id = id, name = "Ann" }
    transaction(function() assert(ann:save()) return nil, "no" end)
    assert.are.equal(id, ann.pk)
    assert(transaction(function() return ann:save() end))
    assert.is_true((core.is_loaded(ann)))
    assert.are.same({}, help.sent(function() assert(ann:save()) end))
  end)

  it("takes back what was read anew and not saved", function()
    local ann = assert(Person { name = "Ann", age = 1 }:save())
    transaction(function()
      assert(Person.objects:all():update { ["$set"] = { age = 7 } })
      assert(ann:refresh_from_db())
      assert.are.equal(7, ann.age)
      return nil, "no"
    end)
    assert.are.equal(1, ann.age)
    assert.are.same({}, help.sent(function() assert(ann:save()) end))
  end)

  it("begins each time with documents as they were", function()
    local ann = assert(Person { name = "Ann", age = 1, tags = { "a" } }:save())
    ann.age = 10 -- not saved
    local tags, new, seen = ann.tags, Person { name = "New" }, {}
    fail("commitTransaction", 2, 251, transient)
    assert(transaction(function()
      seen[#seen + 1] = ("%d %d %s"):format(ann.age, #ann.tags, tostring(new.pk))
      ann.age = ann.age + 1
      table.insert(ann.tags, "b")
      assert(ann:save())
      return assert(new:save())
    end))
    assert.are.same({ "10 1 nil", "10 1 nil", "10 1 nil" }, seen)
    assert.are.equal(2, #tags)
    local stored = assert(Person.objects:get { name = "Ann" })
    assert.are.same({ 11, 2, 2 }, { stored.age, #stored.tags, outside(Person) })
  end)

  -- ---- indexes, delete ----

  it("makes indexes before it begins", function()
    local Late = modm.MongoModel:extend("TxLate", { n = fields.IntegerField {},
      Meta = { connection_alias = ALIAS, indexes = { { "n" } } } })
    local names = {}
    for i, event in ipairs(help.sent(function()
      assert(transaction(function() return Late { n = 1 }:save() end))
    end)) do names[i] = event.name end
    assert.are.same({ "createIndexes", "insert", "commitTransaction" }, names)
  end)

  local function family()
    local ann = assert(Person { name = "Ann" }:save())
    local pet = assert(Pet { name = "Rex", owner = ann }:save())
    assert(Toy { pet = pet }:save())
    return ann
  end

  -- The delete of the person fails: by then the toy and the pet are gone.
  local function fail_in_the_middle()
    failpoint({ skip = 2 }, { failCommands = core.array { "delete" }, errorCode = 8000 })
  end

  it("is what delete { atomic = true } runs in", function()
    for _, delete in ipairs {
      function(ann) return ann:delete { atomic = true } end,
      function() return Person.objects:all():delete { atomic = true } end,
    } do
      local ann = family()
      fail_in_the_middle()
      local none, _, err = delete(ann)
      failpoint("off", nil)
      assert.is_nil(none)
      assert.are.equal(8000, err.code)
      assert.are.same({ 1, 1, 1 }, { outside(Person), outside(Pet), outside(Toy) })
      assert(delete(ann))
      assert.are.same({ 0, 0, 0 }, { outside(Person), outside(Pet), outside(Toy) })
    end
  end)

  it("is joined by delete { atomic = true }", function()
    local ann = family()
    assert(transaction(function()
      assert(Person { name = "Bob" }:save())
      return ann:delete { atomic = true }
    end))
    assert.are.same({ 1, 0, 0 }, { outside(Person), outside(Pet), outside(Toy) })
    assert(Person.objects:all():delete())
    ann = family()
    fail_in_the_middle()
    local none, _, err = transaction(function()
      assert(Person { name = "Bob" }:save())
      ann:delete { atomic = true }
      return "overlooked"
    end)
    failpoint("off", nil)
    assert.is_nil(none)
    assert.are.equal(8000, err.code)
    assert.are.same({ 1, 1, 1 }, { outside(Person), outside(Pet), outside(Toy) })
  end)

  -- ---- sessions ----

  it("may be one of several in a session", function()
    local session = assert(modm.session(ALIAS))
    session:run(function(own)
      assert.are.equal(session, own)
      assert(transaction(function(mine)
        assert.are.equal(session, mine)
        return Person { name = "Ann" }:save()
      end))
      assert.are.equal(1, Person.objects:all():count())
    end)
    session:close()
    session:close()
    local _, message = session:run(function() return Person.objects:all():list() end)
    assert.is_truthy(message:find("session has ended", 1, true))
  end)

  it("reads a snapshot in a session that is one", function()
    assert(Person { name = "Ann" }:save())
    local session = assert(modm.session(ALIAS, { snapshot = true }))
    assert.are.equal(1, session:run(function() return Person.objects:all():count() end))
    assert(Person { name = "Bob" }:save())
    assert.are.equal(1, Person.objects:session(session):all():count())
    assert.are.equal(2, Person.objects:all():count())
    session:close()
    assert.has_error(function()
      modm.session(ALIAS, { snapshot = true, causal_consistency = true })
    end)
  end)

  it("does not concern another connection", function()
    help.connect("tx-other")
    local Other = modm.MongoModel:extend("TxOther", { n = fields.IntegerField {},
      Meta = { connection_alias = "tx-other" } })
    local other = Other { n = 1 }
    transaction(function()
      assert(other:save())
      assert(modm.transaction("tx-other", function() return Other { n = 2 }:save() end))
      return nil, "no"
    end)
    assert.is_true((core.is_loaded(other)))
    assert.are.equal(2, Other.objects:all():count())
    modm.disconnect "tx-other"
  end)
end)
