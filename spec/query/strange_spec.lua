-- What is rare in queries and changes: what no field takes, paths at their limits, commands that
-- are too large, and documents that others have stored or taken away.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields
local Meta = { connection_alias = "strange_queries" }

local conn = help.connect "strange_queries"

local Node = modm.EmbeddedMongoModel:extend("strange_queries.Node", {
  n = f.IntegerField { max_value = 9 },
  inner = f.EmbeddedModelField { "strange_queries.Node" },
})
local deep = f.CharField { max_length = 3 }
for _ = 1, 150 do deep = f.ListField { deep } end
local Thing = modm.MongoModel:extend("strange_queries.Thing", {
  name = f.CharField { mongo_name = "nm" },
  n = f.IntegerField {},
  tags = f.ListField { f.CharField {} },
  rows = f.ListField { f.ListField { f.IntegerField {} } },
  node = f.EmbeddedModelField { Node },
  nodes = f.EmbeddedModelListField { Node },
  extra = f.DictField {},
  any = f.ListField {},
  deep = deep,
  at = f.PointField {},
  seen = f.DateTimeField {},
  silent = f.CharField { validators = { function() return false end } },
  Meta = Meta,
})
local Plain = modm.MongoModel:extend("strange_queries.Plain", {
  key = f.CharField { primary_key = true }, n = f.IntegerField {},
  Meta = { connection_alias = "strange_queries", final = true },
})
local Numbered = modm.MongoModel:extend("strange_queries.Numbered", {
  key = f.IntegerField { primary_key = true }, n = f.IntegerField {}, Meta = Meta })
local Placed = modm.MongoModel:extend("strange_queries.Placed", {
  key = f.EmbeddedModelField { Node, primary_key = true }, n = f.IntegerField {},
  Meta = { connection_alias = "strange_queries", final = true },
})

local function thing(values) return assert(Thing(values or {}):save()) end
local function again(doc) return assert(Thing.objects:get { pk = doc.pk }) end

before_each(function()
  for _, Model in ipairs { Thing, Plain, Numbered, Placed } do
    assert(Model.objects:all():delete())
  end
end)

-- What is misuse raises, all else is returned: the message of either.
local function message_of(fn, ...)
  local results = { pcall(fn, ...) }
  if not results[1] then return tostring(results[2]) end
  assert.is_nil(results[2])
  return results[3]
end

local function changes(given, options)
  return message_of(function() return Thing.objects:all():change(given, options) end)
end

