-- How the server is to do it: hint, collation, comment, max_time and batch_size, at every end.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "settings"

local Note = modm.MongoModel:extend("settings.Note", {
  key = f.CharField { primary_key = true },
  text = f.CharField { mongo_name = "t" },
  n = f.IntegerField {},
  Meta = { connection_alias = "settings", indexes = { { "text", name = "by_text" } } },
})
local Owner = modm.MongoModel:extend("settings.Owner", {
  name = f.CharField {}, Meta = { connection_alias = "settings" },
})
local Thing = modm.MongoModel:extend("settings.Thing", {
  owner = f.ReferenceField { Owner, on_delete = modm.CASCADE },
  Meta = { connection_alias = "settings" },
})

local function notes(n)
  local list = {}
  for i = 1, n do list[i] = Note { key = "k" .. i, text = "text" .. i, n = i } end
  return list
end

local set = Note.objects:filter { text = "TEXT3" }:hint "by_text":comment "why":max_time(7000)
  :collation { locale = "en", strength = 1 }:batch_size(50)

-- What a command has of the five; `statement` is where an update or delete has hint and collation.
local function check(command, statement)
  statement = statement or command
  assert.same({ "why", 7000, "by_text", 1 },
    { command.comment, command.maxTimeMS, statement.hint, statement.collation.strength })
end

