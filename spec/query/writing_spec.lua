-- Writing many: bulk_create, update and delete of querysets.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "writing"

local Item = modm.MongoModel:extend("writing.Item", {
  name = f.CharField { required = true },
  n = f.IntegerField {},
  Meta = { connection_alias = "writing", collection_name = "items", indexes = { { "name",
    unique = true } } },
})
local Special = Item:extend("writing.Special", {})
local User = modm.MongoModel:extend("writing.User", {
  email = f.EmailField { primary_key = true },
  Meta = { connection_alias = "writing" },
})
local All = modm.MongoModel:extend("writing.All", {
  Meta = { connection_alias = "writing", collection_name = "items", final = true,
    ignore_unknown_fields = true },
})

local function items(n, from)
  local list = {}
  for i = 1, n do list[i] = Item { name = "i" .. (i + (from or 0)), n = i } end
  return list
end

assert(Item:ensure_indexes())
assert(Special:ensure_indexes())

describe("bulk_create", function()
  it("validates each document, whether or not Lua has a part in it", function()
    local seen = {}
    local function odd(value)
      seen[#seen + 1] = value
      return value % 2 == 1
    end
    local Checked = modm.MongoModel:extend("writing.Checked", {
      n = f.IntegerField { max_value = 10 }, odd = f.IntegerField { validators = { odd } },
      Meta = { connection_alias = "writing" },
    })
    local docs = { Checked { n = 1 }, Checked { n = 11 }, Checked { n = 2, odd = 3 },
      Checked { odd = 4 }, Checked { n = "x" }, Checked { n = 3 } }
    local keys, message, err = Checked.objects:bulk_create(docs)
    assert.is_nil(keys)
    assert.same({ 3, 4 }, seen)
    local failed = {}
    for i, one in ipairs(err.failures) do failed[i] = one.index end
    assert.same({ 2, 4, 5 }, failed)
    assert.equal(docs[4], err.failures[2].document)
    assert.matches("3 of 6 documents were not inserted; number 2: writing.Checked.n: 11 is greater",
      message, 1, true)
    assert.same({ odd = { "is not valid" } }, err.failures[2].errors)
  end)

  before_each(function() assert(All.objects:all():delete()) end)

  it("inserts with one command, and returns the keys in order", function()
    local docs, keys = items(20), nil
    local command = help.one(function() keys = assert(Item.objects:bulk_create(docs)) end)
    assert.equal(20, #command.documents)
    assert.equal("\7_id\0", core.encode(command.documents[1]):sub(5, 9))
    assert.equal(20, #keys)
    for i, doc in ipairs(docs) do
      assert.equal(keys[i], doc.pk)
      assert.equal(i, Item.objects:get { pk = keys[i] }.n)
    end
  end)

  it("leaves instances that know what the server has", function()
    local docs = items(3)
    assert.equal(docs, (Item.objects:bulk_create(docs, { retrieve = true })))
    assert.equal(0, #help.sent(function() assert(docs[2]:save()) end))
    docs[2].n = 99
    assert.same({ ["$set"] = { n = 99 } },
      help.one(function() assert(docs[2]:save()) end).updates[1].u)
    assert.equal(99, Item.objects:get { name = "i2" }.n)
  end)

  it("takes one document, and those of models that extend this", function()
    assert.equal(1, #assert(Item.objects:bulk_create(Item { name = "one" })))
    assert(Item.objects:bulk_create { Special { name = "two" }, Item { name = "three" } })
    assert.equal(1, Special.objects:count())
    assert.equal(3, Item.objects:count())
  end)

  it("raises for what is no list of this model's documents", function()
    for _, fn in ipairs {
      function() Item.objects:bulk_create(5) end,
      function() Item.objects:bulk_create {} end,
      function() Item.objects:bulk_create { { name = "table" } } end,
      function() Item.objects:bulk_create { User { email = "a@b.c" } } end,
      function() Special.objects:bulk_create { Item { name = "x" } } end,
      function() Item.objects:bulk_create { Item { name = "x" }, nil, Item { name = "y" } } end,
      function() Item.objects:bulk_create { Item { name = "x" }, more = 1 } end,
      function() Item.objects:bulk_create(items(1), { order = true }) end,
      function() Item.objects:bulk_create(items(1), { ordered = 1 }) end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, message)
    end
    assert.equal(0, Item.objects:count())
  end)

  it("validates all before anything is sent, and says which are not valid", function()
    local docs = items(4)
    docs[2].name = nil
    docs[4].n = "x"
    assert.equal(0, #help.sent(function()
      local keys, message, err = Item.objects:bulk_create(docs)
      assert.is_nil(keys)
      assert.matches("2 of 4 documents were not inserted; number 2: ", message)
      assert.equal("ValidationError", err.kind)
      assert.same({ 2, 4 }, help.pluck(err.failures, "index"))
      assert.equal(docs[2], err.failures[1].document)
      assert.truthy(err.failures[1].errors.name)
      assert.equal("string", type(err.failures[2].message))
    end))
    assert.equal(0, Item.objects:count())
    assert.is_nil(docs[1].pk)
  end)

  it("does not validate when it is told so, but still converts", function()
    local docs = { Item { n = "5" } }
    assert(Item.objects:bulk_create(docs, { full_clean = false }))
    assert.equal(5, Item.objects:values():first().n)
  end)

  it("stops at the first that the server refuses", function()
    assert(Item { name = "i3" }:save())
    local docs = items(5)
    local keys, message, err = Item.objects:bulk_create(docs)
    assert.is_nil(keys)
    assert.equal("DuplicateKeyError", err.kind)
    assert.matches("1 of 5 documents were not inserted; number 3: ", message)
    assert.equal(1, #err.failures)
    assert.equal(3, err.failures[1].index)
    assert.equal(11000, err.failures[1].code)
    assert.equal(docs[3], err.failures[1].document)
    assert.equal(3, Item.objects:count())
    assert.truthy(docs[1].pk and docs[2].pk)
    assert.is_nil(docs[3].pk)
    assert.is_nil(docs[4].pk)
    assert.equal(0, #help.sent(function() assert(docs[2]:save()) end))
    docs[4].name = "four"
    assert(docs[4]:save())
  end)

  it("inserts all that it can when it need not be in order", function()
    assert(Item { name = "i2" }:save())
    assert(Item { name = "i4" }:save())
    local docs = items(5)
    local _, _, err = Item.objects:bulk_create(docs, { ordered = false })
    assert.same({ 2, 4 }, help.pluck(err.failures, "index"))
    assert.equal(5, Item.objects:count())
    assert.truthy(docs[1].pk and docs[3].pk and docs[5].pk)
    assert.is_nil(docs[2].pk)
    assert.is_nil(docs[4].pk)
  end)

  it("says which document cannot be written", function()
    local docs = items(3)
    docs[2].name = ("x"):rep(17 * 1024 * 1024)
    local keys, message, err = Item.objects:bulk_create(docs)
    assert.is_nil(keys)
    assert.matches("number 2: .*larger than", message)
    assert.same({ 2 }, help.pluck(err.failures, "index"))
    local users = { User { email = "a@b.c" }, User {} }
    keys, message, err = User.objects:bulk_create(users, { full_clean = false })
    assert.is_nil(keys)
    assert.matches("writing.User.email: the primary key is not set", message)
    assert.same({ 2 }, help.pluck(err.failures, "index"))
  end)

  it("sends much in several commands", function()
    local docs = {}
    for i = 1, 20 do docs[i] = Item { name = i .. ("x"):rep(1024 * 1024) } end
    local sent = help.sent(function() assert.equal(20, #assert(Item.objects:bulk_create(docs))) end)
    assert.truthy(#sent > 1)
    assert.equal(20, Item.objects:count())
    for i, doc in ipairs(docs) do
      assert.equal(i, tonumber((Item.objects:get { pk = doc.pk }.name:match "^%d+")))
    end
  end)

  it("numbers failures through all commands", function()
    local docs = {}
    for i = 1, 20 do docs[i] = Item { name = i .. ("x"):rep(1024 * 1024) } end
    docs[18].name = docs[3].name
    local _, _, err = Item.objects:bulk_create(docs, { ordered = false })
    assert.same({ 18 }, help.pluck(err.failures, "index"))
    assert.is_nil(docs[18].pk)
    assert.equal(19, Item.objects:count())
  end)
end)

describe("update", function()
  before_each(function()
    assert(All.objects:all():delete())
    assert(Item.objects:bulk_create(items(10)))
    assert(Special { name = "s", n = 1 }:save())
  end)

  it("changes what the queryset finds, by MongoDB's operators", function()
    local command
    command = help.one(function()
      assert.equal(4, Item.objects:filter { n = modm.lte(3) }:update { ["$set"] = { n = 0 } })
    end)
    local statement = command.updates[1]
    assert.same({ ["$set"] = { n = 0 } }, statement.u)
    assert.is_true(statement.multi)
    assert.same({ ["$and"] = { { n = { ["$lte"] = 3 } },
      { _cls = { ["$in"] = { "writing.Item", "writing.Special" } } } } }, statement.q)
    assert.equal(4, Item.objects:filter { n = 0 }:count())
  end)

  it("counts what was modified", function()
    assert.equal(0, Item.objects:filter { n = 5 }:update { ["$set"] = { n = 5 } })
    assert.equal(0, Item.objects:filter { n = 99 }:update { ["$set"] = { n = 5 } })
  end)

  it("of a class leaves the others alone", function()
    assert.equal(1, Special.objects:all():update { ["$set"] = { n = 50 } })
    assert.equal(1, Item.objects:filter { n = 50 }:count())
  end)

  it("takes a pipeline, and filters for arrays", function()
    assert.equal(1, Item.objects:filter { name = "i3" }:update { { ["$set"] = { n = {
      ["$add"] = { "$n", 1 } } } } })
    assert.equal(4, Item.objects:get { name = "i3" }.n)
    local command = help.one(function()
      Item.objects:filter { name = "i3" }:update({ ["$set"] = { ["list.$[x]"] = 1 } },
        { array_filters = { { x = 1 } } })
    end)
    assert.same({ { x = 1 } }, command.updates[1].arrayFilters)
  end)

  it("honours limit, skip and order, by the keys first", function()
    local sent = help.sent(function()
      assert.equal(3, Item.objects:filter { n = modm.gt(1) }:order_by "-n":skip(1):limit(3)
        :update { ["$set"] = { n = 0 } })
    end)
    assert.equal(2, #sent)
    assert.same({ _id = 1 }, sent[1].command.projection)
    assert.same({ "i7", "i8", "i9" }, help.pluck(Item.objects:filter {
      n = 0 }:order_by "name":list(), "name"))
    assert.equal(1, Item.objects:order_by "-n":all():slice(1, 1):update { ["$set"] = { n = 0 } })
    assert.equal(0, Item.objects:get { name = "i10" }.n)
  end)

  it("of everything needs all()", function()
    local message, here = help.raised(function() Item.objects:update { ["$set"] = { n = 0 } } end)
    assert.matches("all%(%)", message)
    assert.is_true(here)
    assert.is_true(select(2, help.raised(function() Item.objects:limit(5):update { ["$set"] = {
      n = 0 } } end)))
    assert.equal(11, Item.objects:all():update { ["$set"] = { n = 0 } })
  end)

  it("raises for what is no update", function()
    for _, fn in ipairs {
      function() Item.objects:all():update { n = 5 } end,
      function() Item.objects:all():update {} end,
      function() Item.objects:all():update(5) end,
      function() Item.objects:all():update { ["$set"] = { n = 1 }, n = 5 } end,
      function() Item.objects:all():update({ ["$set"] = { n = 1 } }, { upser = true }) end,
      function() Item.objects:filter { n = 1 }:limit(1):update({ ["$set"] = { n = 1 } }, {
        upsert = true }) end,
      function() Item.objects:filter { n = 1 }:update({ { ["$set"] = { n = 1 } } }, {
        upsert = true }) end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, message)
    end
  end)

  it("that makes a document gives it its class, and leaves those it finds", function()
    local change = { ["$set"] = { n = 7 } }
    assert.equal(0, Item.objects:filter { name = "made" }:update(change, { upsert = true }))
    assert.same({ ["$set"] = { n = 7 } }, change)
    local row = Item.objects:values():get { name = "made" }
    assert.equal("writing.Item", row._cls)
    assert.equal(7, row.n)
    assert.equal(1, Item.objects:filter { name = "s" }:update(change, { upsert = true }))
    assert.equal(1, Special.objects:count())
    assert.equal(0, Special.objects:filter { name = "made2" }:update({ ["$set"] = { n = 1 },
      ["$setOnInsert"] = { extra = 1 } }, { upsert = true }))
    row = Special.objects:values():get { name = "made2" }
    assert.equal("writing.Special", row._cls)
    assert.equal(1, row.extra)
  end)

  it("returns the server's errors", function()
    local n, message, err = Item.objects:filter { name = "i1" }:update { ["$inc"] = { name = 1 } }
    assert.is_nil(n)
    assert.equal("ServerError", err.kind)
    assert.truthy(err.code)
    assert.equal("string", type(message))
    n, message, err = Item.objects:filter { name = "i1" }:update { ["$set"] = { name = "i2" } }
    assert.is_nil(n)
    assert.matches("writing.Item.name: there is a document with name = .i2. already", message)
    assert.equal("DuplicateKeyError", err.kind)
    assert.is_nil((Item.objects:filter { name = "i1" }:update { ["$set"] = { name = print } }))
  end)
end)

describe("delete", function()
  before_each(function()
    assert(All.objects:all():delete())
    assert(Item.objects:bulk_create(items(10)))
    assert(Special { name = "s", n = 1 }:save())
  end)

  it("takes what the queryset finds, of its class alone", function()
    assert.equal(2, Item.objects:filter { n = 1 }:delete())
    assert.equal(9, All.objects:count())
    assert(Special { name = "s", n = 1 }:save())
    assert.equal(1, Special.objects:all():delete())
    assert.equal(9, All.objects:count())
    assert.equal(9, Item.objects:all():delete())
  end)

  it("of everything needs all()", function()
    local message, here = help.raised(function() Item.objects:delete() end)
    assert.matches("all%(%)", message)
    assert.is_true(here)
    assert.is_true(select(2, help.raised(function() Item.objects:order_by "n":limit(1):delete()
      end)))
    assert.equal(11, All.objects:count())
  end)

  it("takes no arguments, so that none is taken for a condition or an option", function()
    for _, given in ipairs { { n = 5 }, { pk = 5 }, 5 } do
      local message, here = help.raised(function() Item.objects:all():delete(given) end)
      assert.matches("delete takes no arguments", message)
      assert.is_true(here)
    end
    assert.equal(11, All.objects:count())
  end)

  it("honours limit, skip and order", function()
    assert.equal(2, Item.objects:all():order_by "-n":skip(1):limit(2):delete())
    assert.is_nil((Item.objects:get { name = "i9" }))
    assert.is_nil((Item.objects:get { name = "i8" }))
    assert.equal(9, Item.objects:count())
    assert.equal(8, Item.objects:all():skip(1):delete())
    assert.equal(1, Item.objects:count())
  end)

  it("of many by their keys goes in bounded lists", function()
    local docs = items(2500, 100)
    assert(Item.objects:bulk_create(docs))
    local sent = help.sent(function()
      assert.equal(2400, Item.objects:filter { n = modm.gt(0) }:order_by "-n":limit(2400):delete())
    end)
    for _, event in ipairs(sent) do
      if event.name == "delete" then
        assert.truthy(#event.command.deletes[1].q["$and"][1]._id["$in"] <= 1000)
      end
    end
    assert.equal(111, Item.objects:count())
  end)

  it("may give a hint and a collation", function()
    local command = help.one(function()
      Item.objects:filter { name = "I1" }:collation { locale = "en", strength = 2 }:delete()
    end)
    assert.equal("en", command.deletes[1].collation.locale)
    assert.is_nil((Item.objects:get { name = "i1" }))
  end)
end)
