-- What walk.c runs beside a server, each part with little work: each as before, work and after.
local uri, part = ...
local core = require "modm.core"
local modm = require "modm"

local f = modm.fields
local parts = {}

assert(modm.connect(uri, { transport = part:find "^pool" and "pool" or nil }))

local Author = modm.MongoModel:extend("memory.Author", {
  name = f.CharField { primary_key = true }, age = f.IntegerField {},
})
local Note = modm.EmbeddedMongoModel:extend("memory.Note", {
  text = f.CharField { required = true }, by = f.ReferenceField { Author },
})
local Book = modm.MongoModel:extend("memory.Book", {
  title = f.CharField { primary_key = true },
  author = f.ReferenceField { Author, on_delete = modm.CASCADE },
  readers = f.ListField { f.ReferenceField { Author, on_delete = modm.PULL } },
  notes = f.EmbeddedModelListField { Note },
  tags = f.ListField { f.CharField {} },
  read = f.IntegerField { default = 0 },
  Meta = { indexes = { { "read" }, { "tags", "read" } } },
})
local Loan = modm.MongoModel:extend("memory.Loan", {
  book = f.ReferenceField { Book, on_delete = modm.NULLIFY },
  by = f.ReferenceField { Author, on_delete = modm.DENY },
})
local File = modm.MongoModel:extend("memory.File", { file = f.FileField {} })


-- What `define` may leave when it fails.
local Defined = modm.MongoModel:extend("memory.Defined", {
  Meta = { collection_name = "memory.define", final = true, ignore_unknown_fields = true },
})

-- Three authors and a book of the first.
local function before()
  assert(Defined.objects:all():delete())
  for _, model in ipairs { Loan, Book, File, Author } do assert(model.objects:all():delete()) end
  assert(Author.objects:bulk_create { Author("Ann", 40), Author("Bob", 50), Author("Eve", 60) })
  assert(Book { title = "One", author = "Ann", readers = { "Bob", "Eve" }, tags = { "a" },
    notes = { { text = "good", by = "Eve" } } }:save())
end

local function book() return assert(Book.objects:get { title = "One" }) end

function parts.define()
  local A = modm.MongoModel:extend("memory.define.A", {
    name = f.CharField { required = true, max_length = 30 },
    other = f.ReferenceField { "memory.define.B" },
    Meta = { collection_name = "memory.define", indexes = { { "name", unique = true } } },
  })
  local B = A:extend("memory.define.B", { more = f.ListField { f.IntegerField {} } })
  A:register_delete_rule(B, "other", modm.CASCADE)
  assert(B:ensure_indexes())
  assert(B { name = "b", more = { 1 } }:save())
  assert(A.objects:first().more[1] == 1)
  assert(A.objects:all():delete())
end

function parts.connect()
  assert(modm.connect(uri, { alias = "second", appname = "memory" }))
  local ok, message = modm.connect("mongodb://localhost/?what=1")
  if ok or not message:find "database" then error(message, 0) end
  assert(modm.disconnect "second")
end

function parts.save()
  local new = Book { title = "Two", author = "Bob", notes = { { text = "x" } }, tags = { "b" } }
  assert(new:save())
  new.notes[1].text, new.tags[2], new.read = "y", "c", 5
  assert(new:save())
  new.tags = nil
  assert(new:save())
  assert(new:refresh_from_db())
  assert(new.notes[1].text == "y" and new.read == 5)
  local ok, message, err = Book { title = "Two" }:save { force_insert = true }
  if ok or err.kind ~= "DuplicateKeyError" then error(message, 0) end
  assert(new:delete())
end

