-- References that are fetched when they are first read.
local core = require "modm.core"
local help = require "spec.relation.help"
local modm = require "modm"

local f = modm.fields
local Meta = { connection_alias = "lazy" }

help.connect "lazy"

local Company = modm.MongoModel:extend("lazy.Company", { name = f.CharField {}, Meta = Meta })
local User = modm.MongoModel:extend("lazy.User", {
  email = f.EmailField { primary_key = true },
  name = f.CharField {},
  company = f.ReferenceField { Company },
  best_friend = f.ReferenceField { "lazy.User" },
  Meta = Meta,
})
local Admin = User:extend("lazy.Admin", { level = f.IntegerField {} })
local Comment = modm.EmbeddedMongoModel:extend("lazy.Comment", {
  author = f.ReferenceField { User },
  text = f.CharField {},
})
local Post = modm.MongoModel:extend("lazy.Post", {
  title = f.CharField {},
  author = f.ReferenceField { User, mongo_name = "a" },
  readers = f.ListField { f.ReferenceField { User } },
  teams = f.ListField { f.ListField { f.ReferenceField { User } } },
  comments = f.EmbeddedModelListField { Comment },
  first = f.EmbeddedModelField { Comment },
  Meta = Meta,
})
-- Each refers to one that is defined later.
local Chicken = modm.MongoModel:extend("lazy.Chicken", {
  name = f.CharField {}, egg = f.ReferenceField { "Egg" }, Meta = Meta })
local Egg = modm.MongoModel:extend("lazy.Egg", {
  name = f.CharField {}, chicken = f.ReferenceField { "lazy.Chicken" }, Meta = Meta })

local Place = modm.EmbeddedMongoModel:extend("lazy.Place", {
  x = f.IntegerField {}, y = f.IntegerField {}, Meta = { final = true } })
local Tile = modm.MongoModel:extend("lazy.Tile", {
  place = f.EmbeddedDocumentField { Place, primary_key = true },
  name = f.CharField {},
  Meta = Meta,
})
local Piece = modm.MongoModel:extend("lazy.Piece", {
  tile = f.ReferenceField { Tile },
  seen = f.ListField { f.ReferenceField { Tile } },
  Meta = Meta,
})

local acme, jon, sam

local function post(values)
  values.title = values.title or "t"
  return help.stored(Post(values))
end