describe("a queryset's settings", function()
  before_each(function()
    assert(Note.objects:all():delete())
    assert(Note.objects:bulk_create(notes(4)))
  end)

  local reading = {
    list = function() return set:list() end,
    first = function() return set:first() end,
    get = function() return set:get() end,
    count = function() return set:count() end,
    iter = function() return set:iter()() end,
    aggregate = function() return set:aggregate({ ["$limit"] = 1 }):list() end,
  }
  for name, fn in pairs(reading) do
    it("reach " .. name, function()
      local sent, result = help.sent(fn)
      assert.truthy(result)
      assert.equal(1, #sent)
      check(sent[1].command)
      local size = sent[1].command.batchSize
      if sent[1].name == "aggregate" then size = sent[1].command.cursor.batchSize end
      if name ~= "count" and name ~= "first" and name ~= "get" then assert.equal(50, size) end
    end)
  end

  it("reach update", function()
    local sent, n = help.sent(function() return set:update { ["$set"] = { n = 9 } } end)
    assert.equal(1, n)
    check(sent[1].command, sent[1].command.updates[1])
  end)

  it("reach delete", function()
    local sent, n = help.sent(function() return set:delete() end)
    assert.equal(1, n)
    check(sent[1].command, sent[1].command.deletes[1])
  end)

  it("reach the documents of a delete with rules, and what it looks for", function()
    local owner = assert(Owner { name = "ann" }:save())
    assert(Thing { owner = owner }:save())
    local sent = help.sent(function()
      assert.equal(1, Owner.objects:filter { name = "ANN" }:comment "why":max_time(7000)
        :hint "_id_":collation { locale = "en", strength = 1 }:delete())
    end)
    local own = {}
    for _, event in ipairs(sent) do
      local command = event.command
      if command[event.name] == "owner" then own[event.name] = command end
    end
    assert.same({ "why", 7000, "_id_", "en" }, { own.find.comment, own.find.maxTimeMS,
      own.find.hint, own.find.collation.locale })
    assert.same({ "why", 7000 }, { own.delete.comment, own.delete.maxTimeMS })
    assert.equal(0, Thing.objects:count())
  end)

  it("reach bulk_create, as far as an insert has them", function()
    local command = help.one(function()
      assert(Note.objects:comment "why":bulk_create({ Note { key = "new" } },
        { bypass_document_validation = true }))
    end)
    assert.equal("why", command.comment)
    assert.is_true(command.bypassDocumentValidation)
  end)

  it("let an insert past the server's rules only when asked", function()
    assert(Note.objects:all():delete())
    local Strict = modm.MongoModel:extend("settings.Strict", {
      n = f.IntegerField { min_value = 5 }, Meta = { connection_alias = "settings" },
    })
    assert(Strict:install_validator())
    local few = { full_clean = false }
    assert.is_nil((Strict.objects:bulk_create({ Strict { n = 1 } }, few)))
    few.bypass_document_validation = true
    assert.equal(1, #assert(Strict.objects:bulk_create({ Strict { n = 1 } }, few)))
  end)

  it("reach watch", function()
    local command = help.one(function() Note.objects:comment "why":watch():close() end)
    assert.equal("why", command.comment)
  end)

  it("go away again with 0", function()
    local command = help.one(function() set:max_time(0):batch_size(0):list() end)
    assert.is_nil(command.maxTimeMS)
    assert.is_nil(command.batchSize)
  end)

  it("end what takes too long", function()
    local list, message, err = Note.objects:raw({ ["$where"] = "sleep(200) || true" },
      { javascript = true }):max_time(50):list()
    assert.is_nil(list)
    assert.equal("ServerError", err.kind)
    assert.same({ 50, "MaxTimeMSExpired" }, { err.code, err.code_name })
    assert.equal("string", type(message))
  end)

  it("take an index by its keys, in the model's names", function()
    assert.same({ t = 1 }, help.one(function() Note.objects:hint { "text" }:list() end).hint)
    assert.same({ t = 1 }, help.one(function()
      assert(Note.objects:filter { text = "x" }:hint { { "text", 1 } }:delete())
    end).deletes[1].hint)
    local list, _, err = Note.objects:hint "nonsense":list()
    assert.is_nil(list)
    assert.equal("ServerError", err.kind)
  end)

  it("raise for what they cannot be", function()
    for _, fn in ipairs {
      function() Note.objects:hint(5) end, function() Note.objects:hint {} end,
      function() Note.objects:hint { "nothing" } end, function() Note.objects:collation(5) end,
      function() Note.objects:comment(5) end, function() Note.objects:comment() end,
      function() Note.objects:max_time(-1) end, function() Note.objects:max_time "5" end,
      function() Note.objects:batch_size(1.5) end,
    } do
      local message, here = help.raised(fn)
      assert.matches("settings.Note", message, 1, true)
      assert.is_true(here, message)
    end
  end)
end)

describe("with a collation that takes keys for equal", function()
  local loose = { locale = "en", strength = 1 }

  before_each(function()
    assert(Note.objects:all():delete())
    assert(Note.objects:bulk_create {
      Note { key = "a", text = "x" }, Note { key = "A", text = "X" }, Note { key = "b" },
    })
  end)

  it("no more documents are changed than the limit", function()
    local found = Note.objects:filter { text = "x" }:collation(loose):limit(1)
    assert.equal(1, found:update { ["$set"] = { n = 1 } })
    assert.equal(1, Note.objects:filter { n = 1 }:count())
  end)

  it("no more documents are deleted than the limit", function()
    assert.equal(1, Note.objects:filter { text = "x" }:collation(loose):limit(1):delete())
    assert.equal(2, Note.objects:count())
  end)
end)

describe("options of an end", function()
  local all = Note.objects:all()
  local stage = { ["$limit"] = 1 }

  it("raise when they are unknown, or of another type", function()
    for _, fn in ipairs {
      function() all:delete { comment = "x" } end,
      function() all:count { hint = "x" } end,
      function() all:aggregate(stage, { allow_disk_use = true }) end,
      function() all:aggregate(stage, { allowDiskUse = 1 }) end,
      function() all:update({ ["$set"] = { n = 1 } }, { comment = "x" }) end,
      function() all:update({ ["$set"] = { n = 1 } }, { upsert = 1 }) end,
      function() all:bulk_create(notes(1), { comment = "x" }) end,
      function() Note.objects:count {} end,
    } do
      local message, here = help.raised(fn)
      assert.truthy(message:find "option" or message:find "takes no arguments", message)
      assert.is_true(here, message)
    end
  end)

  it("of an aggregation go before the steps", function()
    local command = help.one(function()
      assert(set:aggregate(stage, { comment = "other", maxTimeMS = 500, let = { one = 1 },
        allowDiskUse = true, batchSize = 3 }):list())
    end)
    assert.same({ "other", 500, 1, true, 3 }, { command.comment, command.maxTimeMS,
      command.let.one, command.allowDiskUse, command.cursor.batchSize })
  end)
end)
