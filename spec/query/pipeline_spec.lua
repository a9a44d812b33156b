-- Aggregations built stage by stage in the model's names.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "pipeline"

local Meta = { connection_alias = "pipeline" }
local Author = modm.MongoModel:extend("pl.Author", {
  name = f.CharField { mongo_name = "n" }, country = f.CharField { mongo_name = "c" }, Meta = Meta,
})
local Place = modm.EmbeddedMongoModel:extend("pl.Place", { city = f.CharField {
  mongo_name = "ci" } })
local Post = modm.MongoModel:extend("pl.Post", {
  title = f.CharField { mongo_name = "t" },
  likes = f.IntegerField { mongo_name = "l" },
  tags = f.ListField { f.CharField {}, mongo_name = "tg" },
  author = f.ReferenceField { Author, mongo_name = "a" },
  place = f.EmbeddedModelField { Place, mongo_name = "p" },
  Meta = Meta,
})
local News = Post:extend("pl.News", {})
local Stat = modm.EmbeddedMongoModel:extend("pl.Stat", {
  tag = f.CharField { primary_key = true }, likes = f.IntegerField { mongo_name = "sum" },
  Meta = { final = true },
})
local ann, bob = Author { name = "Ann", country = "fi" }, Author { name = "Bob", country = "se" }

-- The stages that a pipeline sends, without those of the queryset.
local function sent(pipeline, before)
  local command = help.one(function() assert(pipeline:list()) end)
  local list = {}
  for i = (before or 1) + 1, #command.pipeline do list[#list + 1] = command.pipeline[i] end
  return list
end

local function pluck(pipeline, name)
  return table.concat(help.pluck(assert(pipeline:list()), name), " ")
end

local all = Post.objects:pipeline()

