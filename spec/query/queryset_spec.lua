-- Querysets on a server: their steps, their ends, and the very commands they send.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "queryset"

local Address = modm.EmbeddedMongoModel:extend("qs.Address", { city = f.CharField {
  mongo_name = "c" } })
local Post = modm.MongoModel:extend("qs.Post", {
  title = f.CharField { mongo_name = "t" },
  n = f.IntegerField {},
  body = f.CharField {},
  address = f.EmbeddedModelField { Address },
  Meta = { connection_alias = "queryset", collection_name = "posts" },
})
local News = Post:extend("qs.News", { source = f.CharField {} })
local Plain = modm.MongoModel:extend("qs.Plain", {
  n = f.IntegerField {},
  Meta = { connection_alias = "queryset", collection_name = "posts", final = true,
    ignore_unknown_fields = true },
})

local function numbers(list) return help.pluck(list, "n") end

describe("a queryset", function()
  before_each(function()
    assert(Plain.objects:all():delete())
    local docs = {}
    for i = 1, 10 do
      local class = i > 8 and News or Post
      docs[i] = class { title = "p" .. i, n = i, body = "text", address = Address {
        city = "Bern" } }
    end
    assert(Post.objects:bulk_create(docs))
  end)

  local sorted = Post.objects:order_by "n"

  it("gives a new one at each step, and never changes", function()
    local all = Post.objects:all()
    local limited = all:limit(3)
    assert.not_equal(all, limited)
    assert.equal(10, all:count())
    assert.equal(3, limited:count())
    assert.equal(2, #limited:filter { n = modm.gt(8) }:list())
    assert.equal(3, #limited:list())
    assert.matches("does not change", (help.raised(function() all.x = 1 end)))
    assert.matches("qs.Post", tostring(all))
  end)

  it("asks nothing before its end", function()
    assert.equal(0, #help.sent(function()
      local _ = Post.objects:all():filter { n = 1 }:order_by("n"):limit(5):only("title"):values()
    end))
  end)

  describe("lists", function()
    it("what fits", function()
      assert.same({ 1, 2, 3 }, numbers(sorted:filter { n = modm.lte(3) }:list()))
      assert.same({ 2, 3 }, numbers(sorted:filter { n = modm.lte(3) }:filter {
        n = modm.gte("2") }:list()))
      assert.same({ 2 }, numbers(Post.objects:raw { t = "p2" }:list()))
      assert.same({ 2 }, numbers(Post.objects:raw { n = { ["$gt"] = 1 } }:raw { n = {
        ["$lt"] = 3 } }:list()))
      assert.same({}, Post.objects:filter { n = 99 }:list())
    end)

    it("instances of the classes that they are of", function()
      local found = sorted:filter { n = modm.gte(8) }:list()
      assert.matches("^qs.Post%(", tostring(found[1]))
      assert.matches("^qs.News%(", tostring(found[2]))
      assert.same({ 9, 10 }, numbers(News.objects:order_by "n":list()))
      assert.equal(10, Post.objects:count())
      assert.equal(2, News.objects:count())
    end)

    it("with one command whose conditions are joined by $and", function()
      local command = help.one(function() Post.objects:raw { n = 1 }:filter {
        title = "p1" }:list() end)
      assert.equal("posts", command.find)
      assert.same({ ["$and"] = { { n = 1 }, { t = "p1" },
        { _cls = { ["$in"] = { "qs.Post", "qs.News" } } } } }, command.filter)
      command = help.one(function() Plain.objects:all():list() end)
      assert.same({}, command.filter)
      command = help.one(function() News.objects:all():list() end)
      assert.same({ _cls = "qs.News" }, command.filter)
    end)
  end)

  describe("where", function()
    it("takes a name and a value, or an operator between", function()
      assert.same({ 3 }, numbers(Post.objects:where("n", 3):list()))
      assert.same({ 3 }, numbers(Post.objects:where("n", modm.eq "3"):list()))
      assert.same({ 9, 10 }, numbers(sorted:where("n", ">=", "9"):list()))
      assert.same({ 10 }, numbers(sorted:where("n", ">", 9):list()))
      assert.same({ 1, 2 }, numbers(sorted:where("n", "in", { 1, 2 }):list()))
      assert.equal(8, #sorted:where("n", "not in", { 1, 2 }):list())
      assert.equal(9, #sorted:where("n", "!=", 1):list())
      assert.same({ 1 }, numbers(sorted:where("title", "matches", "^p1$"):list()))
    end)

    it("raises for nil, at the caller's line", function()
      for _, fn in ipairs {
        function() Post.objects:where("n", nil):list() end,
        function() Post.objects:where("n", ">", nil):list() end,
        function() Post.objects:where "n":list() end,
        function() Post.objects:where("n", "near", 5):list() end,
        function() Post.objects:where("n", "in", 5):list() end,
        function() Post.objects:where("m", 5):list() end,
        function() Post.objects:where(nil, 5):list() end,
      } do
        local _, here = help.raised(fn)
        assert.is_true(here)
      end
    end)
  end)

  describe("without a condition", function()
    it("raises where a condition was meant", function()
      for _, fn in ipairs {
        function() Post.objects:filter {} end,
        function() Post.objects:raw {} end,
        function() Post.objects:get {} end,
        function() Post.objects:all():filter { n = nil } end,
      } do
        local message, here = help.raised(fn)
        assert.matches("all%(%)", message)
        assert.is_true(here, message)
      end
    end)
  end)

  describe("with data that its field refuses", function()
    it("returns the error at its end", function()
      local bad = Post.objects:filter { n = "many" }:order_by "n":limit(2)
      for _, method in ipairs { "list", "first", "get", "count", "delete" } do
        local result, message, err = bad[method](bad)
        assert.is_nil(result, method)
        assert.equal("ValidationError", err.kind)
        assert.matches("^qs.Post%.n: ", message)
        assert.equal(1, #err.errors.n)
        assert.equal("qs.Post", err.model)
      end
      assert.equal("ValidationError", (select(3, bad:update { ["$set"] = { n = 1 } })).kind)
      assert.equal("ValidationError", (select(3, bad:aggregate({ ["$limit"] = 1 }):list())).kind)
      local ok, err = pcall(bad.iter, bad)
      assert.is_false(ok)
      assert.equal("ValidationError", err.kind)
      assert.equal("ValidationError", (select(3, bad:slice(1, 0):list())).kind)
      assert.equal("ValidationError", (select(3, Post.objects:raw { n = "\255" }:list())).kind)
      assert.equal(10, Post.objects:count())
    end)
  end)

  describe("orders", function()
    local first = function(...) return Post.objects:order_by(...):first().n end

    it("by names, pairs and lists of them", function()
      assert.equal(10, first "-n")
      assert.equal(1, first "n")
      assert.equal(10, first { "n", -1 })
      assert.equal(10, first { { "body", 1 }, { "n", -1 } })
      assert.equal(10, first { "body", "-n" })
      assert.equal(10, first("body", "-n"))
    end)

    it("by stored names, dotted too", function()
      local command = help.one(function()
        Post.objects:order_by { { "title", -1 }, "address.city", "-_id" }:list()
      end)
      assert.equal(require "modm.core".encode(modm.ordered { { "t", -1 }, { "address.c", 1 }, {
        "_id", -1 } }),
        require "modm.core".encode(command.sort))
    end)

    it("the other way round", function()
      assert.equal(10, sorted:reverse():first().n)
      assert.equal(1, sorted:reverse():reverse():first().n)
      assert.is_nil(help.one(function() Post.objects:all():reverse():list() end).sort)
    end)

    it("and raises for what is no order", function()
      for _, fn in ipairs {
        function() Post.objects:order_by "m" end,
        function() Post.objects:order_by { "n", 2 } end,
        function() Post.objects:order_by(5) end,
        function() Post.objects:order_by { { 5, 1 } } end,
      } do
        local _, here = help.raised(fn)
        assert.is_true(here)
      end
    end)
  end)

  describe("slices", function()
    it("are counted from 1, both ends included, and compose", function()
      assert.same({ 3, 4, 5 }, numbers(sorted:slice(3, 5):list()))
      assert.same({ 4 }, numbers(sorted:slice(3, 5):slice(2, 2):list()))
      assert.same({ 4, 5 }, numbers(sorted:slice(3, 5):slice(2):list()))
      assert.same({ 4, 5 }, numbers(sorted:slice(3, 5):slice(2, 100):list()))
      assert.same({ 9, 10 }, numbers(sorted:slice(9):list()))
      assert.same({ 6, 7 }, numbers(sorted:skip(5):limit(3):slice(1, 2):list()))
    end)

    it("may be empty, and then ask nothing", function()
      assert.equal(0, #help.sent(function()
        assert.same({}, sorted:slice(3, 2):list())
        assert.same({}, sorted:slice(3, 5):slice(4):list())
        assert.equal(0, sorted:slice(1, 0):count())
        assert.is_nil((sorted:slice(1, 0):first()))
        for _ in sorted:slice(1, 0):iter() do error "a document" end
        assert.equal(0, Post.objects:all():slice(1, 0):delete())
        assert.equal(0, Post.objects:all():slice(1, 0):update { ["$set"] = { n = 0 } })
      end))
      assert.same({}, sorted:slice(1, 0):aggregate({ ["$match"] = { n = 1 } }):list())
    end)

    it("of one are an index", function()
      assert.equal(3, sorted[3].n)
      assert.equal(4, sorted:slice(3, 5)[2].n)
      local ok, err = pcall(function() return sorted[11] end)
      assert.is_false(ok)
      assert.equal("DoesNotExist", err.kind)
      assert.is_false((pcall(function() return sorted:slice(3, 5)[4] end)))
      assert.is_true(select(2, help.raised(function() local _ = sorted[0] end)))
    end)

    it("take whole numbers", function()
      for _, fn in ipairs {
        function() sorted:slice(0, 1) end, function() sorted:slice(1.5) end,
        function() sorted:limit(-1) end, function() sorted:skip "x" end, function()
          sorted:skip(-1) end,
      } do
        assert.is_true(select(2, help.raised(fn)))
      end
      assert.equal(10, #sorted:limit(3):limit(0):list())
    end)
  end)

  describe("fetches", function()
    it("only some fields, and the key and class always", function()
      local command = help.one(function() sorted:only("title", "address.city"):list() end)
      assert.same({ _id = 1, _cls = 1, t = 1, ["address.c"] = 1, ["address._cls"] = 1 },
        command.projection)
      local doc = sorted:only "title":first()
      assert.equal("p1", doc.title)
      assert.truthy(doc.pk)
      assert.matches("not loaded", (help.raised(function() return doc.body end)))
      assert.equal("p9", sorted:only "title":filter { n = 9 }:first().title)
      assert.matches("^qs.News", tostring(sorted:only "title":filter { n = 9 }:first()))
    end)

    it("only what was named, once", function()
      local command = help.one(function() sorted:only "address":only("address.city",
        "title"):list() end)
      assert.same({ _id = 1, _cls = 1, t = 1, address = 1 }, command.projection)
      assert.same({ _id = 1 }, help.one(function() Plain.objects:all():only():list()
        end).projection)
    end)

    it("all but some fields, never without the key", function()
      local doc
      local command = help.one(function() doc = sorted:exclude("title", "pk"):first() end)
      assert.same({ t = 0 }, command.projection)
      assert.truthy(doc.pk)
      assert.equal("text", doc.body)
      assert.matches("not loaded", (help.raised(function() return doc.title end)))
      assert.is_nil(help.one(function() sorted:exclude "pk":list() end).projection)
    end)

    it("what saving then leaves alone", function()
      local doc = sorted:only "title":first()
      doc.title = "changed"
      local command = help.one(function() assert(doc:save()) end)
      assert.same({ ["$set"] = { t = "changed" } }, command.updates[1].u)
      local whole = Post.objects:get { pk = doc.pk }
      assert.equal("changed", whole.title)
      assert.equal("text", whole.body)
    end)

    it("by a projection in MongoDB's words", function()
      local doc = sorted:project { t = true }:first()
      assert.equal("p1", doc.title)
      assert.matches("not loaded", (help.raised(function() return doc.n end)))
      doc = sorted:project { t = 0 }:first()
      assert.equal(1, doc.n)
      assert.matches("not loaded", (help.raised(function() return doc.title end)))
      local row = sorted:values():project { _id = 0, twice = { ["$add"] = { "$n", "$n" } } }:first()
      assert.same({ twice = 2 }, row)
    end)

    it("and raises for names it does not know, and for two kinds at once", function()
      for _, fn in ipairs {
        function() sorted:only "m" end, function() sorted:exclude "m" end, function()
          sorted:only(5) end,
        function() sorted:only("title", nil) end, function() sorted:only "title":exclude "n" end,
        function() sorted:project(5) end, function() sorted:project {} end,
      } do
        assert.is_true(select(2, help.raised(fn)))
      end
    end)

    it("tables instead of instances", function()
      local row = sorted:values():first()
      assert.equal("p1", row.t)
      assert.equal("qs.Post", row._cls)
      assert.same({ c = "Bern", _cls = "qs.Address" }, row.address)
    end)
  end)

  describe("gets", function()
    it("the one document", function()
      assert.equal(3, Post.objects:get { n = "3" }.n)
      assert.equal(3, Post.objects:filter { n = 3 }:get().n)
      assert.equal(3, Post.objects:raw { t = "p3" }:get().n)
    end)

    it("with a limit of 2", function()
      assert.equal(2, help.one(function() Post.objects:get { n = 1 } end).limit)
    end)

    it("DoesNotExist and MultipleObjectsReturned, each of its model", function()
      local result, message, err = Post.objects:get { n = 99 }
      assert.is_nil(result)
      assert.equal("string", type(message))
      assert.is_true(err:is(Post.DoesNotExist))
      assert.is_true(err:is "DoesNotExist")
      assert.is_false(err:is(News.DoesNotExist))
      result, message, err = Post.objects:get { n = modm.gt(1) }
      assert.is_nil(result)
      assert.matches("several", message)
      assert.is_true(err:is(Post.MultipleObjectsReturned))
      result, message, err = News.objects:get { n = 1 }
      assert.is_nil(result)
      assert.equal(tostring(err), message)
      assert.is_true(err:is(Post.DoesNotExist))
    end)

    it("the first, within order and range", function()
      local command = help.one(function() assert.equal(3, sorted:skip(2):first().n) end)
      assert.equal(1, command.limit)
      local _, _, err = Post.objects:filter { n = 99 }:first()
      assert.is_true(err:is(Post.DoesNotExist))
    end)
  end)

  describe("counts", function()
    it("within conditions, class and range", function()
      assert.equal(10, Post.objects:count())
      assert.equal(2, News.objects:count())
      assert.equal(3, Post.objects:filter { n = modm.lte(3) }:count())
      assert.equal(2, Post.objects:skip(8):count())
      assert.equal(4, Post.objects:limit(4):count())
      assert.equal(0, Post.objects:filter { n = 99 }:count())
      assert.equal("number", type(Post.objects:count()))
    end)

    it("by an aggregation, as later servers have no count", function()
      local command = help.one(function() Post.objects:filter {
        n = 1 }:order_by "n":skip(1):count() end)
      assert.equal("posts", command.aggregate)
      assert.same({ ["$skip"] = 1 }, command.pipeline[2])
      assert.equal(3, #command.pipeline)
    end)
  end)

  describe("aggregates", function()
    it("what it finds", function()
      local rows = sorted:filter { n = modm.lte(4) }:aggregate(
        { ["$group"] = { _id = "$body", sum = { ["$sum"] = "$n" } } })
      assert.same({ { _id = "text", sum = 10 } }, rows:list())
      local n = 0
      for row in rows:iter() do n = n + row.sum end
      assert.equal(10, n)
      assert.equal(10, rows:first().sum)
      assert.is_nil(Post.objects:filter { n = 99 }:aggregate({ ["$limit"] = 1 }):first())
    end)

    it("after its own order, range and projection, in this order", function()
      local command = help.one(function()
        Plain.objects:filter { n = 1 }:only "n":order_by "-n":skip(1):limit(2)
          :aggregate({ ["$count"] = "c" }, { allowDiskUse = true, comment = "x" }):list()
      end)
      assert.same({
        { ["$match"] = { n = 1 } }, { ["$sort"] = { n = -1 } }, { ["$skip"] = 1 }, {
          ["$limit"] = 2 },
        { ["$project"] = { _id = 1, n = 1 } }, { ["$count"] = "c" },
      }, command.pipeline)
      assert.is_true(command.allowDiskUse)
      assert.equal("x", command.comment)
    end)

    it("sorts before it projects", function()
      local rows = Post.objects:order_by "-n":only "title":aggregate():list()
      assert.equal("p10", rows[1].t)
    end)

    it("and raises for what is no stage", function()
      for _, fn in ipairs {
        function() sorted:aggregate(5) end, function() sorted:aggregate({ group = 1 }, {
          ["$limit"] = 1 }) end,
        function() sorted:aggregate({ ["$limit"] = 1, ["$skip"] = 1 }, { ["$limit"] = 1 }) end,
        function() sorted:aggregate({ ["$limit"] = 1 }, nil) end,
      } do
        assert.is_true(select(2, help.raised(fn)))
      end
    end)

    it("returns the server's errors", function()
      local list, message, err = sorted:aggregate({ ["$nonsense"] = 1 }):list()
      assert.is_nil(list)
      assert.equal("ServerError", err.kind)
      assert.equal("string", type(message))
    end)
  end)

  describe("says to the server", function()
    it("hint, batch size and collation", function()
      local command = help.one(function()
        sorted:batch_size(3):hint { { "_id", 1 } }:collation "de":limit(2):list()
      end)
      assert.same({ _id = 1 }, command.hint)
      assert.equal(3, command.batchSize)
      assert.equal("de", command.collation.locale)
      assert.equal("_id_", help.one(function() sorted:hint "_id_":list() end).hint)
    end)

    it("what Meta has: read preference, read concern, collation", function()
      local Set = modm.MongoModel:extend("qs.Set", {
        n = f.CharField {},
        Meta = {
          connection_alias = "queryset", collection_name = "set", collation = { locale = "en",
            strength = 2 },
          read_preference = { mode = "secondaryPreferred" }, read_concern = { level = "local" },
        },
      })
      for _, fn in ipairs {
        function() Set.objects:all():list() end,
        function() Set.objects:count() end,
        function() Set.objects:aggregate({ ["$limit"] = 1 }):list() end,
      } do
        local command = help.one(fn)
        assert.equal("en", command.collation.locale)
        assert.equal("local", command.readConcern.level)
        assert.equal("secondaryPreferred", command["$readPreference"].mode)
      end
      assert(Set.objects:create { n = "A" })
      assert.equal(1, Set.objects:filter { n = "a" }:count())
      assert.equal(1, Set.objects:filter { n = "a" }:delete())
    end)
  end)

  describe("with select_related", function()
    local Author = modm.MongoModel:extend("qs.Author", {
      name = f.CharField {}, Meta = { connection_alias = "queryset" },
    })
    local Book = modm.MongoModel:extend("qs.Book", {
      n = f.IntegerField {}, author = f.ReferenceField { Author },
      Meta = { connection_alias = "queryset" },
    })
    local ann

    before_each(function()
      assert(Author.objects:all():delete())
      assert(Book.objects:all():delete())
      ann = assert(Author { name = "Ann" }:save())
      local books = {}
      for i = 1, 1500 do books[i] = Book { n = i, author = ann } end
      assert(Book.objects:bulk_create(books))
    end)

    local function queries_of(fn)
      local n = 0
      for _, event in ipairs(help.sent(fn)) do
        if event.command.find == "author" then n = n + 1 end
      end
      return n
    end

    it("fetches what a whole list refers to with one query", function()
      for _, set in ipairs { Book.objects:select_related(),
        Book.objects:select_related "author" } do
        assert.equal(1, queries_of(function()
          for _, book in ipairs(set:list()) do assert.equal("Ann", book.author.name) end
        end))
      end
    end)

    it("fetches along an iteration, and once what is known already", function()
      local n = 0
      assert.equal(1, queries_of(function()
        for book in Book.objects:select_related "author":iter() do
          assert.equal("Ann", book.author.name)
          n = n + 1
        end
      end))
      assert.equal(1500, n)
    end)

    it("leaves tables as they are", function()
      local row
      assert.equal(0, queries_of(function()
        row = Book.objects:select_related "author":values():first()
      end))
      assert.equal(ann.pk, row.author)
    end)
  end)

  describe("creates", function()
    it("a document, saved", function()
      local doc = assert(Post.objects:create { title = "new", n = 77 })
      assert.equal("new", Post.objects:get { pk = doc.pk }.title)
    end)

    it("none that is not valid", function()
      local doc, message, err = Post.objects:create { n = "x" }
      assert.is_nil(doc)
      assert.equal("ValidationError", err.kind)
      assert.matches("qs.Post.n", message)
    end)

    it("and raises for unknown names, at the caller's line", function()
      local message, here = help.raised(function() Post.objects:create { titel = "x" } end)
      assert.matches("titel", message)
      assert.is_true(here)
    end)
  end)

  it("returns the error of a connection that is not there", function()
    local Lost = modm.MongoModel:extend("qs.Lost", { Meta = { connection_alias = "nowhere" } })
    for _, method in ipairs { "list", "first", "count" } do
      local result, message, err = Lost.objects[method](Lost.objects)
      assert.is_nil(result)
      assert.matches("nowhere", message)
      assert.equal("ConfigurationError", err.kind)
    end
    local ok, err = pcall(function() return Lost.objects:iter() end)
    assert.is_false(ok)
    assert.equal("ConfigurationError", err.kind)
  end)

  it("returns an error for a stored document that it cannot read, after those that it can",
    function()
    assert(Plain.objects:raw { n = 3 }:update { ["$set"] = { unknown = 1 } })
    local list, message, err = sorted:list()
    assert.is_nil(list)
    assert.matches("unknown", message)
    assert.equal("OperationError", err.kind)
    local seen = {}
    local ok, raised = pcall(function() for doc in sorted:iter() do seen[#seen + 1] = doc.n end end)
    assert.is_false(ok)
    assert.equal("OperationError", raised.kind)
    assert.same({ 1, 2 }, seen)
  end)
end)
