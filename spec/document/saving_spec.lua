-- What saving sends, seen from the states of fields, and documents of which a part was read. The
-- commands as such are in spec/query.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "documents"
local Meta = { connection_alias = "documents" }

local Address = modm.EmbeddedMongoModel:extend("states.Address", {
  city = f.CharField {}, zip = f.IntegerField { mongo_name = "z" },
    tags = f.ListField { f.CharField {} },
})
local Comment = modm.EmbeddedMongoModel:extend("states.Comment", {
  author = f.CharField {}, text = f.CharField {}, stars = f.IntegerField {},
})
local Post = modm.MongoModel:extend("states.Post", {
  title = f.CharField { mongo_name = "t" }, n = f.IntegerField {},
    tags = f.ListField { f.CharField {} },
  data = f.DictField {}, address = f.EmbeddedModelField { Address },
  comments = f.EmbeddedModelListField { Comment }, nick = f.CharField { default = "none" },
  Meta = Meta,
})

local function saved(values)
  local post = assert(Post(values):save())
  return assert(Post.objects:get { pk = post.pk })
end

-- The update that saving sends, without what libmongoc adds; nil when nothing is sent.
local function update_of(post)
  local commands = help.sent(function() assert(post:save()) end)
  assert.is_true(#commands <= 1)
  return commands[1] and commands[1].command.updates[1].u
end

describe("saving what is new", function()
  local Unique = modm.MongoModel:extend("states.Unique", {
    n = f.IntegerField {}, tags = f.ListField { f.IntegerField {} },
    address = f.EmbeddedModelField { Address },
    Meta = { connection_alias = "documents", indexes = { { { "n", 1 }, unique = true } } },
  })

  it("sends nothing for what is not valid, also before anything else was sent", function()
    for _ = 1, 2 do
      local commands = help.sent(function()
        local ok, _, err = Unique { n = "many", address = Address { zip = "x" } }:save()
        assert.is_nil(ok)
        assert.truthy(err.errors.n and err.errors.address.zip)
      end)
      assert.equal(0, #commands)
      assert(Unique.objects:get_or_create { n = 1 })
    end
  end)

  it("leaves values as their fields have them, stored or refused", function()
    for i = 1, 2 do
      local tags = { "3", 4 }
      local doc = Unique { n = "7", tags = tags, address = Address { zip = "9" } }
      local ok, _, err = doc:save()
      assert.equal(i == 1, ok ~= nil)
      assert.equal(i == 2 and "DuplicateKeyError" or nil, err and err.kind)
      assert.same({ 7, 3, 4, 9 }, { doc.n, doc.tags[1], doc.tags[2], doc.address.zip })
      assert.equal("3", tags[1])
      assert.equal(i == 1, doc.pk ~= nil)
    end
  end)
end)

describe("saving what was loaded", function()
  it("sends nothing for what was only read", function()
    local post = saved { title = "x", tags = { "a" }, data = { x = 1 },
      address = { city = "y", tags = { "t" } },
      comments = { { text = "c" } } }
    assert.is_nil(update_of(post))
    for _, value in post:pairs() do assert.truthy(value) end
    assert.equal("t", post.address.tags[1])
    assert.equal("c", post.comments[1].text)
    assert.is_nil(post.comments[1].stars)
    assert.is_nil(update_of(post))
  end)

  it("sends $set, $unset and $push for each kind of change, and nothing the next time", function()
    local post = saved { title = "x", n = 1, tags = { "a" }, data = { x = 1 },
      address = { city = "y", z = 5, tags = { "t" } }, comments = { { text = "c" } } }
    local steps = {
      { function() post.title = "z" end, { ["$set"] = { t = "z" } } },
      { function() post.n = nil end, { ["$unset"] = { n = "" } } },
      { function() post.n = "7" end, { ["$set"] = { n = 7 } } },
      { function() post.n = 8 post.n = nil end, { ["$unset"] = { n = "" } } },
      { function() post.tags[2] = "b" end, { ["$push"] = { tags = { ["$each"] = { "b" } } } } },
      { function() post.tags = { "a", "b", "c" } end,
        { ["$push"] = { tags = { ["$each"] = { "c" } } } } },
      { function() post.tags[1] = "A" end, { ["$set"] = { tags = { "A", "b", "c" } } } },
      { function() post.tags = {} end, { ["$set"] = { tags = {} } } },
      { function() post.tags[1] = "x" end, { ["$push"] = { tags = { ["$each"] = { "x" } } } } },
      { function() post.data.y = { 1 } end, { ["$set"] = { data = { x = 1, y = { 1 } } } } },
      { function() post.address.city = "Y" post.address.zip = nil end,
        { ["$set"] = { ["address.city"] = "Y" }, ["$unset"] = { ["address.z"] = "" } } },
      { function() post.address.tags[2] = "u" end,
        { ["$push"] = { ["address.tags"] = { ["$each"] = { "u" } } } } },
      { function() post.address = Address { city = "Q" } end,
        { ["$set"] = { ["address.city"] = "Q" }, ["$unset"] = { ["address.tags"] = "" } } },
      { function() post.address = nil end, { ["$unset"] = { address = "" } } },
      { function() post.comments[2] = Comment { text = "d" } end,
        { ["$push"] = { comments = { ["$each"] = { { text = "d",
          _cls = "states.Comment" } } } } } },
      { function() post.nick = "x" post.title = nil end,
        { ["$set"] = { nick = "x" }, ["$unset"] = { t = "" } } },
    }
    for _, step in ipairs(steps) do
      step[1]()
      assert.same(step[2], update_of(post))
      assert.is_nil(update_of(post))
    end
    local again = Post.objects:get { pk = post.pk }
    assert.same(again:to_son(), post:to_son())
  end)

  it("does not send what was assigned anew but is the same", function()
    local post = saved { title = "x", n = 5, tags = { "a" }, data = { x = 1 },
      address = { city = "y" } }
    post.title, post.n, post.tags, post.data = "x", "5", { "a" }, { x = 1 }
    post.address = Address { city = "y" }
    assert.is_nil(update_of(post))
  end)

  it("makes references to documents keys once they are saved", function()
    local Owner = modm.MongoModel:extend("states.Owner", { name = f.CharField {}, Meta = Meta })
    local Pet = modm.MongoModel:extend("states.Pet", { owner = f.ReferenceField { Owner },
      friends = f.ListField { f.ReferenceField { "states.Pet" } }, Meta = Meta })
    local owner = assert(Owner { name = "x" }:save())
    local pet = assert(Pet { owner = owner }:save())
    assert.equal(owner, pet.owner)
    pet.friends[1] = pet
    assert.same({ ["$set"] = { friends = { pet.pk } } }, update_of(pet))
    assert.is_nil(update_of(pet))
    pet.owner = nil
    assert.same({ ["$unset"] = { owner = "" } }, update_of(pet))
    assert.is_nil(pet.owner)
  end)

  it("stops cascades that come back", function()
    local A = modm.MongoModel:extend("states.A", { b = f.ReferenceField { "states.B" },
      n = f.IntegerField {},
      Meta = { connection_alias = "documents", cascade = true } })
    local B = modm.MongoModel:extend("states.B", { a = f.ReferenceField { "states.A" },
      n = f.IntegerField {},
      Meta = { connection_alias = "documents", cascade = true } })
    local b = assert(B {}:save())
    local a = assert(A { b = b }:save())
    b.a = a
    a.n, b.n = 1, 2
    assert(a:save())
    assert.equal(1, A.objects:get { pk = a.pk }.n)
    assert.equal(2, B.objects:get { pk = b.pk }.n)
    a.n = "x"
    b.n = 3
    local ok, message = b:save()
    assert.is_nil(ok)
    assert.matches("states.A.n: not an integer", message, 1, true)
  end)
end)

describe("what is stored", function()
  local function stored(post) return assert(Post.objects:values():get { pk = post.pk }) end

  it("has no field that is unset again, and the field is its default from then on", function()
    local post = Post {}
    post.tags[1] = "a"
    post.tags[2] = "b"
    assert(post:save())
    assert.same({ "a", "b" }, stored(post).tags)
    post.tags, post.nick = nil, nil
    assert.same({}, post.tags)
    assert.equal("none", post.nick)
    assert(post:save())
    assert.is_nil(stored(post).tags)
    assert.equal("none", stored(post).nick)
    post.tags[1] = "c"
    assert(post:refresh_from_db())
    assert.same({}, post.tags)
  end)

  it("may be blank or null where the field may", function()
    local Simple = modm.MongoModel:extend("states.Simple", {
      name = f.CharField { blank = true }, Meta = Meta })
    local one = assert(Simple { name = "text" }:save())
    for _, blank in ipairs { "", modm.null } do
      one.name = blank
      assert(one:save())
      assert.equal(blank, assert(Simple.objects:values():get { pk = one.pk }).name)
    end
    assert(one:refresh_from_db())
    assert.is_nil(one.name)
  end)

  it("is refused when its model lost a field, or kept when unknown fields are ignored", function()
    local name = "states.Shrinking"
    local Before = modm.MongoModel:extend(name, {
      name = f.CharField {}, age = f.IntegerField {}, Meta = Meta })
    assert(Before { name = "x", age = 42 }:save())
    local After = modm.MongoModel:extend(name, { name = f.CharField {}, Meta = Meta })
    local found, message = After.objects:filter { name = "x" }:first()
    assert.is_nil(found)
    assert.matches("'age'", message)
    After = modm.MongoModel:extend(name, {
      name = f.CharField {},
      Meta = { connection_alias = "documents", ignore_unknown_fields = true },
    })
    found = assert(After.objects:filter { name = "x" }:first())
    assert.error_matches(function() return found.age end, "has no field 'age'")
    found.name = "y"
    assert(found:save())
    local row = assert(After.objects:values():first())
    assert.same({ "y", 42 }, { row.name, row.age })
  end)
end)

describe("a document of which a part was read", function()
  local function post_with(...)
    local post = saved { title = "x", n = 1, tags = { "a", "b" }, data = { x = 1, y = 2 },
      address = { city = "y", z = 5 }, comments = { { author = "a", text = "t" },
        { author = "b" } } }
    return assert(Post.objects:filter { pk = post.pk }:only(...):first()), post.pk
  end
  local function raised(fn)
    local ok, err = pcall(fn)
    assert.is_false(ok)
    assert.matches("^%S*spec/document/saving_spec.lua:%d+: ", tostring(err))
    return tostring(err)
  end

  it("says what was not loaded, and what is not there reads as nil", function()
    local post = post_with("title", "n")
    assert.equal("x", post.title)
    assert.matches("states.Post.tags was not loaded: the query left it out",
      raised(function() return post.tags end), 1, true)
    assert.matches("states.Post.address was not loaded", raised(function() return post.address end),
      1, true)
    assert.equal("states.Post(title='x', n=1, _id=" .. tostring(post.pk) .. ")", tostring(post))
    local excluded = Post.objects:filter { pk = post.pk }:exclude("title"):first()
    assert.matches("was not loaded", raised(function() return excluded.title end))
    assert.equal(1, excluded.n)
  end)

  it("saves only what was changed, and leaves the rest", function()
    local post, key = post_with "title"
    assert.is_nil(update_of(post))
    post.title = "z"
    post.n = 9 -- assigned without having been loaded
    assert.same({ ["$set"] = { t = "z", n = 9 } }, update_of(post))
    local whole = Post.objects:get { pk = key }
    assert.same({ "a", "b" }, whole.tags)
    assert.equal(5, whole.address.zip)
    assert(post:refresh_from_db())
    assert.same({ "a", "b" }, post.tags)
    assert.is_nil(update_of(post))
  end)

  it("knows which fields of an embedded document were read", function()
    local post = post_with("address.city", "address.tags", "comments.author")
    assert.equal("y", post.address.city)
    assert.same({}, post.address.tags) -- asked for, and not there
    assert.matches("states.Address.zip was not loaded",
      raised(function() return post.address.zip end), 1, true)
    assert.equal("b", post.comments[2].author)
    assert.matches("states.Comment.text was not loaded",
      raised(function() return post.comments[1].text end), 1, true)
    local excluded = Post.objects:filter { pk = post.pk }:exclude("address.city",
      "comments.text"):first()
    assert.equal(5, excluded.address.zip)
    assert.same({}, excluded.address.tags)
    assert.matches("was not loaded", raised(function() return excluded.address.city end))
    assert.is_nil(excluded.comments[1].stars)
    assert.matches("was not loaded", raised(function() return excluded.comments[1].text end))
  end)

  it("saves changes of an embedded document of which it read a part", function()
    local post, key = post_with "address.city"
    post.address.city = "Q"
    assert.same({ ["$set"] = { ["address.city"] = "Q" } }, update_of(post))
    local whole = Post.objects:get { pk = key }
    assert.same({ "Q", 5 }, { whole.address.city, whole.address.zip })
  end)

  it("refuses to save other values of which it read a part", function()
    local part = "was loaded in part (projection); it cannot be saved changed"
    local changes = {
      { "comments.author", function(post) post.comments[1].author = "c" end, "comments" },
      { "comments.author", function(post) post.comments[3] = Comment { author = "c" } end,
        "comments" },
      { "comments.author", function(post) post.comments = { { author = "c" } } end, "comments" },
      { "data.x", function(post) post.data.x = 5 end, "data" },
      { "data.x", function(post) post.data = { x = 5 } end, "data" },
      { "address.city", function(post) post.address = { city = "c", z = 1 } end, "address" },
    }
    for _, change in ipairs(changes) do
      local post, key = post_with(change[1])
      local before = Post.objects:get { pk = key }:to_son()
      assert.is_nil(update_of(post))
      change[2](post)
      local ok, message, err = post:save()
      assert.is_nil(ok)
      assert.equal(("states.Post.%s: %s"):format(change[3], part), message)
      assert.equal("ValidationError", err.kind)
      assert.same(before, Post.objects:get { pk = key }:to_son())
      post[change[3]] = nil
      assert.same({ ["$unset"] = { [change[3]] = "" } }, update_of(post))
    end
  end)

  it("refuses to be put elsewhere as a whole", function()
    local post = post_with "address.city"
    local other = saved { title = "o" }
    other.address = post.address
    local ok, message = other:save()
    assert.is_nil(ok)
    assert.matches("address: holds a document of which only some fields were loaded", message, 1,
      true)
  end)

  it("reads a slice of a list, and refuses to save it changed", function()
    local post = saved { title = "x", tags = { "a", "b", "c" } }
    local part = Post.objects:filter { pk = post.pk }:project { tags = { ["$slice"] = 1 } }:first()
    assert.same({ "a" }, part.tags)
    assert.equal("x", part.title)
    assert.is_nil(update_of(part))
    part.title = "y"
    assert.same({ ["$set"] = { t = "y" } }, update_of(part))
    part.tags[2] = "z"
    assert.is_nil((part:save()))
    part.tags[2] = nil
    assert.is_nil(update_of(part))
  end)

  it("without its key cannot be saved", function()
    local key = saved { title = "x" }.pk
    local part = Post.objects:filter { pk = key }:project { _id = 0, t = 1 }:first()
    assert.equal("x", part.title)
    assert.matches("states.Post._id was not loaded", raised(function() return part.pk end), 1, true)
    assert.is_false(part == part.title)
    assert.is_false(part == Post { pk = key })
    part.title = "y"
    local ok, message = part:save()
    assert.is_nil(ok)
    assert.matches("only some of its fields were loaded", message)
  end)
end)

describe("refreshing", function()
  it("reads everything anew, or only some fields, and leaves other changes", function()
    local post = saved { title = "x", n = 1, tags = { "a" } }
    local other = Post.objects:get { pk = post.pk }
    other.title, other.n = "y", 2
    assert(other:save())
    post.tags[1], post.title, post.data = "b", "mine", { q = 1 }
    post.nick = nil
    assert.equal(post, assert(post:refresh_from_db { "title" }))
    assert.same({ "y", 1, "b", 1 }, { post.title, post.n, post.tags[1], post.data.q })
    assert.same({ ["$set"] = { tags = { "b" }, data = { q = 1 } } },
      update_of(post)) -- nick: its default
    assert(post:refresh_from_db())
    assert.same({ "y", 2 }, { post.title, post.n })
    assert.is_nil(update_of(post))
  end)

  it("keeps an unset that was not saved yet", function()
    local post = saved { title = "x", n = 1 }
    post.n = nil
    assert(post:refresh_from_db { "title" })
    assert.is_nil(post.n)
    assert.same({ ["$unset"] = { n = "" } }, update_of(post))
  end)

  it("completes a document that was made here with its key", function()
    local key = saved { title = "x", n = 1, tags = { "a" } }.pk
    local post = Post { pk = key, n = 5 }
    assert(post:refresh_from_db { "title" })
    assert.same({ "x", 5 }, { post.title, post.n })
    assert.error_matches(function() return post.tags end, "was not loaded")
    assert.same({ ["$set"] = { n = 5 } }, update_of(post))
    assert.same({ "a" }, Post.objects:get { pk = key }.tags)
  end)

  it("keeps what nobody declared", function()
    local Loose = modm.MongoModel:extend("states.Loose", { a = f.IntegerField {},
      Meta = { connection_alias = "documents", ignore_unknown_fields = true } })
    local doc = assert(Loose { a = 1 }:save())
    Loose.objects:filter { pk = doc.pk }:update { ["$set"] = { more = { 1, 2 } } }
    assert(doc:refresh_from_db())
    doc.a = 2
    assert.same({ ["$set"] = { a = 2 } }, update_of(doc))
    assert.same({ 1, 2 }, Loose.objects:filter { pk = doc.pk }:values():first().more)
  end)

  it("says why it cannot", function()
    local ok, message, err = Post {}:refresh_from_db()
    assert.is_nil(ok)
    assert.equal("states.Post: cannot refresh before the first save", message)
    assert.equal("OperationError", err.kind)
    ok, message, err = Post { pk = modm.ObjectId() }:refresh_from_db()
    assert.is_nil(ok)
    assert.is_true(err:is(Post.DoesNotExist))
    assert.is_string(message)
    assert.error_matches(function() Post { pk = modm.ObjectId() }:refresh_from_db "title" end,
      "a list of names")
    assert.error_matches(function() Post { pk = modm.ObjectId() }:refresh_from_db { "nme" } end,
      "nme")
  end)
end)
