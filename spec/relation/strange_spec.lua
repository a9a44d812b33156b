-- What may lie where references should, beside them: other values, lists within themselves, keys
-- that only look alike, and what a hook puts there meanwhile.
local core = require "modm.core"
local help = require "spec.relation.help"
local modm = require "modm"
local registry = require "modm.registry"

local f = modm.fields
local Meta = { connection_alias = "strange" }

local conn = help.connect "strange"

local User = modm.MongoModel:extend("strange.User", {
  name = f.CharField { primary_key = true }, friend = f.ReferenceField { "strange.User" },
  Meta = Meta,
})
local Note = modm.EmbeddedMongoModel:extend("strange.Note", { by = f.ReferenceField { User } })
local Number = modm.MongoModel:extend("strange.Number", {
  n = f.FloatField { primary_key = true }, Meta = Meta })
local Post = modm.MongoModel:extend("strange.Post", {
  author = f.ReferenceField { User },
  readers = f.ListField { f.ReferenceField { User } },
  teams = f.ListField { f.ListField { f.ReferenceField { User } } },
  notes = f.EmbeddedModelListField { Note },
  number = f.ReferenceField { Number },
  Meta = Meta,
})

setup(function()
  for _, name in ipairs { "jon", "sam" } do assert(User { name = name }:save()) end
end)

-- A document as others may have stored it.
local function stored(values)
  values._cls = "strange.Post"
  return core.from_bytes(registry.meta(Post).schema, core.encode(values))
end

-- What dereferencing a document sends, and the keys of each find, in order.
local function asked(doc)
  local keys = {}
  for i, event in ipairs((help.sent(function() assert(doc:dereference()) end))) do
    keys[i] = event.command.filter._id["$in"]
  end
  return keys
end

describe("where keys should be", function()
  it("may be stored null, a single key or a list in its place", function()
    local doc = stored {
      author = modm.null, readers = "jon", number = modm.null,
      teams = core.array { "jon", core.array { modm.null, "sam", "gone" }, modm.null },
    }
    assert.same({ { "sam", "gone" } }, asked(doc))
    assert.is_nil(doc.author)
    assert.equal("sam", doc.teams[2][2].name)
    assert.equal("gone", doc.teams[2][3])
    assert.equal("jon", doc.teams[1])
    assert.equal("jon", doc.readers)
    assert.same({}, asked(doc))
  end)

  it("may be assigned what is no key and no list", function()
    local doc = Post { author = print, readers = "jon", teams = { "jon", { print, "sam" } },
      notes = "none" }
    assert.same({ { "sam" } }, asked(doc))
    assert.equal("sam", doc.teams[2][2].name)
    assert.equal(print, doc.teams[2][1])
    assert.is_nil(doc.author)
    assert.equal(print, doc:id_of "author")
    doc.notes = { User { name = "x" }, "none", Note { by = "jon" } }
    assert.same({ { "jon" } }, asked(doc))
    assert.equal("jon", doc.notes[3].by.name)
  end)

  it("may be a list within itself", function()
    local doc = Post {}
    local list = { "jon" }
    list[2] = list
    doc.readers = list
    assert.same({ { "jon" } }, asked(doc))
    assert.equal("jon", doc.readers[1].name)
    assert(doc:dereference { "readers.friend" })
    local ok, message = doc:save { cascade = true }
    assert.is_nil(ok)
    assert.matches("strange.Post.readers", message, 1, true)
    doc.readers, doc.notes = nil, list
    ok, message = pcall(doc.dereference, doc)
    assert.is_false(ok)
    assert.matches("cyclic", message)
  end)
end)

