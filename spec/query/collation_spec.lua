-- Collations: what they find, count, change and delete, from Meta or from the queryset.
local help = require "spec.query.help"
local modm = require "modm"

help.connect "collation"

local Person = modm.MongoModel:extend("collation.Person", {
  name = modm.fields.CharField {},
  seen = modm.fields.IntegerField {},
  Meta = { connection_alias = "collation", collation = { locale = "en_US", strength = 1 } },
})
local exact = { locale = "en_US", strength = 3 }

describe("a collation of Meta", function()
  before_each(function()
    assert(Person.objects:all():delete())
    assert(Person.objects:bulk_create { Person { name = "Aargren" }, Person { name = "Åårgren" } })
  end)

  local function named() return Person.objects:filter { name = "Aargren" } end
  local function rows(set, ...)
    return #assert(set:aggregate({ ["$match"] = { name = "Aargren" } }, ...):list())
  end

  it("holds for what is found and counted, unless the queryset has its own", function()
    assert.equal(2, #assert(named():list()))
    assert.equal(2, named():count())
    assert.equal(1, #assert(named():collation(exact):list()))
    assert.equal(1, named():collation(exact):count())
  end)

  it("holds for aggregations, unless the queryset or an option has its own", function()
    assert.equal(2, rows(Person.objects))
    assert.equal(1, rows(Person.objects:collation(exact)))
    assert.equal(1, rows(Person.objects, { collation = exact }))
  end)

  it("holds for updates, unless the queryset has its own", function()
    assert.equal(2, named():update { ["$set"] = { seen = 1 } })
    assert.equal(1, named():collation(exact):update { ["$set"] = { seen = 2 } })
  end)

  it("holds for deletes, unless the queryset has its own", function()
    assert.equal(1, named():collation(exact):delete())
    assert(Person { name = "aargren" }:save())
    assert.equal(2, named():delete())
  end)
end)
