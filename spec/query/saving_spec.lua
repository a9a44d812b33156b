-- Saving one document: the very commands, and what holds when it fails.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "saving"

local Meta = { connection_alias = "saving" }
local Address = modm.EmbeddedMongoModel:extend("saving.Address", {
  city = f.CharField {}, street = f.CharField {},
})
local Note = modm.MongoModel:extend("saving.Note", {
  title = f.CharField { mongo_name = "t" },
  n = f.IntegerField {},
  tags = f.ListField { f.CharField {} },
  data = f.DictField {},
  address = f.EmbeddedModelField { Address },
  Meta = Meta,
})
local User = modm.MongoModel:extend("saving.User", {
  email = f.EmailField { primary_key = true }, name = f.CharField {}, Meta = Meta,
})
local Coded = modm.MongoModel:extend("saving.Coded", {
  code = f.ObjectIdField { primary_key = true }, n = f.IntegerField {}, Meta = Meta,
})

local function update_of(doc)
  local command = help.one(function() assert(doc:save()) end)
  assert.equal(1, #command.updates)
  local update = command.updates[1]
  for _, option in ipairs { "multi", "upsert" } do -- libmongoc may add what is the default
    update[option] = update[option] or nil
  end
  return update, command
end

describe("saving", function()
  it("inserts a new document, with a key of ours in front", function()
    local note = Note { title = "a", n = 1 }
    local command = help.one(function() assert.equal(note, assert(note:save())) end)
    assert.equal("note", command.insert)
    local stored = command.documents[1]
    assert.same({ t = "a", n = 1, _cls = "saving.Note", _id = note.pk }, stored)
    assert.equal("\7_id\0", core.encode(stored):sub(5, 9))
    assert.equal("ObjectId", core.type(note.pk))
    assert.equal("a", Note.objects:get { pk = note.pk }.title)
  end)

  it("makes the key of an ObjectId that was declared", function()
    local coded = assert(Coded { n = 1 }:save { full_clean = false })
    assert.equal("ObjectId", core.type(coded.code))
    assert.equal(1, Coded.objects:get { code = coded.code }.n)
  end)

  it("makes no key of another kind", function()
    local user, message, err = User { name = "x" }:save { full_clean = false }
    assert.is_nil(user)
    assert.matches("saving.User.email: the primary key is not set", message)
    assert.equal("ValidationError", err.kind)
  end)

  it("replaces, or makes, the document of a key that was set by hand", function()
    local update, command = update_of(User { email = "a@b.c", name = "Ann" })
    assert.equal("user", command.update)
    assert.same({ q = { _id = "a@b.c" }, u = { _id = "a@b.c", name = "Ann", _cls = "saving.User" },
      upsert = true }, update)
    assert.is_true(command.ordered)
    update_of(User { email = "a@b.c" })
    assert.is_nil(User.objects:get { pk = "a@b.c" }.name)
  end)

  it("inserts by force, and says when the key is taken", function()
    assert(User { email = "forced@b.c" }:save { force_insert = true })
    local again = User { email = "forced@b.c", name = "x" }
    local ok, message, err = again:save { force_insert = true }
    assert.is_nil(ok)
    assert.equal("DuplicateKeyError", err.kind)
    assert.equal(11000, err.code)
    assert.equal("string", type(message))
    assert(again:save())
    assert.equal("x", User.objects:get { pk = "forced@b.c" }.name)
  end)

  describe("a document that came from the server", function()
    local note
    before_each(function()
      local made = assert(Note { title = "a", n = 1, tags = { "x" }, data = { k = 1 },
        address = Address { city = "Bern", street = "S" } }:save())
      note = Note.objects:get { pk = made.pk }
    end)

    it("sends nothing when nothing differs", function()
      assert.equal(0, #help.sent(function()
        assert.equal(note, note:save())
        note.title = "a"
        note.n = "1"
        assert.truthy(note.tags and note.data and note.address.city)
        assert(note:save())
      end))
    end)

    it("sends what differs, by $set, $unset and $push", function()
      note.title = "b"
      local update = update_of(note)
      assert.same({ q = { _id = note.pk }, u = { ["$set"] = { t = "b" } } }, update)
      note.n = nil
      local unset = update_of(note).u
      assert.truthy(unset["$unset"].n ~= nil)
      table.insert(note.tags, "y")
      assert.same({ ["$push"] = { tags = { ["$each"] = { "y" } } } }, update_of(note).u)
      note.address.city = "Basel"
      assert.same({ ["$set"] = { ["address.city"] = "Basel" } }, update_of(note).u)
      note.data.k = 2
      assert.same({ ["$set"] = { data = { k = 2 } } }, update_of(note).u)
      assert.equal(0, #help.sent(function() assert(note:save()) end))
      local fresh = Note.objects:get { pk = note.pk }
      assert.same({ "x", "y" }, fresh.tags)
      assert.equal("Basel", fresh.address.city)
      assert.equal("S", fresh.address.street)
    end)

    it("loses nothing of what somebody else changed", function()
      local other = Note.objects:get { pk = note.pk }
      note.title = "mine"
      other.n = 2
      assert(note:save())
      assert(other:save())
      local fresh = Note.objects:get { pk = note.pk }
      assert.equal("mine", fresh.title)
      assert.equal(2, fresh.n)
    end)

    it("that is gone is DoesNotExist, and never half a document", function()
      assert.equal(1, Note.objects:filter { pk = note.pk }:delete())
      note.title = "late"
      local ok, message, err = note:save()
      assert.is_nil(ok)
      assert.is_true(err:is(Note.DoesNotExist))
      assert.matches("no longer there", message)
      assert.equal(0, Note.objects:filter { pk = note.pk }:count())
      assert.equal("late", note.title)
    end)

    it("with another key makes a second document", function()
      local old, new = note.pk, modm.ObjectId()
      note.pk = new
      assert.is_true(update_of(note).upsert)
      assert.equal("a", Note.objects:get { pk = old }.title)
      assert.equal("a", Note.objects:get { pk = new }.title)
      note.title = "second"
      assert.same({ _id = new }, update_of(note).q)
      assert.equal("a", Note.objects:get { pk = old }.title)
    end)

    it("of which a part was loaded is never stored as a whole", function()
      local part = Note.objects:only "title":get { pk = note.pk }
      part.pk = modm.ObjectId()
      local ok, message = part:save()
      assert.is_nil(ok)
      assert.matches("only some of its fields", message)
      part.pk = note.pk
      assert(part:save())
      assert.is_nil((part:save { force_insert = true }))
      assert.equal(1, Note.objects:get { pk = note.pk }.n)
    end)
  end)

  describe("that fails", function()
    it("leaves the document as it was, to be saved again", function()
      local first = assert(Note { title = "x" }:save())
      local note = Note { title = "y", n = 5 }
      note.pk = first.pk
      local ok = note:save { force_insert = true }
      assert.is_nil(ok)
      assert.equal("y", note.title)
      note.pk = nil
      assert(note:save())
      assert.not_equal(first.pk, note.pk)
    end)

    it("sets no key when the insert fails", function()
      local Unique = modm.MongoModel:extend("saving.Unique", {
        n = f.IntegerField {},
        Meta = { connection_alias = "saving", indexes = { { "n", unique = true } } },
      })
      assert(Unique { n = 1 }:save())
      local second = Unique { n = 1 }
      local ok, _, err = second:save()
      assert.is_nil(ok)
      assert.equal("DuplicateKeyError", err.kind)
      assert.is_nil(second.pk)
      second.n = 2
      assert(second:save())
      assert.truthy(second.pk)
    end)

    it("for a document that is too large says model, size and limit, before anything is sent",
      function()
      local note = Note { title = ("x"):rep(17 * 1024 * 1024) }
      assert.equal(0, #help.sent(function()
        local ok, message = note:save()
        assert.is_nil(ok)
        assert.matches("^saving.Note: a document of 178%d+ bytes is larger", message)
        assert.matches("16777216 bytes", message)
      end))
      note.title = "short"
      assert(note:save())
      note.title = ("x"):rep(17 * 1024 * 1024)
      assert.equal(0, #help.sent(function() assert.is_nil((note:save())) end))
    end)

    it("for a value without a BSON form says which", function()
      local note = Note { title = "a" }
      note.data = { inner = { fn = print } }
      assert.equal(0, #help.sent(function()
        local ok, message, err = note:save()
        assert.is_nil(ok)
        assert.matches("saving.Note.data.inner.fn", message)
        assert.equal("ValidationError", err.kind)
      end))
      note.data = {}
      note.data.self = note.data
      assert.is_nil((note:save()))
      note.data = nil
      assert(note:save())
    end)
  end)

  it("reaches the server with Meta's write concern", function()
    local Careful = modm.MongoModel:extend("saving.Careful", {
      n = f.IntegerField {},
      Meta = { connection_alias = "saving", write_concern = { w = 1, j = true } },
    })
    local doc = Careful { n = 1 }
    assert.same({ w = 1, j = true }, help.one(function() assert(doc:save()) end).writeConcern)
    doc.n = 2
    assert.same({ w = 1, j = true }, help.one(function() assert(doc:save()) end).writeConcern)
    for _, fn in ipairs {
      function() assert(Careful.objects:bulk_create { Careful { n = 3 } }) end,
      function() assert(Careful.objects:all():update { ["$set"] = { n = 4 } }) end,
      function() assert(Careful.objects:all():delete()) end,
    } do
      assert.same({ w = 1, j = true }, help.one(fn).writeConcern)
    end
    local Named = modm.MongoModel:extend("saving.Named", {
      Meta = { connection_alias = "saving", write_concern = "majority" },
    })
    assert.same({ w = "majority" }, help.one(function() assert(Named {}:save()) end).writeConcern)
  end)
end)