describe("keys", function()
  it("may be numbers of any size, and no number", function()
    for _, n in ipairs { 1e300, -1e300, 7.5, 0 / 0 } do
      local doc = stored { number = n }
      local keys = asked(doc)
      assert.equal(1, #keys[1])
      assert.is_nil(doc.number)
      local other = assert(Number { n = n }:save())
      doc = stored { number = n }
      assert(doc:dereference())
      assert.is_true(doc.number == other or n ~= n)
      assert(other:delete())
    end
  end)

  -- Of each two the hashes are the same: of strings of one length, of two lengths, and of an
  -- ObjectId's twelve bytes and a string.
  it("are told apart where their hashes are not", function()
    local id = modm.ObjectId((("000000142905"):gsub(".", function(c)
      return ("%02x"):format(c:byte())
    end)))
    for _, pair in ipairs { { "9dc88c038de5", "aff2e42d6914" }, { "f7cc7114", "336b94af" },
      { "22d9e1f1b60e", "9f2e2fad" }, { id, "aaf68bda7d3b" } } do
      for _, name in ipairs { pair[1], pair[2] } do
        if type(name) == "string" then assert(User { name = name }:save()) end
      end
      local doc = stored { readers = core.array { pair[1], pair[2], pair[1] } }
      assert.same({ pair }, asked(doc))
      assert.equal(pair[1], type(pair[1]) == "string" and doc.readers[1].name or doc.readers[1])
      assert.equal(pair[2], doc.readers[2].name)
      assert.is_true(rawequal(doc.readers[1], doc.readers[3]) or doc.readers[1] == id)
    end
  end)

  it("of more than 4 MiB are asked for with more than one query", function()
    local long = {}
    for i = 1, 6 do long[i] = i .. ("k"):rep(1024 * 1024) end
    assert(User { name = long[6] }:save())
    local doc = stored { readers = core.array(long) }
    local keys = asked(doc)
    assert.equal(2, #keys)
    assert.equal(6, #keys[1] + #keys[2])
    assert.equal(long[6], doc.readers[6].name)
    assert.equal(long[1], doc.readers[1])
    assert(doc.readers[6]:delete())
  end)

  it("that only a collation takes for one are not", function()
    local Folded = modm.MongoModel:extend("strange.Folded", {
      name = f.CharField { primary_key = true }, Meta = Meta })
    local Holder = modm.MongoModel:extend("strange.Holder", {
      to = f.ReferenceField { Folded }, Meta = Meta })
    local meta = registry.meta(Folded)
    local _, database, collection = meta:open()
    assert(conn:run(core.command(conn.client, "write", database, core.ordered {
      { "create", collection }, { "collation", { locale = "en", strength = 2 } } })))
    assert(Folded { name = "jon" }:save())
    local doc = help.stored(Holder { to = "JON" })
    assert.equal(1, Folded.objects:filter { name = "JON" }:count())
    assert(doc:dereference())
    assert.is_nil(doc.to)
    assert.equal("JON", doc:id_of "to")
  end)
end)

describe("a hook that runs while references are fetched", function()
  local change = function() end
  local Watched = modm.MongoModel:extend("strange.Watched", {
    name = f.CharField { primary_key = true }, Meta = Meta })
  local Seen = modm.MongoModel:extend("strange.Seen", {
    author = f.ReferenceField { User },
    readers = f.ListField { f.ReferenceField { User } },
    teams = f.ListField { f.ListField { f.ReferenceField { User } } },
    to = f.ReferenceField { Watched },
    Meta = Meta,
  })
  Watched:after("load", function() change() end)

  setup(function() assert(Watched { name = "w" }:save()) end)

  it("may assign others, which are fetched when they are read", function()
    for _, before in ipairs { {}, { author = "sam", readers = { "sam" } } } do
      local doc = Seen(before)
      doc.to = "w"
      change = function()
        doc.author = "jon"
        doc.readers = { "jon", "sam" }
        doc.teams = { { "jon" }, { "sam" }, { "sam", "jon" } }
      end
      assert(doc:dereference())
      assert.equal("w", doc.to.name)
      assert.equal("jon", doc.author.name)
      assert.equal("jon", doc.readers[1].name)
      assert.equal("sam", doc.readers[2].name)
      assert.equal("sam", doc.teams[2][1].name)
      assert.equal("jon", doc.teams[3][2].name)
    end
  end)
end)
