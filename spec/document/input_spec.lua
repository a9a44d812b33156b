-- Documents from input: of what came from outside only the fields that the program names.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields
local alias = "input"

local Place = modm.EmbeddedMongoModel:extend("input.Place", {
  name = f.CharField {},
  secret = f.BooleanField { default = false },
})
local Comment = modm.EmbeddedMongoModel:extend("input.Comment", {
  key = f.IntegerField { primary_key = true },
  content = f.CharField {},
  approved = f.BooleanField { default = false },
  place = f.EmbeddedModelField { Place },
})
local Loud = Comment:extend("input.Loud", { volume = f.IntegerField {} })
local Post = modm.MongoModel:extend("input.Post", {
  title = f.CharField { required = true, mongo_name = "t" },
  body = f.CharField {},
  n = f.IntegerField {},
  admin = f.BooleanField { default = false },
  at = f.DateTimeField {},
  data = f.DictField {},
  tags = f.ListField { f.CharField {} },
  author = f.ReferenceField { "input.User" },
  place = f.EmbeddedModelField { Place },
  comments = f.EmbeddedModelListField { Comment },
  grid = f.ListField { f.ListField { f.EmbeddedModelField { Place } } },
  picture = f.ImageField {},
  attached = f.FileField {},
  Meta = { connection_alias = alias },
})
local Special = Post:extend("input.Special", { more = f.CharField {} })
local User = modm.MongoModel:extend("input.User", {
  email = f.EmailField { primary_key = true }, name = f.CharField {},
  Meta = { connection_alias = alias },
})

local raised = help.raised

-- The names of the fields that a document has been given.
local function given(doc)
  local names = {}
  for name in doc:pairs() do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, " ")
end

