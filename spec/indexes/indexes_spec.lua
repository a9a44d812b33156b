-- Indexes on the server: every kind and option is made, seen there, and seen by diff_indexes.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "indexes"

local Part = modm.EmbeddedMongoModel:extend("indexes.Part", {
  name = f.CharField { mongo_name = "n" }, size = f.IntegerField {},
})

local count = 0
local function define(list, more)
  count = count + 1
  local definition = {
    age = f.IntegerField { mongo_name = "a" }, title = f.CharField {}, text = f.CharField {},
    at = f.DateTimeField {}, place = f.PointField {}, more = f.DictField {},
    parts = f.EmbeddedModelListField { Part },
    Meta = { connection_alias = "indexes", indexes = list },
  }
  for key, value in pairs(more or {}) do definition.Meta[key] = value end
  return modm.MongoModel:extend("indexes.Thing" .. count, definition)
end

local conn = require "modm.connection".get "indexes"
local function command(list)
  local op = core.command(conn.client, "write", conn.database, core.ordered(list))
  assert(conn:run(op))
  return op:reply()
end

local function collection_of(Model) return tostring(Model):match "[^.]+$":lower() end

local function listed(Model)
  local all = {}
  for _, one in ipairs(command { { "listIndexes", collection_of(Model) } }.cursor.firstBatch) do
    all[one.name] = one
  end
  return all
end

local function names(list)
  local out = {}
  for i, one in ipairs(list) do out[i] = one.name end
  table.sort(out)
  return out
end

local function assert_clean(Model)
  local diff = assert(Model:diff_indexes())
  assert.same({ missing = {}, extra = {}, changed = {} }, diff)
end

-- What the server is to have of an index, and its keys in order.
local kinds = {
  { { "age" }, "a_1", { key = { a = 1 } } },
  { { "-age" }, "a_-1", { key = { a = -1 } } },
  { { { "age", 1.0 }, { "title", -1.0 } }, "a_1_title_-1", { key = { a = 1, title = -1 } } },
  { { "title", "-age", "at" }, "title_1_a_-1_at_1", { key = { a = -1, title = 1, at = 1 } } },
  { { "_id", "age" }, "_id_1_a_1", {} },
  { { "_cls", "age" }, "_cls_1_a_1", {} },
  { { "a", name = "by stored name" }, "by stored name", { key = { a = 1 } } },
  { { "parts.name", "parts.size" }, "parts.n_1_parts.size_1", {} },
  { { "more.any.where" }, "more.any.where_1", {} },
  { { "age", unique = true }, "a_1", { unique = true } },
  { { "age", unique = false, sparse = false, hidden = false, background = true }, "a_1", {} },
  { { "age", sparse = true }, "a_1", { sparse = true } },
  { { "age", unique = true, sparse = true }, "a_1", { unique = true, sparse = true } },
  { { "age", hidden = true }, "a_1", { hidden = true } },
  { { "age", prepareUnique = true }, "a_1", { prepareUnique = true } },
  { { "at", expireAfterSeconds = 0 }, "at_1", { expireAfterSeconds = 0 } },
  { { "at", expireAfterSeconds = 3600.0 }, "at_1", { expireAfterSeconds = 3600 } },
  { { "title", partialFilterExpression = { age = modm.gte "18" } }, "title_1",
    { partialFilterExpression = { a = { ["$gte"] = 18 } } } },
  { { "title", partialFilterExpression = { age = "5" } }, "title_1",
    { partialFilterExpression = { a = 5 } } },
  { { "title", partialFilterExpression = { ["$and"] = { { age = { ["$gt"] = 5, ["$lt"] = 7 } },
    { ["parts.name"] = { ["$exists"] = true } } } } }, "title_1",
    { partialFilterExpression = { ["$and"] = { { a = { ["$gt"] = 5, ["$lt"] = 7 } },
      { ["parts.n"] = { ["$exists"] = true } } } } } },
  { { { "title", "text" } }, "title_text", { weights = { title = 1 },
    default_language = "english", language_override = "language" } },
  { { "age", { "title", "text" }, { "text", "text" }, "-at",
    weights = { text = 5, ["parts.name"] = 3 }, default_language = "german",
    language_override = "lang" }, "a_1_title_text_text_text_at_-1",
    { weights = { title = 1, text = 5, ["parts.n"] = 3 }, default_language = "german",
      language_override = "lang" } },
  { { { "$**", "text" } }, "$**_text", { weights = { ["$**"] = 1 } } },
  { { { "$**", "text" }, weights = { title = 4 } }, "$**_text",
    { weights = { ["$**"] = 1, title = 4 } } },
  { { { "title", "text" }, textIndexVersion = 2 }, "title_text", { textIndexVersion = 2 } },
  { { { "place", "2dsphere" } }, "place_2dsphere", { key = { place = "2dsphere" } } },
  { { { "place", "2dsphere" }, "age", ["2dsphereIndexVersion"] = 2 }, "place_2dsphere_a_1",
    { ["2dsphereIndexVersion"] = 2 } },
  { { { "place.coordinates", "2d" } }, "place.coordinates_2d", {} },
  { { { "place", "2d" }, bits = 20, min = -10.5, max = 10 }, "place_2d",
    { bits = 20, min = -10.5, max = 10 } },
  { { { "title", "hashed" } }, "title_hashed", { key = { title = "hashed" } } },
  { { { "title", "hashed" }, "-age" }, "title_hashed_a_-1", {} },
  { { { "_id", "hashed" } }, "_id_hashed", {} },
  { { "$**" }, "$**_1", { key = { ["$**"] = 1 } } },
  { { "more.$**" }, "more.$**_1", {} },
  { { "$**", wildcardProjection = { age = 1, ["parts.name"] = 1 } }, "$**_1",
    { wildcardProjection = { a = 1, ["parts.n"] = 1 } } },
  { { "$**", wildcardProjection = { age = 0 } }, "$**_1", { wildcardProjection = { a = 0 } } },
  { { "title", collation = { locale = "de", strength = 1 } }, "title_1", {} },
  { { "title", collation = { locale = "fr_CA" } }, "title_1", {} },
  { { "title", collation = { locale = "th" } }, "title_1", {} },
  { { "title", collation = { locale = "da", caseLevel = true } }, "title_1", {} },
  { { "title", collation = { locale = "simple" } }, "title_1", {} },
  { { "title", storageEngine = { wiredTiger = { configString = "block_compressor=zlib" } } },
    "title_1", {} },
  { { "title", v = 1 }, "title_1", { v = 1 } },
}

