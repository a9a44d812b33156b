-- References of many documents at once: dereference and select_related.
local help = require "spec.relation.help"
local modm = require "modm"
local server = require "spec.support.server"

local f = modm.fields
local Meta = { connection_alias = "batch" }

help.connect "batch"
help.connect "batch_other"

local City = modm.MongoModel:extend("batch.City", { name = f.CharField {}, Meta = Meta })
local Company = modm.MongoModel:extend("batch.Company", {
  name = f.CharField {}, city = f.ReferenceField { City }, Meta = Meta })
local User = modm.MongoModel:extend("batch.User", {
  name = f.CharField { primary_key = true },
  company = f.ReferenceField { Company, mongo_name = "c" },
  friend = f.ReferenceField { "batch.User" },
  Meta = Meta,
})
local Admin = User:extend("batch.Admin", { city = f.ReferenceField { City } })
local Note = modm.EmbeddedMongoModel:extend("batch.Note", {
  by = f.ReferenceField { User },
  answers = f.EmbeddedModelListField { "batch.Note" },
})
local Post = modm.MongoModel:extend("batch.Post", {
  n = f.IntegerField {},
  author = f.ReferenceField { User },
  readers = f.ListField { f.ReferenceField { User } },
  note = f.EmbeddedModelField { Note },
  notes = f.EmbeddedModelListField { Note },
  Meta = Meta,
})
-- A collection of the same name on another connection.
local Stranger = modm.MongoModel:extend("batch.Stranger", {
  name = f.CharField { primary_key = true }, word = f.CharField {},
  Meta = { connection_alias = "batch_other", collection_name = "user" },
})
local Number = modm.MongoModel:extend("batch.Number", {
  n = f.IntegerField { primary_key = true }, Meta = Meta })

local acme, jon, sam, arya

local function posts(list)
  assert(Post.objects:all():delete())
  for i, values in ipairs(list) do values.n = i end
  local docs = {}
  for i, values in ipairs(list) do docs[i] = Post(values) end
  assert(Post.objects:bulk_create(docs))
  return Post.objects:all():order_by "n"
end

setup(function()
  local town = assert(City { name = "Town" }:save())
  acme = assert(Company { name = "Acme", city = town }:save())
  jon = assert(User { name = "jon", company = acme }:save())
  sam = assert(Admin { name = "sam", friend = jon, city = town }:save())
  arya = assert(User { name = "arya", company = acme, friend = sam }:save())
end)