describe("from_input", function()
  setup(function() help.connect(alias) end)

  it("takes only the fields that are named", function()
    local post = Post:from_input({ title = "A", body = "B", n = 5, admin = true, _id = "x",
      pk = "x", _cls = "input.Special", t = "stored", nothing = 1, [1] = "position",
      save = 1, [{}] = 2 }, { "title", "body" })
    assert.equal(Post, core.model_of(post))
    assert.same({ "A", "B", false }, { post.title, post.body, post.admin })
    assert.is_nil(post.n)
    assert.is_nil(post.pk)
    assert.equal("body title", (given(post):gsub(" ?admin ?", "")))
    assert(post:save())
    local stored = assert(Post.objects:values():get { pk = post.pk })
    assert.equal("input.Post", stored._cls)
    assert.equal("A", stored.t)
    assert.is_nil(stored.n)
  end)

  it("leaves out what the input does not have", function()
    local post = Post:from_input({ title = "A" }, { "title", "body", "admin", "n" })
    assert.equal(false, post.admin)
    assert.is_nil(post.body)
    assert.is_nil(Post:from_input({}, { "title" }).title)
  end)

  it("has values converted and checked as usual", function()
    local post = Post:from_input({ title = "A", n = "7", at = "2024-02-29T00:00:00Z" },
      { "title", "n", "at" })
    assert.is_true(post:is_valid())
    assert.equal(7, post.n)
    for _, bad in ipairs {
      { title = { ["$gt"] = "" } }, { title = "x", n = { ["$gt"] = 1 } }, { title = {} },
      { title = "x", n = "many" }, { title = "x", at = { "a" } }, { title = "x", tags = "a" },
      { title = "x", tags = { { ["$ne"] = 1 } } }, { title = "x", data = { ["$where"] = "1" } },
      { title = "x", data = { ["a.b"] = 1 } }, { title = "x", author = { ["$ne"] = modm.null } },
      { title = "a\255" }, { title = "x", data = { ["a\0"] = 1 } },
    } do
      local doc = Post:from_input(bad, { "title", "n", "at", "tags", "data", "author" })
      local ok, _, err = doc:save()
      assert.is_nil(ok)
      assert.equal("ValidationError", err.kind)
    end
  end)

  it("never takes the primary key, files or what is no field", function()
    local function message(model, names)
      local text, here = raised(function() model:from_input({}, names) end)
      assert.is_true(here, text)
      return text
    end
    assert.matches("input.User.email: the primary key is never taken from input",
      message(User, { "email" }), 1, true)
    assert.matches("primary key is never", message(Post, { "_id" }), 1, true)
    assert.matches("primary key is never", message(Post, { comments = { "key" } }), 1, true)
    assert.matches("input.Post.picture: a file is never", message(Post, { "picture" }), 1, true)
    assert.matches("input.Post.attached: a file is never", message(Post, { "attached" }), 1, true)
    for _, name in ipairs { "pk", "_cls", "titel", "t", "save", "__index", "comments.content",
      "data.x", "", true, {} } do
      assert.matches("is no field that input may have", message(Post, { name }), 1, true)
    end
    assert.matches("'save' is no field", message(Post, { save = { "x" } }), 1, true)
    assert.matches("names of the fields", message(Post, {}), 1, true)
    assert.matches("names of the fields", message(Post, nil), 1, true)
    assert.matches("names of the fields", message(Post, "title"), 1, true)
    assert.matches("takes a table, not a string",
      (raised(function() Post:from_input("title", { "title" }) end)), 1, true)
    assert.matches("with a colon",
      (raised(function() Post.from_input({ title = 1 }, { "title" }) end)), 1, true)
  end)

  describe("of embedded documents", function()
    it("takes only the fields that are named", function()
      local post = Post:from_input({ title = "x",
        place = { name = "Here", secret = true, _cls = "input.Other" },
        comments = { { content = "1", approved = true, key = 5, _id = 5, _cls = "input.Loud",
          volume = 11, place = { name = "There", secret = true } }, {} } },
        { "title", place = { "name" }, comments = { "content", place = { "name" } } })
      assert.same({ "Here", false }, { post.place.name, post.place.secret })
      local comment = post.comments[1]
      assert.equal(Comment, core.model_of(comment))
      assert.same({ "1", false, nil }, { comment.content, comment.approved, comment.key })
      assert.same({ "There", false }, { comment.place.name, comment.place.secret })
      assert.is_nil(post.comments[2].content)
      assert.is_truthy(Loud)
    end)

    it("goes into lists of lists", function()
      local input = { title = "x", grid = { { { name = "a", secret = true } }, {} } }
      local post = Post:from_input(input, { "title", grid = { "name" } })
      assert.same({ "a", false }, { post.grid[1][1].name, post.grid[1][1].secret })
      assert.is_true(post:is_valid())
    end)

    it("asks for the names of their fields", function()
      assert.matches("input.Post.comments holds documents: name their fields",
        (raised(function() Post:from_input({}, { "comments" }) end)), 1, true)
      assert.matches("input.Post.grid holds documents",
        (raised(function() Post:from_input({}, { "grid" }) end)), 1, true)
      assert.matches("input.Post.title holds no documents",
        (raised(function() Post:from_input({}, { title = { "x" } }) end)), 1, true)
      assert.matches("names of the fields",
        (raised(function() Post:from_input({}, { place = true }) end)), 1, true)
    end)

    it("leaves what is no document to the field, which refuses it", function()
      for _, bad in ipairs { { place = "x" }, { place = 5 }, { place = true }, { comments = "x" },
        { comments = { "x" } }, { comments = { content = "x" } }, { comments = { { {} }, 5 } },
        { comments = { [1] = {}, [3] = {} } }, { grid = { { "x" } } }, { grid = { "x" } } } do
        bad.title = "x"
        local post = Post:from_input(bad, { "title", place = { "name" },
          comments = { "content" }, grid = { "name" } })
        assert.is_false(post:is_valid())
      end
    end)
  end)

  it("takes data, not documents or operators", function()
    local user = User { email = "a@b.c" }
    for _, bad in ipairs { { author = user }, { title = modm.gt(1) },
      { place = Place { secret = true } }, { comments = { Comment { approved = true } } },
      { grid = { { Place { secret = true } } } } } do
      raised(function()
        Post:from_input(bad, { "title", "author", place = { "name" }, comments = { "content" },
          grid = { "name" } })
      end)
    end
  end)

  it("calls no metamethod of the input", function()
    local function boom() error "called" end
    local hostile = { __index = boom, __newindex = boom, __len = boom, __pairs = boom,
      __ipairs = boom, __eq = boom, __call = boom }
    local function evil(t) return setmetatable(t, hostile) end
    local post = Post:from_input(evil { title = "x", place = evil { name = "y" },
      comments = evil { evil { content = "z" } } },
      { "title", "body", place = { "name", "secret" }, comments = { "content", "approved" } })
    assert.same({ "x", "y", "z" }, { post.title, post.place.name, post.comments[1].content })
  end)

  it("is there for embedded and inherited models", function()
    assert.equal("x", Comment:from_input({ content = "x", key = 1 }, { "content" }).content)
    local post = Special:from_input({ title = "x", more = "y", n = 1 }, { "title", "more" })
    assert.same({ "x", "y", nil }, { post.title, post.more, post.n })
  end)
end)

