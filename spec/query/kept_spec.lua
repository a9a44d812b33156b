-- Fields that modm keeps: the times of Meta.timestamps and the counter of Meta.version.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"
local server = require "spec.support.server"

local f = modm.fields

help.connect "kept"

local Timed = modm.MongoModel:extend("kept.Timed", {
  name = f.CharField {}, Meta = { connection_alias = "kept", timestamps = true },
})
local Own = modm.MongoModel:extend("kept.Own", {
  key = f.CharField { primary_key = true },
  made = f.DateTimeField { mongo_name = "m" },
  n = f.IntegerField {},
  Meta = { connection_alias = "kept", timestamps = { created = "made", updated = "changed" },
    version = "rev" },
})
local Counter = modm.MongoModel:extend("kept.Counter", {
  n = f.IntegerField { default = 0 }, name = f.CharField {},
  Meta = { connection_alias = "kept", version = true },
})
local Child = Counter:extend("kept.Child", { more = f.CharField {} })

local long_ago = modm.DateTime "2001-01-01T00:00:00Z"

-- Puts the times of a stored document back, so that a later one can be told from them.
local function age(doc)
  Timed.objects:filter { pk = doc.pk }:update {
    ["$set"] = { created_at = long_ago, updated_at = long_ago },
  }
  return assert(Timed.objects:get { pk = doc.pk })
end

local function stored(doc)
  return assert(doc and require "modm.registry".meta(core.model_of(doc)).model.objects:values()
    :get { pk = doc.pk })
end

