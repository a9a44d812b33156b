-- switch_connection, switch_collection and collection_options: what they reach, and for whom.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "scopes"
help.connect "scopes_other"

local meta = { connection_alias = "scopes", indexes = { { "name" } } }
local User = modm.MongoModel:extend("scopes.User", { name = f.CharField {}, n = f.IntegerField {},
  Meta = meta })
local Admin = User:extend("scopes.Admin", {})
local Post = modm.MongoModel:extend("scopes.Post", {
  title = f.CharField {},
  author = f.ReferenceField { User, on_delete = modm.CASCADE },
  Meta = { connection_alias = "scopes" },
})

local function collections(fn)
  local out = {}
  for i, event in ipairs(help.sent(fn)) do
    out[i] = event.alias .. " " .. event.name .. " " .. tostring(event.command[event.name])
  end
  return table.concat(out, ", ")
end

local function archive(fn) return modm.switch_collection(User, "archive", fn) end

local function away(fn) return modm.switch_connection(User, "scopes_other", fn) end

describe("a scope of a model", function()
  before_each(function()
    assert(User.objects:all():delete())
    assert(Post.objects:all():delete())
    archive(function() assert(User.objects:all():delete()) end)
    away(function() assert(User.objects:all():delete()) end)
  end)

  it("reaches reads and writes", function()
    local seen = archive(function()
      local one = assert(User { name = "a" }:save())
      assert(User.objects:bulk_create { User { name = "b" } })
      assert.equal(1, User.objects:filter { name = "b" }:update { ["$set"] = { n = 1 } })
      assert.equal(2, User.objects:count())
      assert.equal(2, #User.objects:aggregate({ ["$sort"] = { name = 1 } }):list())
      assert.equal("a", one:refresh_from_db().name)
      assert(one:delete())
      return User.objects:first().name
    end)
    assert.equal("b", seen)
    assert.equal(0, User.objects:count())
    away(function()
      assert(User { name = "c" }:save())
      assert.equal(1, User.objects:count())
    end)
    assert.equal(0, User.objects:count())
  end)

  it("reaches models that extend it, unless they name a place of their own", function()
    local Guest = User:extend("scopes.Guest", { Meta = { collection_name = "guests" } })
    archive(function()
      assert.matches("aggregate archive$", collections(function() Admin.objects:count() end))
      assert.matches("aggregate guests", collections(function() Guest.objects:count() end))
    end)
    modm.switch_collection(Admin, "admins", function()
      assert.matches("aggregate user$", collections(function() User.objects:count() end))
      assert.matches("aggregate admins", collections(function() Admin.objects:count() end))
    end)
  end)

  it("makes indexes once for each place", function()
    local Item = modm.MongoModel:extend("scopes.Item", { name = f.CharField {}, Meta = meta })
    local function first() return collections(function() Item.objects:first() end) end
    assert.equal("scopes createIndexes item, scopes find item", first())
    assert.equal("scopes find item", first())
    for i = 1, 2 do
      modm.switch_connection(Item, "scopes_other", function()
        modm.switch_collection(Item, "items", function()
          assert.equal((i == 1 and "scopes_other createIndexes items, " or "")
            .. "scopes_other find items", first())
          assert.equal("scopes_other createIndexes items",
            collections(function() assert(Item:ensure_indexes()) end))
        end)
      end)
    end
    assert.equal("scopes find item", first())
  end)

  it("reaches references to the model and delete rules", function()
    local ann = assert(User { name = "ann" }:save())
    local post = assert(Post { title = "t", author = ann }:save())
    archive(function()
      assert.is_nil(Post.objects:first().author)
      assert(ann:save())
      assert.equal("ann", Post.objects:first().author.name)
      assert.equal("ann", Post.objects:select_related("author"):first().author.name)
    end)
    modm.switch_collection(Post, "old_posts", function()
      assert(post:save())
      assert(ann:delete())
      assert.equal(0, Post.objects:count())
    end)
    assert.equal(1, Post.objects:count())
  end)

  it("keeps the rules of a model from documents in another place", function()
    local admin = assert(Admin { name = "root" }:save())
    assert(Post { title = "t", author = admin }:save())
    modm.switch_collection(Admin, "old_admins", function()
      assert(admin:save())
      assert(admin:delete())
    end)
    assert.equal(1, Post.objects:count()) -- it refers to the one in User's collection
    assert(admin:delete())
    assert.equal(0, Post.objects:count())
  end)

  it("holds for a queryset where it is run", function()
    local set = archive(function()
      assert(User { name = "old" }:save())
      return User.objects:all()
    end)
    assert.equal(0, set:count())
    local outside = User.objects:all()
    local iterator = archive(function()
      assert.equal(1, outside:count())
      return outside:iter()
    end)
    assert.equal("old", iterator().name)
  end)

  it("stores a document of another place as a whole", function()
    local user = assert(User { name = "a", n = 1 }:save())
    local found = assert(User.objects:get { pk = user.pk })
    archive(function() assert(found:save()) end)
    archive(function()
      local there = assert(User.objects:get { pk = user.pk })
      assert.same({ "a", 1 }, { there.name, there.n })
      there.n = 2
      assert.equal("$set", next(help.one(function() assert(there:save()) end).updates[1].u))
      assert.same({}, help.sent(function() assert(there:save()) end))
      found = there
    end)
    assert.equal(1, User.objects:get { pk = user.pk }.n)
    assert(found:save())
    assert.equal(2, User.objects:get { pk = user.pk }.n)
    local part = assert(User.objects:only("name"):get { pk = user.pk })
    archive(function()
      local ok, message = part:save()
      assert.is_nil(ok)
      assert.matches("scopes.User: only some of its fields were loaded", message)
      local again, why, err = found:refresh_from_db { "n" }
      assert.is_nil(again)
      assert.matches("scopes.User.*another collection", why)
      assert.equal("OperationError", err.kind)
      assert(found:refresh_from_db())
      assert.same({}, help.sent(function() assert(found:save()) end))
    end)
  end)

  it("sets options, and leaves those that are not given", function()
    local Note = modm.MongoModel:extend("scopes.Note", { text = f.CharField {}, Meta = {
      connection_alias = "scopes", write_concern = { w = 1, j = true } } })
    local function sent(fn) return help.one(fn) end
    modm.collection_options(Note, { read_concern = "majority" }, function()
      assert.same({ level = "majority" }, sent(function() Note.objects:first() end).readConcern)
      local command = sent(function() Note { text = "a" }:save() end)
      assert.same({ w = 1, j = true }, command.writeConcern)
      modm.collection_options(Note, { write_concern = { w = 1 } }, function()
        local inner = sent(function() Note { text = "b" }:save() end)
        assert.same({ w = 1 }, inner.writeConcern)
        assert.same({ level = "majority" }, sent(function() Note.objects:first() end).readConcern)
      end)
    end)
    assert.is_nil(sent(function() Note.objects:first() end).readConcern)
    modm.collection_options(Note, { read_preference = "secondaryPreferred" }, function()
      local command = sent(function() Note.objects:first() end)
      assert.equal("secondaryPreferred", command["$readPreference"].mode)
    end)
  end)

  it("ends when its function raises", function()
    assert.is_false((pcall(archive, function() error "no" end)))
    assert.matches("aggregate user$", collections(function() User.objects:count() end))
  end)

  it("is not seen by another coroutine", function()
    local function body(name)
      return modm.switch_collection(User, name, function()
        for i = 1, 2 do
          assert(User { name = name .. i }:save())
          coroutine.yield()
        end
        return User.objects:count()
      end)
    end
    local one, two = coroutine.create(body), coroutine.create(body)
    local n, m
    for _ = 1, 3 do
      n = select(2, assert(coroutine.resume(one, "first")))
      m = select(2, assert(coroutine.resume(two, "second")))
      assert.equal(0, User.objects:count())
    end
    assert.same({ 2, 2 }, { n, m })
    for _, name in ipairs { "first", "second" } do
      modm.switch_collection(User, name, function() assert(User.objects:all():delete()) end)
    end
  end)

  it("says so at the first operation when the alias is not connected", function()
    modm.switch_connection(User, "nowhere", function()
      local n, message, err = User.objects:count()
      assert.is_nil(n)
      assert.matches("'nowhere'", message)
      assert.equal("ConfigurationError", err.kind)
    end)
  end)

  it("raises for what makes none, at the line of the program", function()
    local Inside = modm.EmbeddedMongoModel:extend("scopes.Inside", {})
    local function nothing() end
    for _, try in ipairs {
      { "a model with a collection expected",
        function() modm.switch_connection({}, "a", nothing) end },
      { "a model with a collection expected",
        function() modm.switch_collection(Inside, "a", nothing) end },
      { "a model with a collection expected",
        function() modm.switch_collection(modm.MongoModel, "a", nothing) end },
      { "a function expected", function() modm.switch_collection(User, "a") end },
      { "a name expected", function() modm.switch_collection(User, nil, nothing) end },
      { "a name expected", function() modm.switch_connection(User, 5, nothing) end },
      { "a table of options expected", function() modm.collection_options(User, nil, nothing) end },
      { "no option 'colour'",
        function() modm.collection_options(User, { colour = 1 }, nothing) end },
      { "codec_options", function()
        modm.collection_options(User, { codec_options = {} }, nothing) end },
    } do
      local message, here = help.raised(try[2])
      assert.matches(try[1], message, 1, true)
      assert.is_true(here)
    end
  end)
end)