describe("a reference", function()
  setup(function()
    acme = assert(Company { name = "Acme" }:save())
    jon = assert(User { email = "jon@x.org", name = "Jon", company = acme }:save())
    sam = assert(Admin { email = "sam@x.org", name = "Sam", level = 3, best_friend = jon }:save())
  end)

  it("may have an embedded document as its key", function()
    local tile = assert(Tile { place = Place { x = 1, y = 2 }, name = "corner" }:save())
    local keys = { tile, Place { x = 1, y = 2 }, core.ordered { { "x", 1 }, { "y", 2 } } }
    for _, key in ipairs(keys) do
      local piece = Piece { tile = key, seen = { key } }
      assert(piece:save { cascade = true })
      assert.same({ x = 1, y = 2 }, piece:to_son().tile)
      assert.equal("corner", piece.tile.name)
      assert.equal("corner", piece.seen[1].name)
      local found = assert(Piece.objects:get { pk = piece.pk })
      assert(found:full_clean())
      assert.equal(1, found:id_of("tile").x)
      assert.equal("corner", found.tile.name)
      assert.equal("corner", found.seen[1].name)
      assert(found:save())
      assert.equal(piece.pk, assert(Piece.objects:get { pk = piece.pk, tile = key }).pk)
    end
    assert.equal(3, Piece.objects:count())
    for piece in Piece.objects:select_related("tile", "seen"):iter() do
      assert.same({ "corner", "corner" }, { piece.tile.name, piece.seen[1].name })
    end
    local _, message = Piece { tile = User { email = "x@x.org" } }:save()
    assert.matches("value must be an instance of lazy.Tile", message)
  end)

  it("is stored as the bare key, fetched at the first read, and kept", function()
    local doc = post { author = jon }
    assert.equal("jon@x.org", doc:to_son().a)
    local names, author = help.names(function() return doc.author end)
    assert.equal("find user", names)
    assert.equal("Jon", author.name)
    names = help.names(function() assert.equal("Jon", doc.author.name) end)
    assert.equal("", names)
    assert.is_true(rawequal(author, doc.author))
  end)

  it("is fetched by its key alone", function()
    local doc = post { author = jon }
    local command = help.sent(function() return doc.author end)[1].command
    assert.equal(1, #command.filter._id["$in"])
    assert.equal("jon@x.org", command.filter._id["$in"][1])
    assert.is_nil(command.filter._cls)
  end)

  it("takes a key in place of an instance, and fetches what it means", function()
    local doc = Post { author = "jon@x.org" }
    assert.equal("Jon", doc.author.name)
    doc.author = "sam@x.org"
    assert.equal("Sam", doc.author.name)
    doc.author = nil
    assert.is_nil(doc.author)
    assert.is_nil(doc:id_of "author")
  end)

  it("gives the model that the stored class names", function()
    local doc = post { author = "sam@x.org" }
    assert.equal(Admin, core.model_of(doc.author))
    assert.equal(3, doc.author.level)
  end)

  it("to another model of the collection is an error that says so", function()
    local Chief = modm.MongoModel:extend("lazy.Chief", {
      admin = f.ReferenceField { Admin }, Meta = Meta })
    local ok, err = pcall(function() return help.stored(Chief { admin = "jon@x.org" }).admin end)
    assert.is_false(ok)
    assert.equal("OperationError", err.kind)
    assert.matches("lazy.User", tostring(err))
  end)

  it("finds its model by name, in itself too", function()
    local doc = assert(User.objects:get { pk = "sam@x.org" })
    assert.equal("Acme", doc.best_friend.company.name)
    assert.is_nil(doc.best_friend.best_friend)
  end)

  it("may be mutual", function()
    local egg = assert(Egg { name = "e" }:save())
    local chicken = assert(Chicken { name = "c", egg = egg }:save())
    egg.chicken = chicken
    assert(egg:save())
    egg = assert(Egg.objects:get { name = "e" })
    assert.equal("c", egg.chicken.egg.chicken.name)
  end)

  it("to a model that does not exist raises", function()
    local Lost = modm.MongoModel:extend("lazy.Lost", {
      to = f.ReferenceField { "NoSuchModel" }, Meta = Meta })
    local ok, err = pcall(function() return Lost { to = "x" }.to end)
    assert.is_false(ok)
    assert.matches("NoSuchModel", tostring(err))
  end)

  it("gives its key without a query", function()
    local doc = post { author = jon, readers = { jon, sam } }
    local names = help.names(function()
      assert.equal("jon@x.org", doc:id_of "author")
      assert.same({ "jon@x.org", "sam@x.org" }, doc:id_of "readers")
    end)
    assert.equal("", names)
    assert.equal("Jon", doc.author.name)
    assert.equal("jon@x.org", doc:id_of "author")
  end)

  it("raises the error object when the server fails", function()
    modm.connect("mongodb://127.0.0.1:1/none", { alias = "nowhere", serverSelectionTimeoutMS = 50 })
    local Far = modm.MongoModel:extend("lazy.Far", { Meta = { connection_alias = "nowhere" } })
    local Near = modm.MongoModel:extend("lazy.Near", {
      far = f.ReferenceField { Far }, Meta = Meta })
    local doc = Near { far = modm.ObjectId() }
    local ok, err = pcall(function() return doc.far end)
    assert.is_false(ok)
    assert.is_string(err.kind)
    modm.disconnect "nowhere"
  end)
end)

describe("references in lists and embedded documents", function()
  it("come with one query for the list, into the list itself", function()
    local doc = post { readers = { jon, sam, jon } }
    local names, list = help.names(function() return doc.readers end)
    assert.equal("find user", names)
    assert.equal("Jon", list[1].name)
    assert.equal("Sam", list[2].name)
    assert.is_true(rawequal(list[1], list[3]))
    assert.equal("", help.names(function() return doc.readers[2].name end))
    assert.is_true(rawequal(list, doc.readers))
  end)

  it("lie in lists of lists", function()
    local doc = post { teams = { { jon }, {}, { sam, jon } } }
    local names = help.names(function() assert.equal("Jon", doc.teams[3][2].name) end)
    assert.equal("find user", names)
    assert.equal("Sam", doc.teams[3][1].name)
    assert.equal(0, #doc.teams[2])
  end)

  it("lie in embedded documents", function()
    local doc = post {
      comments = { Comment { author = jon, text = "1" }, Comment { author = "sam@x.org" } },
      first = Comment { author = sam },
    }
    assert.equal("Jon", doc.comments[1].author.name)
    assert.equal("Sam", doc.comments[2].author.name)
    assert.equal("find user", (help.names(function() return doc.first.author end)))
    assert.equal("", (help.names(function() return doc.first.author end)))
  end)

  it("are not written back when they were only read", function()
    local doc = post { author = jon, readers = { jon, sam }, first = Comment { author = jon } }
    assert.equal("JonJonJon", doc.author.name .. doc.readers[1].name .. doc.first.author.name)
    assert.equal("", help.names(function() assert(doc:save()) end))
  end)
end)

describe("a key that points nowhere", function()
  it("reads as nil, once asked for, and is written back as it is", function()
    local doc = post { author = "gone@x.org" }
    assert.equal("find user", (help.names(function() assert.is_nil(doc.author) end)))
    assert.equal("", (help.names(function() assert.is_nil(doc.author) end)))
    assert.equal("gone@x.org", doc:id_of "author")
    doc.title = "new"
    local command = help.sent(function() assert(doc:save()) end)[1].command
    assert.same({ ["$set"] = { title = "new" } }, command.updates[1].u)
    assert.equal("gone@x.org", assert(Post.objects:get { pk = doc.pk }):id_of "author")
  end)

  it("keeps its place in a list", function()
    local doc = post { readers = { "gone@x.org", jon, "lost@x.org" } }
    local list
    assert.equal("find user", (help.names(function() list = doc.readers end)))
    assert.equal("gone@x.org", list[1])
    assert.equal("Jon", list[2].name)
    assert.equal("lost@x.org", list[3])
    assert.equal("", (help.names(function() return doc.readers end)))
    assert.equal("", (help.names(function() assert(doc:save()) end)))
    list[4] = sam
    assert(doc:save())
    assert.same({ "gone@x.org", "jon@x.org", "lost@x.org", "sam@x.org" },
      assert(Post.objects:get { pk = doc.pk }):id_of "readers")
  end)

  it("may be null in a list", function()
    local doc = Post { readers = { modm.null, jon } }
    assert.equal("Jon", doc.readers[2].name)
    assert.equal(modm.null, doc.readers[1])
  end)
end)

describe("no_auto_dereference", function()
  it("gives keys, without a query, and what fn returned", function()
    local doc = post { author = jon, readers = { jon, sam }, first = Comment { author = jon } }
    local names = help.names(function()
      local a, b, c, d = modm.no_auto_dereference(Post, function()
        return doc.author, doc.readers[2], doc.first.author, nil
      end)
      assert.equal("jon@x.org", a)
      assert.equal("sam@x.org", b)
      assert.equal("jon@x.org", c)
      assert.is_nil(d)
    end)
    assert.equal("", names)
    assert.equal("Jon", doc.author.name)
    assert.equal("Sam", doc.readers[2].name)
  end)

  it("is restored when fn raises, and may be nested", function()
    local doc = post { author = jon }
    local ok, err = pcall(modm.no_auto_dereference, Post, function()
      modm.no_auto_dereference(Post, function() assert.equal("jon@x.org", doc.author) end)
      assert.equal("jon@x.org", doc.author)
      error({ mine = true })
    end)
    assert.is_false(ok)
    assert.is_true(err.mine)
    assert.equal("Jon", doc.author.name)
  end)

  it("holds for documents that extend the model, and for no other model", function()
    local Special = Post:extend("lazy.Special", {})
    local doc = help.stored(Special { author = sam })
    modm.no_auto_dereference(Post, function()
      assert.equal("sam@x.org", doc.author)
      assert.equal("Jon", assert(User.objects:get { pk = "sam@x.org" }).best_friend.name)
    end)
    modm.no_auto_dereference(Special, function()
      assert.equal("Jon", post { author = jon }.author.name)
    end)
  end)

  it("holds for the coroutine that runs alone", function()
    local doc, other = post { author = jon }, post { author = jon }
    local inside = coroutine.create(function()
      return modm.no_auto_dereference(Post, function()
        coroutine.yield(doc.author)
        return doc.author
      end)
    end)
    local _, first = coroutine.resume(inside)
    assert.equal("jon@x.org", first)
    assert.equal("Jon", other.author.name)
    local _, second = coroutine.resume(inside)
    assert.equal("jon@x.org", second)
    assert.equal("Jon", doc.author.name)
    modm.no_auto_dereference(Post, function()
      local fresh = post { author = jon }
      assert.equal("Jon", coroutine.wrap(function() return fresh.author end)().name)
    end)
  end)

  it("refuses what is no model or no function", function()
    assert.error_matches(function() modm.no_auto_dereference({}, print) end, "a model expected")
    assert.error_matches(function() modm.no_auto_dereference(Post, 1) end, "a function expected")
  end)
end)

describe("saving with cascade", function()
  it("saves what references hold, each once", function()
    local friend = User { email = "new@x.org", name = "New" }
    local doc = Post { author = friend, readers = { friend }, first = Comment { author = friend } }
    local names = help.names(function() assert(doc:save { cascade = true }) end)
    assert.matches("user", names)
    local _, count = names:gsub("user", "")
    assert.equal(1, count)
    doc = assert(Post.objects:get { pk = doc.pk })
    doc.author.name = "Newer"
    assert(doc:save { cascade = true })
    assert.equal("Newer", assert(User.objects:get { pk = "new@x.org" }).name)
  end)

  it("fetches nothing for it", function()
    local doc = post { author = jon, readers = { jon } }
    assert.equal("", help.names(function() assert(doc:save { cascade = true }) end))
  end)
end)
