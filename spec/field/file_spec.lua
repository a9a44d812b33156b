-- FileField: files that are stored when their document is saved, and read from their storage.
local core = require "modm.core"
local fields_help = require "spec.field.help" (it)
local help = require "spec.gridfs.help"
local modm = require "modm"

local f = modm.fields

describe("FileField", function()
  local conn, Post, Part

  setup(function()
    conn = help.connect "files"
    Part = modm.EmbeddedMongoModel:extend("files.Part", { file = f.FileField {},
      Meta = { connection_alias = "files" } })
    Post = modm.MongoModel:extend("files.Post", {
      title = f.CharField {}, file = f.FileField {}, part = f.EmbeddedModelField { Part },
      parts = f.EmbeddedModelListField { Part },
      Meta = { connection_alias = "files", final = true },
    })
  end)
  teardown(function() modm.disconnect "files" end)
  before_each(function() help.command(conn, { { "dropDatabase", 1 } }) end)

  local function stored(doc)
    local op = core.find(conn.client, nil, "post", { _id = doc.pk })
    assert(conn:run(op))
    return op:next_table()
  end

  it("stores the file and then its id", function()
    local doc = Post { file = modm.ContentFile("hello", { name = "a.txt", metadata = { k = 1 } }) }
    assert.is_nil(doc.file.file_id)
    assert.equal("a.txt", doc.file.name)
    assert.same({ 0, 0 }, help.counts(conn))
    assert.is_true(doc:is_valid())
    assert(doc:save())
    assert.same({ 1, 1 }, help.counts(conn))
    local id = stored(doc).file
    assert.equal("ObjectId", modm.type(id))
    assert.equal(id, doc.file.file_id)
    local again = Post.objects:get { pk = doc.pk }
    assert.equal(id, again.file.file_id)
    assert.equal(again.file, doc.file)
    assert.same({ "a.txt", 5, 1, "hello" }, { again.file.name, again.file.size,
      again.file.metadata.k, again.file:read "a" })
    assert(again:save())
    assert.same({ 1, 1 }, help.counts(conn))
  end)

  it("takes paths, io files, objects with read, ids and files of other fields", function()
    local path = os.tmpname()
    local out = io.open(path, "wb")
    out:write "content"
    out:close()
    local opened = io.open(path, "rb")
    opened:read(3) -- it is rewound
    local once = help.source((function()
      local done
      return function()
        if done then return nil end
        done = true
        return "content"
      end
    end)())
    once.name = "once"
    for _, value in ipairs { modm.File(path), opened, once, modm.File(opened, { name = "x" }) } do
      local doc = assert(Post { file = value }:save())
      assert.equal("content", doc.file:read "a")
      local other = assert(Post { file = doc.file }:save())
      assert.equal(doc.file.file_id, other.file.file_id)
      other = assert(Post { file = doc.file.file_id }:save())
      assert.equal("content", other.file:read "a")
    end
    assert.same({ 4, 4 }, help.counts(conn))
    opened:close()
    os.remove(path)
    local ok, message = Post { file = modm.File(path) }:save()
    assert.is_nil(ok)
    assert.matches("^files.Post.file: .*No such file", message)
  end)

  it("stores those of embedded documents, too", function()
    local doc = Post { part = Part { file = modm.ContentFile "one" },
      parts = { Part { file = modm.ContentFile "two" } } }
    assert(doc:save())
    doc = Post.objects:get { pk = doc.pk }
    assert.equal("one", doc.part.file:read "a")
    assert.equal("two", doc.parts[1].file:read "a")
  end)

  it("deletes the file again when the document is refused, and keeps what was assigned", function()
    local first = assert(Post { title = "x" }:save())
    local doc = Post { _id = first.pk, file = modm.ContentFile "late" }
    local ok, _, err = doc:save { force_insert = true }
    assert.is_nil(ok)
    assert.equal("DuplicateKeyError", err.kind)
    assert.same({ 0, 0 }, help.counts(conn))
    assert.is_nil(doc.file.file_id)
    doc._id = modm.ObjectId()
    assert(doc:save())
    assert.equal("late", doc.file:read "a")
  end)

  it("keeps the file where the document may have been written", function()
    help.failpoint(conn, { times = 1 }, { failCommands = core.array { "insert" },
      errorCode = 14031 })
    assert.is_nil((Post { file = modm.ContentFile "x" }:save()))
    assert.same({ 0, 0 }, help.counts(conn))
    assert(Post { file = modm.ContentFile "x" }:save())
    -- chunk, file, document: the connection breaks at the third and at its retry
    help.failpoint(conn, { skip = 2 }, { failCommands = core.array { "insert" },
      closeConnection = true })
    local doc = Post { file = modm.ContentFile "x" }
    local ok, _, err = doc:save()
    help.failpoint(conn, "off")
    assert.is_nil(ok)
    assert.equal("ConnectionError", err.kind)
    assert.same({ 2, 2 }, help.counts(conn))
    assert(doc:save())
    assert.same({ 2, 2 }, help.counts(conn))
  end)

  it("keeps the old file when it is replaced, unset or its document deleted", function()
    local doc = assert(Post { file = modm.ContentFile "old" }:save())
    doc.file = modm.ContentFile "new"
    assert(doc:save())
    doc.file = nil
    assert(doc:save())
    assert(doc:delete())
    assert.same({ 2, 2 }, help.counts(conn))
  end)

  it("deletes and saves the file by itself", function()
    local doc = assert(Post { file = modm.ContentFile "old" }:save())
    local file = doc.file
    assert(file:save("b", "new"))
    assert.equal("new", doc.file:read "a")
    assert(file:delete())
    assert.is_nil(doc.file)
    assert(doc:save())
    assert.is_nil(stored(doc).file)
    assert.same({ 1, 1 }, help.counts(conn))
  end)

  it("raises what it cannot find, and returns what it cannot read", function()
    local doc = Post { file = modm.ObjectId() }
    local ok, err = pcall(function() return doc.file.size end)
    assert.is_false(ok)
    assert.matches("^No file with id: ", tostring(err))
    local text, message = doc.file:read "a"
    assert.is_nil(text)
    assert.matches("^No file with id: ", message)
  end)

  it("takes a storage of the program's own", function()
    local kept = {}
    local storage = {
      save = function(_, name, content)
        kept[name] = content:read(100)
        return name
      end,
      open = function(_, id) return { read = function() return kept[id] end } end,
      delete = function(_, id) kept[id] = nil return true end,
    }
    local Own = modm.MongoModel:extend("files.Own", { file = f.FileField { storage = storage },
      Meta = { connection_alias = "files" } })
    local doc = assert(Own { file = modm.ContentFile("bytes", { name = "n" }) }:save())
    assert.equal("n", doc.file.file_id)
    doc = Own.objects:get { pk = doc.pk }
    assert.equal("bytes", doc.file:read "a")
    assert(doc:save())
    assert(doc.file:delete())
    assert.same({}, kept)
  end)

  it("keeps ids of any type that a storage gave, PyMODM's texts among them", function()
    local storage = {
      save = function(_, name) return name end,
      open = function(_, id) return { read = function() return "of " .. id end } end,
      delete = function() return true end,
    }
    local Own = modm.MongoModel:extend("files.Texts", { file = f.FileField { storage = storage },
      n = f.IntegerField {}, Meta = { connection_alias = "files", final = true } })
    help.command(conn, { { "insert", "texts" }, { "documents", core.array {
      { _id = modm.ObjectId(), file = "docs/a.txt" } } } })
    local doc = assert(Own.objects:first())
    assert.is_true(doc:is_valid())
    assert.same({ "docs/a.txt", "of docs/a.txt" }, { doc.file.file_id, doc.file:read "a" })
    doc.n = 1
    assert(doc:save())
    local other = assert(Own { file = doc.file }:save())
    assert.equal("docs/a.txt", Own.objects:get { pk = other.pk }.file.file_id)
    assert.equal(2, Own.objects:filter { file = doc.file }:count())
    assert(other.file:save("b", "x")) -- in memory only
    assert.is_true(other:is_valid())
    assert(other:save())
    assert.equal("b", Own.objects:get { pk = other.pk }.file.file_id)
  end)

  it("refuses null, and the file of a field that was deleted", function()
    local id = modm.ObjectId()
    help.command(conn, { { "insert", "post" }, { "documents", core.array {
      { _id = id, file = modm.null } } } })
    local ok, message = Post.objects:get { pk = id }:full_clean()
    assert.is_nil(ok)
    assert.matches("files.Post.file: must not be blank", message)
    local doc = assert(Post { file = modm.ContentFile "x" }:save())
    local file = doc.file
    assert(file:delete())
    ok, message = Post { file = file }:full_clean()
    assert.is_nil(ok)
    assert.matches("the file was deleted", message)
  end)

  it("gives validators what reading gives, stored or not", function()
    local seen, limit = {}, 10
    local Checked = modm.MongoModel:extend("files.Checked", {
      file = f.FileField { validators = { function(file)
        seen[#seen + 1] = ("%s %d %s"):format(file.name, file.size, tostring(file.file_id ~= nil))
        return file.size <= limit, "is too large"
      end } },
      Meta = { connection_alias = "files" },
    })
    local Holder = modm.MongoModel:extend("files.Holder", {
      list = f.EmbeddedModelListField { modm.EmbeddedMongoModel:extend("files.CheckedPart", {
        file = f.FileField { validators = { function(file) return file:read "a" == "good" end } },
        Meta = { connection_alias = "files" } }) },
      Meta = { connection_alias = "files" } })
    local doc = Checked { file = modm.ContentFile("12345", { name = "a" }) }
    assert(doc:save())
    doc = Checked.objects:get { pk = doc.pk }
    assert.is_true(doc:is_valid())
    assert.same({ "a 5 false", "a 5 true" }, seen)
    doc.file = modm.ContentFile("12345678901", { name = "b" })
    local _, _, err = doc:save()
    assert.same({ file = { "is too large" } }, err.errors)
    _, _, err = Holder { list = { { file = modm.ContentFile "good" },
      { file = modm.ContentFile "bad" } } }:full_clean()
    assert.same({ list = { [2] = { file = { "is not valid" } } } }, err.errors)
    limit = 4
    assert.is_false(Checked.objects:get { pk = doc.pk }:is_valid())
  end)

  it("tells the size of a file that waits, where that can be told", function()
    local path = os.tmpname()
    local out = io.open(path, "wb")
    out:write "content"
    out:close()
    local opened = io.open(path, "rb")
    opened:read(3)
    for _, value in ipairs { modm.File(path), opened, modm.ContentFile "content" } do
      assert.same({ 7, 7 }, { Post { file = value }.file.size, Post { file = value }.file.length })
    end
    assert.equal("tent", opened:read(10))
    opened:close()
    os.remove(path)
    assert.is_nil(Post { file = modm.File(path) }.file.size)
    assert.is_nil(Post { file = help.source(function() return nil end) }.file.size)
  end)

  it("reads bytes and lines, and seeks, before it is stored and after", function()
    local doc = Post { file = modm.ContentFile "one\ntwo\nthree" }
    for _ = 1, 2 do
      local file, lines = doc.file, {}
      for line in file:lines() do lines[#lines + 1] = line end
      assert.same({ "one", "two", "three" }, lines)
      assert.equal(4, file:seek("set", 4))
      assert.same({ "two", "thr", "ee" }, { file:read("l", 3, "a") })
      assert.equal(13, file:seek())
      assert(file:close())
      assert.equal("one\n", file:read "L")
      assert(doc:save())
      doc = Post.objects:get { pk = doc.pk }
    end
  end)

  it("may be one file of several documents", function()
    local first = assert(Post { file = modm.ContentFile "shared" }:save())
    local second = assert(Post { file = first.file }:save())
    second = Post.objects:get { pk = second.pk }
    assert.equal(first.file, second.file)
    assert.same({ 1, 1 }, help.counts(conn))
    assert(first.file:delete())
    local text, _, err = second.file:read "a"
    assert.is_nil(text)
    assert.equal("DoesNotExist", err.kind)
  end)

  it("asks for its connection when it is first used", function()
    local Late = modm.MongoModel:extend("files.Late", { file = f.FileField {},
      Meta = { connection_alias = "files-late" } })
    local doc = Late { file = modm.ContentFile "x" }
    assert.is_true(doc:is_valid())
    local ok, message = doc:save()
    assert.is_nil(ok)
    assert.matches("no connection 'files%-late'", message)
    local late = help.connect "files-late"
    assert(doc:save())
    assert.same({ 1, 1 }, help.counts(late))
    help.command(late, { { "dropDatabase", 1 } })
    modm.disconnect "files-late"
  end)

  local wanted = "not a file (modm.File, or an object with read), or its id: "
  local path = "not a file: modm.File(path) gives that of a path"
  fields_help.refusals("FileField", {
    { "cat.png", path }, { "0123456789abcdef01234567", path }, { 5, wanted }, { true, wanted },
    { { 1 }, wanted }, { { a = 1 }, wanted }, { print, wanted }, { modm.DateTime(0), wanted },
    { modm.Binary "x", wanted }, { {}, "must not be blank" }, { "", "must not be blank" },
    { modm.null, "must not be blank" },
  }, function(input, part)
    local found = fields_help.errors(fields_help.document(f.FileField {}, input))
    assert.equal(1, #found)
    assert.is_truthy(found[1]:find(part, 1, true), found[1])
  end)

  it("refuses misuse", function()
    assert.error_matches(function() modm.File(5) end, "File takes a path or an object with read")
    assert.error_matches(function() modm.ContentFile {} end, "ContentFile takes a string")
    assert.error_matches(function() modm.File("x", { colour = 1 }) end, "no option 'colour'")
    assert.has_error(function()
      modm.MongoModel:extend("files.List", { l = f.ListField { f.FileField {} } })
    end)
  end)

  fields_help.bad_options "FileField"
end)
