-- Delete rules, one by one and together.
local help = require "spec.relation.help"
local modm = require "modm"

local f = modm.fields
local Meta = { connection_alias = "rules" }

help.connect "rules"

-- Models with a name of their own for each spec, so that no rule of one is a rule of another.
local number = 0
local function model(name, definition)
  number = number + 1
  definition.Meta = definition.Meta or {}
  definition.Meta.connection_alias = "rules"
  definition.Meta.collection_name = definition.Meta.collection_name or ("c" .. number)
  return modm.MongoModel:extend(("rules%d.%s"):format(number, name), definition)
end

local function embedded(name, definition)
  number = number + 1
  return modm.EmbeddedMongoModel:extend(("rules%d.%s"):format(number, name), definition)
end

local function user_model(definition)
  definition = definition or {}
  definition.name = f.CharField { primary_key = true }
  return model("User", definition)
end

local function count(Model) return assert(Model.objects:count()) end

local function raw(Model, key)
  local list = assert(Model.objects:filter { pk = key }:values():list())
  return list[1]
end

describe("a model without rules", function()
  it("is deleted with one command", function()
    local User = user_model()
    model("Post", { author = f.ReferenceField { User, on_delete = modm.DO_NOTHING } })
    assert(User.objects:bulk_create { User { name = "a" }, User { name = "b" } })
    local names, n = help.names(function() return assert(User.objects:all():delete()) end)
    assert.equal(2, n)
    assert.matches("^delete c%d+$", names)
  end)
end)

describe("DO_NOTHING", function()
  it("leaves the key", function()
    local User = user_model()
    local Post = model("Post", { author = f.ReferenceField { User } })
    local jon = assert(User { name = "jon" }:save())
    local post = assert(Post { author = jon }:save())
    assert(jon:delete())
    post = assert(Post.objects:get { pk = post.pk })
    assert.is_nil(post.author)
    assert.equal("jon", post:id_of "author")
  end)
end)

describe("NULLIFY", function()
  it("unsets the reference, by its stored name", function()
    local User = user_model()
    local Post = model("Post", {
      author = f.ReferenceField { User, on_delete = modm.NULLIFY, mongo_name = "a" },
      n = f.IntegerField {},
    })
    local jon, sam = assert(User { name = "jon" }:save()), assert(User { name = "sam" }:save())
    local post = assert(Post { author = jon, n = 1 }:save())
    local other = assert(Post { author = sam }:save())
    assert(jon:delete())
    assert.is_nil(raw(Post, post.pk).a)
    assert.equal(1, raw(Post, post.pk).n)
    assert.equal("sam", raw(Post, other.pk).a)
  end)

  it("takes from a list what was deleted, and leaves the rest", function()
    local User = user_model()
    local Post = model("Post", {
      readers = f.ListField { f.ReferenceField { User, on_delete = modm.NULLIFY } } })
    local jon, sam = assert(User { name = "jon" }:save()), assert(User { name = "sam" }:save())
    local post = assert(Post { readers = { jon, sam, jon } }:save())
    assert(jon:delete())
    post = assert(Post.objects:get { pk = post.pk })
    assert.same({ "sam" }, post:id_of "readers")
    assert(post:save())
  end)

  it("reaches into embedded documents, their lists and lists in those", function()
    local User = user_model()
    local Answer = embedded("Answer", {
      by = f.ReferenceField { User, on_delete = modm.NULLIFY, mongo_name = "b" },
      text = f.CharField {},
    })
    local Note = embedded("Note", {
      by = f.ReferenceField { User, on_delete = modm.NULLIFY },
      answers = f.EmbeddedModelListField { Answer },
      best = f.EmbeddedModelField { Answer },
    })
    local Post = model("Post", {
      note = f.EmbeddedModelField { Note },
      notes = f.EmbeddedModelListField { Note, mongo_name = "ns" },
      grid = f.ListField { f.ListField { f.EmbeddedModelField { Answer } } },
    })
    local jon, sam = assert(User { name = "jon" }:save()), assert(User { name = "sam" }:save())
    local function note(a, b)
      return Note { by = a, best = Answer { by = b },
        answers = { Answer { by = a }, Answer { by = b } } }
    end
    local post = assert(Post {
      note = note(jon, sam),
      notes = { note(sam, jon), Note {}, note(sam, sam) },
      grid = { { Answer { by = sam } }, { Answer { by = jon, text = "x" }, Answer { by = sam } } },
    }:save())
    assert(jon:delete())
    post = assert(Post.objects:get { pk = post.pk })
    assert.is_nil(post.note:id_of "by")
    assert.equal("sam", post.note.best:id_of "by")
    assert.is_nil(post.note.answers[1]:id_of "by")
    assert.equal("sam", post.note.answers[2]:id_of "by")
    assert.equal("sam", post.notes[1]:id_of "by")
    assert.is_nil(post.notes[1].best:id_of "by")
    assert.equal("sam", post.notes[1].answers[1]:id_of "by")
    assert.is_nil(post.notes[1].answers[2]:id_of "by")
    assert.equal("sam", post.notes[3].best:id_of "by")
    assert.equal("sam", post.grid[1][1]:id_of "by")
    assert.is_nil(post.grid[2][1]:id_of "by")
    assert.equal("x", post.grid[2][1].text)
    assert.equal("sam", post.grid[2][2]:id_of "by")
  end)

  it("follows a model that is embedded in itself", function()
    local User = user_model()
    number = number + 1
    local name = "rules" .. number .. ".Comment"
    local Comment = modm.EmbeddedMongoModel:extend(name, {
      by = f.ReferenceField { User, on_delete = modm.NULLIFY },
      answers = f.EmbeddedModelListField { name },
    })
    local Post = model("Post", { comments = f.EmbeddedModelListField { Comment } })
    local jon, sam = assert(User { name = "jon" }:save()), assert(User { name = "sam" }:save())
    local post = assert(Post { comments = {
      Comment { by = sam, answers = { Comment { by = jon, answers = { Comment { by = jon } } } } },
    } }:save())
    assert(jon:delete())
    local comment = assert(Post.objects:get { pk = post.pk }).comments[1]
    assert.equal("sam", comment:id_of "by")
    assert.is_nil(comment.answers[1]:id_of "by")
    assert.is_nil(comment.answers[1].answers[1]:id_of "by")
  end)
end)

