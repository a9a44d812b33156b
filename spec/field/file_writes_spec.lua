-- Files and what writes their documents: bulk_create, update, hooks, versions and transactions.
local core = require "modm.core"
local help = require "spec.gridfs.help"
local modm = require "modm"

local f = modm.fields

local ALIAS = "filewrites"
local unpack = table.unpack or unpack -- luacheck: ignore

describe("files of documents:", function()
  local conn, Post, Part, Kept, Hooked
  local log = {}

  setup(function()
    conn = help.connect(ALIAS)
    local Meta = { connection_alias = ALIAS, final = true }
    Part = modm.EmbeddedMongoModel:extend("writes.Part", { file = f.FileField {},
      Meta = { connection_alias = ALIAS } })
    Post = modm.MongoModel:extend("writes.Post", {
      _id = f.IntegerField { primary_key = true }, file = f.FileField {},
      part = f.EmbeddedModelField { Part }, Meta = Meta,
    })
    Kept = modm.MongoModel:extend("writes.Kept", { file = f.FileField {}, n = f.IntegerField {},
      Meta = { connection_alias = ALIAS, final = true, version = true, timestamps = true } })
    Hooked = modm.MongoModel:extend("writes.Hooked", { file = f.FileField {},
      image = f.ImageField {}, n = f.IntegerField {}, Meta = Meta })
    for _, key in ipairs { "before save", "before insert", "before update", "after insert",
      "after update", "after save" } do
      local when, event = key:match "(%w+) (%w+)"
      Hooked[when](Hooked, event, function(doc)
        log[#log + 1] = key .. (doc.file and doc.file.file_id and " id" or "")
        if doc.n == 1 and key == "before save" then doc.file = modm.ContentFile "of a hook" end
        if doc.n == 2 and key == "before insert" then doc.file = modm.ContentFile "late" end
        if doc.n == 3 and key == "before save" then doc.image = modm.ContentFile "no picture" end
        if doc.n == 4 and key == "before insert" then return nil, "no" end
        if doc.n == 5 and key == "after save" then return nil, "no" end
        return true
      end)
    end
  end)
  teardown(function() modm.disconnect(ALIAS) end)
  before_each(function()
    for _, name in ipairs { "post", "kept", "hooked", "fs.files", "fs.chunks" } do
      help.command(conn, { { "delete", name },
        { "deletes", core.array { core.ordered { { "q", core.object {} }, { "limit", 0 } } } } })
    end
    log = {}
  end)
  after_each(function() help.failpoint(conn, "off") end)

  local function new(id, text) return Post { _id = id, file = modm.ContentFile(text) } end

  local function text_of(Model, doc)
    return Model.objects:get { pk = doc.pk }.file:read "a"
  end

  -- Commands of a name break the connection, after some of them.
  local function break_at(command, skip)
    help.failpoint(conn, { skip = skip }, { failCommands = core.array { command },
      closeConnection = true })
  end

  describe("bulk_create", function()
    it("stores them, also in embedded documents", function()
      local docs = { new(1, "one"), Post { _id = 2 },
        Post { _id = 3, part = Part { file = modm.ContentFile "three" } } }
      assert(Post.objects:bulk_create(docs))
      assert.same({ 2, 2 }, help.counts(conn))
      assert.equal("one", text_of(Post, docs[1]))
      assert.equal("one", docs[1].file:read "a")
      assert.equal("three", Post.objects:get { pk = 3 }.part.file:read "a")
    end)

    it("takes back those of documents that were not inserted", function()
      assert(Post { _id = 2 }:save())
      for _, ordered in ipairs { true, false } do
        local docs = { new(ordered and 1 or 4, "one"), new(2, "two"), new(3, "three") }
        local ok, _, err = Post.objects:bulk_create(docs, { ordered = ordered })
        assert.is_nil(ok)
        assert.same({ 2, 1 }, { err.failures[1].index, #err.failures })
        assert.equal("two", docs[2].file:read "a")
        assert.is_nil(docs[2].file.file_id)
        assert.equal("one", text_of(Post, docs[1]))
        assert.same(ordered and { 1, 1 } or { 3, 3 }, help.counts(conn))
        docs[2]._id = ordered and 5 or 6
        assert(docs[2]:save())
        assert.equal("two", text_of(Post, docs[2]))
        help.command(conn, { { "delete", "fs.files" }, { "deletes", core.array {
          core.ordered { { "q", { _id = docs[2].file.file_id } }, { "limit", 0 } } } } })
        help.command(conn, { { "delete", "fs.chunks" }, { "deletes", core.array {
          core.ordered { { "q", { files_id = docs[2].file.file_id } }, { "limit", 0 } } } } })
      end
    end)

    it("stores none when a document is not valid, and takes all back when one cannot be stored",
      function()
        local docs = { new(1, "one"), new("x", "two") }
        assert.is_nil((Post.objects:bulk_create(docs)))
        assert.same({ 0, 0 }, help.counts(conn))
        docs[2] = Post { _id = 2, file = help.source(function() error("broken", 0) end) }
        local ok, message, err = Post.objects:bulk_create(docs)
        assert.is_nil(ok)
        assert.matches("number 2: writes.Post.file: .*broken", message)
        assert.same({ 2, "OperationError" }, { err.failures[1].index, err.kind })
        assert.same({ 0, 0 }, help.counts(conn))
        assert.equal("one", docs[1].file:read "a")
      end)

    it("leaves them where nobody knows whether the documents are there", function()
      assert(new(7, "makes the collections"):save())
      break_at("insert", 4) -- two chunks, two files, then the documents
      local docs = { new(1, "one"), new(2, "two") }
      local ok, _, err = Post.objects:bulk_create(docs)
      help.failpoint(conn, "off")
      assert.is_nil(ok)
      assert.equal("ConnectionError", err.kind)
      assert.same({ 3, 3 }, help.counts(conn))
      assert(Post.objects:bulk_create(docs))
      assert.same({ 3, 3 }, help.counts(conn))
      assert.equal("two", text_of(Post, docs[2]))
    end)
  end)

  it("are stored without validation, too", function()
    local function source(text)
      local given = false
      return help.source(function()
        if given then return nil end
        given = true
        return text
      end)
    end
    local doc = assert(Post { _id = 1, file = source "one" }:save { full_clean = false })
    assert.equal("one", text_of(Post, doc))
    doc = Post { _id = 2, file = source "two" }
    assert(Post.objects:bulk_create({ doc }, { full_clean = false }))
    assert.equal("two", text_of(Post, doc))
    assert.same({ 2, 2 }, help.counts(conn))
  end)

  it("are stored once where one document is given twice", function()
    local doc = new(1, "one")
    local ok, _, err = Post.objects:bulk_create { doc, doc }
    assert.is_nil(ok)
    assert.equal(2, err.failures[1].index)
    assert.same({ 1, 1 }, help.counts(conn))
    assert.equal("one", text_of(Post, doc))
  end)

  it("are taken back when a later one of the same document cannot be stored", function()
    local doc = Post { _id = 1, file = modm.ContentFile "one",
      part = Part { file = modm.File "/nowhere/at/all" } }
    local ok, message = doc:save()
    assert.is_nil(ok)
    assert.matches("^writes.Part.file: .*No such file", message)
    assert.same({ 0, 0 }, help.counts(conn))
    doc.part = nil
    assert(doc:save())
    assert.equal("one", text_of(Post, doc))
  end)

  it("update, a filter and a pipeline say that they store none", function()
    local doc = assert(new(1, "one"):save())
    for _, value in ipairs { modm.ContentFile "x", doc.file } do
      local ok, message = Post.objects:all():update { ["$set"] = { part = { file = value } } }
      assert.is_nil(ok)
      assert.matches("holds a file: save%(%), bulk_create%(%) and bulk%(%) store files", message)
      ok, message = Post.objects:all():update { { ["$set"] = { file = value } } }
      assert.is_nil(ok)
      assert.matches("holds a file", message)
    end
    assert.equal(1, Post.objects:filter { file = doc.file }:count())
    assert.equal(1, assert(Post.objects:all():update { ["$set"] = {
      ["part.file"] = doc.file.file_id } }))
    local _, message = Post.objects:filter { file = modm.ContentFile "x" }:count()
    assert.matches("holds a file", message)
    _, message = new(3, "x"):to_son()
    assert.matches("writes.Post.file: holds a file", message)
  end)

  describe("hooks", function()
    it("see files that wait before a save, and stored ones after it", function()
      local doc = Hooked { n = 0, file = modm.ContentFile "x" }
      assert(doc:save())
      assert.same({ "before save", "before insert", "after insert id", "after save id" }, log)
      log = {}
      doc.file = modm.ContentFile "y"
      assert(doc:save())
      assert.same({ "before save", "before update", "after update id", "after save id" }, log)
      log = {}
      assert(doc:save())
      assert.same({ "before save id", "after save id" }, log)
      assert.equal("y", text_of(Hooked, doc))
      assert.same({ 2, 2 }, help.counts(conn))
    end)

    it("may assign files", function()
      local doc = assert(Hooked { n = 1, file = modm.ContentFile "first" }:save())
      assert.equal("of a hook", text_of(Hooked, doc))
      assert.same({ 1, 1 }, help.counts(conn))
      doc = assert(Hooked { n = 2 }:save())
      assert.equal("late", text_of(Hooked, doc))
      assert(Hooked.objects:bulk_create { Hooked { n = 2 } })
      assert.same({ 3, 3 }, help.counts(conn))
    end)

    it("that fail before a save store none, and what they assign is validated", function()
      for n = 3, 4 do
        local doc = Hooked { n = n, file = modm.ContentFile "x" }
        local ok, _, err = doc:save()
        assert.is_nil(ok)
        assert.equal(n == 3 and "ValidationError" or "HookError", err.kind)
        assert.same({ 0, 0 }, help.counts(conn))
        assert.equal("x", doc.file:read "a")
      end
    end)

    it("that fail after a save leave the file of what was written", function()
      local doc = Hooked { n = 5, file = modm.ContentFile "x" }
      assert.is_nil((doc:save()))
      assert.equal("x", text_of(Hooked, doc))
    end)
  end)

  it("that lose to another save are taken back", function()
    local doc = assert(Kept { n = 1, file = modm.ContentFile "old" }:save())
    local other = Kept.objects:get { pk = doc.pk }
    other.n = 2
    assert(other:save())
    doc.file = modm.ContentFile "new"
    local ok, _, err = doc:save()
    assert.is_nil(ok)
    assert.equal("ConflictError", err.kind)
    assert.same({ 1, 1 }, help.counts(conn))
    assert.equal("new", doc.file:read "a")
    local file = modm.ContentFile "newer"
    assert(doc:save_with(function(fresh) fresh.file = file end))
    assert.equal("newer", text_of(Kept, doc))
    assert.same({ 3, 2, 2 }, { doc.version, unpack(help.counts(conn)) })
    assert(doc:delete())
    doc = Kept { _id = doc.pk, file = modm.ContentFile "x" }
    doc.version = 3
    assert.is_nil((doc:save()))
    assert.same({ 2, 2 }, help.counts(conn))
  end)

  it("stay where the server may undo its refusal", function()
    assert(new(7, "makes the collections"):save())
    help.failpoint(conn, { skip = 2 }, { failCommands = core.array { "insert" }, errorCode = 91,
      errorLabels = core.array { "RetryableWriteError" } })
    local doc = Kept { file = modm.ContentFile "x" }
    assert.is_nil((doc:save()))
    help.failpoint(conn, "off")
    assert.same({ 2, 2 }, help.counts(conn))
    assert(doc:save())
    assert.same({ 2, 2 }, help.counts(conn))
  end)

  it("keep the object that was read before they were taken back", function()
    assert(Post { _id = 1 }:save())
    local doc = new(1, "one")
    local file = doc.file
    assert.is_nil((doc:save { force_insert = true }))
    assert.is_true(rawequal(file, doc.file))
    assert.same({ nil, "one" }, { file.file_id, file:read "a" })
  end)

  describe("a transaction", function()
    local function transaction(fn) return modm.transaction(ALIAS, fn) end

    it("commits them with their documents", function()
      local doc = new(1, "one")
      assert(transaction(function()
        assert(doc:save())
        assert.equal("one", doc.file:read "a")
        return true
      end))
      assert.equal("one", text_of(Post, doc))
      assert.same({ 1, 1 }, help.counts(conn))
    end)

    it("that is rolled back has them wait again", function()
      local old = assert(new(1, "old"):save())
      local doc, other = new(2, "two"), new(3, "three")
      other.part = Part { file = modm.ContentFile "part" }
      transaction(function()
        old.file = modm.ContentFile "new"
        assert(old:save())
        assert(doc:save())
        assert(Post.objects:bulk_create { other })
        return nil, "no"
      end)
      assert.same({ 1, 1 }, help.counts(conn))
      assert.same({ nil, "two" }, { doc.file.file_id, doc.file:read "a" })
      assert(old:save())
      assert(doc:save())
      assert(other:save())
      assert.same({ 5, 5 }, help.counts(conn))
      assert.same({ "new", "two", "three" },
        { text_of(Post, old), text_of(Post, doc), text_of(Post, other) })
      assert.equal("part", Post.objects:get { pk = 3 }.part.file:read "a")
    end)

    it("that is done again stores them again", function()
      local doc, runs = new(1, "one"), 0
      local before = doc.file
      help.failpoint(conn, { times = 2 }, { failCommands = core.array { "commitTransaction" },
        errorCode = 251, errorLabels = core.array { "TransientTransactionError" } })
      assert(transaction(function()
        runs = runs + 1
        assert.is_nil(doc.file.file_id)
        assert(doc:save())
        local late = Post { _id = 2 }
        late.file = modm.ContentFile "late"
        return late:save()
      end))
      assert.equal(3, runs)
      assert.same({ 2, 2 }, help.counts(conn))
      assert.equal("one", text_of(Post, doc))
      assert.equal("one", before:read "a")
    end)

    it("whose outcome nobody knows leaves them", function()
      local doc = new(1, "one")
      help.failpoint(conn, { times = 8 }, { failCommands = core.array { "commitTransaction" },
        errorCode = 50, errorLabels = core.array { "UnknownTransactionCommitResult" } })
      assert.is_nil((transaction(function() return doc:save() end)))
      help.failpoint(conn, "off")
      assert.is_not_nil(doc.file.file_id)
    end)

    it("takes back what a storage of the program's has", function()
      local kept, deleted = {}, 0
      local Own = modm.MongoModel:extend("writes.Own", { file = f.FileField { storage = {
        save = function(_, name, content)
          kept[name] = content:read(100)
          return name
        end,
        open = function(_, id) return { read = function() return kept[id] end } end,
        delete = function(_, id)
          kept[id], deleted = nil, deleted + 1
          return true
        end,
      } }, Meta = { connection_alias = ALIAS } })
      local doc = Own { file = modm.ContentFile("bytes", { name = "n" }) }
      assert.has_error(function()
        transaction(function()
          assert(doc:save())
          assert.equal("bytes", kept.n)
          error "no"
        end)
      end)
      assert.same({ {}, 1, "bytes" }, { kept, deleted, doc.file:read(100) })
      assert(doc:save())
      assert.equal("n", Own.objects:get { pk = doc.pk }.file.file_id)
    end)
  end)
end)