describe("a change", function()
  it("takes nested values, and says where one is wrong however deep", function()
    local doc = thing { name = "a", rows = { { 1 } } }
    assert.matches("rows", changes { set = { rows = { { 1 }, { 2, "x" } } } })
    assert.matches("node", changes { set = { node = Node { n = 10 } } })
    assert.matches("nodes", changes { push = { nodes = modm.each { Node { n = 1 }, { n = 10 } } } })
    local value, right = "long", "ok"
    for _ = 1, 150 do value, right = { value }, { right } end
    assert.matches("value exceeds the maximum length of 3", changes { set = { deep = value } })
    assert(Thing.objects:all():change { set = { deep = right } })
    assert.same(right, again(doc):to_son().deep)
    assert.matches("silent", changes { set = { silent = "x" } })
  end)

  it("takes no operators of the server's, and no text that is none", function()
    assert.matches("extra", changes { set = { extra = { ["$inc"] = 1 } } })
    assert.matches("extra", changes { set = { extra = { a = "\255" } } })
    assert.matches("any", changes { set = { any = { print } } })
    assert.matches("any", changes { push = { any = { ["$gt"] = 1 } } })
    assert.matches("operator", changes { push = { tags = modm.gt "a" } })
    assert.matches("operator", changes { set = { n = modm.gt(1) } })
  end)

  it("counts where a field is free, and changes its lists", function()
    local doc = thing { extra = { n = 1, list = core.array { 1 } }, rows = { { 1, 2 }, {} } }
    assert(Thing.objects:all():change { inc = { ["extra.n"] = modm.Int64(2) } })
    assert(Thing.objects:all():change { push = { ["extra.list"] = 2, rows = { 3 } } })
    doc = again(doc)
    assert.equal(3, doc.extra.n)
    assert.same({ 1, 2 }, doc.extra.list)
    assert.same({ { 1, 2 }, {}, { 3 } }, doc.rows)
    assert(Thing.objects:all():change { pop = { rows = 1, ["extra.list"] = -1 } })
    doc = again(doc)
    assert.same({ { 1, 2 }, {} }, doc.rows)
    assert.same({ 2 }, doc.extra.list)
    for _, way in ipairs { 2, 0, 1.5 } do
      assert.matches("pop takes 1", changes { pop = { rows = way } })
    end
    assert.matches("inc is for numbers", changes { inc = { tags = 1 } })
    assert.matches("a number expected", changes { inc = { ["extra.n"] = "1" } })
    assert.matches("push is for lists", changes { push = { n = 1 } })
    assert.matches("current_date is for dates", changes { current_date = { "n" } })
    assert(Thing.objects:all():change { current_date = { "seen", "extra.at" } })
    doc = again(doc)
    assert.equal("DateTime", modm.type(doc.seen))
    assert.equal("DateTime", modm.type(doc.extra.at))
    assert.matches("list of names", changes { unset = { "n", 5 } })
    assert.matches("list of names", changes { unset = {} })
    assert.matches("no field 'none'", changes { unset = { "n", "none" } })
  end)

  it("has one filter for what stands for the items of one list", function()
    local doc = thing { rows = { { 1, 2 }, { 3 } }, any = { { a = 1 }, { a = 2 } } }
    assert(Thing.objects:all():change({ inc = { ["rows.$[].$[x]"] = 10 } },
      { array_filters = { x = modm.gt(1) } }))
    assert.same({ { 1, 12 }, { 13 } }, again(doc).rows)
    assert(Thing.objects:all():change({ set = { ["any.$[x].a"] = 5, ["any.$[x].b"] = 6 } },
      { array_filters = { x = { a = 2 } } }))
    assert.same({ { a = 1 }, { a = 5, b = 6 } }, again(doc).any)
    assert.matches("items of two lists", changes({
      set = { ["any.$[x].a"] = 5, ["rows.$[x]"] = { 1 } } }, { array_filters = { x = { a = 2 } } }))
    assert.matches("x", changes({ inc = { ["rows.$[].$[x]"] = 10 } },
      { array_filters = { x = "one" } }))
    assert.matches("no field", changes({ inc = { ["nodes.$[x].n"] = 1 } },
      { array_filters = { x = { none = 1 } } }))
    assert.matches("no field ''", changes { set = { ["nodes..n"] = 1 } })
    assert.matches("cannot be empty", changes { set = { ["any..n"] = 1 } })
  end)

  it("may make a document of a model that stores no class", function()
    assert(Plain.objects:filter { key = "k" }:change({ set_on_insert = { n = 1 } },
      { upsert = true }))
    assert.equal(1, assert(Plain.objects:get { key = "k" }).n)
  end)
end)

describe("a path", function()
  it("goes deeper into embedded documents than their classes are asked for", function()
    local node = Node { n = 1 }
    for _ = 1, 12 do node = Node { inner = node } end
    local doc = thing { node = node }
    local path = "node" .. (".inner"):rep(12) .. ".n"
    assert.equal(doc, assert(Thing.objects:filter { [path] = 1 }:first()))
    assert.is_nil((Thing.objects:filter { [path] = 2 }:first()))
    assert(Thing.objects:all():change { inc = { [path] = 1 } })
    assert.same({ 2 }, (assert(Thing.objects:distinct(path))))
    assert.equal(doc, assert(Thing.objects:order_by(path):first()))
  end)

  it("is text without NUL, of at most 512 bytes", function()
    for _, name in ipairs { "na\0me", "name\255", "extra.a\255" } do
      assert.is_string(message_of(function()
        return Thing.objects:filter { [name] = 1 }:first()
      end))
    end
    local long = "extra." .. ("k"):rep(500)
    assert.is_nil((Thing.objects:filter { [long] = 1 }:first()))
    assert.matches("512", message_of(function()
      return Thing.objects:filter { [long .. "kkkkkk"] = 1 }:first()
    end))
  end)
end)

