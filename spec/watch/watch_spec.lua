-- Change streams on a real replica set: what comes, what does not, and going on after a fault.
local modm = require "modm"
local fields = modm.fields
local server = require "spec.support.server"

describe("a change stream", function()
  local Article, Review, Note

  setup(function()
    assert(modm.connect(server.fresh "watch", { alias = "watch" }))
    Article = modm.MongoModel:extend("watch.Article", {
      title = fields.CharField { mongo_name = "t" },
      views = fields.IntegerField {},
      tags = fields.ListField { field = fields.CharField {} },
      Meta = { connection_alias = "watch", ignore_unknown_fields = true },
    })
    Review = Article:extend("watch.Review", { stars = fields.IntegerField {} })
    Note = modm.MongoModel:extend("watch.Note", {
      text = fields.CharField {}, Meta = { connection_alias = "watch", final = true },
    })
  end)

  teardown(function() modm.disconnect "watch" end)

  local function watch(set, options)
    options = options or {}
    options.max_await_ms = options.max_await_ms or 50
    return assert(set:watch(options))
  end

  -- The next n changes.
  local function take(stream, n)
    local list, tries = {}, 0
    while #list < n do
      local change, message = stream:next()
      assert(not message, message)
      list[#list + 1] = change
      tries = tries + 1
      assert(tries < n + 100, "only " .. #list .. " changes came")
    end
    return list
  end

  it("tells of an insert, with the document as one of the model", function()
    local stream = watch(Article.objects:all())
    local doc = assert(Article { title = "One", views = 1 }:save())
    local change = take(stream, 1)[1]
    assert.equal("insert", change.operation)
    assert.equal(doc._id, change.key)
    assert.equal(doc, change.document)
    assert.equal("One", change.document.title)
    assert.equal("Timestamp", modm.type(change.time))
    assert.equal("table", type(change.token))
    assert.is_nil(change.updated)
    stream:close()
  end)

  it("reads from where the collection's options say", function()
    local events = require "modm.events"
    local options = { read_preference = { mode = "primaryPreferred" } }
    local mode
    local off = events.on("command", function(event)
      local command = event.phase == "started" and event.name == "aggregate" and event.command
      if command then mode = command["$readPreference"].mode end
    end)
    modm.collection_options(Article, options, function()
      local stream = watch(Article.objects:all())
      assert.is_nil(stream:next())
      stream:close()
    end)
    off()
    assert.equal("primaryPreferred", mode)
  end)

  it("tells of an update by the model's names, and of the document after it", function()
    local doc = assert(Article { title = "Two", views = 1, tags = { "a" } }:save())
    local stream = watch(Article.objects:all())
    doc.title, doc.views = "Two!", nil
    assert(doc:save())
    local change = take(stream, 1)[1]
    assert.equal("update", change.operation)
    assert.same({ title = "Two!" }, change.updated)
    assert.same({ "views" }, change.removed)
    assert.equal("Two!", change.document.title)
    assert.same({ "a" }, change.document.tags)
    stream:close()
  end)

  it("gives a document that can be changed and saved", function()
    local doc = assert(Article { title = "Saved", views = 1 }:save())
    local stream = watch(Article.objects:all())
    assert(Article.objects:filter { pk = doc._id }:update { ["$inc"] = { views = 1 } })
    local seen = take(stream, 1)[1].document
    seen.title = "again"
    assert(seen:save())
    local now = assert(Article.objects:get { pk = doc._id })
    assert.equal("again", now.title)
    assert.equal(2, now.views)
    stream:close()
  end)

  it("tells of a replacement and a deletion", function()
    local doc = assert(Article { title = "Three" }:save())
    local stream = watch(Article.objects:all())
    assert(Article { _id = doc._id, title = "Other" }:save())
    assert(doc:delete())
    local changes = take(stream, 2)
    assert.equal("replace", changes[1].operation)
    assert.equal("Other", changes[1].document.title)
    assert.equal("delete", changes[2].operation)
    assert.equal(doc._id, changes[2].key)
    assert.is_nil(changes[2].document)
    stream:close()
  end)

  it("asks its conditions of the documents", function()
    local stream = watch(Article.objects:filter { views = modm.gte(10) }:filter { title = "x" })
    assert(Article { title = "x", views = 9 }:save())
    assert(Article { title = "y", views = 11 }:save())
    local wanted = assert(Article { title = "x", views = 12 }:save())
    assert.equal(wanted, take(stream, 1)[1].document)
    stream:close()
  end)

  it("takes the logical operators", function()
    local set = Article.objects:filter { modm.any_of { { title = "left" }, { title = "right" } } }
    local stream = watch(set)
    assert(Article { title = "middle" }:save())
    assert(Article { title = "right" }:save())
    assert(Article { title = "left" }:save())
    local changes = take(stream, 2)
    assert.equal("right", changes[1].document.title)
    assert.equal("left", changes[2].document.title)
    stream:close()
  end)

  it("of a subclass does not tell of its parent's documents, and the other way it does", function()
    local reviews, all = watch(Review.objects:all()), watch(Article.objects:all())
    assert(Article { title = "parent" }:save())
    local review = assert(Review { title = "child", stars = 5 }:save())
    local change = take(reviews, 1)[1]
    assert.equal(review, change.document)
    assert.equal(5, change.document.stars)
    local changes = take(all, 2)
    assert.equal("parent", changes[1].document.title)
    assert.equal(5, changes[2].document.stars)
    reviews:close()
    all:close()
  end)

  it("takes only the operations that are asked for", function()
    local stream = watch(Note.objects:all(), { operations = { "delete" } })
    local note = assert(Note { text = "a" }:save())
    note.text = "b"
    assert(note:save())
    assert(note:delete())
    assert.equal("delete", take(stream, 1)[1].operation)
    stream:close()
  end)

  it("takes more stages in MongoDB's own words", function()
    local stream = watch(Note.objects:all(),
      { stages = { { ["$match"] = { ["fullDocument.text"] = "z" } } } })
    assert(Note { text = "y" }:save())
    assert(Note { text = "z" }:save())
    assert.equal("z", take(stream, 1)[1].document.text)
    stream:close()
  end)

  it("gives the document as it was, where the server keeps that", function()
    assert(Note { text = "made" }:save())
    local conn = require "modm.connection".get "watch"
    local core = require "modm.core"
    assert(conn:run(core.command(conn.client, "write", nil, core.ordered {
      { "collMod", "note" }, { "changeStreamPreAndPostImages", { enabled = true } } })))
    local stream = watch(Note.objects:filter { text = "old" },
      { full_document_before_change = "whenAvailable" })
    local other = assert(Note { text = "other" }:save())
    local note = assert(Note { text = "old" }:save())
    assert(other:delete())
    assert(note:delete())
    local changes = take(stream, 2)
    assert.equal("insert", changes[1].operation)
    assert.equal("delete", changes[2].operation)
    assert.equal("old", changes[2].before.text)
    stream:close()
  end)

  it("runs the hooks after load", function()
    local seen = {}
    local Hooked = modm.MongoModel:extend("watch.Hooked", {
      n = fields.IntegerField {}, Meta = { connection_alias = "watch", final = true } })
    Hooked:after("load", function(doc) seen[#seen + 1] = doc.n end)
    local stream = watch(Hooked.objects:all())
    assert(Hooked { n = 7 }:save())
    assert.equal(7, take(stream, 1)[1].document.n)
    assert.same({ 7 }, seen)
    stream:close()
  end)

  it("tells of the mark of a soft delete, and then no more until it is taken away", function()
    local Member = modm.MongoModel:extend("watch.Member", {
      name = fields.CharField {}, n = fields.IntegerField {},
      deleted_at = fields.DateTimeField { mongo_name = "d" },
      Meta = { connection_alias = "watch", soft_delete = true } })
    local ann, bob = assert(Member { name = "Ann" }:save()), assert(Member { name = "Bob" }:save())
    local eve = Member { _id = modm.ObjectId(), name = "Eve" }
    local names = { [tostring(ann.pk)] = "Ann", [tostring(bob.pk)] = "Bob",
      [tostring(eve.pk)] = "Eve" }
    local function told(stream, n)
      local list = {}
      for i, change in ipairs(take(stream, n)) do
        local doc = change.document
        list[i] = ("%s %s%s"):format(change.operation, names[tostring(change.key)],
          doc and doc.deleted_at and " marked" or "")
      end
      return table.concat(list, ", ")
    end
    local anns, living = watch(Member.objects:filter { name = "Ann" }), watch(Member.objects:all())
    local all, bin = watch(Member.objects:with_deleted()), watch(Member.objects:only_deleted())
    assert(bob:delete())
    assert(ann:delete())
    Member.objects:with_deleted():filter { pk = ann.pk }:update { ["$set"] = { n = 1 } }
    assert(eve:save { force_insert = true })
    assert.equal("update Ann marked", told(anns, 1))
    assert.equal("update Bob marked, update Ann marked, insert Eve", told(living, 3))
    assert.equal("update Bob marked, update Ann marked, update Ann marked, insert Eve",
      told(all, 4))
    assert.equal("update Bob marked, update Ann marked, update Ann marked", told(bin, 3))
    assert(ann:restore())
    assert.equal("update Ann", told(anns, 1))
    assert.equal("update Ann", told(living, 1))
    assert.equal("update Ann", told(all, 1))
    assert.is_nil(bin:next())
    assert(ann:delete { hard = true })
    for _, stream in ipairs { anns, living, all, bin } do
      assert.equal("delete Ann", told(stream, 1))
      stream:close()
    end
  end)

  it("says nil when nothing came in time", function()
    local stream = watch(Note.objects:all())
    local change, message = stream:next()
    assert.is_nil(change)
    assert.is_nil(message)
    assert.is_nil(stream.closed)
    stream:close()
  end)

  it("goes on from a token", function()
    local stream = watch(Note.objects:all())
    assert(Note { text = "1" }:save())
    assert(Note { text = "2" }:save())
    assert.equal("1", take(stream, 1)[1].document.text)
    local token = stream.token
    stream:close()
    stream = watch(Note.objects:all(), { resume_after = token })
    assert.equal("2", take(stream, 1)[1].document.text)
    stream:close()
  end)

  it("has a token before the first change", function()
    local stream = watch(Note.objects:all())
    stream:next()
    local token = stream.token
    stream:close()
    assert.equal("table", type(token))
    assert(Note { text = "later" }:save())
    stream = watch(Note.objects:all(), { resume_after = token })
    assert.equal("later", take(stream, 1)[1].document.text)
    stream:close()
  end)

  it("ends when the collection goes", function()
    local Gone = modm.MongoModel:extend("watch.Gone", { Meta = { connection_alias = "watch" } })
    assert(Gone {}:save())
    local stream = watch(Gone.objects:all())
    local conn, core = require "modm.connection".get "watch", require "modm.core"
    assert(conn:run(core.command(conn.client, "write", nil, { drop = "gone" })))
    local kinds = {}
    for change in stream:iter() do kinds[#kinds + 1] = change.operation end
    assert.same({ "drop", "invalidate" }, kinds)
    assert.is_true(stream.closed)
  end)

  it("closed is over, and closing it twice is nothing", function()
    local stream = watch(Note.objects:all())
    stream:close()
    stream:close()
    assert.is_nil((stream:next()))
    assert.is_nil(stream:iter()())
    assert.matches("closed", tostring(stream))
  end)

  it("is iterated, and Lua 5.4 closes it when the loop ends early", function()
    local stream = watch(Note.objects:all())
    assert(Note { text = "1" }:save())
    assert(Note { text = "2" }:save())
    local seen = {}
    for change in stream:iter() do
      seen[#seen + 1] = change.document.text
      if #seen == 2 then break end
    end
    assert.same({ "1", "2" }, seen)
    if _VERSION == "Lua 5.4" then assert.is_true(stream.closed) end
    stream:close()
  end)

  it("is closed by the collector, and does not outlive its connection", function()
    assert(modm.connect(server.fresh "watch", { alias = "watch2" }))
    local Other = modm.MongoModel:extend("watch.Other", { Meta = { connection_alias = "watch2" } })
    local stream = watch(Other.objects:all())
    modm.disconnect "watch2"
    local change, message, err = stream:next()
    assert.is_nil(change)
    assert.matches("closed", message)
    assert.equal("ConnectionError", err.kind)
    stream = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
  end)

  it("says which document cannot be read, and goes on", function()
    local stream = watch(Note.objects:all())
    local conn, core = require "modm.connection".get "watch", require "modm.core"
    assert(conn:run(core.insert(conn.client, nil, "note", { { odd = 1 } })))
    assert(Note { text = "fine" }:save())
    local change, message, err = stream:next()
    assert.is_nil(change)
    assert.matches("watch.Note", message)
    assert.matches("odd", message)
    assert.equal("OperationError", err.kind)
    assert.equal("fine", take(stream, 1)[1].document.text)
    stream:close()
  end)

  it("refuses what cannot be watched", function()
    assert.has_error(function() Note.objects:all():limit(1):watch() end)
    assert.has_error(function() Note.objects:all():order_by("text"):watch() end)
    assert.has_error(function() Note.objects:all():watch { full_documents = "x" } end)
    assert.has_error(function() Note.objects:raw { ["$text"] = { ["$search"] = "x" } }:watch() end)
  end)

  it("gives the server's refusal as an error", function()
    local stream, message, err = Note.objects:all():watch { full_document = "sometimes" }
    assert.is_nil(stream)
    assert.equal("string", type(message))
    assert.equal("ServerError", err.kind)
    stream, message, err = Note.objects:all():watch { resume_after = { _data = "ff" } }
    assert.is_nil(stream)
    assert.equal("string", type(message))
    assert.equal("ServerError", err.kind)
  end)

  it("goes on by itself after the connection broke", function()
    local conn, core = require "modm.connection".get "watch", require "modm.core"
    local stream = watch(Note.objects:all())
    assert(Note { text = "before" }:save())
    assert.equal("before", take(stream, 1)[1].document.text)
    assert(conn:run(core.command(conn.client, "write", "admin", core.ordered {
      { "configureFailPoint", "failCommand" }, { "mode", { times = 1 } },
      { "data", { failCommands = core.array { "getMore" }, closeConnection = true } } })))
    assert(Note { text = "after" }:save())
    assert.equal("after", take(stream, 1)[1].document.text)
    stream:close()
  end)
end)
