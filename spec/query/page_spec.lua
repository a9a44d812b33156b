-- Pages by the keys of their ends: each document once, on any ordering, whatever others do.
local core = require "modm.core"
local modm = require "modm"
local fields = modm.fields
local help = require "spec.query.help"

describe("a page", function()
  local Item

  setup(function()
    help.connect "page"
    Item = modm.MongoModel:extend("page.Item", {
      n = fields.IntegerField {},
      name = fields.CharField { mongo_name = "nm" },
      tags = fields.ListField { field = fields.CharField {} },
      extra = fields.DictField {},
      Meta = { connection_alias = "page", final = true },
    })
  end)

  before_each(function() assert(Item.objects:all():delete()) end)

  teardown(function() modm.disconnect "page" end)

  local function make(n, of)
    local list = {}
    for i = 1, n do list[i] = Item(of and of(i) or { n = i }) end
    return assert(Item.objects:bulk_create(list))
  end

  -- All pages one after another, and how many there were.
  local function walk(set, options)
    local all, pages = {}, 0
    local way = options.before and "previous" or "next"
    repeat
      local page = assert(set:page(options))
      for _, doc in ipairs(page) do all[#all + 1] = doc end
      pages = pages + 1
      assert.is_true(pages < 1000)
      options.after, options.before = nil, nil
      options[way == "next" and "after" or "before"] = page[way]
    until not page[way]
    return all, pages
  end

  local function numbers(list) return help.pluck(list, "n") end

  it("has so many documents, and a token of the next", function()
    make(5)
    local page = assert(Item.objects:order_by("n"):page { size = 2 })
    assert.same({ 1, 2 }, numbers(page))
    assert.equal("string", type(page.next))
    assert.is_nil(page.previous)
    assert.matches("^[%w_-]+$", page.next)
    page = assert(Item.objects:order_by("n"):page { size = 2, after = page.next })
    assert.same({ 3, 4 }, numbers(page))
    page = assert(Item.objects:order_by("n"):page { size = 2, after = page.next })
    assert.same({ 5 }, numbers(page))
    assert.is_nil(page.next)
    assert.equal("string", type(page.previous))
  end)

  it("leads back", function()
    make(5)
    local set = Item.objects:order_by("-n")
    local page = assert(set:page { size = 2 })
    page = assert(set:page { size = 2, after = page.next })
    page = assert(set:page { size = 2, after = page.next })
    assert.same({ 1 }, numbers(page))
    page = assert(set:page { size = 2, before = page.previous })
    assert.same({ 3, 2 }, numbers(page))
    assert.equal("string", type(page.next))
    page = assert(set:page { size = 2, before = page.previous })
    assert.same({ 5, 4 }, numbers(page))
    assert.is_nil(page.previous)
  end)

  it("of nothing is empty, and of just one page has no next", function()
    local page = assert(Item.objects:page { size = 3 })
    assert.same({}, page)
    make(3)
    page = assert(Item.objects:page { size = 3 })
    assert.equal(3, #page)
    assert.is_nil(page.next)
    assert.is_nil(page.previous)
  end)

  it("goes by the key without an order, and breaks ties by it", function()
    make(7, function() return { n = 1 } end)
    for _, set in ipairs { Item.objects:all(), Item.objects:order_by("n", "name") } do
      local all, pages = walk(set, { size = 2 })
      local seen = {}
      for _, doc in ipairs(all) do seen[tostring(doc._id)] = true end
      local n = 0
      for _ in pairs(seen) do n = n + 1 end
      assert.same({ 7, 7, 4 }, { #all, n, pages })
    end
  end)

  it("keeps the conditions", function()
    make(10, function(i) return { n = i, name = i % 2 == 0 and "even" or "odd" } end)
    local all = walk(Item.objects:filter { name = "even" }:order_by("-n"), { size = 2 })
    assert.same({ 10, 8, 6, 4, 2 }, numbers(all))
  end)

  -- The server's own order of values of every type, by its ascending sort.
  it("goes through values of all types, in either direction", function()
    local conn = require "modm.connection".get "page"
    local values = {
      1, 2.5, modm.Int64("9007199254740993"), -3, 0 / 0, 1 / 0, -1 / 0, modm.Decimal128 "7.5",
      "a", "b", "", modm.null, modm.MinKey, modm.MaxKey, true, false, modm.ObjectId(),
      modm.DateTime(0), modm.Timestamp(1, 1), modm.Binary("x"),
      core.ordered { { "k", 1 } }, core.ordered { { "k", "v" } }, 1, "a", modm.null,
    }
    local list = { core.ordered { { "_id", 0 } }, core.ordered { { "_id", 1 } } }
    for i, value in ipairs(values) do
      list[#list + 1] = core.ordered { { "_id", i + 1 }, { "v", value } }
    end
    assert(conn:run(core.insert(conn.client, nil, "page_any", list)))
    local Any = modm.MongoModel:extend("page.Any", {
      id = fields.IntegerField { primary_key = true }, v = fields.DictField {},
      Meta = { connection_alias = "page", collection_name = "page_any", final = true },
    })
    for _, order in ipairs { { { "v", 1 } }, { { "v", -1 } }, { { "v", 1 }, { "_id", -1 } } } do
      local set = Any.objects:order_by(order):values()
      local wanted = {}
      local tie = order[2] and set or Any.objects:order_by { order[1], { "_id", 1 } }:values()
      for i, row in ipairs(assert(tie:list())) do wanted[i] = row._id end
      for _, size in ipairs { 1, 2, 3 } do
        local got = {}
        for i, row in ipairs(walk(set, { size = size })) do got[i] = row._id end
        assert.same(wanted, got)
      end
    end
  end)

  it("goes by paths into documents", function()
    make(4, function(i) return { n = i, extra = { deep = { at = -i } } } end)
    local all = walk(Item.objects:order_by("extra.deep.at"), { size = 1 })
    assert.same({ 4, 3, 2, 1 }, numbers(all))
  end)

  it("works with only and exclude, and with values", function()
    make(3, function(i) return { n = i, name = "x" } end)
    local all = walk(Item.objects:order_by("n"):only("name"), { size = 1 })
    assert.same({ 1, 2, 3 }, numbers(all))
    all = walk(Item.objects:order_by("n"):exclude("name"):values(), { size = 2 })
    assert.same({ 1, 2, 3 }, numbers(all))
    assert.is_nil(all[1].nm)
  end)

  it("shows each document once while others insert and delete", function()
    make(60, function(i) return { n = i * 10 } end)
    local set, token, seen, round = Item.objects:order_by("n"), nil, {}, 0
    repeat
      local page = assert(set:page { size = 7, after = token })
      for _, doc in ipairs(page) do
        assert.is_nil(seen[doc.n])
        seen[doc.n] = true
      end
      token, round = page.next, round + 1
      -- behind, before and in the very place where the page ended
      assert(Item { n = page[#page].n - 5 }:save())
      assert(Item { n = 10000 + round }:save())
      assert(Item.objects:filter { n = page[1].n }:delete())
      assert(page[#page]:delete())
    until not token or round > 40
    for i = 1, 60 do assert.is_true(seen[i * 10], "not seen: " .. i * 10) end
  end)

  it("refuses a token that is none", function()
    make(3)
    for _, token in ipairs { "", "x", "!!", "AAAA", ("A"):rep(4000), "BQAAAAA",
      core.token(core.encode { o = "n", v = 1 }), core.token(core.encode {}),
      core.token "\5\0\0\0\1", core.token(core.encode(core.ordered {
        { "o", "_id" }, { "v", core.array { modm.JavaScript "1" } } })) } do
      local page, message, err = Item.objects:page { size = 1, after = token }
      assert.is_nil(page)
      assert.matches("^page.Item: ", message)
      assert.equal("TokenError", err.kind)
    end
  end)

  it("refuses a token of another order", function()
    make(3)
    local token = assert(Item.objects:order_by("n"):page { size = 1 }).next
    local page, message = Item.objects:order_by("-n"):page { size = 1, after = token }
    assert.is_nil(page)
    assert.matches("another order", message)
  end)

  it("signs its tokens with a key, and takes no others then", function()
    make(5)
    local set = Item.objects:order_by("n")
    local all = walk(set, { size = 2, key = "secret" })
    assert.same({ 1, 2, 3, 4, 5 }, numbers(all))
    local signed = assert(set:page { size = 2, key = "secret" }).next
    local plain = assert(set:page { size = 2 }).next
    for _, try in ipairs { { plain, "secret" }, { signed, "other" }, { signed } } do
      local page, _, err = set:page { size = 2, after = try[1], key = try[2] }
      assert.is_nil(page)
      assert.equal("TokenError", err.kind)
      assert.is_nil(tostring(err):find("secret", 1, true))
    end
    for i = 1, #signed do -- no character can be another one
      local c = signed:sub(i, i) == "A" and "B" or "A"
      local forged = signed:sub(1, i - 1) .. c .. signed:sub(i + 1)
      assert.is_nil((set:page { size = 2, after = forged, key = "secret" }))
    end
  end)

  it("takes values of a token as values, never as operators", function()
    make(3)
    local function forged(operator)
      return core.token(core.encode(core.ordered { { "o", "n,_id" },
        { "v", core.array { core.ordered { { operator, "x" } }, modm.ObjectId() } } }))
    end
    local sent = help.sent(function()
      Item.objects:order_by("n"):page { size = 2, after = forged "$gt" }
    end)
    local branch = sent[1].command.filter["$or"][1]["$and"][1]["$or"][1]
    assert.equal("x", branch.n["$gt"]["$gt"])
    assert.is_nil((Item.objects:order_by("n"):page { size = 2, after = forged "$where" }))
  end)

  it("asks for one document more, and no count", function()
    make(3)
    local command = help.one(function() assert(Item.objects:order_by("n"):page { size = 2 }) end)
    assert.equal("find", command.find and "find")
    assert.equal(3, command.limit)
    assert.is_nil(command.skip)
  end)

  it("refuses an order by a list, when it meets one", function()
    make(2, function() return { tags = { "a", "b" } } end)
    local page, message = Item.objects:order_by("tags"):page { size = 1 }
    assert.is_nil(page)
    assert.matches("'tags' where it holds a list", message)
  end)

  it("refuses to end with a value that the server compares with none", function()
    make(2, function() return { extra = { v = modm.Regex "x" } } end)
    local page, message = Item.objects:order_by("extra.v"):page { size = 1 }
    assert.is_nil(page)
    assert.matches("extra.v", message, 1, true)
  end)

  it("raises for what is the program's mistake", function()
    local set = Item.objects:all()
    for _, options in ipairs { {}, { size = 0 }, { size = 1, after = "a", before = "b" },
      { size = 1.5 }, { size = 1, key = "" }, { size = 1, from = "x" } } do
      assert.has_error(function() set:page(options) end)
    end
    assert.has_error(function() set:page() end)
    assert.has_error(function() set:limit(3):page { size = 1 } end)
    assert.has_error(function() set:skip(3):page { size = 1 } end)
    assert.has_error(function() set:project { n = 1 }:page { size = 1 } end)
    assert.has_error(function() set:order_by("n"):exclude("n"):page { size = 1 } end)
    assert.has_error(function()
      set:order_by { { "score", { ["$meta"] = "textScore" } } }:page { size = 1 }
    end)
  end)
end)