describe("PULL", function()
  it("takes the keys from the lists, however deep", function()
    local User = user_model()
    local Team = embedded("Team", {
      members = f.ListField { f.ReferenceField { User, on_delete = modm.PULL } } })
    local Post = model("Post", {
      readers = f.ListField { f.ReferenceField { User, on_delete = modm.PULL }, mongo_name = "r" },
      table = f.ListField { f.ListField { f.ReferenceField { User, on_delete = modm.PULL } } },
      teams = f.EmbeddedModelListField { Team },
    })
    for _, name in ipairs { "a", "b", "c" } do assert(User { name = name }:save()) end
    local post = assert(Post {
      readers = { "a", "b", "a", "c", "gone" },
      table = { { "a", "b" }, {}, { "c" } },
      teams = { Team { members = { "b", "c" } }, Team {}, Team { members = { "c" } } },
    }:save())
    local untouched = assert(Post { readers = { "c" } }:save())
    assert.equal(2, User.objects:filter { name = modm.one_of { "a", "b" } }:delete())
    post = assert(Post.objects:get { pk = post.pk })
    assert.same({ "c", "gone" }, post:id_of "readers")
    assert.same({ {}, {}, { "c" } }, post:id_of "table")
    assert.same({ "c" }, post.teams[1]:id_of "members")
    assert.same({ "c" }, post.teams[3]:id_of "members")
    assert.same({ "c" }, assert(Post.objects:get { pk = untouched.pk }):id_of "readers")
    assert(post:save())
  end)
end)

