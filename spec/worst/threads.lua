-- What states.c runs in each of many states: lua threads.lua URI NUMBER. All connect with the same
-- alias and have models of the same names and collections; what one stored no other may see change.
local uri, number = ...
local modm = require "modm"

local f = modm.fields
local alias, n = "same", math.floor(number) * 1000
local pooled = number % 2 == 1

-- Numbers that are this state's own.
local function own(query)
  return query:filter { n = modm.gte(n) }:filter { n = modm.lt(n + 1000) }
end

local Author, Book
local steps = {}

function steps.connect()
  assert(modm.connect(uri, { alias = alias, transport = pooled and "pool" or "blocking",
    threads = pooled and 3 or nil }))
end

function steps.define()
  Author = modm.MongoModel:extend("states.Author", {
    n = f.IntegerField { primary_key = true }, name = f.CharField { default = "of " .. number },
    Meta = { connection_alias = alias },
  })
  Book = modm.MongoModel:extend("states.Book", {
    n = f.IntegerField { primary_key = true }, title = f.CharField { max_length = 20 },
    author = f.ReferenceField { Author, on_delete = modm.CASCADE },
    tags = f.ListField { f.CharField {} },
    Meta = { connection_alias = alias, indexes = { { { "title", 1 } } } },
  })
end

function steps.save()
  for i = 0, 4 do
    local author = assert(Author { n = n + i }:save())
    assert(Book { n = n + i, author = author, title = "Book " .. n + i }:save())
  end
  local none, message = Book { n = n, title = ("x"):rep(21) }:save()
  assert(not none and message:find("states.Book.title", 1, true), message)
end

function steps.find()
  local books = assert(own(Book.objects):order_by { "n" }:batch_size(2):list())
  assert(#books == 5, #books)
  assert(books[1].author.name == "of " .. number)
  assert(modm.dereference(books))
  for i, book in ipairs(books) do assert(book.author.n == n + i - 1) end
end

function steps.change()
  local book = assert(Book.objects:get { n = n + 1 })
  book.tags[1] = "new"
  assert(book:save())
  assert(book:push { tags = "second" })
  assert(own(Book.objects):update { ["$set"] = { title = "another" } } == 5)
end

function steps.transaction()
  local book = assert(Book.objects:get { n = n + 2 })
  local ok, message = modm.transaction(alias, function()
    book.title = "never"
    assert(book:save())
    return nil, "changed my mind"
  end)
  assert(not ok and message == "changed my mind", message)
  assert(modm.transaction(alias, function()
    assert(Author { n = n + 7 }:save())
    return Book { n = n + 7, author = n + 7, title = "both" }:save()
  end))
  assert(Book.objects:get { n = n + 2 }.title == "another")
end

-- In the middle of it the state may be closed: two of three have no more steps.
function steps.iterate()
  local iter = own(Book.objects):batch_size(2):iter()
  assert(iter())
  assert(modm.stats(alias))
end

function steps.delete()
  assert(own(Author.objects):delete() == 6)
  assert(own(Book.objects):count() == 0)
  modm.disconnect(alias)
  assert(modm.connect(uri, { alias = alias }))
  assert(own(Author.objects):count() == 0)
end

local order = { "connect", "define", "save", "find", "change", "transaction", "iterate", "delete" }
local i, last = 0, number % 3 == 0 and #order or #order - 1

return function()
  i = i + 1
  local ok, err = xpcall(steps[order[i]], debug.traceback)
  if not ok then error(order[i] .. ": " .. tostring(err), 0) end
  return i < last
end
