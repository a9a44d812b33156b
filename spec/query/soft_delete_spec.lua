-- Meta.soft_delete: what marks, what hides, what brings back, and what removes for good.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "soft"

local Meta = { connection_alias = "soft" }
local User = modm.MongoModel:extend("soft.User", {
  name = f.CharField {},
  Meta = { connection_alias = "soft", soft_delete = true, version = true, timestamps = true,
    indexes = { { "name", unique = true } } },
})
local Post = modm.MongoModel:extend("soft.Post", {
  author = f.ReferenceField { User, on_delete = modm.CASCADE }, title = f.CharField {},
  Meta = { connection_alias = "soft", soft_delete = "gone" },
})
local Like = modm.MongoModel:extend("soft.Like", {
  post = f.ReferenceField { Post, on_delete = modm.CASCADE },
  by = f.ReferenceField { User, on_delete = modm.NULLIFY }, Meta = Meta,
})
local Plain = modm.MongoModel:extend("soft.Plain", {
  name = f.CharField {}, Meta = { connection_alias = "soft", soft_delete = true },
})
local Bill = modm.MongoModel:extend("soft.Bill", {
  plain = f.ReferenceField { Plain, on_delete = modm.DENY },
  Meta = { connection_alias = "soft", soft_delete = true },
})