describe("Meta.timestamps", function()
  it("sets both at the insert, the same, by this clock", function()
    local before = modm.DateTime.now()
    local doc = assert(Timed { name = "a" }:save())
    local after = modm.DateTime.now()
    assert.is_true(before <= doc.created_at and doc.created_at <= after)
    assert.equal(doc.created_at, doc.updated_at)
    assert.equal(doc.created_at, stored(doc).created_at)
  end)

  it("sets one at a save that sends something, and sends nothing for it alone", function()
    local doc = age(assert(Timed { name = "a" }:save()))
    assert.equal(0, #help.sent(function() assert(doc:save()) end))
    assert.equal(long_ago, doc.updated_at)
    doc.name = "b"
    assert(doc:save())
    assert.is_true(doc.updated_at > long_ago)
    assert.equal(long_ago, stored(doc).created_at)
    assert.equal(doc.updated_at, stored(doc).updated_at)
    assert.equal(0, #help.sent(function() assert(doc:save()) end))
  end)

  it("keeps what a new document was given, and takes back what was not stored", function()
    local doc = assert(Timed { created_at = long_ago }:save())
    assert.equal(long_ago, doc.created_at)
    assert.is_true(doc.updated_at > long_ago)
    local again = Timed { _id = doc.pk }
    assert.is_nil((again:save { force_insert = true }))
    assert.is_nil(again.created_at)
  end)

  it("sets it in a document of which a part was read", function()
    local doc = age(assert(Timed { name = "a" }:save()))
    local part = assert(Timed.objects:only "name":get { pk = doc.pk })
    part.name = "b"
    assert(part:save())
    assert.is_true(stored(doc).updated_at > long_ago)
    assert.equal(long_ago, stored(doc).created_at)
  end)

  it("holds for update, by operators and stages, for upserts and for bulk_create", function()
    local doc = age(assert(Timed { name = "a" }:save()))
    local one = Timed.objects:filter { pk = doc.pk }
    assert.equal(1, one:update { ["$set"] = { name = "b" } })
    assert.is_true(stored(doc).updated_at > long_ago)
    age(doc)
    assert.equal(1, one:update { { ["$set"] = { name = "c" } } })
    assert.is_true(stored(doc).updated_at > long_ago)
    assert.equal(long_ago, stored(doc).created_at)
    Timed.objects:filter { name = "up" }:update({ ["$unset"] = { x = "" } }, { upsert = true })
    local up = Timed.objects:get { name = "up" }
    assert.is_true(up.created_at > long_ago and up.updated_at > long_ago)
    local list = { Timed { name = "x" }, Timed { name = "y" } }
    assert(Timed.objects:bulk_create(list))
    assert.is_true(stored(list[2]).created_at > long_ago)
    assert.equal(0, #help.sent(function() assert(list[2]:save()) end))
  end)

  it("takes fields of one's own, also under other names", function()
    local doc = assert(Own { key = "own" }:save())
    assert.equal(doc.made, stored(doc).m)
    assert.equal(doc.made, doc.changed)
    Own.objects:filter { pk = "own" }:update { ["$set"] = { m = long_ago } }
    assert.equal(long_ago, Own.objects:get { pk = "own" }.made)
  end)
end)

describe("Meta.version", function()
  it("counts the saves that send something", function()
    local doc = assert(Counter { n = 1 }:save())
    assert.equal(1, doc.version)
    assert(doc:save())
    assert.equal(1, doc.version)
    doc.n = 2
    local update = help.one(function() assert(doc:save()) end).updates[1]
    assert.same({ _id = doc.pk, version = 1 }, update.q)
    assert.equal(2, update.u["$set"].version)
    assert.equal(2, doc.version)
    assert.equal(2, stored(doc).version)
  end)

  it("makes the second of two saves a ConflictError, which a refresh solves", function()
    local doc = assert(Counter { n = 1 }:save())
    local other = Counter.objects:get { pk = doc.pk }
    other.n = 5
    assert(other:save())
    doc.name = "mine"
    local ok, message, err = doc:save()
    assert.is_nil(ok)
    assert.equal("ConflictError", err.kind)
    assert.matches("^kept.Counter.version: another change came first", message)
    assert.is_true(rawequal(doc, err.document))
    assert.same({ "mine", 1, 1 }, { doc.name, doc.version, err.version })
    assert(err.document:refresh_from_db())
    doc.name = "mine"
    assert(doc:save())
    assert.same({ 5, "mine", 3 }, { doc.n, doc.name, doc.version })
  end)

  it("tells a conflict from a document that is gone", function()
    local doc = assert(Counter { n = 1 }:save())
    assert(Counter.objects:get { pk = doc.pk }:delete())
    doc.n = 2
    assert.is_true(select(3, doc:save()):is(Counter.DoesNotExist))
    assert(doc:delete())
  end)

  it("is looked at by delete", function()
    local doc = assert(Counter { n = 1 }:save())
    assert(Counter.objects:get { pk = doc.pk }:save_with(function(d) d.n = 2 end))
    local _, _, err = doc:delete()
    assert.equal("ConflictError", err.kind)
    assert(doc:refresh_from_db())
    assert(doc:delete())
    assert.equal(0, Counter.objects:filter { pk = doc.pk }:count())
  end)

  for _, soft in ipairs { false, true } do
    for _, denied in ipairs { false, true } do
      local what = ("%s%s"):format(soft and "Soft" or "Hard", denied and "Denied" or "")
      it("is looked at by a delete with rules to its last moment: " .. what, function()
        local Owner = modm.MongoModel:extend("kept.Owner" .. what, {
          name = f.CharField {},
          Meta = { connection_alias = "kept", version = true, soft_delete = soft or nil },
        })
        local Pet = modm.MongoModel:extend("kept.Pet" .. what, {
          of = f.ReferenceField { Owner, on_delete = modm.CASCADE },
          Meta = { connection_alias = "kept" },
        })
        local Friend = modm.MongoModel:extend("kept.Friend" .. what, {
          of = f.ReferenceField { Owner, on_delete = modm.NULLIFY },
          never = f.ReferenceField { Owner, on_delete = denied and modm.DENY or nil },
          Meta = { connection_alias = "kept" },
        })
        local owner = assert(Owner { name = "a" }:save())
        local other = assert(Owner.objects:get { pk = owner.pk })
        assert(Pet { of = owner }:save())
        assert(Friend { of = owner }:save())
        other.name = "b"
        local ok, message, err = help.between("find", function() assert(other:save()) end,
          function() return owner:delete() end)
        assert.is_nil(ok)
        assert.equal("ConflictError", err and err.kind, message)
        assert.equal("b", Owner.objects:get { pk = owner.pk }.name)
        assert.same({ ["kept.Pet" .. what] = 1 }, err.deleted)
        assert.matches("another change came first.*1 of kept.Pet" .. what .. " deleted", message)
        assert(Pet { of = owner }:save())
        assert.equal("ConflictError", select(3, owner:delete()).kind)
        assert.equal(1, Pet.objects:count())
        assert(owner:refresh_from_db())
        assert(owner:delete())
        assert.equal(0, Owner.objects:count())
        assert.equal(0, Pet.objects:count())
      end)
    end
  end

  it("is looked at by an atomic delete, which then undoes its rules", function()
    local Owner = modm.MongoModel:extend("kept.OwnerAtomic", {
      name = f.CharField {}, Meta = { connection_alias = "kept", version = true } })
    local Pet = modm.MongoModel:extend("kept.PetAtomic", {
      of = f.ReferenceField { Owner, on_delete = modm.CASCADE },
      Meta = { connection_alias = "kept" } })
    local owner = assert(Owner { name = "a" }:save())
    local other = assert(Owner.objects:get { pk = owner.pk })
    assert(Pet { of = owner }:save())
    other.name = "b"
    local ok, message, err = help.between("find", function()
      assert(other:save { session = false })
    end, function() return owner:delete { atomic = true } end)
    assert.is_nil(ok)
    assert.equal("ConflictError", err.kind, message)
    assert.equal(1, Pet.objects:count())
    assert.equal("b", Owner.objects:get { pk = owner.pk }.name)
  end)

  it("is no conflict where a manager hides the document", function()
    local Hidden = modm.MongoModel:extend("kept.Hidden", {
      name = f.CharField {},
      objects = modm.Manager:extend {
        get_queryset = function(self)
          return modm.Manager.get_queryset(self):filter { name = "seen" }
        end,
      }(),
      Meta = { connection_alias = "kept", version = true },
    })
    local doc = assert(Hidden { name = "unseen" }:save())
    assert.is_true(doc:delete())
  end)

  it("is what the program says it is, as a form may hold it", function()
    local doc = assert(Counter { n = 1 }:save())
    doc.n = 2
    assert(doc:save())
    doc.version, doc.n = 1, 3
    assert.equal("ConflictError", select(3, doc:save()).kind)
  end)

  it("keeps a document with a key set by hand from replacing another", function()
    local doc = assert(Own { key = "taken", n = 1 }:save())
    assert.equal(1, doc.rev)
    assert.equal("ConflictError", select(3, Own { key = "taken", n = 2 }:save()).kind)
    local known = Own { key = "taken", n = 3, rev = 1 }
    assert(known:save())
    assert.same({ 2, 3 }, { known.rev, stored(doc).n })
    assert.is_nil((Own { key = "missing", rev = 4 }:save()))
    assert.equal(0, Own.objects:filter { pk = "missing" }:count())
    local _, _, err = Own { key = "taken" }:save { force_insert = true }
    assert.equal("DuplicateKeyError", err.kind)
  end)

  it("is raised by update, upserts, bulk_create and delete rules", function()
    local doc = assert(Counter { n = 1 }:save())
    local one = Counter.objects:filter { pk = doc.pk }
    assert.equal(1, one:update { ["$inc"] = { n = 1 } })
    assert.equal(1, one:update { { ["$set"] = { n = 5 } } })
    assert.same({ 3, 5 }, { stored(doc).version, stored(doc).n })
    Counter.objects:filter { name = "up" }:update({ ["$set"] = { n = 1 } }, { upsert = true })
    assert.equal(1, Counter.objects:get { name = "up" }.version)
    local list = { Counter { n = 1 }, Child { n = 2 } }
    assert(Counter.objects:bulk_create(list))
    assert.equal(1, Child.objects:get { n = 2 }.version)
    local Holder = modm.MongoModel:extend("kept.Holder", {
      of = f.ReferenceField { Counter, on_delete = modm.NULLIFY },
      Meta = { connection_alias = "kept", version = true },
    })
    local holder = assert(Holder { of = list[1] }:save())
    assert(list[1]:delete())
    assert.equal(2, stored(holder).version)
  end)

  it("takes documents that have none yet", function()
    local doc = assert(Counter { n = 1 }:save())
    Counter.objects:filter { pk = doc.pk }:update { ["$unset"] = { version = "" } }
    local old = Counter.objects:get { pk = doc.pk }
    old.n = 2
    assert(old:save())
    assert.equal(1, stored(doc).version)
  end)

  it("is read by only, and refused where it was left out", function()
    local doc = assert(Counter { n = 1, name = "a" }:save())
    local part = Counter.objects:only "n":get { pk = doc.pk }
    part.n = 2
    assert(part:save())
    assert.equal(2, stored(doc).version)
    part = Counter.objects:exclude "version":get { pk = doc.pk }
    part.n = 3
    local _, message, err = part:save()
    assert.equal("OperationError", err.kind)
    assert.matches("kept.Counter.version was not loaded", message)
  end)

  it("save_with applies a change until it is saved, or to its bound", function()
    local doc = assert(Counter { n = 0 }:save())
    local rival = Counter.objects:get { pk = doc.pk }
    local calls = 0
    assert(doc:save_with(function(d)
      calls = calls + 1
      if calls < 3 then assert(rival:save_with(function(r) r.n = r.n + 10 end)) end
      d.n = d.n + 1
    end))
    assert.same({ 3, 21 }, { calls, stored(doc).n })
    calls = 0
    local ok, _, err = doc:save_with(function(d)
      calls = calls + 1
      assert(rival:save_with(function(r) r.n = r.n + 10 end))
      d.n = d.n + 1
    end, { attempts = 2 })
    assert.is_nil(ok)
    assert.same({ 2, "ConflictError" }, { calls, err.kind })
    assert.equal("no", (select(2, doc:save_with(function() return nil, "no" end))))
    assert.is_true(select(2, help.raised(function() Timed {}:save_with(print) end)))
  end)

  it("loses nothing where eight processes add to one document", function()
    local uri = server.fresh "race" -- written with w = 1: a journal to wait for would be half of it
    assert(modm.connect(uri, { alias = "race" }))
    local Race = modm.MongoModel:extend("kept.Race", {
      n = f.IntegerField { default = 0 },
      Meta = { connection_alias = "race", version = true, write_concern = { w = 1 } },
    })
    local doc = assert(Race { n = 0 }:save())
    local file = os.tmpname()
    local out = assert(io.open(file, "w"))
    out:write([[
      local modm = require "modm"
      local f = modm.fields
      assert(modm.connect("]] .. uri .. [[", { alias = "race" }))
      local Race = modm.MongoModel:extend("kept.Race", {
        n = f.IntegerField { default = 0 },
        Meta = { connection_alias = "race", version = true, write_concern = { w = 1 } },
      })
      local doc, lost = assert(Race.objects:first()), 0
      for _ = 1, 1000 do
        local again = false
        assert(doc:save_with(function(d)
          -- lets go of the processor, which the one that is ahead can use
          if again then lost = lost + 1; require "system".sleep(0.02) end
          again = true
          d.n = d.n + 1
        end, { attempts = 100000 }))
      end
      print(lost)
    ]])
    out:close()
    local lua = jit and "luajit" or "lua5.4"
    local running = {}
    for i = 1, 8 do running[i] = assert(io.popen(lua .. " " .. file .. " 2>&1")) end
    local lost = 0
    for i = 1, 8 do
      local said = running[i]:read "*a"
      lost = lost + assert(tonumber(said), said)
      running[i]:close()
    end
    os.remove(file)
    assert.is_true(lost > 0)
    assert(doc:refresh_from_db())
    assert.same({ 8000, 8001 }, { doc.n, doc.version })
  end)
end)

describe("a definition with kept fields", function()
  local function refused(text, definition, base)
    local message = help.raised(function()
      (base or modm.MongoModel):extend("kept.Bad", definition)
    end)
    assert.matches(text, message, 1, true)
  end

  it("is refused where it makes no sense", function()
    refused("kept.Bad.version: modm keeps this field, so it must be a IntegerField",
      { version = f.CharField {}, Meta = { version = true } })
    refused("kept.Bad.created_at: modm keeps this field, so it must be a DateTimeField",
      { created_at = f.CharField {}, Meta = { timestamps = true } })
    refused("timestamps is true, or {", { Meta = { timestamps = { create = "x" } } })
    refused("version is for models with a collection", { Meta = { version = true } },
      modm.EmbeddedMongoModel)
    refused("version is for the first model of a collection: kept.Counter",
      { Meta = { version = false } }, Counter)
  end)
end)
