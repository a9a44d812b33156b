-- Development mode, and the operations that listeners are told of.
local core = require "modm.core"
local modm = require "modm"
local fields = modm.fields
local help = require "spec.query.help"

describe("development mode", function()
  local Author, Book, warnings, now, off

  setup(function()
    help.connect "develop"
    Author = modm.MongoModel:extend("develop.Author", {
      name = fields.CharField {}, Meta = { connection_alias = "develop" } })
    Book = modm.MongoModel:extend("develop.Book", {
      title = fields.CharField {}, isbn = fields.CharField {},
      author = fields.ReferenceField { Author },
      notes = fields.ListField { field = fields.CharField {} },
      Meta = { connection_alias = "develop", indexes = { { "isbn" } } } })
  end)

  teardown(function() modm.disconnect "develop" end)

  before_each(function()
    warnings, now = {}, 0
    assert(Book.objects:all():delete())
    assert(Author.objects:all():delete())
    off = modm.develop {
      warn = function(warning) warnings[#warnings + 1] = warning end,
      clock = function() return now end, scan_from = 5, growths = 3, grown_to = 0,
    }
  end)

  after_each(function() off() end)

  local function kinds()
    local list = {}
    for i, warning in ipairs(warnings) do list[i] = warning.kind end
    return list
  end

  local function line() return debug.getinfo(2, "l").currentline end

  local function books(n, of)
    local list = {}
    for i = 1, n do list[i] = Book(of and of(i) or { title = "t" .. i, isbn = tostring(i) }) end
    return assert(Book.objects:bulk_create(list))
  end

  it("warns of references that are fetched one by one, at the line of the loop", function()
    local authors = {}
    for i = 1, 12 do authors[i] = assert(Author { name = "a" .. i }:save()) end
    books(12, function(i) return { title = "t", author = authors[i] } end)
    local at
    for book in Book.objects:all():iter() do
      local _ = book.author.name; at = line()
    end
    assert.same({ "repeated_query" }, kinds())
    assert.equal("spec/develop/develop_spec.lua:" .. at, warnings[1].place:match "spec/.*")
    assert.matches("author", warnings[1].message)
    assert.matches("select_related", warnings[1].message)
  end)

  it("does not warn of the same done at once", function()
    local authors = {}
    for i = 1, 12 do authors[i] = assert(Author { name = "a" .. i }:save()) end
    books(12, function(i) return { title = "t", author = authors[i] } end)
    for book in Book.objects:select_related("author"):iter() do
      local _ = book.author.name
    end
    assert.same({}, kinds())
  end)

  it("warns of gets in a loop, whatever their values, once", function()
    books(3)
    for i = 1, 40 do Book.objects:filter { isbn = tostring(i) }:count() end
    assert.same({ "repeated_query" }, kinds())
  end)

  it("takes the same query after a pause for another matter", function()
    for i = 1, 40 do
      now = now + 2
      Book.objects:filter { isbn = tostring(i) }:list()
    end
    assert.same({}, kinds())
  end)

  it("warns of a query that no index answers, once for a shape", function()
    books(6)
    local at
    for i = 1, 2 do Book.objects:filter { title = "t" .. i }:list(); at = line() end
    assert.same({ "no_index" }, kinds())
    assert.equal("spec/develop/develop_spec.lua:" .. at, warnings[1].place:match "spec/.*")
    assert.matches("'book'", warnings[1].message)
    assert.is_nil(warnings[1].message:find("t1", 1, true))
  end)

  it("warns of updates, deletes, counts and aggregations without an index, too", function()
    books(6)
    assert(Book.objects:filter { title = "t1" }:update { ["$set"] = { title = "t1" } })
    assert(Book.objects:filter { title = "t2" }:delete())
    assert(Book.objects:filter { title = "t3" }:count())
    assert(Book.objects:filter { title = "t4" }:aggregate({ ["$limit"] = 1 }):list())
    assert.same({ "no_index", "no_index", "no_index", "no_index" }, kinds())
  end)

  it("does not warn of what an index answers, of everything, or of a small collection", function()
    books(6)
    Book.objects:filter { isbn = "1" }:list()
    Book.objects:all():list()
    Author.objects:filter { name = "x" }:list()
    assert.same({}, kinds())
  end)

  it("looks at a query of a transaction outside of it", function()
    books(6)
    assert(modm.transaction("develop", function()
      assert(Book.objects:filter { title = "t1" }:list())
      return true
    end))
    assert.same({ "no_index" }, kinds())
  end)

  it("warns of a document that grows with every save", function()
    local book = assert(Book { title = "t", isbn = "1" }:save())
    for i = 1, 6 do
      book.notes[i] = "note " .. i
      assert(book:save())
    end
    assert.same({ "growing_document" }, kinds())
    assert.matches("develop.Book " .. tostring(book._id), warnings[1].message, 1, true)
    assert.equal(book._id, warnings[1].key)
    assert.matches("develop_spec", warnings[1].place)
  end)

  it("does not warn of one that grows and shrinks", function()
    local book = assert(Book { title = "t", isbn = "1" }:save())
    for i = 1, 12 do
      book.title = ("x"):rep(i % 3 + 1)
      assert(book:save())
    end
    assert.same({}, kinds())
  end)

  it("warns of references that point nowhere, each key once", function()
    local gone = assert(Author { name = "gone" }:save())
    local key = gone._id
    local book = assert(Book { title = "t", author = gone }:save())
    assert(gone:delete())
    local at
    for _ = 1, 2 do
      local fresh = assert(Book.objects:get { pk = book._id })
      assert.is_nil(fresh.author); at = line()
    end
    assert.same({ "dangling_reference" }, kinds())
    assert.equal(key, warnings[1].key)
    assert.equal("spec/develop/develop_spec.lua:" .. at, warnings[1].place:match "spec/.*")
    assert.matches("develop.Author", warnings[1].message)
  end)

  it("ends", function()
    off()
    for i = 1, 40 do Book.objects:filter { title = tostring(i) }:list() end
    assert.same({}, kinds())
    off()
  end)

  it("is replaced by a second call, whose end the first call's does not end", function()
    local others = {}
    local other = modm.develop { warn = function(warning) others[#others + 1] = warning end }
    off()
    for i = 1, 40 do Book.objects:filter { isbn = tostring(i) }:list() end
    assert.same({}, kinds())
    assert.equal(1, #others)
    other()
  end)

  it("writes to standard error when nobody takes its warnings", function()
    local wrote = {}
    local stderr = io.stderr
    io.stderr = { write = function(_, text) wrote[#wrote + 1] = text end } -- luacheck: ignore
    local other = modm.develop {}
    for i = 1, 12 do Book.objects:filter { isbn = tostring(i) }:list() end
    other()
    io.stderr = stderr -- luacheck: ignore
    assert.equal(1, #wrote)
    assert.matches("^modm: .*develop_spec.lua:%d+: the same find of 'book'", wrote[1])
  end)

  it("refuses what is no option of it", function()
    assert.has_error(function() modm.develop { loud = true } end)
    assert.has_error(function() modm.develop { repeats = -1 } end)
    assert.has_error(function() modm.develop { warn = "x" } end)
  end)
end)

describe("a listener to operations", function()
  local Note

  setup(function()
    help.connect "operations"
    Note = modm.MongoModel:extend("develop.Note", {
      text = fields.CharField {}, n = fields.IntegerField {},
      Meta = { connection_alias = "operations", final = true } })
  end)

  teardown(function() modm.disconnect "operations" end)

  local function heard(fn, options)
    local list = {}
    local off = modm.on("operation", function(one) list[#list + 1] = one end, options)
    fn()
    off()
    return list
  end

  it("is told of each command once, with its line and without its values", function()
    local at
    local list = heard(function()
      assert(Note { text = "secret", n = 12345 }:save())
      Note.objects:filter { text = "secret", n = modm.one_of { 1, 2, 12345 } }:list()
      at = debug.getinfo(1, "l").currentline - 1
    end)
    assert.equal(2, #list)
    local insert, find = list[1], list[2]
    assert.equal("insert", insert.name)
    assert.equal("find", find.name)
    assert.equal("note", find.collection)
    assert.equal("operations", find.alias)
    assert.is_true(find.ok)
    assert.is_true(find.duration_ms > 0)
    assert.equal("spec/develop/develop_spec.lua:" .. at, find.place:match "spec/.*")
    for _, one in ipairs(list) do
      assert.is_nil(one.query:find("secret", 1, true))
      assert.is_nil(one.query:find("12345", 1, true))
    end
    assert.equal('{"find":"?","filter":{"n":{"$in":["?"]},"text":"?"}}', find.query)
  end)

  it("has OpenTelemetry's names", function()
    local list = heard(function() Note.objects:filter { n = 1 }:list() end)
    local attributes = list[1].attributes
    assert.equal("mongodb", attributes["db.system.name"])
    assert.equal("note", attributes["db.collection.name"])
    assert.equal("find", attributes["db.operation.name"])
    assert.equal("find note", attributes["db.query.summary"])
    assert.equal(list[1].query, attributes["db.query.text"])
    assert.equal("127.0.0.1", attributes["server.address"])
    assert.equal("number", type(attributes["server.port"]))
    assert.is_nil(attributes["error.type"])
    assert.matches("operations", attributes["db.namespace"])
  end)

  it("is told of what failed", function()
    local conn = require "modm.connection".get "operations"
    local list = heard(function()
      conn:run(core.command(conn.client, "read", nil, { find = "x", filter = 1 }))
    end)
    assert.equal(1, #list)
    assert.is_false(list[1].ok)
    assert.equal("number", type(list[1].code))
    assert.equal("string", type(list[1].message))
    assert.equal(tostring(list[1].code), list[1].attributes["error.type"])
    assert.equal(tostring(list[1].code), list[1].attributes["db.response.status_code"])
  end)

  it("may ask for the slow ones only", function()
    local list = heard(function()
      Note.objects:filter { n = 1 }:list()
      Note.objects:raw({ ["$where"] = "sleep(60) || true" }, { javascript = true }):list()
    end, { slower_than_ms = 50 })
    assert.equal(1, #list)
    assert.matches("$where", list[1].query, 1, true)
  end)

  it("is told of getMore by its collection", function()
    local docs = {}
    for i = 1, 20 do docs[i] = Note { n = i } end
    assert(Note.objects:bulk_create(docs))
    local list = heard(function() Note.objects:all():batch_size(5):list() end)
    local found = {}
    for _, one in ipairs(list) do found[one.name] = one.collection end
    assert.equal("note", found.getMore)
  end)

  it("refuses what it cannot be told of", function()
    assert.has_error(function() modm.on("operations", function() end) end)
    assert.has_error(function() modm.on("operation", 1) end)
    assert.has_error(function() modm.on("operation", function() end, { slower = 1 }) end)
    assert.has_error(function() modm.on("command", function() end, { slower_than_ms = 1 }) end)
    assert.has_error(function() modm.on("operation", function() end, { slower_than_ms = "1" }) end)
  end)
end)

describe("the shape of a document", function()
  it("has its keys, and each list once for each shape of its items", function()
    assert.equal('{"a":"?","b":{"c":"?"},"d":["?"],"e":[{"f":"?"},{"g":"?"},{"f":"?"}],'
      .. '"h":[],"i":{}}',
      core.redacted(core.ordered { { "a", 1 }, { "b", { c = "x" } }, { "d", { 1, 2, 3 } },
        { "e", { { f = 1 }, { f = 2 }, { g = 1 }, { f = 1 } } }, { "h", core.array {} },
        { "i", core.object {} } }))
  end)

  it("quotes keys, and ends after 2048 bytes", function()
    assert.equal('{"a\\"b\\\\c\\u0001":"?"}', core.redacted { ['a"b\\c\1'] = 1 })
    local wide = {}
    for i = 1, 1000 do wide["key" .. i] = i end
    assert.is_true(#core.redacted(wide) <= 2048)
  end)

  it("does not follow documents without end", function()
    local deep = {}
    for _ = 1, 100 do deep = { d = deep } end
    assert.equal("string", type(core.redacted(deep)))
  end)
end)
