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

  it("is asked for where a model has it", function()
    assert.is_true(select(2, help.raised(function() Like.objects:with_deleted() end)))
    assert.is_true(select(2, help.raised(function() Like {}:restore() end)))
    assert.is_true(select(2, help.raised(function() User.objects:restore() end)))
    assert.is_true(select(2, help.raised(function() User.objects:with_deleted():delete() end)))
  end)
end)