describe("a document is made and set of declared fields only:", function()
  local strange = { "_cls", "__index", "__newindex", "__gc", "__metatable", "__name", "_meta",
    "save", "delete", "clean", "full_clean", "pairs", "constructor", "__proto__", "prototype",
    "$set", "$where", "title.x", "t\0", "" }

  it("by its model", function()
    for _, key in ipairs(strange) do
      local text = raised(function() return Post { title = "x", [key] = "y" } end)
      assert.matches("has no field", text, 1, true)
    end
  end)

  it("by assigning", function()
    local post = Post { title = "x" }
    for _, key in ipairs(strange) do
      raised(function() post[key] = "y" end)
    end
    assert.equal("function", type(post.save))
  end)

  it("by set, push and change", function()
    help.connect(alias)
    local post = assert(Post { title = "x", data = {} }:save())
    local list = help.sent(function()
      for _, key in ipairs(strange) do
        if key ~= "title.x" then
          raised(function() post:set { [key] = "y" } end)
          raised(function() post:change { set = { [key] = "y" } } end)
          raised(function() post:change { [key] = { title = "y" } } end)
          raised(function() post:unset { key } end)
          raised(function() post:rename { [key] = "title" } end)
          raised(function() post:rename { title = key } end)
        end
      end
      raised(function() post:set { ["title.x"] = "y" } end)
    end)
    assert.equal(0, #list)
  end)
end)

describe("keys of a dict", function()
  local names = { "__index", "__newindex", "__gc", "__len", "__pairs", "__call", "__eq", "__close",
    "__mode", "__name", "__tostring", "__metatable", "_meta", "_cls", "_id", "save", "delete",
    "pk", "constructor", "__proto__", "toString", "_bsontype", "_parts", "late", "kind" }

  it("never reach a method or a metatable", function()
    help.connect(alias)
    for _, name in ipairs(names) do
      local value = { name = name }
      local post = assert(Post { title = name, data = { [name] = value } }:save())
      local read = assert(Post.objects:get { pk = post.pk })
      assert.equal(name, read.data[name].name)
      assert.is_nil(read.data.other)
      assert.is_nil(next(read.data, name))
      assert.equal("function", type(read.save))
      assert.equal(tostring(post.pk), tostring(read.pk))
      assert.equal(Post, core.model_of(read))
      collectgarbage()
      local text = tostring(read.data)
      assert.matches("^table: ", text)
      read.data.more = 1
      assert(read:save())
      assert.equal(1, assert(Post.objects:get { ["data." .. name .. ".name"] = name }).data.more)
    end
  end)
end)