describe("CASCADE", function()
  it("deletes what refers, and what refers to that", function()
    local User = user_model()
    local Post = model("Post", {
      author = f.ReferenceField { User, on_delete = modm.CASCADE, mongo_name = "a" } })
    local Like = model("Like", { post = f.ReferenceField { Post, on_delete = modm.CASCADE } })
    local Log = model("Log", { like = f.ReferenceField { Like, on_delete = modm.NULLIFY } })
    local jon, sam = assert(User { name = "jon" }:save()), assert(User { name = "sam" }:save())
    local gone, kept = assert(Post { author = jon }:save()), assert(Post { author = sam }:save())
    local like = assert(Like { post = gone }:save())
    assert(Like { post = kept }:save())
    local log = assert(Log { like = like }:save())
    assert.equal(1, User.objects:filter { name = "jon" }:delete())
    assert.same({ kept.pk }, help.keys(assert(Post.objects:all():list())))
    assert.equal(1, count(Like))
    assert.is_nil(assert(Log.objects:get { pk = log.pk }):id_of "like")
  end)

  it("works through lists and embedded documents", function()
    local User = user_model()
    local Note = embedded("Note", { by = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local Post = model("Post", {
      note = f.EmbeddedModelField { Note },
      notes = f.EmbeddedModelListField { Note },
      owners = f.ListField { f.ReferenceField { User, on_delete = modm.CASCADE } },
    })
    assert(User { name = "jon" }:save())
    assert(Post { note = Note { by = "jon" } }:save())
    assert(Post { notes = { Note { by = "sam" }, Note { by = "jon" } } }:save())
    assert(Post { owners = { "sam", "jon" } }:save())
    local kept = assert(Post { owners = { "sam" }, note = Note { by = "sam" } }:save())
    assert(User.objects:all():delete())
    assert.same({ kept.pk }, help.keys(assert(Post.objects:all():list())))
  end)

  it("ends in cycles, and counts what the queryset found", function()
    local Node
    number = number + 1
    local name = "rules" .. number .. ".Node"
    Node = modm.MongoModel:extend(name, {
      n = f.IntegerField { primary_key = true },
      next = f.ReferenceField { name, on_delete = modm.CASCADE },
      Meta = { connection_alias = "rules", collection_name = "nodes" },
    })
    for i = 1, 5 do assert(Node { n = i, next = i % 5 + 1 }:save()) end
    assert(Node { n = 6, next = 6 }:save())
    assert(Node { n = 7, next = 6 }:save())
    assert(Node { n = 8 }:save())
    assert.equal(1, Node.objects:filter { n = 3 }:delete())
    assert.same({ 6, 7, 8 }, help.keys(assert(Node.objects:order_by "n":list())))
    assert.equal(3, Node.objects:all():delete())
    assert.equal(0, count(Node))
  end)

  it("follows a long chain", function()
    number = number + 1
    local name = "rules" .. number .. ".Link"
    local Link = modm.MongoModel:extend(name, {
      n = f.IntegerField { primary_key = true },
      up = f.ReferenceField { name, on_delete = modm.CASCADE },
      Meta = { connection_alias = "rules", collection_name = "links", indexes = { { "up" } } },
    })
    local links = {}
    for i = 1, 400 do links[i] = Link { n = i, up = i > 1 and i - 1 or nil } end
    assert(Link.objects:bulk_create(links))
    assert(links[1]:delete())
    assert.equal(0, count(Link))
  end)

  it("of models that refer to each other ends", function()
    local A = model("A", { n = f.IntegerField { primary_key = true } })
    local B = model("B", { a = f.ReferenceField { A, on_delete = modm.CASCADE } })
    local C = A:extend("rules.C" .. number, {
      b = f.ReferenceField { B, on_delete = modm.CASCADE } })
    local b = assert(B { a = 1 }:save())
    local c = assert(C { n = 1, b = b }:save())
    assert(c:delete())
    assert.equal(0, count(A))
    assert.equal(0, count(B))
  end)
end)

describe("DENY", function()
  it("is an error that names both models and the field, and nothing is deleted", function()
    local User = user_model()
    local Post = model("Post", { author = f.ReferenceField { User, on_delete = modm.DENY } })
    model("Draft", { author = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local jon = assert(User { name = "jon" }:save())
    assert(User { name = "sam" }:save())
    assert(Post { author = jon }:save())
    local ok, message, err = jon:delete()
    assert.is_nil(ok)
    assert.equal("OperationError", err.kind)
    assert.equal("Cannot delete a User object while a Post object refers to it through its "
      .. '"author" field.', message)
    ok, message = User.objects:all():delete()
    assert.is_nil(ok)
    assert.matches("Cannot delete", message)
    assert.equal(2, count(User))
    assert.equal(1, User.objects:filter { name = "sam" }:delete())
    assert(Post.objects:all():delete())
    assert(jon:delete())
  end)

  it("deep in a cascade leaves everything untouched", function()
    local User = user_model()
    local Post = model("Post", { author = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local Like = model("Like", { post = f.ReferenceField { Post, on_delete = modm.CASCADE } })
    local Bill = model("Bill", {
      like = f.ReferenceField { Like, on_delete = modm.DENY, mongo_name = "l" } })
    local Fan = model("Fan", { user = f.ReferenceField { User, on_delete = modm.NULLIFY } })
    local jon = assert(User { name = "jon" }:save())
    local fan = assert(Fan { user = jon }:save())
    local last
    for _ = 1, 3 do
      last = assert(Like { post = assert(Post { author = jon }:save()) }:save())
    end
    local bill = assert(Bill { like = last }:save())
    local names, message = help.names(function() return select(2, jon:delete()) end)
    assert.equal("Cannot delete a Like object while a Bill object refers to it through its "
      .. '"like" field.', message)
    assert.not_matches("delete", names)
    assert.not_matches("update", names)
    assert.equal(1, count(User))
    assert.equal(3, count(Post))
    assert.equal(3, count(Like))
    assert.equal("jon", fan:id_of "user")
    assert(bill:delete())
    assert(jon:delete())
    assert.equal(0, count(Like))
  end)

  it("is seen in cycles, lists and embedded documents", function()
    local User = user_model()
    local Note = embedded("Note", { by = f.ReferenceField { User, on_delete = modm.DENY } })
    local Post = model("Post", { notes = f.EmbeddedModelListField { Note } })
    local jon = assert(User { name = "jon" }:save())
    local post = assert(Post { notes = { Note {}, Note { by = jon } } }:save())
    local ok, message = jon:delete()
    assert.is_nil(ok)
    assert.matches('a Post object refers to it through its "notes.by" field', message)
    post.notes[2].by = nil
    assert(post:save())
    assert(jon:delete())
  end)
end)

describe("rules together", function()
  it("are followed in one delete", function()
    local User = user_model()
    local Post = model("Post", {
      author = f.ReferenceField { User, on_delete = modm.CASCADE },
      editor = f.ReferenceField { User, on_delete = modm.NULLIFY },
      readers = f.ListField { f.ReferenceField { User, on_delete = modm.PULL } },
      witness = f.ReferenceField { User },
    })
    for _, name in ipairs { "a", "b" } do assert(User { name = name }:save()) end
    assert(Post { author = "a" }:save())
    assert(Post { author = "b", editor = "a", readers = { "a", "b" }, witness = "a" }:save())
    assert.equal(1, User.objects:filter { name = "a" }:delete())
    local post = assert(Post.objects:get())
    assert.equal("b", post:id_of "author")
    assert.is_nil(post:id_of "editor")
    assert.same({ "b" }, post:id_of "readers")
    assert.equal("a", post:id_of "witness")
  end)

  it("honour the queryset's class, order, limit and skip", function()
    local User = user_model { n = f.IntegerField {} }
    local Guest = User:extend("rules.Guest" .. number, {})
    local Post = model("Post", { author = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local function fill()
      assert(Post.objects:all():delete())
      assert(User.objects:all():delete())
      for i = 1, 6 do
        assert((i % 2 == 0 and Guest or User) { name = "u" .. i, n = i }:save())
        assert(Post { author = "u" .. i }:save())
      end
    end
    local function left()
      local keys = help.keys(assert(User.objects:order_by "n":list()))
      assert.equal(#keys, count(Post))
      return table.concat(keys, " ")
    end
    fill()
    assert.equal(3, Guest.objects:all():delete())
    assert.equal("u1 u3 u5", left())
    fill()
    assert.equal(2, User.objects:all():order_by "-n":skip(1):limit(2):delete())
    assert.equal("u1 u2 u3 u6", left())
    fill()
    assert.equal(1, User.objects:all():order_by "n":slice(2, 2):delete())
    assert.equal("u1 u3 u4 u5 u6", left())
    assert.equal(0, User.objects:all():slice(3, 2):delete())
    assert.equal("u1 u3 u4 u5 u6", left())
  end)

  it("hold when what extends the target is deleted", function()
    local User = user_model()
    local Admin = User:extend("rules.Admin" .. number, {})
    local Post = model("Post", { author = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local Ban = model("Ban", { by = f.ReferenceField { Admin, on_delete = modm.NULLIFY } })
    local admin = assert(Admin { name = "admin" }:save())
    assert(Post { author = admin }:save())
    local ban = assert(Ban { by = admin }:save())
    assert.equal(1, User.objects:all():delete())
    assert.equal(0, count(Post))
    assert.is_nil(assert(Ban.objects:get { pk = ban.pk }):id_of "by")
    admin = assert(Admin { name = "admin" }:save { force_insert = true })
    assert(Post { author = "admin" }:save())
    assert(admin:delete())
    assert.equal(0, count(Post))
  end)

  it("hold for documents of what extends the one that refers", function()
    local User = user_model()
    local Post = model("Post", { author = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local Essay = Post:extend("rules.Essay" .. number, {})
    local Loose = Post:extend("rules.Loose" .. number, { author = f.ReferenceField { User } })
    local jon = assert(User { name = "jon" }:save())
    assert(Post { author = jon }:save())
    assert(Essay { author = jon }:save())
    assert(Loose { author = jon }:save())
    assert(jon:delete())
    assert.equal(1, count(Post))
    assert.equal(1, count(Loose))
  end)

  it("hold for a field that only the extending model has", function()
    local User = user_model()
    local Post = model("Post", {})
    local Essay = Post:extend("rules.Essay2" .. number, {
      author = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local Note = embedded("Note", {})
    local Signed = Note:extend("rules.Signed" .. number, {
      by = f.ReferenceField { User, on_delete = modm.NULLIFY } })
    local Book = model("Book", { notes = f.EmbeddedModelListField { Note } })
    local jon = assert(User { name = "jon" }:save())
    assert(Essay { author = jon }:save())
    local book = assert(Book { notes = { Note {}, Signed { by = jon } } }:save())
    assert(jon:delete())
    assert.equal(0, count(Essay))
    assert.is_nil(assert(Book.objects:get { pk = book.pk }).notes[2]:id_of "by")
  end)

  it("travel in lists of a thousand keys", function()
    local User = model("User", {})
    local Post = model("Post", {
      author = f.ReferenceField { User, on_delete = modm.CASCADE },
      Meta = { indexes = { { "author" } } },
    })
    local Like = model("Like", {
      post = f.ReferenceField { Post, on_delete = modm.CASCADE },
      readers = f.ListField { f.ReferenceField { User, on_delete = modm.PULL } },
      Meta = { indexes = { { "post" } } },
    })
    local users, posts, likes = {}, {}, {}
    for i = 1, 2500 do users[i] = User {} end
    local kept = assert(User {}:save())
    assert(User.objects:bulk_create(users))
    for i = 1, 5000 do posts[i] = Post { author = users[i % 2500 + 1] } end
    posts[5001] = Post { author = kept }
    assert(Post.objects:bulk_create(posts))
    for i = 1, 3000 do likes[i] = Like { post = posts[i] } end
    likes[3001] = Like { post = posts[5001], readers = { users[1], kept, users[2500] } }
    assert(Like.objects:bulk_create(likes))
    local sent, n = help.sent(function()
      return assert(User.objects:filter { pk = modm.ne(kept.pk) }:delete())
    end)
    assert.equal(2500, n)
    assert.equal(1, count(User))
    assert.equal(1, count(Post))
    assert.same({ kept.pk }, assert(Like.objects:get()):id_of "readers")
    for _, event in ipairs(sent) do
      local statement = (event.command.deletes or event.command.updates or {})[1]
      local filter = statement and statement.q or event.command.filter
      local function longest(value)
        local most = 0
        for key, inner in pairs(type(value) == "table" and value or {}) do
          most = math.max(most, key == "$in" and #inner or 0, longest(inner))
        end
        return most
      end
      assert.is_true(longest(filter) <= 1000)
    end
  end)

  it("check thousands of keys for DENY", function()
    local User = model("User", {})
    local Post = model("Post", {
      author = f.ReferenceField { User, on_delete = modm.CASCADE },
      Meta = { indexes = { { "author" } } },
    })
    local Bill = model("Bill", {
      post = f.ReferenceField { Post, on_delete = modm.DENY },
      Meta = { indexes = { { "post" } } },
    })
    local users, posts = {}, {}
    for i = 1, 2200 do users[i] = User {} end
    assert(User.objects:bulk_create(users))
    for i = 1, 2200 do posts[i] = Post { author = users[i] } end
    assert(Post.objects:bulk_create(posts))
    local bill = assert(Bill { post = posts[2200] }:save())
    local ok, message = User.objects:all():delete()
    assert.is_nil(ok)
    assert.matches("Cannot delete a Post object while a Bill object", message)
    assert.equal(2200, count(User))
    assert.equal(2200, count(Post))
    assert(bill:delete())
    assert.equal(2200, User.objects:all():delete())
    assert.equal(0, count(Post))
  end)
end)

describe("a default manager that hides documents", function()
  local Shown = modm.Manager:extend {
    get_queryset = function(self)
      return modm.Manager.get_queryset(self):filter { hidden = false }
    end,
  }

  it("hides none of them from references and rules, but from the methods of documents", function()
    local User = model("User", {
      name = f.CharField { primary_key = true }, hidden = f.BooleanField { default = false },
      shown = Shown(), everyone = modm.Manager(),
    })
    local Post = model("Post", {
      author = f.ReferenceField { User, on_delete = modm.CASCADE },
      hidden = f.BooleanField { default = false }, shown = Shown(), everyone = modm.Manager(),
    })
    local ghost = assert(User { name = "ghost", hidden = true }:save())
    local post = assert(Post { author = ghost, hidden = true }:save())
    assert.equal(0, User.shown:count())
    assert.equal("ghost", assert(Post.everyone:get { pk = post.pk }).author.name)
    local ok, _, err = ghost:refresh_from_db()
    assert.is_nil(ok)
    assert.is_true(err:is(User.DoesNotExist))
    assert(ghost:delete())
    assert.equal(1, User.everyone:count())
    assert.equal(1, User.everyone:filter { name = "ghost" }:delete())
    assert.equal(0, Post.everyone:count())
  end)
end)

describe("references by name", function()
  it("have their rules once the name is there", function()
    number = number + 1
    local target = "rules" .. number .. ".Later"
    local Post = model("Post", { later = f.ReferenceField { target, on_delete = modm.CASCADE } })
    local Later = modm.MongoModel:extend(target, { Meta = Meta })
    local later = assert(Later {}:save())
    assert(Post { later = later }:save())
    assert(later:delete())
    assert.equal(0, count(Post))
  end)
end)

describe("register_delete_rule", function()
  it("adds a rule for references both ways", function()
    local User = user_model()
    local Post = model("Post", { author = f.ReferenceField { User } })
    User.register_delete_rule(User, Post, "author", modm.CASCADE)
    local jon = assert(User { name = "jon" }:save())
    assert(Post { author = jon }:save())
    assert(jon:delete())
    assert.equal(0, count(Post))
  end)

  -- Two models that refer to each other: a document of each, and those that hold them.
  local function mutual(rule_of_b, rule_of_a)
    number = number + 1
    local name = "rules" .. number .. ".B"
    local A = model("A", { ref = f.ReferenceField { name } })
    local B = modm.MongoModel:extend(name, { ref = f.ReferenceField { A }, Meta = Meta })
    A:register_delete_rule(B, "ref", rule_of_b)
    B:register_delete_rule(A, "ref", rule_of_a)
    local a = assert(A {}:save())
    local b = assert(B { ref = a }:save())
    a.ref = b
    assert(a:save())
    return a, b, A, B
  end

  it("cascades between two models that refer to each other, and ends", function()
    local a, _, A, B = mutual(modm.CASCADE, modm.CASCADE)
    assert(a:delete())
    assert.same({ 0, 0 }, { count(A), count(B) })
  end)

  it("may deny one way and unset the other", function()
    local a, b = mutual(modm.DENY, modm.NULLIFY)
    local ok, _, err = a:delete()
    assert.is_nil(ok)
    assert.equal("OperationError", err.kind)
    assert(b:delete())
    assert(a:refresh_from_db())
    assert.is_nil(a.ref)
    assert.is_nil(a:id_of "ref")
  end)

  it("may deny one way and cascade the other", function()
    local a, b, A, B = mutual(modm.DENY, modm.CASCADE)
    assert.is_nil((a:delete()))
    assert.same({ 1, 1 }, { count(A), count(B) })
    assert(b:delete()) -- takes a along, to which only b refers
    assert.same({ 0, 0 }, { count(A), count(B) })
  end)

  it("is a method of models, takes dotted names, and replaces the field's rule", function()
    local User = user_model()
    local Note = embedded("Note", { by = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local Post = model("Post", {
      notes = f.EmbeddedModelListField { Note },
      author = f.ReferenceField { User, on_delete = modm.DENY },
    })
    User:register_delete_rule(Post, "notes.by", modm.NULLIFY)
    User:register_delete_rule(Post, "author", modm.DO_NOTHING)
    local jon = assert(User { name = "jon" }:save())
    local post = assert(Post { notes = { Note { by = jon } }, author = jon }:save())
    assert(jon:delete())
    post = assert(Post.objects:get { pk = post.pk })
    assert.is_nil(post.notes[1]:id_of "by")
    assert.equal("jon", post:id_of "author")
  end)

  it("for one that extends the referring model holds for it alone", function()
    local User = user_model()
    local Post = model("Post", { author = f.ReferenceField { User, on_delete = modm.CASCADE } })
    local Essay = Post:extend("rules.Essay3" .. number, {})
    User:register_delete_rule(Essay, "author", modm.NULLIFY)
    local jon = assert(User { name = "jon" }:save())
    assert(Post { author = jon }:save())
    local essay = assert(Essay { author = jon }:save())
    assert(jon:delete())
    assert.equal(1, count(Post))
    assert.is_nil(assert(Essay.objects:get { pk = essay.pk }):id_of "author")
  end)

  it("refuses what makes no sense, at the caller's line", function()
    local User, Other = user_model(), user_model()
    local Post = model("Post", { author = f.ReferenceField { User }, n = f.IntegerField {} })
    local function refuses(text, ...)
      local ok, err = pcall(User.register_delete_rule, ...)
      assert.is_false(ok)
      assert.equal("InvalidModel", err.kind)
      assert.matches(text, tostring(err))
    end
    refuses("no such reference", User, Post, "autor", modm.CASCADE)
    refuses("no such reference", User, Post, "n", modm.CASCADE)
    refuses("refers to", Other, Post, "author", modm.CASCADE)
    refuses("no delete rule 7", User, Post, "author", 7)
    refuses("no delete rule nil", User, Post, "author", nil)
    refuses("PULL is for lists", User, Post, "author", modm.PULL)
    refuses("a model with a collection", User, {}, "author", modm.CASCADE)
    local _, err = pcall(function() User:register_delete_rule(Post, "autor", modm.CASCADE) end)
    assert.matches("^spec/relation/rules_spec.lua:", tostring(err))
  end)
end)

describe("a definition", function()
  local function refuses(text, definition)
    local ok, err = pcall(function() model("Bad", definition) end)
    assert.is_false(ok)
    assert.matches(text, tostring(err))
    return err
  end

  it("is refused with PULL on a field that is no list", function()
    local err = refuses("PULL is for lists", {
      author = f.ReferenceField { user_model(), on_delete = modm.PULL } })
    assert.equal("InvalidModel", err.kind)
    assert.has_error(function()
      embedded("Bad", { author = f.ReferenceField { user_model(), on_delete = modm.PULL } })
    end)
  end)

  it("is refused with an unknown rule", function()
    refuses("no delete rule 5", { author = f.ReferenceField { user_model(), on_delete = 5 } })
    refuses("no delete rule %-1", { author = f.ReferenceField { user_model(), on_delete = -1 } })
  end)

  it("is refused with a reference to an embedded model", function()
    local Note = embedded("Note", {})
    refuses("a model with a collection", { author = f.ReferenceField { Note } })
    refuses("a model with a collection", { all = f.ListField { f.ReferenceField { Note } } })
  end)
end)