describe("a filter", function()
  it("takes whole lists without holes, and what it holds is no operator", function()
    local doc = thing { rows = { { 1, 2 } }, tags = { "a" }, extra = { a = { b = 1 } } }
    assert.equal(doc, assert(Thing.objects:filter { rows = { { 1, 2 } } }:first()))
    assert.equal(doc, assert(Thing.objects:filter { extra = { a = { b = 1 } } }:first()))
    for _, bad in ipairs { { rows = { { 1, nil, 2 } } }, { tags = { [1] = "a", [3] = "b" } },
      { tags = { "a", x = 1 } }, { extra = { a = { ["$gt"] = 1 } } }, { n = { ["$gt"] = 1 } },
      { seen = { ["$gt"] = 1 } }, { extra = { a = print } }, { tags = { "a", { "b" } } } } do
      assert.is_string(message_of(function() return Thing.objects:filter(bad):first() end))
    end
  end)

  it("takes BSON types by name, number or both", function()
    thing { n = 1, name = "x" }
    for kind, n in pairs { [16] = 1, int = 1, string = 0, [2] = 0 } do
      assert.equal(n, Thing.objects:filter { n = modm.type_of(kind) }:count())
    end
    assert.equal(1, Thing.objects:filter { n = modm.type_of { "int", "string" } }:count())
    assert.is_string(message_of(modm.type_of, print))
  end)

  it("takes places whose numbers are of any type, and no other values for places", function()
    thing { at = { 1, 2 } }
    for _, place in ipairs { { 1, 2 }, { 1.0, 2.5 }, { type = "Point", coordinates = { 1, 2 } },
      { type = "Point", coordinates = { modm.Int64(1), modm.Int64(2) } } } do
      assert.equal(1, Thing.objects:filter { at = modm.within(place, { radius = 100000 }) }:count())
    end
    local square = { { { 0, 0 }, { 3, 0 }, { 3, 3 }, { 0, 3 }, { 0, 0 } } }
    assert.equal(1, Thing.objects:filter { at = modm.within(square, {}) }:count())
    assert.equal(1, Thing.objects:filter { at = modm.intersects { 1, 2 } }:count())
    for _, bad in ipairs { { { { { { 1, 2 } } } } }, { "x", "y" }, { 1, "x" }, { type = "Point" },
      { type = "Point", coordinates = { "a", "b" } }, { type = "Circle", coordinates = { 1, 2 } },
      { type = "Point", coordinates = { 1, 2 }, more = print }, { type = 5 },
      { type = "Polygon", coordinates = { 1 } }, { type = "Point", coordinates = print }, {} } do
      for _, operator in ipairs { modm.near, modm.within, modm.intersects } do
        assert.is_string(message_of(function()
          return Thing.objects:filter { at = operator(bad) }:first()
        end))
      end
      assert.is_string(message_of(function()
        return Thing.objects:filter { at = modm.within(bad, { radius = 1 }) }:first()
      end))
    end
  end)
end)

describe("distinct values", function()
  it("are read by their fields, null and what is in dicts included", function()
    for _, value in ipairs { { n = 1, extra = { a = 1, b = modm.null } },
      { extra = { a = "x" } }, { n = 3, extra = { a = core.array { 2, 3 } } } } do
      thing(value)
    end
    assert(Thing.objects:filter { n = 3 }:update { ["$set"] = { n = modm.null } })
    assert.same({ modm.null, 1 }, (assert(Thing.objects:distinct "n")))
    assert.same({ 1, 2, 3, "x" }, (assert(Thing.objects:distinct "extra.a")))
    assert.same({ modm.null }, (assert(Thing.objects:distinct "extra.b")))
    assert.same({}, (assert(Thing.objects:distinct "extra.none")))
    assert.same({}, (assert(Thing.objects:distinct "tags")))
  end)
end)

