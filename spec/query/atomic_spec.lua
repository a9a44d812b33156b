-- Atomic changes: of a document in hand, and of what a queryset finds, with names and values of the
-- model.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "atomic"

local Meta = { connection_alias = "atomic" }

local calls = 0

local Comment = modm.EmbeddedMongoModel:extend("atomic.Comment", {
  author = f.CharField { required = true, mongo_name = "a" },
  likes = f.IntegerField { mongo_name = "l", max_value = 100, validators = { function(value)
    calls = calls + 1
    return value ~= 13, "is unlucky"
  end } },
})
local Post = modm.MongoModel:extend("atomic.Post", {
  title = f.CharField { required = true, max_length = 10, mongo_name = "t" },
  views = f.IntegerField { mongo_name = "v", max_value = 1000 },
  total = f.BigIntegerField {},
  score = f.FloatField {},
  price = f.Decimal128Field {},
  tags = f.ListField { f.CharField { max_length = 10 }, mongo_name = "g" },
  marks = f.ListField { f.ListField { f.IntegerField {} } },
  comments = f.EmbeddedModelListField { Comment, mongo_name = "c" },
  main = f.EmbeddedModelField { Comment, mongo_name = "m" },
  friends = f.ListField { f.ReferenceField { "atomic.Post" } },
  extra = f.DictField {},
  any = f.ListField {},
  seen = f.DateTimeField {},
  clock = f.TimestampField {},
  Meta = Meta,
})
local Special = Post:extend("atomic.Special", {})
local Kept = modm.MongoModel:extend("atomic.Kept", {
  name = f.CharField {},
  n = f.IntegerField {},
  Meta = { connection_alias = "atomic", version = true, timestamps = true, soft_delete = true },
})
-- Fields with the names of methods.
local Range = modm.MongoModel:extend("atomic.Range", {
  min = f.IntegerField {}, max = f.IntegerField {}, set = f.CharField {}, change = f.CharField {},
  Meta = Meta,
})

local function stored(doc) return assert(Post.objects:filter { pk = doc.pk }:values():first()) end

local function post(values)
  values.title = values.title or "one"
  return assert(Post(values):save())
end

-- The update that a queryset sends for a change.
local function update_of(changes, options)
  local command = help.one(function()
    assert(Post.objects:filter { title = "none" }:change(changes, options))
  end)
  return command.updates[1].u, command.updates[1]
end

before_each(function()
  for _, model in ipairs { Post, Range } do assert(model.objects:all():delete()) end
  assert(Kept.objects:with_deleted():all():delete { hard = true })
end)

