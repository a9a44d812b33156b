-- modm's own limits, which come before the driver's and the server's: depth, size, lists without
-- holes, names, and bytes that are no text. What is refused is never sent.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields
local alias = "limits"

local Part = modm.EmbeddedMongoModel:extend("limits.Part", { name = f.CharField {} })
local Item = modm.MongoModel:extend("limits.Item", {
  text = f.CharField {}, list = f.ListField {}, data = f.DictField {},
  tags = f.ListField { f.CharField {} }, part = f.EmbeddedModelField { Part },
  Meta = { connection_alias = alias, final = true },
})

local item

-- The error of what fn returns, when nothing was sent.
local function refused(fn)
  local events, err = help.sent(function()
    local result, message, err = fn()
    assert.is_nil(result)
    assert.equal(tostring(err), message)
    return err
  end)
  assert.equal(0, #events)
  return err
end

local function nested(levels, inner)
  local t = inner or { x = 1 }
  for _ = 2, levels do t = { a = t } end
  return t
end

describe("modm's own limits:", function()
  setup(function()
    help.connect(alias)
    item = assert(Item { text = "x" }:save())
  end)

  describe("depth", function()
    it("is 180 levels, of what is written and of what is read", function()
      local doc = assert(Item { data = nested(179) }:save())
      local read = assert(Item.objects:get { pk = doc.pk })
      local levels, at = 1, read.data
      while at do levels, at = levels + 1, at.a end
      assert.equal(180, levels)
      local raw = assert(Item.objects:values():get { pk = doc.pk })
      assert.equal(core.encode(raw), core.encode(core.decode(core.encode(raw))))
    end)

    it("leaves room for the commands and replies that listeners are told of", function()
      local events = help.sent(function()
        local doc = assert(Item { data = nested(179) }:save())
        assert(Item.objects:get { pk = doc.pk })
      end)
      assert.equal(2, #events)
    end)

    it("ends a save, a filter and an update beyond that", function()
      for _, levels in ipairs { 190, 1000, 100000 } do
        assert.matches("limits.Item.data: nested deeper than 180 levels",
          tostring(refused(function() return Item { data = nested(levels) }:save() end)), 1, true)
        refused(function() return Item.objects:filter { data = nested(levels) }:list() end)
        refused(function() return Item.objects:raw { data = nested(levels) }:list() end)
        refused(function() return item:set { data = nested(levels) } end)
        refused(function()
          return Item.objects:filter { text = "x" }:update { ["$set"] = { data = nested(levels) } }
        end)
        refused(function()
          return Item.objects:aggregate({ ["$match"] = nested(levels) }):list()
        end)
      end
    end)

    it("is that of the document that an update makes", function()
      local pk = { pk = item.pk }
      for levels, change in pairs {
        [180] = function(value) return { set = { data = value } } end,
        [179] = function(value) return { set = { ["data.a"] = value } } end,
        [178] = function(value) return { push = { ["data.b"] = modm.each { value } } } end,
        [177] = function(value) return { add_to_set = { ["data.a.b"] = value } } end,
      } do
        local err = refused(function() return item:change(change(nested(levels))) end)
        assert.matches("^limits.Item.*: nested deeper than 180 levels", tostring(err))
        assert(Item.objects:filter(pk):change(change(nested(levels - 1))))
        assert(Item.objects:get(pk).data)
        assert(item:set { data = {} })
      end
      refused(function()
        return Item.objects:filter(pk):update { ["$set"] = { data = nested(180) } }
      end)
    end)

    it("is that of a whole filter", function()
      local function within(condition, times)
        for _ = 1, times do condition = { modm.any_of { condition, { text = "x" } } } end
        return condition
      end
      local deep = { modm.any_of { { data = nested(176) }, { text = "x" } } }
      assert(Item.objects:filter(deep):list())
      assert(core.decode(core.filter(nil, deep)))
      for _, filter in ipairs {
        { modm.any_of { { data = nested(178) }, { text = "x" } } },
        { data = modm.ne(nested(179)) },
        within({ list = modm.elem_match { where = modm.near { 1, 2 } } }, 87),
        within({ data = nested(90) }, 60),
      } do
        local err = refused(function() return Item.objects:filter(filter):list() end)
        assert.matches("nested deeper than 180 levels", tostring(err), 1, true)
      end
    end)

    it("ends tables that hold themselves", function()
      local cyclic, list = {}, {}
      cyclic.a, list[1] = { b = cyclic }, { list }
      assert.matches("cyclic", tostring(refused(function()
        return Item { data = cyclic }:save()
      end)), 1, true)
      refused(function() return Item { list = list }:save() end)
      refused(function() return Item.objects:raw(cyclic):list() end)
    end)
  end)

  describe("size", function()
    local long = ("a"):rep(17 * 1024 * 1024)
    local ways = {
      save = function() return Item { text = long }:save() end,
      bulk_create = function() return Item.objects:bulk_create { Item { text = long } } end,
      bulk_insert = function() return Item.objects:bulk():insert(Item { text = long }):run() end,
      bulk_update = function()
        return Item.objects:bulk():update({ text = "x" }, { set = { text = long } }):run()
      end,
      filter = function() return Item.objects:filter { text = long }:list() end,
      get = function() return Item.objects:get { text = long } end,
      raw = function() return Item.objects:raw { text = long }:list() end,
      count = function() return Item.objects:filter { text = long }:count() end,
      distinct = function() return Item.objects:filter { text = long }:distinct "text" end,
      explain = function() return Item.objects:filter { text = long }:explain() end,
      delete = function() return Item.objects:filter { text = long }:delete() end,
      update = function()
        return Item.objects:filter { text = "x" }:update { ["$set"] = { text = long } }
      end,
      change = function()
        return Item.objects:filter { text = "x" }:change { set = { text = long } }
      end,
      set = function() return item:set { text = long } end,
      push = function() return item:push { list = long } end,
      find_one_and_update = function()
        return Item.objects:filter { text = "x" }:find_one_and_update { set = { text = long } }
      end,
      find_one_and_replace = function()
        return Item.objects:filter { text = "x" }:find_one_and_replace(Item { text = long })
      end,
      aggregate = function()
        return Item.objects:aggregate({ ["$match"] = { a = long } }):list()
      end,
      get_or_create = function() return Item.objects:get_or_create { text = long } end,
      watch = function() return Item.objects:filter { text = long }:watch() end,
    }
    for name, way in pairs(ways) do
      it("over 16 MiB ends " .. name .. " with the model's name", function()
        local text = tostring(refused(way))
        assert.matches("^limits.Item: .*larger than the 16777216 bytes of MongoDB's limit", text)
      end)
    end

    it("is bounded where a few tables hold each other many times", function()
      local data, list = { x = 1 }, { 1 }
      for _ = 1, 60 do data, list = { a = data, b = data }, { list, list } end
      refused(function() return Item { data = data }:save() end)
      refused(function() return Item { list = list }:save() end)
      refused(function() return Item.objects:raw { data = data }:list() end)
      assert.is_false(pcall(core.encode, data))
    end)
  end)

  describe("a sparse list", function()
    local sparse, holed = { [1e9] = "x" }, { "a", nil, "c" }
    local ways = {
      save = function(list) return Item { list = list }:save() end,
      tags = function(list) return Item { tags = list }:save() end,
      data = function(list) return Item { data = { a = list } }:save() end,
      array = function(list) return Item { list = modm.array(list) }:save() end,
      filter = function(list) return Item.objects:filter { list = list }:list() end,
      one_of = function(list) return Item.objects:filter { text = modm.one_of(list) }:list() end,
      raw = function(list) return Item.objects:raw { text = { ["$in"] = list } }:list() end,
      push = function(list) return item:push { tags = modm.each(list) } end,
      push_any = function(list) return item:push { list = modm.each(list) } end,
      add_to_set = function(list) return item:add_to_set { tags = modm.each(list) } end,
      update = function(list)
        return Item.objects:all():update { ["$push"] = { list = { ["$each"] = list } } }
      end,
      in_bulk = function(list) return Item.objects:in_bulk(list) end,
      bulk_create = function(list) return Item.objects:bulk_create(list) end,
      order_by = function(list) return Item.objects:order_by(list):list() end,
      sort = function(list) return Item.objects:pipeline():sort(list):list() end,
      new = function(list) return Item(list):save() end,
      encode = function(list) return core.encode { a = list } end,
    }
    for name, way in pairs(ways) do
      it("is refused by " .. name .. ", and nothing of its size is allocated", function()
        for i, list in ipairs { sparse, name ~= "new" and holed or sparse } do
          collectgarbage()
          local before, done = collectgarbage "count", nil
          local events = help.sent(function()
            local ok, result, message = pcall(way, list)
            done = ok and not (result == nil and message)
          end)
          assert.is_falsy(done, i)
          assert.equal(0, #events)
          assert.is_true(collectgarbage "count" - before < 1024)
        end
      end)
    end
  end)

  describe("names", function()
    local bad = { "", "\0", "a\0b", "a$b", "$cmd", ".a", "a.", "a..b", "a\255", ("a"):rep(300) }

    it("of collections are refused where a model, a scope or a bucket has them", function()
      for _, name in ipairs(bad) do
        for _, make in ipairs {
          function()
            modm.MongoModel:extend("limits.Bad", { Meta = { collection_name = name } })
          end,
          function() modm.switch_collection(Item, name, function() end) end,
          function() modm.GridFSStorage { bucket_name = name } end,
        } do
          local text, here = help.raised(make)
          assert.is_true(here, text)
        end
      end
      for _, name in ipairs { "a", "a.b", "system.profile", "h\195\169llo", "a b", "-" } do
        modm.MongoModel:extend("limits.Good", { Meta = { collection_name = name } })
      end
    end)

    it("of databases are refused where they are connected", function()
      for _, name in ipairs { "a$b", "a%24b", "a%00b", "a%2Eb", "a%20b", "a%5Cb", "a/b", "a%22b",
        "a%FFb", "" } do
        local conn, message = modm.connect("mongodb://127.0.0.1:1/" .. name, { alias = "no" })
        assert.is_nil(conn, name)
        assert.equal("string", type(message))
      end
    end)

    it("of indexes and fields are refused where a model is defined", function()
      for _, name in ipairs { "", "*", "_id_", "a\0b", "a\255" } do
        help.raised(function()
          modm.MongoModel:extend("limits.Bad", { a = f.CharField {},
            Meta = { indexes = { { { "a", 1 }, name = name } } } })
        end)
      end
      for _, name in ipairs { "$a", "a.b", "a\0b", "\0", "a\255", "_cls" } do
        help.raised(function()
          modm.MongoModel:extend("limits.Bad", { a = f.CharField { mongo_name = name } })
        end)
        help.raised(function()
          modm.MongoModel:extend("limits.Bad", { a = f.CharField {},
            Meta = { indexes = { { { name, "x" } } } } })
        end)
      end
    end)
  end)

  it("what others stored that is not UTF-8 can be read as a field, and no table is made of it",
    function()
      local statement = core.encode { q = { _id = item.pk }, u = { ["$set"] = { text = "a?" } } }
      statement = statement:gsub("a%?", "a\255") -- bytes that modm would not write
      local conn = assert(require "modm.connection".get(alias))
      assert(conn:run(core.statements(conn.client, conn.database, "item", "update", { statement },
        true)))
      local read = assert(Item.objects:get { pk = item.pk })
      assert.equal("a\255", read.text)
      local ok, message = read:save()
      assert.is_nil(ok)
      assert.matches("limits.Item.text: not valid UTF-8", message, 1, true)
      local rows, why = Item.objects:filter { pk = item.pk }:values():list()
      assert.is_nil(rows)
      assert.matches("text: not valid UTF-8", why, 1, true)
      read.text = "x"
      assert(read:save())
    end)

  it("texts and keys that are not UTF-8 are refused at every door", function()
    for _, text in ipairs { "\255", "\192\128", "\237\160\128", "\244\144\128\128", "a\195" } do
      refused(function() return Item { text = text }:save() end)
      refused(function() return Item { tags = { text } }:save() end)
      refused(function() return Item { data = { [text] = 1 } }:save() end)
      refused(function() return Item { data = { a = { text } } }:save() end)
      refused(function() return Item { list = { { [text] = 1 } } }:save() end)
      refused(function() return Item { part = Part { name = text } }:save() end)
      refused(function() return Item.objects:filter { text = text }:list() end)
      refused(function() return Item.objects:raw { [text] = 1 }:list() end)
      refused(function() return Item.objects:raw { a = text }:list() end)
      refused(function() return item:set { text = text } end)
      refused(function()
        return Item.objects:all():update { ["$set"] = { [text] = 1 } }
      end)
      refused(function() return Item.objects:aggregate({ ["$match"] = { a = text } }):list() end)
      assert.is_false(pcall(modm.JavaScript, text))
      assert.is_false(pcall(modm.Regex, text))
    end
  end)
end)