describe("a command that is too large", function()
  it("is not sent", function()
    local megabyte = ("x"):rep(1024 * 1024)
    local large = Thing.objects:filter { name = megabyte:rep(16):sub(1, -1001) }
    local hinted = large:hint(("h"):rep(20 * 1024))
    for name, call in pairs {
      find = function() return hinted:first() end,
      aggregate = function() return hinted:aggregate({ ["$limit"] = 1 }):list() end,
      update = function() return large:update { ["$set"] = { nm = megabyte } } end,
      delete = function() return hinted:delete() end,
      modify = function() return large:find_one_and_update { set = { name = megabyte } } end,
      filter = function() return Thing.objects:filter { name = megabyte:rep(17) }:first() end,
    } do
      local message
      assert.equal(0, #help.sent(function() message = message_of(call) end), name)
      assert.matches("is larger than", message, 1, true)
    end
  end)
end)

describe("a document in hand", function()
  it("is stored anew under a key of another value, length or type", function()
    for Model, keys in pairs {
      [Plain] = { "a", "b", "bb" }, [Numbered] = { 5, 6, 5000000000 },
      [Placed] = { Node { n = 1 }, Node { n = 2 }, Node { inner = Node { n = 2 } } },
    } do
      assert(Model.objects:all():delete())
      local doc = assert(Model { key = keys[1], n = 1 }:save())
      for i = 2, 3 do
        doc.key = keys[i]
        local update = help.one(function() assert(doc:save()) end).updates[1]
        assert.is_true(update.upsert)
        assert.equal(i, Model.objects:count())
        assert.equal(1, assert(Model.objects:get { key = keys[i] }).n)
      end
      assert.equal(0, #help.sent(function() assert(doc:save()) end))
    end
  end)

  it("has its tables back when a transaction runs again, those it has twice, too", function()
    local doc, shared, seen = thing { n = 1 }, { x = 1 }, {}
    doc.extra = { a = shared, b = shared, list = { shared } }
    require "spec.relation.help".failpoint(conn, { times = 1 }, {
      failCommands = core.array { "commitTransaction" }, errorCode = 251,
      errorLabels = core.array { "TransientTransactionError" } })
    assert(modm.transaction("strange_queries", function()
      local extra = doc.extra
      seen[#seen + 1] = ("%d %d %d"):format(extra.a.x, extra.b.x, #extra.list)
      assert.is_true(rawequal(extra.a, extra.b))
      extra.a.x, extra.list[2] = 2, 5
      return doc:save()
    end))
    assert.same({ "1 1 1", "1 1 1" }, seen)
    assert.same({ a = { x = 2 }, b = { x = 2 }, list = { { x = 2 }, 5 } }, again(doc).extra)
  end)

  it("of which only some fields were loaded is not stored as a new one", function()
    thing { n = 1, name = "x" }
    local doc = assert(Thing.objects:only("n"):first())
    local message = message_of(function() return Thing.objects:bulk_create { doc } end)
    assert.matches("only some of its fields", message)
    assert.equal(1, Thing.objects:count())
  end)
end)

describe("many new documents", function()
  local Many = modm.MongoModel:extend("strange_queries.Many", {
    name = f.CharField { max_length = 5, required = true },
    n = f.IntegerField { choices = { 1, 2, 3 } },
    made = f.IntegerField { default = 7 },
    list = f.ListField { f.IntegerField { max_value = 9 } },
    words = f.ListField { f.CharField { choices = { "a", "b" } } },
    node = f.EmbeddedModelField { Node },
    chosen = f.EmbeddedModelField { Node, validators = { function(node) return node.n ~= 5 end } },
    Meta = Meta,
  })

  -- A document of each kind, in each state of its fields; some cannot be stored.
  local function all()
    local read = Many { name = "read" }
    assert(#read.list == 0 and read.made == 7)
    local loaded = core.from_bytes(core.schema_of(read), core.encode { name = "old", n = 2,
      node = { n = 3 }, list = core.array { 1 }, _cls = "strange_queries.Many" })
    local other = Many { name = "node", node = loaded.node, chosen = loaded.node }
    local list = { read, loaded, other }
    for _, values in ipairs {
      {}, { name = "longer" }, { name = 5 }, { n = 4 }, { n = "2" }, { list = { 1, "2" } },
      { list = {} }, { list = { 10 } }, { list = { 1, print } }, { list = { x = 1 } },
      { list = { 1, nil, 3 } }, { list = "x" }, { words = { "a" } }, { words = { "c" } },
      { node = Node { n = 1 } }, { node = Node { n = 10 } }, { node = { n = 1 } }, { node = 5 },
      { node = Many { name = "x" } }, { chosen = Node { n = 5 } }, { chosen = Node { n = 4 } },
      { node = Node { inner = Node { n = 10 } } }, { node = Node { inner = Node { n = "3" } } },
      { made = modm.null }, { made = "x" }, { name = "" }, { name = modm.null },
    } do
      if values.name == nil and next(values) then values.name = "x" end
      list[#list + 1] = Many(values)
    end
    return list
  end

  local function stored()
    local docs = assert(Many.objects:all():values():list())
    for _, doc in ipairs(docs) do doc._id = nil end
    return docs
  end

  it("become together what each becomes alone", function()
    assert(Many.objects:all():delete())
    local good, valid = {}, {}
    for i, doc in ipairs(all()) do
      valid[i] = doc:save({ force_insert = true }) ~= nil
      if valid[i] then good[#good + 1] = i end
    end
    local alone = stored()
    assert.equal(#good, #alone)
    assert.is_true(#good > 10 and #good < #valid)
    assert(Many.objects:all():delete())
    local together = all()
    local list = {}
    for i, at in ipairs(good) do list[i] = together[at] end
    assert(Many.objects:bulk_create(list))
    assert.same(alone, stored())
    for i, doc in ipairs(all()) do
      assert(Many.objects:all():delete())
      assert.equal(valid[i], Many.objects:bulk_create({ doc }) ~= nil, i)
      assert.equal(valid[i] and 1 or 0, Many.objects:count())
    end
  end)
end)

describe("one document by its key", function()
  it("is changed by a statement of one, which is sent again, and several by one of many", function()
    local function limit(Model, conditions)
      return help.one(function() assert(Model.objects:filter(conditions):delete()) end)
        .deletes[1].limit
    end
    for Model, keys in pairs { [Plain] = { "a", "b" }, [Numbered] = { 5, 6 },
      [Placed] = { Node { n = 1 }, Node { n = 2 } } } do
      for _, key in ipairs(keys) do assert(Model { key = key }:save()) end
      local function multi(conditions)
        return help.one(function()
          assert.equal(1, Model.objects:filter(conditions):update { ["$inc"] = { n = 1 } })
        end).updates[1].multi == true
      end
      assert.is_false(multi { key = keys[1] })
      assert.is_false(multi { key = keys[1], n = 1 })
      assert.is_true(multi { n = 2 })
      assert.is_true(multi { modm.any_of { { key = keys[2] } } })
      assert.equal(0, limit(Model, { n = 5 }))
      assert.equal(1, limit(Model, { key = keys[1] }))
      assert.equal(1, Model.objects:count())
      assert.equal(0, limit(Model, { key = modm.one_of(keys) }))
      assert.equal(0, Model.objects:count())
    end
    assert.equal(0, limit(Plain, { key = modm.Regex "^zz" }))
  end)
end)

describe("a change stream", function()
  it("has no document where it was deleted meanwhile", function()
    local doc = thing { n = 1 }
    local stream = assert(Thing.objects:all():watch { full_document = "updateLookup" })
    assert(Thing.objects:all():change { inc = { n = 1 } })
    assert(doc:delete())
    local change = assert(stream:next())
    assert.equal("update", change.operation)
    assert.is_nil(change.document)
    stream:close()
  end)
end)

describe("a page's token", function()
  it("is of a bounded size, and of its alphabet", function()
    local bytes = ("b"):rep(65536)
    assert.equal(bytes, core.token_bytes(core.token(bytes, "key"), "key"))
    assert.is_false(pcall(core.token, bytes .. "b"))
    for _, key in ipairs { "", bytes .. "b" } do
      assert.is_false(pcall(core.token, "x", key))
      assert.is_false(pcall(core.token_bytes, "x", key))
    end
    for _, text in ipairs { "", "YQ\0", "Y\0==", ("Y"):rep(131073), "Y", "YR", "YQ==" } do
      assert.is_nil((core.token_bytes(text)))
    end
    assert.equal("a", core.token_bytes "YQ")
    for n = 0, 3 do
      local some = bytes:sub(1, n)
      local text = core.token(some, "key")
      assert.equal(n > 0 and some or nil, (core.token_bytes(text, "key")))
      assert.is_nil((core.token_bytes(text, "other")))
    end
  end)
end)
