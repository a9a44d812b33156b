-- More ends that read: exists, distinct, in_bulk, sample, explain.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "asking"

local Place = modm.EmbeddedMongoModel:extend("asking.Place", {
  city = f.CharField { mongo_name = "c" }, Meta = { final = true },
})
local Author = modm.MongoModel:extend("asking.Author", {
  email = f.EmailField { primary_key = true }, Meta = { connection_alias = "asking" },
})
local Book = modm.MongoModel:extend("asking.Book", {
  title = f.CharField { mongo_name = "t" },
  year = f.IntegerField { mongo_name = "y" },
  tags = f.ListField { f.CharField {} },
  shelves = f.ListField { f.ListField { f.IntegerField {} } },
  place = f.EmbeddedModelField { Place, mongo_name = "p" },
  author = f.ReferenceField { Author },
  seen = f.DateTimeField {},
  Meta = { connection_alias = "asking", indexes = { { "year", name = "by_year" } } },
})
local Comic = Book:extend("asking.Comic", {})
local ann, bob = Author "ann@b.c", Author "bob@b.c"
local seen = modm.DateTime(86400)

local function sorted(list)
  table.sort(list, function(a, b) return tostring(a) < tostring(b) end)
  return list
end

describe("a queryset", function()
  setup(function()
    assert(Author.objects:bulk_create { ann, bob })
  end)
  before_each(function()
    assert(Book.objects:all():delete())
    assert(Book.objects:bulk_create {
      Book { title = "a", year = 1, tags = { "x", "y" }, place = Place { city = "Turku" },
        author = ann, shelves = { { 1, 2 }, { 3 } } },
      Book { title = "b", year = 2, tags = { "y" }, place = Place { city = "Turku" }, author = bob,
        seen = seen },
      Comic { title = "c", year = 2, author = ann, place = Place { city = "Oulu" } },
    })
  end)

  describe("exists", function()
    it("where one document fits", function()
      assert.is_true(Book.objects:exists())
      assert.is_true(Book.objects:filter { year = 2 }:exists())
      assert.is_false(Book.objects:filter { year = 3 }:exists())
      assert.is_true(Comic.objects:exists())
      assert.is_false(Comic.objects:filter { year = 1 }:exists())
    end)

    it("by one key, whatever else was asked for", function()
      local command = help.one(function()
        assert.is_true(Book.objects:order_by "title":select_related():only "title":batch_size(5)
          :comment "why":limit(7):exists())
      end)
      assert.same({ 1, { _id = 1 }, "why" }, { command.limit, command.projection, command.comment })
      assert.is_nil(command.sort)
      assert.is_nil(command.batchSize)
    end)

    it("within its range", function()
      assert.is_true(Book.objects:skip(2):exists())
      assert.is_false(Book.objects:skip(3):exists())
      assert.is_false(Book.objects:slice(2, 1):exists())
    end)

    it("not, but fails, for a value that its field refuses", function()
      local found, message, err = Book.objects:filter { year = "x" }:exists()
      assert.is_nil(found)
      assert.equal("ValidationError", err.kind)
      assert.matches("asking.Book.year", message)
    end)
  end)

  describe("gives distinct values", function()
    it("as their field reads them", function()
      assert.same({ 1, 2 }, sorted(Book.objects:distinct "year"))
      assert.same({ "Oulu", "Turku" }, sorted(Book.objects:distinct "place.city"))
      local dates = Book.objects:distinct "seen"
      assert.equal(1, #dates)
      assert.equal(seen, dates[1])
      assert.same({ "ann@b.c", "bob@b.c" }, sorted(Book.objects:distinct "author"))
      assert.equal(3, #Book.objects:distinct "pk")
      assert.same({ 2 }, Comic.objects:distinct "year")
    end)

    it("of the items of lists", function()
      assert.same({ "x", "y" }, sorted(Book.objects:distinct "tags"))
      local inner = Book.objects:distinct "shelves"
      assert.equal(2, #inner)
      assert.equal(3, #inner[1] + #inner[2])
    end)

    it("that are documents", function()
      local places = sorted(Book.objects:distinct "place")
      assert.same({ "Oulu", "Turku" }, help.pluck(places, "city"))
      assert.matches("^asking.Place", tostring(places[1]))
    end)

    it("and null for a stored null", function()
      assert(Book.objects:filter { title = "a" }:update { ["$set"] = { y = modm.null } })
      local years = Book.objects:distinct "year"
      assert.equal(2, #years)
      assert.is_true(years[1] == modm.null or years[2] == modm.null)
    end)

    it("with one command that has its conditions and settings", function()
      local command = help.one(function()
        assert(Book.objects:filter { year = 2 }:collation "en":comment "why":max_time(900)
          :distinct "place.city")
      end)
      assert.same({ "p.c", "en", "why", 900 }, { command.key, command.collation.locale,
        command.comment, command.maxTimeMS })
      assert.equal("asking.Book", command.query["$and"][2]._cls["$in"][1])
      assert.equal("book", command.distinct)
    end)

    it("of what there is, or fails", function()
      assert.same({}, Book.objects:filter { year = 9 }:distinct "title")
      assert.equal("ValidationError",
        (select(3, Book.objects:filter { year = "x" }:distinct "title")).kind)
    end)

    it("and raises for no field, and for a part of the documents", function()
      for _, fn in ipairs {
        function() Book.objects:distinct() end, function() Book.objects:distinct "nothing" end,
        function() Book.objects:limit(1):distinct "year" end,
        function() Book.objects:skip(1):distinct "year" end,
      } do
        local message, here = help.raised(fn)
        assert.is_true(here, message)
      end
    end)
  end)

  describe("gives documents by their keys", function()
    it("in a table by the keys' text", function()
      local one, other = Book.objects:get { title = "a" }, Book.objects:get { title = "b" }
      local found = assert(Book.objects:in_bulk { one.pk, tostring(other.pk), modm.ObjectId() })
      assert.equal("a", found[tostring(one.pk)].title)
      assert.equal("b", found[tostring(other.pk)].title)
      assert.is_nil(next(found, (next(found, (next(found))))))
      local people = assert(Author.objects:in_bulk { "ann@b.c", "nobody@b.c" })
      assert.equal("ann@b.c", people["ann@b.c"].pk)
      assert.is_nil(people["nobody@b.c"])
    end)

    it("within its conditions, and as values where it says so", function()
      local one = Book.objects:get { title = "a" }
      assert.is_nil(next(Comic.objects:in_bulk { one.pk }))
      assert.equal("a", Book.objects:values():in_bulk { one.pk } [tostring(one.pk)].t)
      assert.same({}, Book.objects:in_bulk {})
    end)

    it("in bounded lists", function()
      local keys = {}
      for i = 1, 2500 do keys[i] = "k" .. i .. "@b.c" end
      keys[2400] = "ann@b.c"
      local found
      local sent = help.sent(function() found = Author.objects:in_bulk(keys) end)
      assert.equal(3, #sent)
      assert.truthy(found["ann@b.c"])
    end)

    it("and fails for what can be no key, and raises for no list", function()
      assert.equal("ValidationError", (select(3, Book.objects:in_bulk { "short" })).kind)
      assert.is_true(select(2, help.raised(function() Book.objects:in_bulk "x" end)))
      assert.is_true(select(2, help.raised(function() Book.objects:limit(1):in_bulk {} end)))
    end)
  end)

  describe("samples", function()
    it("documents of what it finds", function()
      local found = assert(Book.objects:sample(2))
      assert.equal(2, #found)
      assert.not_equal(found[1], found[2])
      assert.matches("^asking.", tostring(found[1]))
      assert.equal(3, #Book.objects:sample(10))
      assert.equal("c", Comic.objects:sample(5)[1].title)
      assert.equal("a", Book.objects:filter { year = 1 }:sample(3)[1].title)
      assert.equal(1, #Book.objects:order_by "title":limit(1):sample(3))
    end)

    it("parts of them, or tables, where it says so", function()
      local doc = Book.objects:filter { year = 1 }:only "title":sample(1)[1]
      assert.equal("a", doc.title)
      assert.is_false((pcall(function() return doc.year end)))
      doc.title = "changed"
      assert(doc:save())
      assert.equal(1, Book.objects:get { title = "changed" }.year)
      assert.equal("changed", Book.objects:values():filter { year = 1 }:sample(1)[1].t)
    end)

    it("and raises for no number", function()
      assert.is_true(select(2, help.raised(function() Book.objects:sample(0) end)))
      assert.is_true(select(2, help.raised(function() Book.objects:sample "x" end)))
    end)
  end)

  describe("explains", function()
    it("how it is found", function()
      local plan = assert(Book.objects:filter { year = 2 }:hint "by_year":order_by "-year":limit(1)
        :explain())
      local text = require "modm.core".encode(plan)
      assert.truthy(text:find("by_year", 1, true))
      assert.is_nil(plan.executionStats)
    end)

    it("and what that costs", function()
      local plan = assert(Book.objects:filter { year = 2 }:skip(1):only "title"
        :explain "executionStats")
      assert.equal(1, plan.executionStats.nReturned)
    end)

    it("or fails, or raises", function()
      assert.equal("ServerError", (select(3, Book.objects:hint "nothing":explain())).kind)
      assert.is_true(select(2, help.raised(function() Book.objects:explain "all" end)))
    end)
  end)
end)