describe("an index", function()
  for i, case in ipairs(kinds) do
    it(("is made on the server: %s (%d)"):format(case[2], i), function()
      local Model = define { case[1] }
      assert.same({ case[2] }, names(assert(Model:diff_indexes()).missing))
      assert(Model:ensure_indexes())
      local found = listed(Model)[case[2]]
      assert.is_table(found)
      for name, value in pairs(case[3]) do
        if name ~= "key" or not found.key._fts then assert.same(value, found[name]) end
      end
      assert_clean(Model)
      assert(Model:ensure_indexes())
      assert.same({ created = {}, dropped = {}, modified = {}, rebuilt = {}, extra = {},
        changed = {} }, assert(Model:sync_indexes { drop = true }))
    end)
  end

  it("has its keys in order, as int32, with the names that PyMODM's have", function()
    local Model = define { { { "title", 1.0 }, "-age" } }
    local sent
    for _, event in ipairs(help.sent(function() assert(Model:ensure_indexes()) end)) do
      if event.name == "createIndexes" then sent = event.command.indexes[1] end
    end
    assert.equal(core.encode(core.ordered { { "key", core.ordered { { "title", 1 }, { "a", -1 } } },
      { "name", "title_1_a_-1" } }), core.encode(sent))
  end)

  it("follows the default collation of its collection", function()
    local Model = define { { "title" }, { "text", collation = { locale = "simple" } } }
    command { { "create", collection_of(Model) }, { "collation", { locale = "de" } } }
    assert(Model:ensure_indexes())
    assert.equal("de", listed(Model).title_1.collation.locale)
    assert_clean(Model)
  end)

  it("is made at the first use, unless auto_index is false", function()
    local Model, Lazy = define { { "age" } }, define({ { "age" } }, { auto_index = false })
    assert(Model { age = 1 }:save())
    assert(Lazy { age = 1 }:save())
    assert.is_table(listed(Model).a_1)
    assert.is_nil(listed(Lazy).a_1)
  end)

  it("of a parent is made with the child's, in one collection", function()
    local Parent = define { { "age", unique = true } }
    local Child = Parent:extend(tostring(Parent) .. "Child", {
      extra = f.CharField {}, Meta = { indexes = { { "extra" }, { "age", unique = true } } },
    })
    assert(Child { age = 1 }:save())
    assert.same({ "_id_", "a_1", "extra_1" }, (function()
      local all = {}
      for name in pairs(listed(Parent)) do all[#all + 1] = name end
      table.sort(all)
      return all
    end)())
    assert_clean(Parent)
    assert_clean(Child)
    local _, _, err = Parent { age = 1 }:save()
    assert.equal("DuplicateKeyError", err.kind)
  end)

  it("may lead into an embedded model that is defined later", function()
    local Model = modm.MongoModel:extend("indexes.Early", {
      part = f.EmbeddedModelField { "indexes.Late" },
      Meta = { connection_alias = "indexes", indexes = { { "part.name" } } },
    })
    modm.EmbeddedMongoModel:extend("indexes.Late", { name = f.CharField { mongo_name = "n" } })
    assert(Model:ensure_indexes())
    local keys = command { { "listIndexes", "early" } }.cursor.firstBatch
    assert.equal("part.n_1", keys[2].name)
  end)
end)

describe("diff_indexes", function()
  local a_1 = { { "key", { a = 1 } }, { "name", "a_1" } }
  local function with(...) return core.ordered { a_1[1], a_1[2], ... } end

  -- What the server has, what the model declares, and what differs.
  local cases = {
    { with { "unique", true }, { "age" }, { "unique" } },
    { with(), { "age", unique = true }, { "unique" } },
    { with { "sparse", true }, { "age" }, { "sparse" } },
    { with { "hidden", true }, { "age" }, { "hidden" } },
    { with { "prepareUnique", true }, { "age" }, { "prepareUnique" } },
    { with { "expireAfterSeconds", 5 }, { "age", expireAfterSeconds = 6 },
      { "expireAfterSeconds" } },
    { with { "expireAfterSeconds", 5 }, { "age" }, { "expireAfterSeconds" } },
    { with(), { "age", expireAfterSeconds = 6 }, { "expireAfterSeconds" } },
    { with { "partialFilterExpression", { a = { ["$gt"] = 5 } } },
      { "age", partialFilterExpression = { age = modm.gt(6) } }, { "partialFilterExpression" } },
    { with { "partialFilterExpression", { a = { ["$gt"] = 5 } } }, { "age" },
      { "partialFilterExpression" } },
    { with { "collation", { locale = "de" } }, { "age" }, { "collation" } },
    { with(), { "age", collation = { locale = "de" } }, { "collation" } },
    { with { "collation", { locale = "de", strength = 1 } },
      { "age", collation = { locale = "de" } }, { "collation" } },
    { with { "collation", { locale = "fr_CA", backwards = false } },
      { "age", collation = { locale = "fr_CA" } }, { "collation" } },
    { with { "storageEngine", { wiredTiger = { configString = "" } } }, { "age" },
      { "storageEngine" } },
    { with { "v", 1 }, { "age", v = 2 }, { "v" } },
    { with { "unique", true }, { "age", sparse = true }, { "sparse", "unique" } },
    { with(), { "-age", name = "a_1" }, { "key" } },
    { with(), { "age", "title", name = "a_1" }, { "key" } },
    { with(), { "age", name = "other" }, { "name" } },
    { core.ordered { { "key", core.ordered { { "title", 1 }, { "a", 1 } } }, { "name", "x" } },
      { "age", "title", name = "x" }, { "key" } },
    { core.ordered { { "key", { title = "text" } }, { "name", "x" } },
      { { "title", "text" }, name = "x", weights = { title = 2 } }, { "weights" } },
    { core.ordered { { "key", { title = "text" } }, { "name", "x" } },
      { { "text", "text" }, name = "x" }, { "weights" } },
    { core.ordered { { "key", { title = "text" } }, { "name", "x" } },
      { { "text", "text" }, name = "y" }, { "weights", "name" } },
    { core.ordered { { "key", { title = "text" } }, { "name", "x" } },
      { { "title", "text" }, name = "x", default_language = "none", language_override = "l" },
      { "default_language", "language_override" } },
    { core.ordered { { "key", { title = "text" } }, { "name", "x" }, { "textIndexVersion", 2 } },
      { { "title", "text" }, name = "x", textIndexVersion = 3 }, { "textIndexVersion" } },
    { core.ordered { { "key", { place = "2d" } }, { "name", "x" }, { "bits", 20 } },
      { { "place", "2d" }, name = "x" }, { "bits" } },
    { core.ordered { { "key", { place = "2dsphere" } }, { "name", "x" },
      { "2dsphereIndexVersion", 2 } },
      { { "place", "2dsphere" }, name = "x", ["2dsphereIndexVersion"] = 3 },
      { "2dsphereIndexVersion" } },
    { core.ordered { { "key", { ["$**"] = 1 } }, { "name", "x" },
      { "wildcardProjection", { a = 1 } } }, { "$**", name = "x" }, { "wildcardProjection" } },
  }
  for i, case in ipairs(cases) do
    it(("sees a difference: %s (%d)"):format(table.concat(case[3], ", "), i), function()
      local Model = define { case[2] }
      command { { "createIndexes", collection_of(Model) }, { "indexes", core.array { case[1] } } }
      local diff = assert(Model:diff_indexes())
      assert.same({}, diff.missing)
      assert.same({}, diff.extra)
      assert.equal(1, #diff.changed)
      assert.same(case[3], diff.changed[1].differs)
      assert.equal(core.decode(core.encode(case[1])).name, diff.changed[1].server.name)
      assert.equal(diff.changed[1].name, diff.changed[1].model.name)
      local done = assert(Model:sync_indexes())
      assert.same({ {}, 1 }, { done.rebuilt, #done.changed })
      done = assert(Model:sync_indexes { drop = true })
      assert.equal(1, #done.rebuilt + #done.modified)
      assert_clean(Model)
    end)
  end

  it("says what is missing and what is extra, and sync_indexes puts it in order", function()
    local Model = define { { "age" }, { "title", unique = true } }
    command { { "createIndexes", collection_of(Model) }, { "indexes", core.array {
      { key = { text = 1 }, name = "old" }, { key = { a = 1 }, name = "a_1" },
    } } }
    local diff = assert(Model:diff_indexes())
    assert.same({ "title_1" }, names(diff.missing))
    assert.same({ "old" }, names(diff.extra))
    local done = assert(Model:sync_indexes())
    assert.same({ { "title_1" }, {}, { "old" } }, { done.created, done.dropped,
      names(done.extra) })
    done = assert(Model:sync_indexes { drop = true })
    assert.same({ {}, { "old" }, {} }, { done.created, done.dropped, done.extra })
    assert.is_table(listed(Model)._id_)
    assert_clean(Model)
  end)

  it("counts the indexes of all models in the collection", function()
    local Parent = define { { "age" } }
    local Child = Parent:extend(tostring(Parent) .. "Child", {
      x = f.CharField {}, Meta = { indexes = { { "x" } } },
    })
    local Beside = define({ { "title" } }, { collection_name = collection_of(Parent) })
    local Elsewhere = define { { "text" } }
    assert(Child:ensure_indexes())
    assert(Beside:ensure_indexes())
    assert(Elsewhere:ensure_indexes())
    for _, Model in ipairs { Parent, Child, Beside, Elsewhere } do assert_clean(Model) end
    define({ { "title", name = "x_1" } }, { collection_name = collection_of(Parent) })
    local _, message, err = Parent:diff_indexes()
    assert.equal("OperationError", err.kind)
    assert.matches("the index 'x_1' is declared by " .. tostring(Child), message, 1, true)
  end)

  it("changes hidden and expireAfterSeconds in place", function()
    local Model = define { { "at", expireAfterSeconds = 60, hidden = true } }
    command { { "createIndexes", collection_of(Model) }, { "indexes", core.array {
      { key = { at = 1 }, name = "at_1", expireAfterSeconds = 5 } } } }
    local sent = help.sent(function()
      assert.same({ "at_1" }, assert(Model:sync_indexes { drop = true }).modified)
    end)
    for _, event in ipairs(sent) do assert.not_equal("dropIndexes", event.name) end
    local found = listed(Model).at_1
    assert.same({ 60, true }, { found.expireAfterSeconds, found.hidden })
  end)

  it("is empty for a collection that is not there and a model without indexes", function()
    local Model = define(nil)
    assert_clean(Model)
  end)

  it("is refused where there is no collection", function()
    for _, Model in ipairs { Part, modm.MongoModel } do
      local statics = require "modm.model.statics"
      for _, method in ipairs { "ensure_indexes", "diff_indexes", "sync_indexes" } do
        assert.error_matches(function() statics[method](Model) end, "has no collection")
      end
    end
    assert.error_matches(function() define({}):sync_indexes { dorp = true } end,
      "sync_indexes has no option 'dorp'")
  end)
end)

describe("a build that fails", function()
  it("names the model and the index, and leaves those that can be", function()
    local Model = define({ { "title" }, { "age", unique = true }, { "text" } },
      { auto_index = false })
    assert(Model { age = 1 }:save())
    assert(Model { age = 1 }:save())
    for _, method in ipairs { "ensure_indexes", "sync_indexes" } do
      local ok, message, err = Model[method](Model)
      assert.is_nil(ok)
      assert.equal("DuplicateKeyError", err.kind)
      assert.same({ 11000, "a_1", tostring(Model) }, { err.code, err.index, err.model })
      assert.matches(tostring(Model) .. ": the index 'a_1' cannot be made: ", message, 1, true)
    end
    assert.is_table(listed(Model).title_1)
    assert.is_nil(listed(Model).a_1)
  end)

  it("is an error of the first use, each time", function()
    local Model = define { { "age", unique = true } }
    command { { "createIndexes", collection_of(Model) }, { "indexes", core.array {
      { key = { a = 1 }, name = "a_1" } } } }
    for _ = 1, 2 do
      local _, message, err = Model.objects:count()
      assert.equal("ServerError", err.kind)
      assert.matches("the index 'a_1' cannot be made", message, 1, true)
    end
    assert(Model:sync_indexes { drop = true })
    assert.equal(0, assert(Model.objects:count()))
  end)

  it("is told with what was done before", function()
    local Model = define({ { "title" }, { "age", unique = true } }, { auto_index = false })
    command { { "createIndexes", collection_of(Model) }, { "indexes", core.array {
      { key = { a = 1 }, name = "a_1" }, { key = { text = 1 }, name = "old" } } } }
    assert(Model { age = 1 }:save())
    assert(Model { age = 1 }:save())
    local _, _, err = Model:sync_indexes { drop = true }
    assert.equal("a_1", err.index)
    assert.same({ { "title_1" }, {} }, { err.done.created, err.done.dropped })
    assert.is_table(listed(Model).old)
  end)

  it("is a ConnectionError where no server answers", function()
    assert(modm.connect("mongodb://127.0.0.1:1/nowhere",
      { alias = "nowhere", serverSelectionTimeoutMS = 50 }))
    local Far = define({ { "age" }, { "title" } }, { connection_alias = "nowhere" })
    for _, method in ipairs { "ensure_indexes", "diff_indexes", "sync_indexes" } do
      local _, _, err = Far[method](Far)
      assert.equal("ConnectionError", err.kind)
    end
    local Nowhere = define({ { "age" } }, { connection_alias = "never connected" })
    for _, method in ipairs { "ensure_indexes", "diff_indexes", "sync_indexes" } do
      local _, _, err = Nowhere[method](Nowhere)
      assert.equal("ConfigurationError", err.kind)
    end
  end)
end)

describe("a bad index", function()
  local geo = { "place", "2d" }
  local cases = {
    { { {} }, "index 1 has no keys" },
    { { "age" }, "index 1: a table of keys and options expected, not a string" },
    { { { "age" }, { name = "x", unique = true } }, "index 'x' has no keys" },
    { { { "agee" } }, "has no field 'agee'" },
    { { { "age.x" } }, "age is a IntegerField and holds no fields" },
    { { { "age.coordinates" } }, "age is a IntegerField and holds no fields" },
    { { { "parts.nam" } }, "indexes.Part has no field 'nam'" },
    { { { { "age", 2 } } }, "'age' has the direction 2; it can be 1, -1" },
    { { { { "age", "up" } } }, "'age' has the direction up" },
    { { { { "age", false } } }, "'age' has the direction false" },
    { { { { 1 } } }, "a key is a name or { name, direction }, not a number" },
    { { { true } }, "a key is a name" },
    { { { "age", "-age" } }, "'a' comes twice" },
    { { { "age", "a" } }, "'a' comes twice" },
    { { { "age" }, { "age" } }, "there are two indexes called 'a_1'" },
    { { { "age" }, { "title", name = "a_1" } }, "there are two indexes called 'a_1'" },
    { { { { "title", "text" } }, { { "text", "text" } } }, "are both text indexes" },
    { { { "_id" } }, "the server makes the index of _id itself" },
    { { { "pk" } }, "the server makes the index of _id itself" },
    { { { "age", uniqe = true } }, "index 1 has no option 'uniqe'" },
    { { { "age", expire_after_seconds = 1 } }, "has no option 'expire_after_seconds'" },
    { { { "age", unique = 1 } }, "option 'unique' must be a boolean, got a number" },
    { { { "age", name = "" } }, "cannot be called so" },
    { { { "age", name = "_id_" } }, "cannot be called so" },
    { { { "age", name = 5 } }, "option 'name' must be a string" },
    { { { "age", "title", expireAfterSeconds = 1 } }, "is for indexes of one key" },
    { { { "age", expireAfterSeconds = -1 } }, "must be from 0 to 2147483647" },
    { { { "age", expireAfterSeconds = 1.5 } }, "must be a integer" },
    { { { "age", expireAfterSeconds = 2 ^ 31 } }, "must be from 0 to 2147483647" },
    { { { "age", sparse = true, partialFilterExpression = { age = 1 } } }, "either sparse or" },
    { { { { "age", "hashed" }, unique = true } }, "cannot be unique" },
    { { { "$**", unique = true } }, "cannot be unique" },
    { { { "age", weights = { age = 1 } } }, "'weights' is for indexes of the kind text" },
    { { { "age", bits = 1 } }, "'bits' is for indexes of the kind 2d" },
    { { { geo, ["2dsphereIndexVersion"] = 3 } }, "is for indexes of the kind 2dsphere" },
    { { { "age", wildcardProjection = { age = 1 } } }, "is for indexes of the kind $**" },
    { { { { "title", "text" }, weights = { title = 0 } } }, "the weight of 'title' must be" },
    { { { { "title", "text" }, weights = { titel = 1 } } }, "has no field 'titel'" },
    { { { "age", collation = { strength = 1 } } }, "a collation needs a locale" },
    { { { "age", partialFilterExpression = { agee = 1 } } }, "has no field 'agee'" },
    { { { "age", partialFilterExpression = { age = "x" } } }, "partialFilterExpression: age: " },
    { { { "age", partialFilterExpression = { ["$and"] = 1 } } }, "$and takes a list of filters" },
  }
  for i, case in ipairs(cases) do
    it(("is refused where it is declared: %s (%d)"):format(case[2], i), function()
      local ok, err = pcall(define, case[1])
      assert.is_false(ok)
      assert.equal("InvalidModel", err.kind)
      assert.matches("^%S*spec/indexes/indexes_spec.lua:%d+: indexes.Thing%d+", tostring(err))
      assert.matches(case[2], err.message, 1, true)
    end)
  end

  it("of a child is refused beside its parent's", function()
    local Parent = define { { "age" }, { { "title", "text" } } }
    for _, list in ipairs { { { "title", name = "a_1" } }, { { { "text", "text" } } } } do
      assert.error_matches(function()
        Parent:extend("indexes.Refused", { Meta = { indexes = list } })
      end, "indexes.Refused.Meta: ")
    end
    assert.has_error(function()
      modm.EmbeddedMongoModel:extend("indexes.RefusedPart", { Meta = { indexes = { { "x" } } } })
    end)
  end)

  it("is none where a model keeps unknown fields", function()
    assert(define({ { "unknown.name" } }, { ignore_unknown_fields = true }):ensure_indexes())
    assert.has_error(function()
      define({ { "age.x" } }, { ignore_unknown_fields = true })
    end)
  end)
end)
