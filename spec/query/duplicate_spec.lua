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

describe("a DuplicateKeyError of an index", function()
  local Seat = modm.MongoModel:extend("duplicate.Seat", {
    row = f.CharField { mongo_name = "z" }, column = f.IntegerField { mongo_name = "a" },
    Meta = { connection_alias = "duplicate", indexes = { { "row", "column", unique = true } } },
  })
  local Name = modm.MongoModel:extend("duplicate.Name", {
    text = f.CharField { mongo_name = "t" }, year = f.IntegerField {},
    alone = f.CharField {},
    Meta = { connection_alias = "duplicate", indexes = {
      { "text", "year", unique = true, collation = { locale = "en", strength = 1 } },
      { "alone", unique = true, sparse = true, collation = { locale = "en", strength = 2 } },
    } },
  })

  it("of several fields lists them in its order, in a bulk insert too", function()
    assert(Seat { row = "A", column = 1 }:save())
    local _, message, err = Seat { row = "A", column = 1 }:save()
    assert.same({ { "row", "column" }, "z, a" }, { err.fields, err.key })
    assert.matches("Seat.row, column: ", message, 1, true)
    _, message, err = Seat.objects:bulk_create { Seat { row = "A", column = 1 } }
    assert.same({ "row", "column" }, err.fields)
    assert.equal("z, a", err.key)
    assert.same({ row = "A", column = 1 }, err.failures[1].values)
    assert.matches("Seat.row, column: .*row %(stored as z%) = 'A', column %(stored as a%) = 1",
      message)
  end)

  it("with a collation has no value where the server knows its sort key alone", function()
    assert(Name { text = "Tove", year = 1914 }:save())
    local _, message, err = Name { text = "TOVE", year = 1914 }:save()
    assert.same({ "text", "year" }, err.fields)
    assert.same({ year = 1914 }, err.values)
    assert.same({ year = 1914 }, err.value)
    assert.matches("Name.text, year: there is a document with the same text (stored as t), "
      .. "year = 1914 already", message, 1, true)
    _, _, err = Name.objects:bulk_create { Name { text = "tove", year = 1914 } }
    assert.same({ year = 1914 }, err.failures[1].values)
    assert(Name { alone = "x", year = 1 }:save())
    _, message, err = Name { alone = "X", year = 2 }:save()
    assert.is_nil(err.value)
    assert.same({ { "alone" }, {} }, { err.fields, err.values })
    assert.matches("Name.alone: there is a document with the same alone already", message, 1, true)
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