describe("select_related", function()
  it("asks once for a collection and level, and each document is one instance", function()
    local set = posts { { author = jon }, { author = sam }, { author = jon }, {} }
    local names, list = help.names(function()
      return assert(set:select_related("author"):list())
    end)
    assert.equal("find post, find user", names)
    names = help.names(function()
      assert.equal("jon", list[1].author.name)
      assert.equal("sam", list[2].author.name)
      assert.is_true(rawequal(list[1].author, list[3].author))
      assert.is_nil(list[4].author)
    end)
    assert.equal("", names)
  end)

  it("asks for each key once, and for no unset one", function()
    local set = posts { { author = jon }, { author = jon }, { author = sam }, {} }
    local sent = help.sent(function() assert(set:select_related("author"):list()) end)
    assert.equal(2, #sent[2].command.filter._id["$in"])
  end)

  it("asks nothing where nothing is referred to", function()
    local set = posts { {}, { readers = {} } }
    assert.equal("find post", (help.names(function() assert(set:select_related():list()) end)))
  end)

  it("without names takes all references of the documents and of those embedded in them", function()
    local set = posts {
      { author = jon, readers = { sam },
        note = Note { by = arya, answers = { Note { by = jon } } } },
      { notes = { Note { by = sam }, Note { by = "gone" } } },
    }
    local names, list = help.names(function() return assert(set:select_related():list()) end)
    assert.equal("find post, find user", names)
    names = help.names(function()
      assert.equal("jon", list[1].author.name)
      assert.equal("sam", list[1].readers[1].name)
      assert.equal("arya", list[1].note.by.name)
      assert.equal("jon", list[1].note.answers[1].by.name)
      assert.equal("sam", list[2].notes[1].by.name)
      assert.is_nil(list[2].notes[2].by)
    end)
    assert.equal("", names)
    assert.equal("find company", (help.names(function() return list[1].author.company end)))
  end)

  it("follows dotted names level by level", function()
    local set = posts { { author = jon }, { author = arya, readers = { arya, sam } } }
    local names, list = help.names(function()
      return assert(set:select_related("author.company.city", "readers.company"):list())
    end)
    assert.equal("find post, find user, find company, find city", names)
    names = help.names(function()
      assert.equal("Town", list[2].author.company.city.name)
      assert.equal("Acme", list[2].readers[1].company.name)
    end)
    assert.equal("", names)
  end)

  it("goes through embedded documents and their lists", function()
    local set = posts {
      { notes = { Note { by = jon }, Note { by = arya } }, note = Note { by = sam } } }
    local names, list = help.names(function()
      return assert(set:select_related("notes.by.company"):list())
    end)
    assert.equal("find post, find user, find company", names)
    assert.equal("", (help.names(function() return list[1].notes[2].by.company.name end)))
    assert.equal("find user", (help.names(function() return list[1].note.by end)))
  end)

  it("takes all that an embedded document refers to when its name is the last", function()
    local set = posts {
      { author = jon, note = Note { by = sam, answers = { Note { by = arya } } } } }
    local names, list = help.names(function() return assert(set:select_related("note"):list()) end)
    assert.equal("find post, find user", names)
    assert.equal("", (help.names(function() return list[1].note.answers[1].by.name end)))
    assert.equal("find user", (help.names(function() return list[1].author.name end)))
  end)

  it("knows what a model that extends the target has besides", function()
    local set = posts { { author = sam }, { author = jon } }
    local names, list = help.names(function()
      return assert(set:select_related("author.city"):list())
    end)
    assert.equal("find post, find user, find city", names)
    assert.equal("Town", list[1].author.city.name)
  end)

  it("leaves lists as they were, with dangling keys in their places", function()
    local set = posts { { readers = { "gone", jon, "lost" } } }
    local list = assert(set:select_related("readers"):list())
    assert.equal("", (help.names(function()
      assert.equal("gone", list[1].readers[1])
      assert.equal("jon", list[1].readers[2].name)
      assert.equal("lost", list[1].readers[3])
      assert(list[1]:save())
    end)))
  end)

  it("takes its session along an iteration", function()
    local list = {}
    for i = 1, 2300 do list[i] = { author = i % 2 == 0 and jon or sam } end
    local set = posts(list)
    local n, first = 0, nil
    local names = help.names(function()
      for post in set:select_related("author"):iter() do
        n = n + 1
        first = first or post.author
        if n % 2 == 1 then assert.is_true(rawequal(first, post.author)) end
      end
    end)
    assert.equal(2300, n)
    assert.equal(1, select(2, names:gsub("find user", "")))
  end)
end)

describe("dereference", function()
  it("resolves one document, and gives it back", function()
    local set = posts { { author = jon, note = Note { by = sam } } }
    local doc = assert(set:first())
    local names, back = help.names(function()
      return assert(doc:dereference { "author.company" })
    end)
    assert.equal("find user, find company", names)
    assert.is_true(rawequal(doc, back))
    assert.equal("Acme", doc.author.company.name)
    assert.is_true(rawequal(doc, assert(modm.dereference(doc))))
    assert.equal("", (help.names(function() return doc.note.by.name end)))
  end)

  it("does not fetch again what is resolved, but follows it", function()
    local set = posts { { author = arya }, { author = jon } }
    local list = assert(set:list())
    assert.equal("arya", list[1].author.name)
    local sent = help.sent(function() assert(modm.dereference(list, { "author.company" })) end)
    assert.equal(2, #sent)
    assert.equal("jon", sent[1].command.filter._id["$in"][1])
    assert.equal("company", sent[2].command.find)
    assert.equal("", (help.names(function()
      assert(modm.dereference(list, { "author.company" }))
    end)))
  end)

  it("takes new documents and assigned keys", function()
    local doc = Post { author = "jon", readers = { "sam", arya }, notes = { Note { by = "gone" } } }
    assert.equal("find user", (help.names(function() assert(modm.dereference { doc }) end)))
    assert.equal("", (help.names(function()
      assert.equal("jon", doc.author.name)
      assert.equal("sam", doc.readers[1].name)
      assert.is_true(rawequal(arya, doc.readers[2]))
      assert.is_nil(doc.notes[1].by)
    end)))
  end)

  it("ends where references are circular", function()
    local one, two = User { name = "one" }, User { name = "two" }
    one.friend, two.friend = two, one
    assert(two:save { full_clean = false })
    assert(one:save())
    one = assert(User.objects:get { pk = "one" })
    local names = help.names(function()
      assert(one:dereference())
      assert(one:dereference { "friend.friend.friend" })
    end)
    assert.equal("find user, find user, find user", names)
    assert.equal("two", one.friend.friend.friend.name)
    assert(one:dereference { "friend.friend.friend" })
    one.friend = one
    assert(one:dereference { "friend.friend.friend.friend" })
  end)

  it("keeps collections of one name on different connections apart", function()
    assert(Stranger { name = "jon", word = "hi" }:save())
    local Both = modm.MongoModel:extend("batch.Both", {
      user = f.ReferenceField { User }, stranger = f.ReferenceField { Stranger }, Meta = Meta })
    local doc = help.stored(Both { user = "jon", stranger = "jon" })
    assert.equal("find user, find user", (help.names(function() assert(doc:dereference()) end)))
    assert.equal("hi", doc.stranger.word)
    assert.equal("jon", doc.user.name)
  end)

  it("asks the collections in the order of the fields, at each level", function()
    local first, second, definition = {}, {}, { Meta = Meta }
    for i = 1, 8 do
      local Leaf = modm.MongoModel:extend("batch.OrderLeaf" .. i, { Meta = Meta })
      local Twig = modm.MongoModel:extend("batch.OrderTwig" .. i, {
        leaf = f.ReferenceField { Leaf }, Meta = Meta })
      definition["a" .. i] = f.ReferenceField { Twig }
      first[i], second[i] = "find order_twig" .. i, "find order_leaf" .. i
    end
    local Tree = modm.MongoModel:extend("batch.OrderTree", definition)
    local tree, paths = Tree {}, {}
    local registry = require "modm.registry"
    for i = 1, 8 do
      local leaf = assert(registry.find("batch.OrderLeaf" .. i).model {}:save())
      local twig = registry.find("batch.OrderTwig" .. i).model { leaf = leaf }
      tree["a" .. i] = assert(twig:save())
      paths[i] = ("a%d.leaf"):format(9 - i)
    end
    tree = help.stored(tree)
    assert.equal(table.concat(first, ", ") .. ", " .. table.concat(second, ", "),
      (help.names(function() assert(tree:dereference(paths)) end)))
  end)

  it("keeps documents of different collections apart that have the same key", function()
    local Pet = modm.MongoModel:extend("batch.Pet", {
      name = f.CharField { primary_key = true }, Meta = Meta })
    local Owner = modm.MongoModel:extend("batch.Owner", {
      user = f.ReferenceField { User }, pet = f.ReferenceField { Pet }, Meta = Meta })
    local doc = help.stored(Owner { user = jon, pet = assert(Pet { name = "jon" }:save()) })
    assert.equal("find user, find pet", (help.names(function() assert(doc:dereference()) end)))
    assert.is_true(doc.user == jon and doc.pet == Pet("jon"))
    assert.is_false(doc.user == doc.pet)
  end)

  for _, final in ipairs { true, false } do
    it("finds keys that are embedded documents, " .. (final and "final" or "with _cls"), function()
      local Place = modm.EmbeddedMongoModel:extend("batch.Place", {
        row = f.IntegerField {}, seat = f.IntegerField {}, Meta = { final = final } })
      local Seat = modm.MongoModel:extend("batch.Seat", {
        place = f.EmbeddedModelField { Place, primary_key = true }, kind = f.CharField {},
        Meta = Meta,
      })
      local Visit = modm.MongoModel:extend("batch.Visit", {
        seats = f.ListField { f.ReferenceField { Seat } }, Meta = Meta })
      assert(Seat.objects:all():delete())
      local seats = {}
      for i = 1, 2 do seats[i] = assert(Seat { place = Place(4, i), kind = "k" .. i }:save()) end
      local visit = help.stored(Visit { seats = seats })
      assert.equal("k1", visit.seats[1].kind)
      assert.equal(2, visit.seats[2].place.seat)
      visit = assert(Visit.objects:get { pk = visit.pk })
      assert.equal("find seat", (help.names(function() assert(visit:dereference()) end)))
      assert.equal("k2", visit.seats[2].kind)
    end)
  end

  it("asks once for a model and what extends it", function()
    local Mixed = modm.MongoModel:extend("batch.Mixed", {
      user = f.ReferenceField { User }, admin = f.ReferenceField { Admin }, Meta = Meta })
    local doc = help.stored(Mixed { user = sam, admin = sam })
    assert.equal("find user", (help.names(function() assert(doc:dereference()) end)))
    assert.is_true(rawequal(doc.user, doc.admin))
    local bad = help.stored(Mixed { user = jon, admin = "jon" })
    local ok, message, err = bad:dereference()
    assert.is_nil(ok)
    assert.equal("OperationError", err.kind)
    assert.matches("batch.Mixed.admin refers to a batch.Admin, but .* is a batch.User", message)
  end)

  it("finds a number whatever its type", function()
    local core = require "modm.core"
    local Counter = modm.MongoModel:extend("batch.Counter", {
      number = f.ReferenceField { Number }, Meta = Meta })
    assert(Number { n = 7 }:save())
    local registry = require "modm.registry"
    for _, key in ipairs { modm.Int64(7), 7.0 } do
      local doc = core.from_bytes(registry.meta(Counter).schema,
        core.encode { number = key, _cls = "batch.Counter" })
      assert.equal(7, doc.number.n)
      doc = core.from_bytes(registry.meta(Counter).schema,
        core.encode { number = key, _cls = "batch.Counter" })
      assert(doc:dereference())
      assert.equal(7, doc.number.n)
    end
  end)

  it("resolves thousands of keys with one query", function()
    local users, list = {}, {}
    for i = 1, 2500 do
      users[i] = User { name = "u" .. i }
      list[i] = { author = "u" .. i, readers = { "u" .. 2501 - i } }
    end
    assert(User.objects:bulk_create(users))
    local set = posts(list)
    local docs = assert(set:list())
    assert.equal("find user", (help.names(function() assert(modm.dereference(docs)) end)))
    assert.equal("", (help.names(function()
      for i, doc in ipairs(docs) do
        assert.equal("u" .. i, doc.author.name)
        assert.equal("u" .. 2501 - i, doc.readers[1].name)
        assert.is_true(rawequal(doc.author, docs[2501 - i].readers[1]))
      end
    end)))
  end)

  it("leaves what was not loaded alone", function()
    local set = posts { { author = jon, readers = { sam } } }
    local doc = assert(set:only("readers"):first())
    assert(doc:dereference())
    assert.equal("sam", doc.readers[1].name)
    assert.error_matches(function() return doc.author end, "not loaded")
  end)

  it("returns the error of a document that cannot be read", function()
    local Loose = modm.MongoModel:extend("batch.Loose", { x = f.IntegerField {}, Meta = {
      connection_alias = "batch", collection_name = "strict", final = true,
      ignore_unknown_fields = true } })
    local Strict = modm.MongoModel:extend("batch.Strict", { x = f.IntegerField {}, Meta = {
      connection_alias = "batch", collection_name = "strict", final = true } })
    local Holder = modm.MongoModel:extend("batch.Holder", {
      strict = f.ReferenceField { Strict }, Meta = Meta })
    local loose = assert(Loose { x = 1 }:save())
    assert(Loose.objects:all():update { ["$set"] = { surprise = 1 } })
    local doc = help.stored(Holder { strict = loose.pk })
    local ok, message, err = doc:dereference()
    assert.is_nil(ok)
    assert.equal("OperationError", err.kind)
    assert.matches("surprise", message)
    assert.error_matches(function() return doc.strict end, "surprise")
  end)

  it("returns the error of the server", function()
    modm.connect(server.uri(server.database "gone"):gsub("127.0.0.1:%d+", "127.0.0.1:1"),
      { alias = "batch_down", serverSelectionTimeoutMS = 50 })
    local Down = modm.MongoModel:extend("batch.Down", {
      Meta = { connection_alias = "batch_down" } })
    local Up = modm.MongoModel:extend("batch.Up", { down = f.ReferenceField { Down }, Meta = Meta })
    local ok, message, err = modm.dereference(Up { down = modm.ObjectId() })
    assert.is_nil(ok)
    assert.is_string(message)
    assert.is_string(err.kind)
    modm.disconnect "batch_down"
    ok, message = modm.dereference(Up { down = modm.ObjectId() })
    assert.is_nil(ok)
    assert.matches("batch_down", message)
  end)

  it("raises what is a mistake of the program", function()
    local doc = Post {}
    local function raises(text, ...)
      local ok, err = pcall(...)
      assert.is_false(ok)
      assert.matches(text, tostring(err))
    end
    raises("batch.Post has no field 'autor'", modm.dereference, doc, { "autor" })
    raises("batch.User has no field 'x'", modm.dereference, doc, { "author.x" })
    raises("batch.Post.n is a IntegerField", modm.dereference, doc, { "n" })
    raises("a document or a list", modm.dereference, 5)
    raises("item 2", modm.dereference, { doc, {} })
    raises("strings", modm.dereference, doc, { 1 })
    raises("list of names", modm.dereference, doc, "author")
    assert.same({}, modm.dereference {})
  end)
end)
