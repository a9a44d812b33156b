-- A DuplicateKeyError names the model's fields, however the document came to the server.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "duplicate"

local Place = modm.EmbeddedMongoModel:extend("duplicate.Place", {
  city = f.CharField { mongo_name = "c" },
})
local Shop = modm.MongoModel:extend("duplicate.Shop", {
  mail = f.CharField { mongo_name = "m" },
  name = f.CharField {}, number = f.IntegerField { mongo_name = "n" },
  place = f.EmbeddedModelField { Place, mongo_name = "p" },
  Meta = { connection_alias = "duplicate", indexes = {
    { "mail", unique = true, sparse = true },
    { "name", "number", unique = true,
      partialFilterExpression = { name = { ["$exists"] = true } } },
    { "p.c", unique = true, sparse = true },
  } },
})

local function check(err, fields, values, key)
  assert.equal("DuplicateKeyError", err.kind)
  assert.equal(11000, err.code)
  assert.equal("duplicate.Shop", err.model)
  assert.same(fields, err.fields)
  assert.same(values, err.values)
  assert.equal(table.concat(fields, ", "), err.field)
  assert.equal(key, err.key)
  assert.matches("E11000", err.server_message)
end

describe("a DuplicateKeyError", function()
  before_each(function() assert(Shop.objects:all():delete()) end)

  it("of a save names field, stored name and value", function()
    assert(Shop { mail = "a@b" }:save())
    local ok, message, err = Shop { mail = "a@b" }:save()
    assert.is_nil(ok)
    check(err, { "mail" }, { mail = "a@b" }, "m")
    assert.equal("a@b", err.value)
    assert.equal("duplicate.Shop.mail: there is a document with mail (stored as m) = 'a@b' already",
      message)
  end)

  it("of a key set by hand names it", function()
    local one = assert(Shop {}:save())
    local ok, message, err = Shop { _id = one.pk }:save { force_insert = true }
    assert.is_nil(ok)
    check(err, { "_id" }, { _id = one.pk }, "_id")
    assert.matches("duplicate.Shop._id: ", message, 1, true)
  end)

  it("of a compound index names all fields", function()
    assert(Shop { name = "x", number = 1 }:save())
    local ok, message, err = Shop { name = "x", number = 1 }:save()
    assert.is_nil(ok)
    check(err, { "name", "number" }, { name = "x", number = 1 }, "name, n")
    assert.matches("Shop.name, number: .*name = 'x', number %(stored as n%) = 1", message)
  end)

  it("goes into embedded documents", function()
    assert(Shop { place = Place { city = "Turku" } }:save())
    local ok, _, err = Shop { place = Place { city = "Turku" } }:save()
    assert.is_nil(ok)
    check(err, { "place.city" }, { ["place.city"] = "Turku" }, "p.c")
  end)

  it("of updates, changes and upserts is the same", function()
    assert(Shop { mail = "a" }:save())
    local other = assert(Shop { mail = "b" }:save())
    other.mail = "a"
    check(select(3, other:save()), { "mail" }, { mail = "a" }, "m")
    local set = { ["$set"] = { m = "a" } }
    check(select(3, Shop.objects:filter { mail = "b" }:update(set)), { "mail" }, { mail = "a" },
      "m")
    check(select(3, Shop.objects:filter { name = "none" }:update(set, { upsert = true })),
      { "mail" }, { mail = "a" }, "m")
  end)

  it("of a bulk insert says it of each document", function()
    assert(Shop { mail = "a" }:save())
    assert(Shop { name = "x", number = 1 }:save())
    local documents = { Shop { mail = "new" }, Shop { mail = "a" },
      Shop { name = "x", number = 1 } }
    local ok, message, err = Shop.objects:bulk_create(documents, { ordered = false })
    assert.is_nil(ok)
    assert.matches("2 of 3 .* number 2: duplicate.Shop.mail: ", message)
    assert.same({ "DuplicateKeyError", "mail", "a" }, { err.kind, err.field, err.value })
    assert.equal(2, #err.failures)
    check(err.failures[1], { "mail" }, { mail = "a" }, "m")
    assert.equal(2, err.failures[1].index)
    assert.is_true(rawequal(documents[2], err.failures[1].document))
    assert.equal("x", err.failures[2].values.name)
    assert.equal(1, err.failures[2].values.number)
    assert.equal(3, err.failures[2].index)
  end)
end)

describe("an update", function()
  it("passes its options on", function()
    local command = help.one(function()
      assert(Shop.objects:all():comment "why":update({ { ["$set"] = { n = "$$one" } } },
        { let = { one = 1 }, bypass_document_validation = true }))
    end)
    assert.equal(1, command.let.one)
    assert.same({ "why", true }, { command.comment, command.bypassDocumentValidation })
  end)
end)
