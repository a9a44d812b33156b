-- What programs that come from PyMODM rely on in querysets, rule by rule.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "rules"

local Post = modm.MongoModel:extend("rules.Post", {
  title = f.CharField { mongo_name = "t" },
  n = f.IntegerField { mongo_name = "number" },
  Meta = { connection_alias = "rules" },
})
local News = Post:extend("rules.News", {})

local function numbers(set) return table.concat(help.pluck(assert(set:list()), "n"), " ") end

describe("a queryset, as in PyMODM,", function()
  before_each(function()
    assert(Post.objects:all():delete())
    local docs = {}
    for i = 1, 6 do docs[i] = (i == 6 and News or Post) { title = "t" .. i % 2, n = i } end
    assert(Post.objects:bulk_create(docs))
  end)

  local sorted = Post.objects:order_by "n"

  it("asks anew each time", function()
    local set = sorted:filter { n = modm.lte(2) }
    assert.equal(2, #help.sent(function()
      assert.equal("1 2", numbers(set))
      assert.equal("1 2", numbers(set))
    end))
    assert(Post { n = 0 }:save())
    assert.equal("0 1 2", numbers(set))
  end)

  it("joins what raw is given by $and, in any number", function()
    local set = sorted:raw { t = "t1" }:raw { number = { ["$gt"] = 1 } }:raw { number = {
      ["$lt"] = 5 } }
    assert.equal("3", numbers(set))
    assert.equal("3 5", numbers(sorted:raw { t = "t1" }:filter { n = modm.gt(1) }))
  end)

  it("takes the last limit, skip and order that it is given", function()
    assert.equal("1 2", numbers(sorted:limit(5):limit(2)))
    assert.equal("5 6", numbers(sorted:skip(1):skip(4)))
    assert.equal("6", numbers(sorted:order_by "-n":limit(1)))
    assert.equal("1 2 3 4 5 6", numbers(sorted:limit(2):limit(0)))
    assert.equal("1 2 3 4 5 6", numbers(sorted:skip(2):skip(0)))
  end)

  it("leaves what was there before a step as it was", function()
    local base = sorted:filter { title = "t1" }
    base:limit(1)
    base:skip(1)
    base:order_by "-n"
    base:reverse()
    base:values()
    base:only "title"
    base:filter { n = 1 }
    assert.equal("1 3 5", numbers(base))
  end)

  it("takes stored names wherever it takes the model's", function()
    assert.equal("6 5", numbers(Post.objects:order_by "-number":limit(2)))
    assert.equal(6, Post.objects:order_by { { "number", -1 } }:first().n)
    assert.equal("t1", Post.objects:only "t":get { number = 1 }.title)
    assert.is_false((pcall(function() return sorted:exclude "t":first().title end)))
    assert.equal("1", numbers(Post.objects:filter { number = "1" }))
    assert.equal("1", numbers(Post.objects:where("number", 1)))
  end)

  it("finds a model's documents and those of the models that extend it", function()
    assert.equal("6", numbers(News.objects))
    assert.equal(6, Post.objects:count())
    assert.matches("^rules.News%(", tostring(Post.objects:get { n = 6 }))
  end)

  it("gives tables under stored names, with _cls, at every end", function()
    local values = sorted:values()
    assert.equal("t1", values:first().t)
    assert.equal("rules.Post", values:get { n = 2 }._cls)
    assert.equal(6, values:list()[6].number)
    for row in values:iter() do assert.is_nil(row.title) end
    assert.equal(1, values[1].number)
  end)

  it("gets within its own conditions, order and range", function()
    assert.equal(6, sorted:filter { n = modm.gt(5) }:get().n)
    assert.equal(2, sorted:skip(1):limit(1):get().n)
    assert.is_true(select(3, sorted:filter { n = 1 }:get { title = "t0" }):is(Post.DoesNotExist))
    assert.is_true(select(3, sorted:limit(2):get()):is(Post.MultipleObjectsReturned))
    assert.is_true(select(3, sorted:skip(9):first()):is(Post.DoesNotExist))
  end)

  it("creates as the model would, and returns the document", function()
    local doc = assert(Post.objects:filter { n = 1 }:create { title = "new", n = 9 })
    assert.equal(doc, Post.objects:get { n = 9 })
    assert.matches("^rules.News%(", tostring(assert(News.objects:create { n = 10 })))
    assert.is_nil((Post.objects:create { n = "many" }))
  end)

  it("updates what it finds and nothing else, and counts what was modified", function()
    assert.equal(3, Post.objects:filter { title = "t1" }:update { ["$set"] = { t = "odd" } })
    assert.equal(0, Post.objects:filter { title = "odd" }:update { ["$set"] = { t = "odd" } })
    assert.equal(1, News.objects:all():update { ["$inc"] = { number = 1 } })
    assert.equal("1 2 3 4 5 7", numbers(sorted))
  end)

  it("deletes what it finds and nothing else", function()
    assert.equal(1, News.objects:all():delete())
    assert.equal("1 2 3 4 5", numbers(sorted))
    assert.equal(2, sorted:all():skip(3):delete())
    assert.equal("1 2 3", numbers(sorted))
  end)

  it("is no list: it has no length, and is true without documents", function()
    assert.is_false((pcall(function() return #Post.objects:filter { n = 99 }[1] end)))
    assert.truthy(Post.objects:filter { n = 99 })
  end)
end)
