-- `modm inspect`: a draft that loads, and that the collection fits.
local core = require "modm.core"
local help = require "spec.cli.help"
local modm = require "modm"
local server = require "spec.support.server"

describe("modm inspect", function()
  local uri, conn

  before_each(function()
    uri = server.fresh "inspect"
    conn = assert(modm.connect(uri, { alias = "inspect" }))
  end)
  after_each(function() modm.disconnect "inspect" end)

  local function insert(collection, list)
    assert(conn:run(core.insert(conn.client, conn.database, collection, list)))
  end

  -- The draft of a collection, which loads and fits what it was made of.
  local function inspect(collection, ...)
    local found = help.run("inspect", uri, collection, ...)
    assert.equal(0, found.code, found.err)
    local path = help.file(found.out)
    local checked = help.run("check", uri, path)
    os.remove(path)
    assert.equal(0, checked.code, checked.out .. checked.err .. found.out)
    return found.out
  end

  local function has(text, line) assert.matches(line, text, 1, true) end

  it("drafts kinds, what is required, embedded models and lists", function()
    for i = 1, 10 do
      insert("blog_posts", { {
        title = "t" .. i, n = i, big = modm.Int64(i), share = i / 4, on = true,
        at = modm.DateTime(0), note = i > 5 and "x" or nil, tags = { "a", "b" },
        place = { street = "s", ["end"] = 1 }, comments = { { by = "x" }, { by = "y", up = 1 } },
        raw = modm.Binary "x", maybe = i == 1 and modm.null or i,
        _id = modm.ObjectId(),
      } })
    end
    local text = inspect "blog_posts"
    has(text, "-- Drafted by `modm inspect` from 10 documents.")
    has(text, 'local BlogPosts = modm.MongoModel:extend("BlogPosts", {')
    has(text, "  title = fields.CharField { required = true }, -- string\n")
    has(text, "  n = fields.IntegerField { required = true }, -- int\n")
    has(text, "  big = fields.BigIntegerField { required = true }, -- long\n")
    has(text, "  note = fields.CharField {}, -- in 50%; string\n")
    has(text, "  maybe = fields.IntegerField { blank = true, "
      .. "required = true }, -- int 90%, null 10%")
    has(text, "  tags = fields.ListField { fields.CharField {}, "
      .. "required = true }, -- array; of string")
    has(text, "  place = fields.EmbeddedModelField { BlogPostsPlace, "
      .. "required = true }, -- object\n")
    has(text, '  ["end"] = fields.IntegerField { required = true }, -- int\n')
    has(text, "fields.ListField { fields.EmbeddedModelField { BlogPostsComments }, "
      .. "required = true }")
    has(text, 'collection_name = "blog_posts", final = true')
    local json = help.run("inspect", "--json", uri, "blog_posts", "--sample", "5").out
    has(json, '"read":5')
    assert.equal(0, help.run("inspect", uri, "blog_posts", "--sample", "3", "--name", "Post").code)
  end)

  it("says what is mixed and takes a kind that holds it, or leaves it out", function()
    insert("mixed", {
      { a = 1, b = 1.5, c = "x", d = "x" }, { a = 2.5, b = "x", c = { x = 1 }, d = { 1 } },
      { a = modm.Int64(5), b = true, c = { 1 }, d = "" },
    })
    local text = inspect "mixed"
    has(text, "a = fields.FloatField { required = true }, -- double 33.33%, int 33.33%, long 33.33%"
      .. "; mixed: a save makes one type of them")
    has(text, "b = fields.CharField { required = true }, -- bool 33.33%, double 33.33%, string")
    has(text, '-- left out, since no kind of field takes it: "c": array 33.33%, object 33.33%')
    has(text, "ignore_unknown_fields = true")
  end)

  it("takes names that Lua or modm would not, and keys that are no ObjectIds", function()
    insert("odd-names", {
      { _id = 1, ["end"] = 1, ["two words"] = 1, save = 1, pk = 1, Meta = 1, save_ = 1, ["a.b"] = 1,
        ["$x"] = 1, ['q"\\\n'] = 1, ["1"] = 1, clean = { save = 1, _id = 2 }, objects = 1 },
    })
    local text = inspect "odd-names"
    has(text, 'save__ = fields.IntegerField { required = true, mongo_name = "save" }')
    has(text, "_id = fields.IntegerField { primary_key = true }")
    has(text, 'OddNames')
  end)

  it("guesses references by keys that are there, and marks them", function()
    local ann, first = modm.ObjectId(), modm.ObjectId()
    insert("authors", { { _id = ann, name = "Ann" } })
    insert("posts", {
      { _id = first, author_id = ann, other = modm.ObjectId(), fans = { ann }, before = modm.null },
      { author_id = ann, other = modm.ObjectId(), fans = core.array {}, before = first },
    })
    local text = inspect "posts"
    has(text, 'author_id = fields.ReferenceField { "Authors", required = true }, -- objectId; '
      .. 'a guess: 1 of 1 keys looked at are an _id of "authors"')
    has(text, "other = fields.ObjectIdField { required = true }")
    has(text, 'fans = fields.ListField { fields.ReferenceField { "Authors" }, required = true }')
    has(text, 'before = fields.ReferenceField { "Posts", blank = true, required = true }')
  end)

  it("leaves out text that is not UTF-8, which no kind of field takes", function()
    local bytes = core.encode(core.ordered { { "insert", "latin" }, { "documents", {
      { name = "M@ller", list = { "M@ller" }, ["k@y"] = 1 }, { name = "Ann" } } } })
    assert(conn:run(core.command(conn.client, "write", conn.database,
      (bytes:gsub("M@ller", "M\252ller"):gsub("k@y", "k\252y")))))
    local text = inspect "latin"
    has(text, '-- left out, since no kind of field takes it: "name": string 50%, '
      .. "string (not UTF-8) 50%\n")
    has(text, "  list = fields.ListField {}, -- in 50%; array; of string (not UTF-8)\n")
    has(text, '-- left out, since no kind of field takes it: "k\\252y": in 50%; int\n')
    has(text, "ignore_unknown_fields = true")
    assert.is_nil(text:find "\252")
    assert.is_nil(help.run("inspect", "--json", uri, "latin").out:find "\252")
  end)

  it("makes a family of the values of _cls", function()
    insert("beasts", {
      { name = "a", _cls = "zoo.Dog", loud = true }, { name = "b", _cls = "zoo.Cat", lives = 9 },
      { name = "c", part = { x = 1, _cls = "P" } }, { _cls = "zoo.Cat", name = "d" },
    })
    local text = inspect "beasts"
    has(text, 'local Beasts = modm.MongoModel:extend("Beasts", {')
    has(text, 'local Dog = Beasts:extend("zoo.Dog", {')
    has(text, "  loud = fields.BooleanField { required = true }")
    has(text, "cls_optional = true")
    insert("one", { { _cls = "Single", a = 1 } })
    has(inspect "one", 'local Single = modm.MongoModel:extend("Single", {')
  end)

  it("knows that an empty text among lists or documents in a list is none of them", function()
    insert("cups", { { a = core.array { core.array { "x" }, "" }, d = "" },
      { b = core.array { { n = 1 }, modm.Binary("", 5) }, d = core.array { 1 } },
      { c = core.array { "", "x" } } })
    local text = inspect "cups"
    has(text, "a = fields.ListField {}")
    has(text, "b = fields.ListField {}")
    has(text, "c = fields.ListField { fields.CharField { blank = true } }")
    has(text, "d = fields.ListField { fields.IntegerField {}, blank = true }")
  end)

  it("drafts what fits, whatever is stored", function()
    local seed = os.time()
    math.randomseed(seed)
    local deep
    local makers = {
      function() return math.random(100) end, function() return math.random() end,
      function() return ("x"):rep(math.random(0, 3)) end, function() return math.random() < 0.5 end,
      function() return modm.null end, function() return modm.ObjectId() end,
      function() return modm.Int64(math.random(100)) end, function() return modm.DateTime(1) end,
      function() return modm.Decimal128 "1.5" end, function() return modm.Binary("", 5) end,
      function() return modm.Regex("a", "i") end, function() return modm.MinKey end,
      function() return deep(true) end, function() return deep(false) end,
    }
    local level = 0
    function deep(list)
      level = level + 1
      local value = list and core.array {} or core.object {}
      for i = 1, level < 4 and math.random(0, 3) or 0 do
        value[list and i or ("abc"):sub(i, i)] = makers[math.random(#makers)]()
      end
      if not list and math.random() < 0.3 then value._cls = ("XY"):sub(math.random(2)) end
      level = level - 1
      return value
    end
    for round = 1, 8 do
      local name, list = "round" .. round, {}
      for i = 1, math.random(1, 6) do list[i] = deep(false) end
      insert(name, list)
      local ok, message = pcall(inspect, name)
      assert(ok, ("seed %d, round %d: %s"):format(seed, round, tostring(message)))
    end
  end)

  it("says what is wrong", function()
    local found = help.run("inspect", uri, "nothing")
    assert.equal(2, found.code)
    has(found.err, "no collection 'nothing' in database 'modm")
    assert(conn:run(core.command(conn.client, "write", conn.database, { create = "empty" })))
    found = help.run("inspect", uri, "empty")
    assert.equal(2, found.code)
    has(found.err, "the collection 'empty' has no documents")
    found = help.run("inspect",
      "mongodb://u:secretpw@127.0.0.1:1/x?serverSelectionTimeoutMS=99", "x")
    assert.equal(3, found.code)
    has(found.err, "no server answered")
    assert.is_nil(found.err:find("secretpw", 1, true))
    assert.equal(2, help.run("inspect", uri, "x", "--sample", "0").code)
  end)
end)