describe("soft delete", function()
  it("marks, hides in every door, and gives back", function()
    local doc = assert(User { name = "Ann" }:save())
    assert.is_true(doc:delete())
    assert.equal("DateTime", modm.type(doc.deleted_at))
    assert.equal(2, doc.version)
    assert.equal(0, #help.sent(function() assert(doc:save()) end))
    local ann = User.objects:filter { name = "Ann" }
    assert.equal(0, ann:count())
    assert.equal(0, #ann:list())
    assert.is_true(select(3, User.objects:get { pk = doc.pk }):is(User.DoesNotExist))
    assert.equal(0, ann:update { ["$set"] = { name = "x" } })
    assert.equal(0, ann:delete())
    assert.same({}, ann:aggregate():list())
    assert.equal(0, ann:limit(1):update { ["$set"] = { name = "x" } })
    assert.equal(1, ann:with_deleted():count())
    assert.equal(1, ann:only_deleted():count())
    assert.equal(0, User.objects:filter { name = "Bob" }:only_deleted():count())
    assert(doc:refresh_from_db())
    assert.is_true(doc:delete())
    assert.equal(2, doc.version)
    assert(doc:restore())
    assert.is_nil(doc.deleted_at)
    assert.equal(3, doc.version)
    assert.equal(1, ann:count())
    assert.equal(1, ann:delete())
    assert.equal(1, ann:restore())
    assert(doc:refresh_from_db())
    assert(doc:delete { hard = true })
    assert.equal(0, ann:with_deleted():count())
  end)

  it("lets a unique value be used again, and refuses to restore it beside another", function()
    local doc = assert(User { name = "Uno" }:save())
    assert.equal("DuplicateKeyError", select(3, User { name = "Uno" }:save()).kind)
    assert(doc:delete())
    local second = assert(User { name = "Uno" }:save())
    assert.equal("DuplicateKeyError", select(3, doc:restore()).kind)
    assert(second:delete { hard = true })
    assert(doc:restore())
  end)

  it("makes upserts that are not marked", function()
    Plain.objects:filter { name = "up" }:update({ ["$unset"] = { x = "" } }, { upsert = true })
    local stored = Plain.objects:values():get { name = "up" }
    assert.is_nil(rawget(stored, "deleted_at"))
  end)

  it("takes along by CASCADE, each in its own way, and leaves NULLIFY for later", function()
    local ann = assert(User { name = "Cas" }:save())
    local bob = assert(User { name = "Bob" }:save())
    local post = assert(Post { author = ann, title = "t" }:save())
    local like = assert(Like { post = post, by = bob }:save())
    assert(bob:delete())
    assert.equal(bob.pk, Like.objects:get { pk = like.pk }:id_of "by")
    assert(ann:delete())
    assert.equal(0, Post.objects:count())
    assert.equal(1, Post.objects:with_deleted():count())
    assert.equal(0, Like.objects:count())
    assert.equal("Cas", Post.objects:with_deleted():first().author.name)
    assert(ann:delete { hard = true })
    assert.equal(0, Post.objects:with_deleted():count())
    like = assert(Like { by = bob }:save())
    assert(bob:delete { hard = true })
    assert.is_nil(Like.objects:get { pk = like.pk }:id_of "by")
  end)

  it("holds to DENY, for which a marked document counts in a hard delete alone", function()
    local plain = assert(Plain { name = "p" }:save())
    local bill = assert(Bill { plain = plain }:save())
    assert.equal("OperationError", select(3, plain:delete()).kind)
    assert(bill:delete())
    assert(plain:delete())
    assert.equal("OperationError", select(3, plain:delete { hard = true }).kind)
    assert(bill:delete { hard = true })
    assert(plain:delete { hard = true })
    assert.equal(0, Plain.objects:with_deleted():filter { name = "p" }:count())
  end)

  it("restores only the version that it knows, and what is not marked stays", function()
    local doc = assert(User { name = "Res" }:save())
    assert(doc:restore())
    assert.equal(1, doc.version)
    assert(doc:delete())
    local other = assert(User.objects:only_deleted():get { pk = doc.pk })
    other.name = "Res2"
    assert(other:save())
    local _, message, err = doc:restore()
    assert.equal("ConflictError", err and err.kind, message)
    assert.equal("DateTime", modm.type(doc.deleted_at))
    assert.equal(0, User.objects:filter { pk = doc.pk }:count())
    assert(doc:refresh_from_db())
    assert(doc:restore())
    assert.same({ "Res2", 4 }, { doc.name, doc.version })
    assert.equal("ConflictError", select(3, other:delete()).kind)
    assert(doc:delete { hard = true })
    assert.is_true(select(3, doc:restore()):is(User.DoesNotExist))
    assert.equal("OperationError", select(3, User { name = "new" }:restore()).kind)
  end)

  it("does not take over the version of a change that came after its own", function()
    local doc = assert(User { name = "Late" }:save())
    local one = User.objects:with_deleted():filter { pk = doc.pk }
    local function rename() assert(one:update { ["$set"] = { name = "Later" } }) end
    assert(help.between("update", rename, function() return doc:delete() end))
    assert.equal("DateTime", modm.type(doc.deleted_at))
    doc.name = "Mine"
    assert.equal("ConflictError", select(3, doc:save()).kind)
    assert(doc:refresh_from_db())
    assert(help.between("update", rename, function() return doc:restore() end))
    doc.name = "Mine"
    assert.equal("ConflictError", select(3, doc:save()).kind)
    assert.equal("Later", User.objects:get { pk = doc.pk }.name)
  end)

  it("holds for a document of which a part was read", function()
    local doc = assert(User { name = "Part" }:save())
    local part = assert(User.objects:only "name":get { pk = doc.pk })
    assert(part:delete())
    assert.equal("DateTime", modm.type(part.deleted_at))
    part = assert(User.objects:only_deleted():only "name":get { pk = doc.pk })
    assert.equal("Part", part.name)
    assert(part:delete())
    assert.equal(2, User.objects:only_deleted():get { pk = doc.pk }.version)
    part.name = "Partly"
    assert(part:save())
    assert.equal(0, User.objects:filter { pk = doc.pk }:count())
    part = assert(User.objects:only_deleted():only "name":get { pk = doc.pk })
    assert(part:restore())
    assert.is_nil(part.deleted_at)
    assert.equal("Partly", User.objects:get { pk = doc.pk }.name)
  end)

  it("of a queryset follows its rules, PULL when it is for good", function()
    local Group = modm.MongoModel:extend("soft.Group", {
      users = f.ListField { f.ReferenceField { User, on_delete = modm.PULL } }, Meta = Meta })
    local Team = modm.MongoModel:extend("soft.Team", {
      users = f.ListField { f.ReferenceField { User, on_delete = modm.PULL } },
      Meta = { connection_alias = "soft", soft_delete = true } })
    local users = {}
    for i = 1, 3 do users[i] = assert(User { name = "Bulk" .. i }:save()) end
    local group = assert(Group { users = users }:save())
    local team = assert(Team { users = users }:save())
    local post = assert(Post { author = users[1] }:save())
    assert(team:delete())
    local bulk = User.objects:raw { name = { ["$regex"] = "^Bulk" } }
    local function left(Model, doc)
      local set = Model == Team and Model.objects:with_deleted() or Model.objects
      return #set:get { pk = doc.pk }:id_of "users"
    end
    assert.equal(3, bulk:delete())
    assert.equal(0, bulk:delete())
    assert.same({ 3, 3 }, { left(Group, group), left(Team, team) })
    assert.equal(0, Post.objects:filter { pk = post.pk }:count())
    assert.equal(3, bulk:restore())
    assert.equal(0, bulk:restore())
    assert.equal(0, Post.objects:filter { pk = post.pk }:count())
    assert.equal(1, Post.objects:filter { pk = post.pk }:restore())
    assert(users[1]:refresh_from_db())
    assert(users[1]:delete())
    assert.equal(1, bulk:only_deleted():delete { hard = true })
    assert.same({ 2, 2 }, { left(Group, group), left(Team, team) })
    assert.equal(0, Post.objects:with_deleted():filter { pk = post.pk }:count())
    assert(assert(users[2]:refresh_from_db()):delete())
    assert.equal(1, bulk:delete { hard = true })
    assert.same({ 1, 1 }, { left(Group, group), left(Team, team) })
    assert.equal(1, bulk:with_deleted():delete { hard = true })
    assert.same({ 0, 0 }, { left(Group, group), left(Team, team) })
  end)

  it("has unique indexes that diff_indexes compares with their condition", function()
    local nothing = { missing = {}, extra = {}, changed = {} }
    assert(User:ensure_indexes())
    assert.same(nothing, assert(User:diff_indexes()))
    local indexes = {
      { "name", unique = true },
      { "n", unique = true, partialFilterExpression = { n = modm.gt(0) } },
      { "tag", unique = true, sparse = true },
    }
    local definition = { name = f.CharField {}, n = f.IntegerField {}, tag = f.CharField {} }
    definition.Meta = { connection_alias = "soft", indexes = indexes }
    local Early = modm.MongoModel:extend("soft.Early", definition)
    assert(modm.switch_collection(Early, "late", function() return Early:ensure_indexes() end))
    definition.Meta.soft_delete = true
    local Late = modm.MongoModel:extend("soft.Late", definition)
    local diff = assert(Late:diff_indexes())
    assert.same({ {}, {}, 3 }, { diff.missing, diff.extra, #diff.changed })
    assert.same({ "partialFilterExpression" }, diff.changed[1].differs)
    assert.same({ "partialFilterExpression" }, diff.changed[2].differs)
    assert.same({ "partialFilterExpression", "sparse" }, diff.changed[3].differs)
    assert(Late:sync_indexes { drop = true })
    assert.same(nothing, assert(Late:diff_indexes()))
  end)

  it("is asked for where a model has it", function()
    assert.is_true(select(2, help.raised(function() Like.objects:with_deleted() end)))
    assert.is_true(select(2, help.raised(function() Like {}:restore() end)))
    assert.is_true(select(2, help.raised(function() User.objects:restore() end)))
    assert.is_true(select(2, help.raised(function() User.objects:with_deleted():delete() end)))
  end)
end)