describe("a pipeline", function()
  setup(function()
    assert(Author.objects:all():delete())
    assert(Author.objects:bulk_create { ann, bob })
    assert(Post.objects:bulk_create {
      Post { title = "a", likes = 1, tags = { "x", "y" }, author = ann,
        place = Place { city = "Turku" } },
      Post { title = "b", likes = 5, tags = { "y" }, author = ann },
      News { title = "c", likes = 3, author = bob },
    })
  end)

  it("begins with what the queryset finds", function()
    assert.equal("b", pluck(Post.objects:filter { likes = modm.gt(1) }:order_by "-likes":limit(1)
      :pipeline(), "t"))
    assert.equal("c", pluck(News.objects:pipeline(), "t"))
    local command = help.one(function()
      assert(Post.objects:comment "why":hint "_id_":pipeline({ allowDiskUse = true }):list())
    end)
    assert.same({ "why", "_id_", true }, { command.comment, command.hint, command.allowDiskUse })
    assert.same({}, Post.objects:all():slice(2, 1):pipeline():limit(1):list())
  end)

  it("never changes, and asks nothing before its end", function()
    assert.equal(0, #help.sent(function() all:match { likes = 1 }:limit(1):sort "likes" end))
    assert.equal(3, #all:list())
    assert.equal("modm.Pipeline of pl.Post (1 stages)", tostring(all:limit(1)))
    assert.is_false((pcall(function() all.x = 1 end)))
    local n = 0
    for row in all:iter() do n = n + row.l end
    assert.equal(9, n)
    assert.equal("a", all:sort "title":first().t)
    assert.is_nil((all:match { likes = 99 }:first()))
  end)

  it("matches as filter does", function()
    assert.equal("b", pluck(all:match { likes = "5" }, "t"))
    assert.equal("a", pluck(all:match { ["place.city"] = "Turku", tags = "y" }, "t"))
    assert.equal("a c", pluck(all:match { modm.any_of { { title = "a" }, { author = bob } } }
      :sort "title", "t"))
    assert.same({ { ["$match"] = { l = { ["$gte"] = 3 } } } },
      sent(all:match { likes = modm.gte "3" }))
    local list, message, err = all:match { likes = "many" }:limit(1):list()
    assert.is_nil(list)
    assert.equal("ValidationError", err.kind)
    assert.matches("pl.Post.likes", message)
    assert.equal("c", pluck(all:match { _cls = "pl.News" }, "t"))
  end)

  it("sorts, limits, skips and samples", function()
    assert.equal("b c", pluck(all:sort "-likes":limit(2), "t"))
    assert.equal("c a", pluck(all:sort { { "likes", -1 } }:skip(1), "t"))
    assert.equal(2, #all:sample(2):list())
    assert.same({ { ["$sort"] = { l = -1, ["p.ci"] = 1 } } },
      sent(all:sort("-likes", "place.city")))
  end)

  it("groups by expressions in the model's names", function()
    local rows = all:group { _id = "$author", sum = { ["$sum"] = "$likes" },
      most = { ["$max"] = { ["$add"] = { "$likes", 1 } } } }:sort "sum"
    assert.same({ { _id = bob.pk, sum = 3, most = 4 }, { _id = ann.pk, sum = 6, most = 6 } },
      rows:list())
    assert.equal(9, all:group { _id = modm.null, sum = { ["$sum"] = "$likes" } }:first().sum)
    assert.equal("6", pluck(rows:match { sum = modm.gt(3) }, "sum"))
    local by_city = all:group { _id = { city = "$place.city", cls = "$_cls" },
      n = { ["$sum"] = 1 } }
    assert.equal(1, by_city:match { ["_id.city"] = "Turku" }:first().n)
  end)

  it("knows $$ROOT, and leaves variables and literals alone", function()
    local stage = sent(all:add_fields {
      x = { ["$map"] = { input = "$tags", as = "title", ["in"] = "$$title" } },
      y = { ["$literal"] = "$title" }, z = "$$ROOT.place.city", w = "$$ROOT", v = "$$CURRENT.likes",
    })[1]["$addFields"]
    assert.same({ input = "$tg", as = "title", ["in"] = "$$title" }, stage.x["$map"])
    assert.same({ { ["$literal"] = "$title" }, "$$ROOT.p.ci", "$$ROOT", "$$CURRENT.l" },
      { stage.y, stage.z, stage.w, stage.v })
  end)

  it("keeps the order and the kind of tables in expressions", function()
    local spec = modm.ordered { { "z", "$likes" }, { "a", modm.array {} }, { "m", "$title" } }
    local stage = sent(all:add_fields { x = spec })[1]["$addFields"]
    assert.equal(core.encode(modm.ordered { { "z", "$l" }, { "a", modm.array {} }, { "m", "$t" } }),
      core.encode(stage.x))
    assert.equal("$likes", spec.z)
  end)

  it("projects fields, and computes some", function()
    assert.same({ { ["$project"] = { _id = false, t = true, ["p.ci"] = 1, double = {
      ["$multiply"] = { "$l", 2 } } } } },
      sent(all:project { _id = false, title = true, ["place.city"] = 1,
        double = { ["$multiply"] = { "$likes", 2 } } }))
    assert.same({ { ["$project"] = { t = false } } }, sent(all:project { title = false }))
    assert.equal("10 6 2", pluck(all:project { double = { ["$multiply"] = { "$likes", 2 } } }
      :sort "-double", "double"))
    assert.equal("A B C", pluck(all:project { title = { ["$toUpper"] = "$title" } }:sort "title",
      "t"))
    assert.equal("b", pluck(all:add_fields { many = { ["$gt"] = { "$likes", 3 } } }
      :match { many = true, title = "b" }, "t"))
  end)

  it("unwinds lists", function()
    local rows = all:unwind "tags":sort("title", "tags"):list()
    assert.same({ "x", "y", "y" }, help.pluck(rows, "tg"))
    assert.equal("2 1", pluck(all:unwind "tags":group { _id = "$tags", n = { ["$sum"] = 1 } }
      :sort "-n", "n"))
    rows = all:unwind("tags", { keep_empty = true, index = "place_of" }):match { title = "a" }
      :sort "-tags":list()
    assert.same({ 1, 0 }, help.pluck(rows, "place_of"))
    assert.equal(4, #all:unwind("tags", { keep_empty = true }):list())
  end)

  it("counts", function()
    assert.equal(2, all:match { likes = modm.gt(1) }:count "n":first().n)
    assert.is_nil((all:match { likes = 99 }:count "n":first()))
  end)

  it("looks up documents of other models, of their class alone", function()
    local rows = all:lookup(Author, { as = "who", local_field = "author" }):unwind "who"
      :sort { { "who.n", -1 }, "title" }:list()
    assert.same({ "c", "a", "b" }, help.pluck(rows, "t"))
    assert.equal("Bob", rows[1].who.n)
    local authors = Author.objects:order_by "name":pipeline()
    local news = authors:lookup(News, { as = "news", foreign_field = "author" }):list()
    assert.same({ 0, 1 }, { #news[1].news, #news[2].news })
    local best = authors:lookup(Post.objects:filter { likes = modm.gt(1) }:order_by "-likes"
      :limit(1), { as = "best", foreign_field = "author" }):list()
    assert.same({ "b", "c" }, { best[1].best[1].t, best[2].best[1].t })
    local titles = authors:lookup(Post.objects, { as = "posts", foreign_field = "author",
      pipeline = function(p) return p:sort "-title":project { _id = false, title = true } end })
    assert.same({ { t = "b" }, { t = "a" } }, titles:first().posts)
    assert.equal("Ann", authors:lookup(Post, { as = "posts", foreign_field = "author" })
      :match { ["posts.t"] = "b" }:first().n)
  end)

  it("looks up in the collection that a scope sets, and not in other databases", function()
    local Far = modm.MongoModel:extend("pl.Far", { Meta = { connection_alias = "pl-far" } })
    help.connect "pl-far"
    local looked = all:lookup(Far, { as = "x", local_field = "author" })
    local list, message, err = looked:list()
    assert.is_nil(list)
    assert.equal("OperationError", err.kind)
    assert.matches("pl.Far, which is in another database", message)
    looked = all:lookup(Author, { as = "x", local_field = "author" })
    local command = help.one(function()
      modm.switch_collection(Author, "elsewhere", function() assert(looked:list()) end)
    end)
    assert.equal("elsewhere", command.pipeline[2]["$lookup"].from)
  end)

  it("returns what the queryset of a lookup could not take", function()
    local bad = Author.objects:filter { pk = "short" }
    local _, _, err = all:lookup(bad, { as = "x", local_field = "author" }):list()
    assert.equal("ValidationError", err.kind)
    _, _, err = all:lookup(Post, { as = "x", local_field = "author",
      pipeline = function(p) return p:match { likes = "many" } end }):list()
    assert.equal("ValidationError", err.kind)
  end)

  it("has facets", function()
    local row = all:facet {
      top = function(p) return p:sort "-likes":limit(1):project { title = true } end,
      sum = function(p) return p:group { _id = modm.null, n = { ["$sum"] = "$likes" } } end,
      who = function(p) return p:lookup(Author, { as = "w", local_field = "author" }):limit(1) end,
    }:first()
    assert.same({ "b", 9, 1 }, { row.top[1].t, row.sum[1].n, #row.who[1].w })
  end)

  it("takes stages in MongoDB's own words", function()
    assert.same({ { ["$match"] = { l = 1 } }, { ["$sort"] = { t = 1 } } },
      sent(all:stage { ["$match"] = { l = 1 } }:sort "title"))
    assert.equal("3 1", pluck(all:stage { ["$bucket"] = { groupBy = "$l", boundaries = { 0, 3, 9 },
      output = { n = { ["$sum"] = 1 } } } }:project { n = true }:sort "-_id", "_id"):gsub("0", "1"))
    assert.same({ "a", "b", "c" }, help.pluck(Post.objects:order_by "title":pipeline()
      :stage { ["$set"] = { x = 1 } }:sort "t":list(), "t"))
  end)

  describe("gives documents", function()
    it("of its model, while they are whole", function()
      local list = all:match { likes = modm.gt(1) }:sort "-likes":limit(2):as(Post):list()
      assert.same({ "b", "c" }, help.pluck(list, "title"))
      assert.matches("^pl.News%(", tostring(list[2]))
      list[1].likes = 6
      assert.same({ ["$set"] = { l = 6 } },
        help.one(function() assert(list[1]:save()) end).updates[1].u)
      list[1].likes = 5
      assert(list[1]:save())
      local part = Post.objects:only "title":pipeline():match { title = "a" }:as(Post):first()
      assert.is_false((pcall(function() return part.likes end)))
    end)

    it("of another, that are put in their place", function()
      local authors = all:lookup(Author, { as = "who", local_field = "author" }):unwind "who"
        :replace_root "$who":sort "n":as(Author)
      assert.same({ "Ann", "Ann", "Bob" }, help.pluck(authors:list(), "name"))
    end)

    it("of an embedded model, which says what they look like", function()
      local stats = all:unwind "tags":group { _id = "$tags", sum = { ["$sum"] = "$likes" } }
        :sort "-sum":as(Stat)
      assert.same({ "y", "x" }, help.pluck(stats:list(), "tag"))
      for stat in stats:iter() do assert.equal("number", type(stat.likes)) end
      assert.equal(6, stats:first().likes)
      local list, message, err = all:project { title = true }:as(Stat):list()
      assert.is_nil(list)
      assert.equal("OperationError", err.kind)
      assert.matches("pl.Stat", message)
    end)
  end)

  it("returns the server's errors, and that there is no connection", function()
    assert.equal("ServerError", (select(3, all:stage { ["$nonsense"] = 1 }:list())).kind)
    local Lost = modm.MongoModel:extend("pl.Lost", { Meta = { connection_alias = "pl-lost" } })
    assert.equal("ConfigurationError", (select(3, Lost.objects:pipeline():limit(1):list())).kind)
    assert.is_false((pcall(function() all:stage { ["$nonsense"] = 1 }:iter() () end)))
  end)

  it("raises at the line of the program for what it cannot be", function()
    for i, fn in ipairs {
      function() all:match {} end, function() all:match { nothing = 1 } end,
      function() all:match { likes = nil } end, function() all:match(5) end,
      function() all:sort() end, function() all:sort "nothing" end,
      function() all:limit(0) end, function() all:limit "x" end, function() all:skip(-1) end,
      function() all:sample(0) end, function() all:group { n = { ["$sum"] = 1 } } end,
      function() all:group { _id = "$nothing" } end, function() all:group { _id = "$author.n" } end,
      function() all:project {} end, function() all:project { nothing = true } end,
      function() all:project { x = "$nothing" } end, function() all:add_fields {} end,
      function() all:unwind "nothing" end, function() all:unwind("tags", { keep = true }) end,
      function() all:unwind() end, function() all:unwind("tags", { index = "a.b" }) end,
      function() all:count() end, function() all:count "a.b" end,
      function() all:lookup(Author, { as = "x" }) end,
      function() all:lookup(Author, { local_field = "author" }) end,
      function() all:lookup(Author, { as = "x", local_field = "nothing" }) end,
      function() all:lookup(Author, { as = "x", foreign_field = "nothing" }) end,
      function() all:lookup(Place, { as = "x", local_field = "author" }) end,
      function() all:lookup("author", { as = "x", local_field = "author" }) end,
      function() all:lookup(Author, { as = "x", local_field = "author",
        pipeline = function() end }) end,
      function() all:facet {} end, function() all:facet { x = 5 } end,
      function() all:facet { x = function() return 5 end } end,
      function() all:stage { match = 1 } end, function() all:stage {} end,
      function() all:replace_root() end, function() all:as(5) end,
      function() all:project { title = true }:as(Post) end,
      function() all:group { _id = "$title" }:as(Author) end,
      function() Post.objects:pipeline { allow = true } end,
      function() all:count "n":match { x = all.match } end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, i .. ": " .. message)
    end
  end)
end)