function parts.find()
  local ages = 0
  local old = Author.objects:filter { age = modm.gte(50) }:order_by "-age"
  for author in old:batch_size(1):iter() do
    ages = ages + author.age
  end
  assert(ages == 110)
  local some = Author.objects:where("name", modm.one_of { "Ann", "Eve" }):only "name"
  assert(#assert(some:list()) == 2)
  assert(Author.objects:raw { age = { ["$lt"] = 50 } }:first().name == "Ann")
  assert(Author.objects:count() == 3)
  assert(#assert(Author.objects:distinct "age") == 3)
  assert(Book.objects:only("notes.text", "tags"):first().notes[1].text == "good")
  assert(Book.objects:exclude("notes.text"):first():id_of "author" == "Ann")
  assert(Author.objects:values():get { name = "Ann" }.age == 40)
  assert(#assert(Author.objects:aggregate({ ["$match"] = { age = 40 } }):list()) == 1)
  local none, message, err = Author.objects:get { name = "Nobody" }
  if none or err.kind ~= "DoesNotExist" then error(message, 0) end
end

function parts.references()
  local one = book()
  assert(one.author.age == 40 and one.readers[2].age == 60 and one.notes[1].by.name == "Eve")
  assert(book():dereference().readers[1].age == 50)
  one = assert(Book.objects:select_related("author", "notes.by"):first())
  assert(one.author.name == "Ann" and one.notes[1].by.age == 60 and one:id_of "author" == "Ann")
  assert(#assert(one.author:related(Book, "author"):list()) == 1)
end

function parts.bulk()
  assert(#assert(Loan.objects:bulk_create({ Loan { by = "Ann" }, Loan { by = "Bob" } })) == 2)
  local one = book()
  one.read = 7
  local new = Book { title = "Three" }
  local bulk = Book.objects:bulk():insert(new):save(one)
    :update({ read = 7 }, { push = { tags = "x" } }):delete { title = "Three" }
  local result = assert(bulk:run())
  assert(result.inserted == 1 and result.deleted == 1 and result.matched == 2)
  local free = Author.objects:bulk { ordered = false }:insert(Author("Ann")):insert(Author("Zoe"))
  local ok, message, err = free:run()
  if ok or not err.failures then error(message, 0) end
  assert(err.failures[1].kind == "DuplicateKeyError")
end

function parts.rules()
  assert(Loan { by = "Eve", book = "One" }:save())
  local ann = assert(Author.objects:get { name = "Ann" })
  local ok, message, err = Author.objects:filter { name = "Eve" }:delete()
  if ok or err.kind ~= "OperationError" then error(message, 0) end
  assert(Author.objects:filter { name = "Bob" }:delete() == 1)
  assert(#book():id_of "readers" == 1)
  assert(ann:delete())
  assert(Book.objects:count() == 0 and Loan.objects:first():id_of "book" == nil)
end

function parts.transaction()
  local new = Author("Tim", 1)
  local ok, message = modm.transaction(function()
    assert(new:save())
    local one = book()
    one.read = 9
    assert(one:save())
    return nil, "changed my mind"
  end)
  if ok or message ~= "changed my mind" then error(message, 0) end
  assert(modm.transaction(function()
    new.age = 2
    assert(new:save())
    return Author.objects:filter { name = "Tim" }:update { ["$inc"] = { age = 1 } }
  end))
  assert(book().read == 0 and Author.objects:get { name = "Tim" }.age == 3)
end

function parts.session()
  local session = assert(modm.session())
  session:run(function()
    assert(Author("Uma", 5):save())
    assert(Author.objects:count() == 4)
  end)
  local iter = Author.objects:session(session):batch_size(1):iter()
  assert(iter())
  session:close()
end

function parts.atomic()
  local one = book()
  local tags = modm.each({ "b", "c" }, { slice = 2 })
  assert(one:change { inc = { read = 1 }, push = { tags = tags } })
  assert(one.read == 1 and one.tags[2] == "b")
  assert(one:pull { notes = { text = "good" } })
  assert(Book.objects:filter { title = "One" }:inc { read = 2 } == 1)
  assert(Book.objects:filter { title = "One" }:find_one_and_update({ set = { read = 4 } }))
  local author, created = Author.objects:update_or_create({ name = "Vic" }, { age = 3 })
  if not author then error(created, 0) end
  assert(created and author.age == 3)
end

function parts.pages()
  local authors = Author.objects:order_by "-age"
  local page = assert(authors:page { size = 2, key = "of this program" })
  assert(page[1].name == "Eve" and page[2].name == "Bob")
  page = assert(authors:page { size = 2, after = page.next, key = "of this program" })
  assert(page[1].name == "Ann")
  local none, message, err = authors:page { size = 2, after = "nonsense", key = "of this program" }
  if none or err.kind ~= "TokenError" then error(message, 0) end
end

function parts.files()
  local new = File { file = modm.ContentFile("some text", { name = "a.txt" }) }
  assert(new:save())
  local again = assert(File.objects:get { pk = new.pk })
  assert(again.file:read "a" == "some text" and again.file.name == "a.txt")
  again.file:close()
  local storage = modm.GridFSStorage { bucket_name = "memory", chunk_size = 4 }
  local out = assert(storage:create "two")
  assert(out:write("one\n", "two\n"))
  local id = assert(out:close())
  local file = assert(storage:open(id))
  assert(file:read "l" == "one" and file:read "l" == "two")
  file:close()
  assert(storage:delete(id))
  assert(again.file:delete())
end

function parts.watch()
  local stream = assert(Author.objects:filter { age = modm.gte(50) }:watch { max_await_ms = 10 })
  assert(Author("Will", 70):save())
  local change, message = stream:next()
  while not change and not message do change, message = stream:next() end
  if not change then error(message, 0) end
  assert(change.operation == "insert" and change.document.age == 70)
  local token = stream.token
  stream:close()
  stream = assert(Author.objects:all():watch { resume_after = token })
  stream:close()
end

-- More than the scratch buffer keeps, so that each step needs memory anew.
local large = ("x"):rep(1100 * 1024)
function parts.large()
  local one = book()
  one.tags = { "a", large }
  assert(one:save())
  one.tags = { "a", large, "b" }
  assert(one:save())
  one.title = "Four"
  assert(one:save { full_clean = false })
  assert(Book.objects:bulk_create { Book { title = "Five", tags = { large } } })
  assert(Book.objects:filter { tags = large }:count() == 3)
  assert(Book.objects:filter { title = "Four" }:push { tags = large } == 1)
  assert(Book.objects:filter { title = "Five" }:find_one_and_update({ set = { tags = { large } } }))
  assert(#assert(Book.objects:aggregate({ ["$match"] = { g = large } }):list()) == 0)
  assert(Book.objects:filter { tags = large }:delete() == 3)
end

-- With someone who listens to what is sent.
function parts.heard()
  local heard = 0
  local off = modm.on("command", function() heard = heard + 1 end)
  local ok, message = pcall(parts.find)
  off()
  if not ok then error(message, 0) end
  assert(heard > 0)
end

function parts.schema()
  local schema, unsaid = Book:json_schema()
  assert(schema.properties.notes and unsaid)
  assert(Author:install_validator { level = "moderate" })
end

-- Nobody waits for its end, and threads go on.
function parts.abandon()
  local ok, message, err = modm.timeout(1, function() return Author.objects:list() end)
  if not ok and err.kind ~= "TimeoutError" and err.code ~= 50 then error(message, 0) end
  local iter = Author.objects:batch_size(1):iter()
  assert(iter())
  assert(modm.stats())
  core.drain()
end

local work = assert(parts[part:match "[a-z]+$"], part)
return { before = before, work = work }
