-- Bulk writes: operations of several kinds on one model, sent with few commands.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "bulk"

local ran = {}

local Item = modm.MongoModel:extend("bulk.Item", {
  name = f.CharField { required = true, mongo_name = "n" },
  count = f.IntegerField { max_value = 1000 },
  tags = f.ListField { f.CharField {} },
  Meta = { connection_alias = "bulk", indexes = { { "name", unique = true } } },
})
local Special = Item:extend("bulk.Special", {})
local Hooked = modm.MongoModel:extend("bulk.Hooked", {
  name = f.CharField { required = true }, Meta = { connection_alias = "bulk" },
})
for _, event in ipairs { "validate", "save", "insert", "update", "delete" } do
  Hooked:before(event, function(doc) ran[#ran + 1] = "before " .. event .. " " .. doc.name end)
  Hooked:after(event, function(doc) ran[#ran + 1] = "after " .. event .. " " .. doc.name end)
end
local Kept = modm.MongoModel:extend("bulk.Kept", {
  name = f.CharField {},
  Meta = { connection_alias = "bulk", version = true, timestamps = true },
})
local Stamped = modm.MongoModel:extend("bulk.Stamped", {
  name = f.CharField {},
  Meta = { connection_alias = "bulk", timestamps = true, indexes = { { "name", unique = true } } },
})
local Soft = modm.MongoModel:extend("bulk.Soft", {
  name = f.CharField {}, Meta = { connection_alias = "bulk", soft_delete = true },
})
local Owner = modm.MongoModel:extend("bulk.Owner", {
  name = f.CharField {}, Meta = { connection_alias = "bulk" },
})
local Thing = modm.MongoModel:extend("bulk.Thing", {
  owner = f.ReferenceField { Owner, on_delete = modm.CASCADE },
  Meta = { connection_alias = "bulk" },
})
local Final = modm.MongoModel:extend("bulk.Final", {
  n = f.IntegerField {}, Meta = { connection_alias = "bulk", final = true },
})
assert(Item:ensure_indexes())
assert(Stamped:ensure_indexes())

local function names_of(list)
  local names = {}
  for i, event in ipairs(list) do names[i] = event.name end
  return table.concat(names, " ")
end

local function item(name, count) return assert(Item { name = name, count = count }:save()) end

before_each(function()
  for _, model in ipairs { Item, Hooked, Kept, Stamped, Owner, Thing } do
    assert(model.objects:all():delete())
  end
  assert(Soft.objects:with_deleted():all():delete { hard = true })
  ran = {}
end)

describe("a bulk write", function()
  it("sends what stands together with one command, in order", function()
    local a, b, c = item("a", 1), item("b", 2), item("c", 3)
    local d, e = Item { name = "d" }, Special { name = "e" }
    a.count, b.count = 10, 20
    local bulk = Item.objects:bulk()
    bulk:insert(d):save(e):save(a):save(b)
    bulk:update({ count = modm.gte(20) }, { inc = { count = 1 }, push = { tags = "x" } })
    bulk:update({ name = "new" }, { set = { count = 5 } }, { upsert = true })
    bulk:delete(c):delete { count = modm.lt(5) }
    local result
    local sent = help.sent(function() result = assert(bulk:run()) end)
    assert.equal("insert update update delete", names_of(sent))
    assert.same({ 2, 2, 2, 2 }, { #sent[1].command.documents, #sent[2].command.updates,
      #sent[3].command.updates, #sent[4].command.deletes })
    assert.same({ ["$set"] = { count = 10 } }, sent[2].command.updates[1].u)
    assert.same({ inserted = 2, matched = 3, modified = 3, upserted = 1, deleted = 1 }, result)
    assert.same({ a = 10, b = 21, new = 5 }, {
      a = Item.objects:get { name = "a" }.count, b = Item.objects:get { name = "b" }.count,
      new = Item.objects:get { name = "new" }.count,
    })
    assert.equal(1, Special.objects:count())
    assert.truthy(d.pk and e.pk)
    assert.equal(0, #help.sent(function() for _, doc in ipairs { a, d, e } do doc:save() end end))
  end)

  it("puts all of a kind together when it need not be in order", function()
    local a, b = item("a", 1), item("b", 2)
    a.count = 5
    local bulk = Item.objects:bulk { ordered = false }
    bulk:delete(b):insert(Item { name = "c" }):save(a):delete { name = "none" }
    bulk:insert(Item { name = "d" }):update({ name = "c" }, { set = { count = 7 } })
    local sent = help.sent(function() assert(bulk:run()) end)
    assert.equal("insert update update delete", names_of(sent))
    for _, event in ipairs(sent) do assert.is_false(event.command.ordered) end
    assert.equal(7, Item.objects:get { name = "c" }.count)
  end)

  it("sends nothing when something is not valid, and says all that is", function()
    local bulk = Item.objects:bulk()
    bulk:insert(Item { name = "a" }):insert(Item {})
    bulk:update({ count = "x" }, { inc = { count = 1 } })
    bulk:update({ count = 1 }, { set = { count = 2000 } }):delete { count = "x" }
    bulk:replace(Item { name = "r" }):delete(Item { name = "d" })
    local result, message, err
    assert.equal(0, #help.sent(function() result, message, err = bulk:run() end))
    assert.is_nil(result)
    assert.same({ 2, 3, 4, 5, 6, 7 }, help.pluck(err.failures, "index"))
    assert.same({ "insert", "update", "update", "delete", "replace", "delete" },
      help.pluck(err.failures, "operation"))
    assert.equal("ValidationError", err.kind)
    assert.matches("bulk.Item: 6 of 7 operations failed; number 2 %(insert%): ", message)
    assert.truthy(err.failures[1].errors.name)
    assert.same({ count = "x" }, err.failures[2].conditions)
    assert.equal("OperationError", err.failures[5].kind)
    assert.equal(0, Item.objects:count())
  end)

  it("stops at the first that the server refuses", function()
    item("taken", 1)
    local docs = {}
    for i = 1, 4 do docs[i] = Item { name = i == 3 and "taken" or "i" .. i } end
    local bulk = Item.objects:bulk()
    for _, doc in ipairs(docs) do bulk:insert(doc) end
    bulk:delete { name = "taken" }
    local result, message, err = bulk:run()
    assert.is_nil(result)
    assert.equal("DuplicateKeyError", err.kind)
    assert.matches("1 of 5 operations failed; number 3 %(insert%): bulk.Item.name: ", message)
    assert.equal("name", err.failures[1].field)
    assert.equal(docs[3], err.failures[1].document)
    assert.equal(11000, err.failures[1].code)
    assert.equal(2, err.result.inserted)
    assert.equal(3, Item.objects:count())
    assert.truthy(docs[2].pk)
    assert.is_nil(docs[3].pk)
    assert.is_nil(docs[4].pk)
  end)

  it("does all that it can when it need not be in order", function()
    item("taken", 1)
    local a, b = item("a", 1), item("b", 1)
    a.name, b.name = "taken", "bb"
    local bulk = Item.objects:bulk { ordered = false }
    bulk:save(a):save(b):insert(Item { name = "taken" }):insert(Item { name = "c" })
    bulk:update({ name = "c" }, { set = { name = "taken" } }):delete { name = "none" }
    local _, _, err = bulk:run()
    assert.same({ 1, 3, 5 }, help.pluck(err.failures, "index"))
    for _, failure in ipairs(err.failures) do assert.equal("DuplicateKeyError", failure.kind) end
    assert.same({ inserted = 1, matched = 1, modified = 1, deleted = 0, upserted = 0 }, err.result)
    assert.equal(0, #help.sent(function() assert(b:save()) end))
    assert.equal(1, #help.sent(function() assert.is_nil((a:save())) end))
  end)

  it("notices documents that are gone", function()
    local docs = {}
    for i = 1, 4 do
      docs[i] = item("i" .. i, i)
      docs[i].count = 100
    end
    assert(Item.objects:filter { name = "i2" }:delete())
    local bulk = Item.objects:bulk()
    for _, doc in ipairs(docs) do bulk:save(doc) end
    local _, _, err = bulk:run()
    assert.same({ 2 }, help.pluck(err.failures, "index"))
    assert.equal("DoesNotExist", err.kind)
    assert.equal(3, err.result.modified)
    assert.equal(3, Item.objects:filter { count = 100 }:count())
    assert.equal(0, #help.sent(function() assert(docs[4]:save()) end))
    assert.equal(1, #help.sent(function() assert.is_nil((docs[2]:save())) end))
  end)

  it("replaces documents as a whole, and makes those that are not there", function()
    local a = item("a", 1)
    assert(Item.objects:filter { pk = a.pk }:set { tags = { "theirs" } })
    local new = Item { _id = modm.ObjectId(), name = "n" }
    local result = assert(Item.objects:bulk():replace(a):replace(new):run())
    assert.same({ 1, 1 }, { result.modified, result.upserted })
    assert.same({}, Item.objects:get { name = "a" }.tags)
    assert.equal(new, Item.objects:get { name = "n" })
    assert.equal(0, #help.sent(function() assert(new:save()) end))
    local part = Item.objects:only("name"):get { name = "a" }
    local _, _, err = Item.objects:bulk():replace(part):run()
    assert.equal("ValidationError", err.kind)
  end)

  it("saves documents whose key was set by hand, and nothing where nothing differs", function()
    local a = item("a", 1)
    local result
    local sent = help.sent(function()
      result = assert(Item.objects:bulk():save(a):save(Item { _id = modm.ObjectId(), name = "k" })
        :run())
    end)
    assert.equal("update", names_of(sent))
    assert.equal(1, result.upserted)
    assert.equal(2, Item.objects:count())
    assert.same(0, assert(Item.objects:bulk():save(a):run()).matched)
  end)

  it("keeps to the queryset's conditions and class", function()
    item("a", 1)
    item("b", 2)
    assert(Special { name = "s", count = 1 }:save())
    local result = assert(Item.objects:filter { count = 1 }:bulk()
      :update({ name = modm.one_of { "a", "b", "s" } }, { inc = { count = 10 } }):run())
    assert.equal(2, result.modified)
    assert.equal(1, assert(Special.objects:bulk():delete { count = modm.gt(0) }:run()).deleted)
  end)

  it("runs the hooks of its documents", function()
    local old = assert(Hooked { name = "old" }:save())
    local gone = assert(Hooked { name = "gone" }:save())
    old.name, ran = "older", {}
    assert(Hooked.objects:bulk():insert(Hooked { name = "new" }):save(old):delete(gone):run())
    assert.same({
      "before validate new", "after validate new", "before save new", "before insert new",
      "before validate older", "after validate older", "before save older", "before update older",
      "before delete gone", "after insert new", "after save new", "after update older",
      "after save older", "after delete gone",
    }, ran)
  end)

  it("keeps times and versions, and notices conflicts", function()
    local doc, other = assert(Kept { name = "a" }:save()), assert(Kept { name = "b" }:save())
    local mine = Kept.objects:get { name = "a" }
    doc.name = "theirs"
    assert(doc:save())
    mine.name, other.name = "mine", "bb"
    local new = Kept { name = "new" }
    local _, _, err = Kept.objects:bulk { ordered = false }:save(mine):save(other):insert(new)
      :update({ name = "theirs" }, { set = { name = "t" } }):run()
    assert.same({ 1 }, help.pluck(err.failures, "index"))
    assert.equal("ConflictError", err.kind)
    assert.same({ 2, 1 }, { other.version, new.version })
    assert.truthy(new.created_at)
    assert.equal(3, Kept.objects:get { name = "t" }.version)
  end)

  it("takes back the times of what was not stored", function()
    assert(Stamped { name = "taken" }:save())
    local old, new = assert(Stamped { name = "old" }:save()), Stamped { name = "taken" }
    local late = Stamped { name = "late" }
    local before = old.updated_at
    os.execute "sleep 0.01"
    old.name = "older"
    local _, _, err = Stamped.objects:bulk():save(old):insert(new):insert(late):run()
    assert.same({ 2 }, help.pluck(err.failures, "index"))
    assert.is_true(old.updated_at > before)
    assert.is_nil(new.created_at)
    assert.is_nil(late.created_at)
  end)

  it("marks where deleting marks, and follows delete rules", function()
    local soft, owner = assert(Soft { name = "s" }:save()), assert(Owner { name = "o" }:save())
    assert(Soft { name = "t" }:save())
    assert(Thing { owner = owner }:save())
    assert(Thing { owner = assert(Owner { name = "p" }:save()) }:save())
    assert.equal(2, assert(Soft.objects:bulk():delete(soft):delete { name = "t" }:run()).deleted)
    assert.truthy(soft.deleted_at)
    assert.equal(0, Soft.objects:count())
    assert.equal(2, Soft.objects:with_deleted():count())
    assert.equal(2, assert(Owner.objects:bulk():delete(owner):delete { name = "p" }:run()).deleted)
    assert.equal(0, Thing.objects:count())
  end)

  it("is split where the server's limit is", function()
    local bulk = Final.objects:bulk()
    for i = 1, 100001 do bulk:delete { n = i } end
    local sent = help.sent(function() assert(bulk:run()) end)
    assert.equal("delete delete", names_of(sent))
    assert.same({ 100000, 1 }, { #sent[1].command.deletes, #sent[2].command.deletes })
  end)

  it("is split where the bytes are too many, and numbers failures through", function()
    local text = ("x"):rep(1024 * 1024)
    item("9" .. text:sub(1, 10), 1)
    local bulk, docs = Item.objects:bulk { ordered = false }, {}
    for i = 1, 30 do
      docs[i] = item("i" .. i, i)
      docs[i].tags = { text, text }
      if i == 29 then docs[i].name = "9" .. text:sub(1, 10) end
      bulk:save(docs[i])
    end
    local err
    local sent = help.sent(function() err = select(3, bulk:run()) end)
    assert.is_true(#sent > 4)
    assert.same({ 29 }, help.pluck(err.failures, "index"))
    assert.equal(29, err.result.modified)
  end)

  it("says which document is too large", function()
    local docs = { Item { name = "a" }, Item { name = ("x"):rep(17 * 1024 * 1024) },
      Item { name = "c" } }
    local bulk = Item.objects:bulk { ordered = false }
    for _, doc in ipairs(docs) do bulk:insert(doc) end
    local _, _, err = bulk:run()
    assert.same({ 2 }, help.pluck(err.failures, "index"))
    assert.equal(2, Item.objects:count())
    bulk = Item.objects:bulk()
    for i, name in ipairs { "d", ("x"):rep(17 * 1024 * 1024), "f" } do
      docs[i] = Item { name = name }
      bulk:insert(docs[i])
    end
    _, _, err = bulk:run()
    assert.same({ 2 }, help.pluck(err.failures, "index"))
    assert.equal(3, Item.objects:count())
    assert.is_nil(docs[3].pk)
  end)

  it("returns what the connection says, and what was done before it", function()
    local conn = assert(require "modm.connection".get "bulk")
    local a = item("a", 1)
    a.count = 2
    assert(conn:run(core.command(conn.client, "read", "admin", core.ordered {
      { "configureFailPoint", "failCommand" }, { "mode", { times = 2 } },
      { "data", { failCommands = core.array { "update" }, closeConnection = true } } })))
    local result, _, err = Item.objects:bulk():insert(Item { name = "b" }):save(a):run()
    assert.is_nil(result)
    assert.equal("ConnectionError", err.kind)
    assert.equal(1, err.result.inserted)
    assert(a:save())
    assert.equal(2, Item.objects:get { name = "a" }.count)
  end)

  it("is sent again after one fault", function()
    local conn = assert(require "modm.connection".get "bulk")
    local a = item("a", 1)
    assert(conn:run(core.command(conn.client, "read", "admin", core.ordered {
      { "configureFailPoint", "failCommand" }, { "mode", { times = 1 } },
      { "data", { failCommands = core.array { "update" }, closeConnection = true } } })))
    a.count = 2
    assert.equal(1, assert(Item.objects:bulk():save(a):run()).modified)
  end)

  it("in a transaction that fails leaves nothing", function()
    local new = Item { name = "new" }
    assert.is_nil((modm.transaction("bulk", function()
      local bulk = Item.objects:bulk():insert(new)
      assert(bulk:update({ name = "new" }, { set = { count = 1 } }):run())
      return nil, "no"
    end)))
    assert.is_nil(new.pk)
    assert.equal(0, Item.objects:count())
  end)

  it("raises for misuse at the program's line", function()
    local doc, bulk = Item { name = "x" }, Item.objects:bulk()
    bulk:insert(doc)
    local ended = Item.objects:bulk()
    assert.same(0, assert(ended:run()).inserted)
    for _, fn in ipairs {
      function() bulk:insert(doc) end,
      function() bulk:insert { name = "x" } end,
      function() bulk:save(Owner {}) end,
      function() bulk:update({}, { inc = { count = 1 } }) end,
      function() bulk:update({ name = "x" }) end,
      function() bulk:update({ name = "x" }, { inc = { nothing = 1 } }) end,
      function() bulk:update({ name = "x" }, { inc = { count = 1 } }, { multi = true }) end,
      function() bulk:delete() end,
      function() bulk:delete {} end,
      function() Kept.objects:bulk():replace(Kept {}) end,
      function() ended:insert(Item { name = "x" }) end,
      function() ended:run() end,
      function() Item.objects:limit(1):bulk() end,
      function() Item.objects:bulk { order = false } end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, message)
    end
  end)
end)

describe("files in a bulk write", function()
  local Paper = modm.MongoModel:extend("bulk.Paper", {
    name = f.CharField {},
    file = f.FileField {},
    Meta = { connection_alias = "bulk", indexes = { { "name", unique = true } } },
  })
  local Stored = modm.MongoModel:extend("bulk.Stored", {
    Meta = { connection_alias = "bulk", collection_name = "fs.files", final = true,
      ignore_unknown_fields = true },
  })

  it("are stored, and deleted again with what was refused", function()
    assert(Paper { name = "taken" }:save())
    local good = Paper { name = "good", file = modm.ContentFile "one" }
    local bad = Paper { name = "taken", file = modm.ContentFile "two" }
    local late = Paper { name = "late", file = modm.ContentFile "three" }
    local _, _, err = Paper.objects:bulk():insert(good):insert(bad):save(late):run()
    assert.same({ 2 }, help.pluck(err.failures, "index"))
    assert.equal(1, Stored.objects:count())
    assert.equal("one", Paper.objects:get { name = "good" }.file:read())
    bad.name = "free"
    assert(Paper.objects:bulk():insert(bad):save(late):run())
    assert.equal(3, Stored.objects:count())
    assert.equal("two", Paper.objects:get { name = "free" }.file:read())
  end)
end)