describe("a document", function()
  it("is changed with one command, and takes over what the server then has", function()
    local doc = post { views = 1, tags = { "a" } }
    assert(Post.objects:all():inc { views = 10 })
    assert(Post.objects:all():push { tags = "b" })
    local command = help.one(function() assert.equal(doc, (doc:inc { views = 1 })) end)
    assert.equal("atomic.post", "atomic." .. command.findAndModify)
    assert.same({ ["$inc"] = { v = 1 } }, command.update)
    assert.same({ _id = 1, _cls = 1, v = 1 }, command.fields)
    assert.truthy(command.txnNumber) -- so that it can be sent again and counts once
    assert.equal(12, doc.views)
    assert.same({ "a" }, doc.tags)
    assert(doc:push { tags = "c" })
    assert.same({ "a", "b", "c" }, doc.tags)
    assert.equal(0, #help.sent(function() assert(doc:save()) end))
  end)

  it("keeps its other changes, and does not send them", function()
    local doc = post { views = 1, tags = { "a" } }
    doc.title, doc.tags[2] = "two", "mine"
    assert(doc:inc { views = 2 })
    assert.equal("one", stored(doc).t)
    assert.equal("two", doc.title)
    assert.same({ "a", "mine" }, doc.tags)
    assert.same({ ["$set"] = { t = "two" }, ["$push"] = { g = { ["$each"] = { "mine" } } } },
      help.one(function() assert(doc:save()) end).updates[1].u)
    assert.equal(3, stored(doc).v)
  end)

  it("has a method for each operator", function()
    local doc = post { views = 5, score = 2, tags = { "a", "b", "b" }, extra = { old = 1 } }
    assert(doc:set { views = "6" })
    assert(doc:mul { views = 2 })
    assert.equal(12, doc.views)
    assert(doc:min { views = 7 })
    assert(doc:max { score = 3 })
    assert.same({ 7, 3 }, { doc.views, doc.score })
    assert(doc:pull { tags = "b" })
    assert(doc:add_to_set { tags = modm.each { "a", "c" } })
    assert.same({ "a", "c" }, doc.tags)
    assert(doc:pop { tags = -1 })
    assert.same({ "c" }, doc.tags)
    assert(doc:rename { ["extra.old"] = "extra.new" })
    assert.same({ new = 1 }, doc.extra)
    assert(doc:unset { "views" })
    assert.is_nil(doc.views)
    assert(doc:current_date { "seen", "clock" })
    assert.equal("modm.DateTime", getmetatable(doc.seen))
    assert.equal("modm.Timestamp", getmetatable(doc.clock))
    assert.equal(0, #help.sent(function() assert(doc:save()) end))
  end)

  it("takes several operators at once", function()
    local doc = post { views = 1 }
    assert(doc:change { inc = { views = 1 }, push = { tags = "x" }, set = { title = "new" } })
    assert.same({ 2, "x", "new" }, { doc.views, doc.tags[1], doc.title })
  end)

  it("changes one item by array filters", function()
    local doc = post { comments = { Comment { author = "x", likes = 1 },
      Comment { author = "y", likes = 1 } } }
    assert(doc:inc({ ["comments.$[c].likes"] = 2 }, { array_filters = { c = { author = "y" } } }))
    assert.same({ 1, 3 }, help.pluck(doc.comments, "likes"))
    assert(doc:inc { ["comments.$[].likes"] = 1 })
    assert(doc:inc { ["comments.0.likes"] = 1 })
    assert.same({ 3, 4 }, help.pluck(doc.comments, "likes"))
  end)

  it("that is gone is DoesNotExist, and stays as it was", function()
    local doc = post { views = 1 }
    assert(Post.objects:filter { pk = doc.pk }:delete())
    doc.title = "two"
    local ok, _, err = doc:inc { views = 1 }
    assert.is_nil(ok)
    assert.is_true(err:is(Post.DoesNotExist))
    assert.same({ 1, "two" }, { doc.views, doc.title })
  end)

  it("that has no key is an OperationError", function()
    local ok, message, err = Post { title = "x" }:inc { views = 1 }
    assert.is_nil(ok)
    assert.equal("OperationError", err.kind)
    assert.matches("atomic.Post: cannot be changed before the first save", message)
  end)

  it("that was loaded in part has what was changed, and the rest still not", function()
    local key = post { views = 1, score = 5 }.pk
    local doc = assert(Post.objects:only("title"):get { pk = key })
    assert(doc:inc { views = 1 })
    assert.equal(2, doc.views)
    assert.is_false((pcall(function() return doc.score end)))
    doc.title = "t2"
    assert(doc:save())
    assert.equal(5, Post.objects:get { pk = key }.score)
  end)

  it("may have a field of a method's name, which hides the method", function()
    local doc = assert(Range { min = 1, max = 2, set = "s", change = "c" }:save())
    assert.same({ 1, 2, "s", "c" }, { doc.min, doc.max, doc.set, doc.change })
    assert(doc:inc { min = 1 })
    assert.equal(doc, (modm.change(doc, { min = { min = 0 }, max = { max = 9 } })))
    assert.same({ 0, 9 }, { doc.min, doc.max })
    assert.is_false((pcall(modm.MongoModel.extend, modm.MongoModel, "atomic.Save",
      { save = f.CharField {}, Meta = Meta })))
    assert.is_false((pcall(modm.change, {}, { inc = { views = 1 } })))
    assert.is_false((pcall(modm.change, Comment { author = "x" }, { inc = { likes = 1 } })))
  end)

  it("of another collection is refused", function()
    local doc = post { views = 1 }
    modm.switch_collection(Post, "elsewhere", function()
      local _, _, err = doc:inc { views = 1 }
      assert.equal("OperationError", err.kind)
    end)
  end)

  it("of a subclass is found by its class", function()
    local doc = assert(Special { title = "s", views = 1 }:save())
    assert(doc:inc { views = 1 })
    assert.equal(2, assert(Special.objects:get { pk = doc.pk }).views)
    assert.equal("atomic.Special", stored(doc)._cls)
  end)

  it("is counted once when the connection breaks", function()
    local doc = post { views = 1 }
    local conn = assert(require "modm.connection".get "atomic")
    assert(conn:run(core.command(conn.client, "read", "admin", core.ordered {
      { "configureFailPoint", "failCommand" }, { "mode", { times = 1 } },
      { "data", { failCommands = core.array { "findAndModify" }, closeConnection = true } },
    })))
    assert(doc:inc { views = 1 })
    assert.equal(2, doc.views)
  end)

  it("may be changed in a hook after its save, and by what a save found", function()
    local Told = modm.MongoModel:extend("atomic.Told", {
      saves = f.IntegerField {}, name = f.CharField {}, Meta = Meta,
    })
    Told:after("save", function(doc) return doc:inc { saves = 1 } end)
    local doc = assert(Told { name = "a" }:save())
    doc.name = "b"
    assert(doc:save())
    assert.equal(2, doc.saves)
    assert.equal(2, Told.objects:get { name = "b" }.saves)
  end)

  it("in a transaction that fails is as it was", function()
    local doc = post { views = 1 }
    assert.is_nil((modm.transaction("atomic", function()
      assert(doc:inc { views = 1 })
      assert.equal(2, doc.views)
      return nil, "no"
    end)))
    assert.equal(1, doc.views)
    assert.equal(1, stored(doc).v)
  end)
end)

describe("kept fields", function()
  it("follow a change of a document", function()
    local doc = assert(Kept { name = "a", n = 1 }:save())
    local before = doc.updated_at
    os.execute "sleep 0.01"
    assert(doc:inc { n = 1 })
    assert.equal(2, doc.version)
    assert.is_true(doc.updated_at > before)
    doc.name = "b"
    assert(doc:save())
    assert.equal(3, doc.version)
  end)

  it("do not hide from the next save that another one came between", function()
    local doc = assert(Kept { name = "a", n = 1 }:save())
    local other = Kept.objects:get { pk = doc.pk }
    other.name = "theirs"
    assert(other:save())
    assert(doc:inc { n = 1 })
    assert.equal(2, doc.n)
    doc.name = "mine"
    local ok, _, err = doc:save()
    assert.is_nil(ok)
    assert.equal("ConflictError", err.kind)
    assert.equal("theirs", Kept.objects:get { pk = doc.pk }.name)
  end)

  it("are changed by querysets, and by what changes them itself only so", function()
    local doc = assert(Kept { name = "a", n = 1 }:save())
    assert.equal(1, (Kept.objects:filter { n = 1 }:inc { n = 1 }))
    assert.equal(2, Kept.objects:get { pk = doc.pk }.version)
    assert.equal(1, (Kept.objects:all():set { version = 9 }))
    assert.equal(9, Kept.objects:get { pk = doc.pk }.version)
    assert.is_false((pcall(doc.inc, doc, {})))
  end)

  it("hide what is marked as deleted", function()
    local doc = assert(Kept { name = "a", n = 1 }:save())
    assert(doc:delete())
    local _, _, err = doc:inc { n = 1 }
    assert.equal("DoesNotExist", err.kind)
    assert.equal(0, (Kept.objects:all():inc { n = 1 }))
    assert.equal(1, (Kept.objects:with_deleted():all():inc { n = 1 }))
  end)
end)

describe("a queryset", function()
  it("is changed, and says how many documents were", function()
    for i = 1, 3 do post { title = "p" .. i, views = i } end
    assert.equal(2, (Post.objects:filter { views = modm.gte(2) }:inc { views = 10 }))
    assert.same({ 1, 12, 13 }, help.pluck(Post.objects:order_by("views"):list(), "views"))
    assert.equal(1, (Post.objects:all():order_by("-views"):limit(1):set { title = "most" }))
    assert.equal(13, Post.objects:get { title = "most" }.views)
    assert.equal(0, (Special.objects:all():inc { views = 1 }))
  end)

  it("needs all() or a condition, and raises at the program's line", function()
    for _, fn in ipairs {
      function() Post.objects:inc { views = 1 } end,
      function() Post.objects:change { inc = { views = 1 } } end,
      function() Post.objects:all():inc() end,
      function() Post.objects:all():inc {} end,
      function() Post.objects:all():change {} end,
      function() Post.objects:all():change { add = { views = 1 } } end,
      function() Post.objects:all():change { ["$inc"] = { views = 1 } } end,
      function() Post.objects:all():change { inc = 1 } end,
      function() Post.objects:all():change { { views = 1 } } end,
      function() Post.objects:all():inc { nothing = 1 } end,
      function() Post.objects:all():inc { title = 1 } end,
      function() Post.objects:all():push { views = 1 } end,
      function() Post.objects:all():pop { tags = 2 } end,
      function() Post.objects:all():unset { views = true } end,
      function() Post.objects:all():unset "views" end,
      function() Post.objects:all():unset { "views", 5 } end,
      function() Post.objects:all():current_date { "title" } end,
      function() Post.objects:all():rename { views = 5 } end,
      function() Post.objects:all():rename { views = "nothing" } end,
      function() Post.objects:all():set { title = modm.gte(1) } end,
      function() Post.objects:all():add_to_set { tags = modm.each({}, { slice = 1 }) } end,
      function() Post.objects:all():push { tags = modm.each({}, { sort = "name" }) } end,
      function() Post.objects:all():push { comments = modm.each({}, { sort = "nothing" }) } end,
      function() Post.objects:all():inc { ["comments.$[c].likes"] = 1 } end,
      function()
        Post.objects:all():inc({ views = 1 }, { array_filters = { c = { author = "x" } } })
      end,
      function() Post.objects:filter { tags = modm.each { "a" } } end,
      function() Post.objects:limit(1):change({ inc = { views = 1 } }, { upsert = true }) end,
      function() Post.objects:all():inc({ views = 1 }, { upserts = true }) end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, message)
    end
  end)

  it("sends values as their fields store them", function()
    local u = update_of { inc = { views = "3", total = 1, score = 1, price = "1.5" } }
    local doc = post { title = "none" }
    assert(Post.objects:filter { title = "none" }:inc { views = "3", total = 1, score = 1,
      price = "1.5" })
    for name, kind in pairs { v = "int", total = "long", score = "double", price = "decimal" } do
      assert.equal(1, Post.objects:raw { [name] = { ["$type"] = kind } }:count(), name)
    end
    assert.equal("1.5", tostring(u["$inc"].price))
    assert.equal(3, stored(doc).v)
  end)

  it("refuses what the field refuses, before anything is sent", function()
    for _, case in ipairs {
      { { inc = { views = 1.5 } }, "views" },
      { { inc = { views = "x" } }, "views" },
      { { inc = { ["extra.n"] = "1" } }, "extra.n" },
      { { mul = { score = modm.null } }, "score" },
      { { set = { views = 1001 } }, "views" },
      { { set = { title = "longer than ten" } }, "title" },
      { { set = { title = "" } }, "title" },
      { { max = { views = 1001 } }, "views" },
      { { push = { tags = "longer than ten" } }, "tags" },
      { { push = { tags = modm.each { "a", "longer than ten" } } }, "tags.2" },
      { { push = { comments = { l = 1 } } }, "comments.author" },
      { { push = { comments = Comment { author = "x", likes = 101 } } }, "comments.likes" },
      { { push = { comments = { a = "x", l = 13 } } } },
      { { push = { comments = { a = "x", nothing = 13 } } }, "comments" },
      { { set = { ["comments.0.likes"] = 13 } } },
      { { set = { ["main.likes"] = 101 } }, "main.likes" },
      { { set = { friends = { Post { title = "new" } } } }, "friends.1" },
      { { unset = { "title" } }, "title" },
      { { unset = { "main.author" } }, "main.author" },
      { { set = { extra = { ["$inc"] = 1 } } }, "extra" },
      { { set = { ["extra.a"] = { ["$inc"] = 1 } } }, "extra.a" },
      { { push = { any = { ["$each"] = { 1 } } } }, "any" },
      { { pull = { any = { ["$gt"] = 1 } } }, "any" },
      { { pull = { marks = { "x" } } }, "marks.1" },
    } do
      local n, message, err
      assert.equal(0, #help.sent(function()
        n, message, err = Post.objects:all():change(case[1])
      end), message)
      assert.is_nil(n)
      assert.equal("ValidationError", err.kind, message)
      assert.matches("^atomic.Post%.", message)
      if case[2] then assert.is_table(err.errors[case[2]], message) end
    end
  end)

  it("calls validators of values, and clean of embedded documents", function()
    calls = 0
    post { title = "none" }
    assert.equal(1, (Post.objects:all():push { comments = { a = "x", l = 5 } }))
    assert.equal(1, calls)
    local _, message, err = Post.objects:all():set { main = Comment { author = "x", likes = 13 } }
    assert.equal("atomic.Post.main.likes: is unlucky", message)
    assert.same({ "is unlucky" }, err.errors.main.likes)
  end)

  it("says stored names on the wire, also further in", function()
    local u, statement = update_of({
      set = { ["main.author"] = "x", ["extra.a.b"] = 1 },
      inc = { ["comments.$[c].likes"] = 1 },
      push = { tags = modm.each({ "b", "a" }, { sort = -1, slice = -3, position = 1 }) },
      pull = { marks = { 1, 2 }, friends = modm.one_of {} },
    }, { array_filters = { c = { author = "x", likes = modm.lt(3) } } })
    assert.same({
      ["$set"] = { ["m.a"] = "x", ["extra.a.b"] = 1 },
      ["$inc"] = { ["c.$[c].l"] = 1 },
      ["$push"] = {
        g = { ["$each"] = { "b", "a" }, ["$position"] = 1, ["$slice"] = -3, ["$sort"] = -1 },
      },
      ["$pull"] = { marks = { ["$eq"] = { 1, 2 } }, friends = { ["$in"] = {} } },
    }, u)
    assert.same({ { ["c.a"] = "x", ["c.l"] = { ["$lt"] = 3 } } }, statement.arrayFilters)
    assert.same({ ["$inc"] = { ["c.$[].l"] = 1 } },
      update_of { inc = { ["comments.$[].likes"] = 1 } })
    assert.same({ ["$push"] = { c = { ["$each"] = {}, ["$sort"] = { l = -1, a = 1 } } } },
      update_of { push = { comments = modm.each({}, { sort = { "-likes", "author" } }) } })
  end)

  it("changes the item that a condition found, by $", function()
    local doc = post { comments = { Comment { author = "x" },
      Comment { author = "y", likes = 1 } } }
    assert.equal(1, (Post.objects:filter { ["comments.author"] = "y" }
      :inc { ["comments.$.likes"] = 5 }))
    assert.equal(6, assert(Post.objects:get { pk = doc.pk }).comments[2].likes)
  end)

  it("takes array filters of items without fields, and in lists of lists", function()
    local doc = post { marks = { { 1, 5 }, { 7 } } }
    assert.equal(1, (Post.objects:all():set({ ["marks.$[].$[m]"] = 0 },
      { array_filters = { m = modm.gte(5) } })))
    assert.same({ { 1, 0 }, { 0 } }, stored(doc).marks)
    assert(Post.objects:all():set({ ["extra.list"] = { 1, 2 } }))
    assert(Post.objects:all():set({ ["extra.list.$[e]"] = 9 }, { array_filters = { e = 2 } }))
    assert.same({ 1, 9 }, stored(doc).extra.list)
    assert.is_nil((Post.objects:all():set({ ["marks.$[].$[m]"] = 0 },
      { array_filters = { m = "x" } })))
  end)

  it("pulls by value, by operator, and embedded documents by conditions or whole", function()
    local x, y = Comment { author = "x", likes = 1 }, Comment { author = "y", likes = 2 }
    local doc = post { comments = { x, y, Comment { author = "z" } }, marks = { { 1 }, { 1, 2 } },
      any = { 1, { a = 1 }, modm.null }, tags = { "a", "b", "c" } }
    assert(doc:pull { comments = { author = "x" }, marks = { 1 }, any = { a = 1 },
      tags = modm.not_in { "b" } })
    assert.same({ "y", "z" }, help.pluck(doc.comments, "author"))
    assert.same({ { 1, 2 } }, doc.marks)
    assert.same({ "b" }, doc.tags)
    assert.equal(2, #doc.any)
    assert(doc:pull { comments = y, any = modm.null })
    assert.same({ "z" }, help.pluck(doc.comments, "author"))
    assert.same({ 1 }, doc.any)
    local friend = post { title = "friend" }
    assert(doc:push { friends = friend })
    assert.same({ friend.pk }, doc:id_of "friends")
    assert(doc:pull { friends = friend })
    assert.same({}, doc:id_of "friends")
  end)

  it("upserts a document that is told its class", function()
    assert.equal(0, (Special.objects:filter { title = "new" }:change(
      { inc = { views = 1 }, set_on_insert = { score = 2 } }, { upsert = true })))
    local doc = assert(Special.objects:get { title = "new" })
    assert.same({ 1, 2 }, { doc.views, doc.score })
    assert.equal(0, (Kept.objects:filter { name = "k" }:change({ inc = { n = 1 } },
      { upsert = true })))
    doc = assert(Kept.objects:get { name = "k" })
    assert.equal(1, doc.version)
    assert.truthy(doc.created_at and doc.updated_at)
  end)

  it("says the server's own error", function()
    post { title = "x", extra = { a = "text" } }
    local n, _, err = Post.objects:all():inc { ["extra.a"] = 1 }
    assert.is_nil(n)
    assert.equal("ServerError", err.kind)
    n, _, err = Post.objects:filter { views = "x" }:inc { views = 1 }
    assert.is_nil(n)
    assert.equal("ValidationError", err.kind)
    assert.equal(0, (Post.objects:all():slice(2, 1):inc { views = 1 }))
  end)
end)
