-- JavaScript on the server: refused in MongoDB's own words, at any depth, unless it is allowed.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields
local alias = "javascript"

local Item = modm.MongoModel:extend("javascript.Item", {
  n = f.IntegerField {},
  data = f.DictField {},
  Meta = { connection_alias = alias },
})

local function js(name, extra)
  local spec = { body = "function(n) { return n * 2 }", args = modm.array { "$n" }, lang = "js" }
  for key, value in pairs(extra or {}) do spec[key] = value end
  return { [name] = spec }
end

local doubled = js "$function"
local summed = js("$accumulator", {
  init = "function() { return 0 }", accumulate = "function(s, n) { return s + n }",
  accumulateArgs = modm.array { "$n" }, merge = "function(a, b) { return a + b }",
})
summed["$accumulator"].body, summed["$accumulator"].args = nil, nil

-- What runs JavaScript, as deep as one may hide it.
local hidden = {
  where = { ["$where"] = "true" },
  where_code = { ["$where"] = modm.JavaScript "function() { return true }" },
  where_in_or = { ["$or"] = modm.array { { n = 1 }, { ["$where"] = "true" } } },
  where_in_nor = { ["$nor"] = modm.array { { ["$and"] = modm.array { { ["$where"] = "0" } } } } },
  where_in_match = { data = { ["$elemMatch"] = { ["$where"] = "true" } } },
  where_under_a_name = { n = { ["$not"] = { ["$where"] = "true" } } },
  function_in_expr = { ["$expr"] = doubled },
  function_in_arrays = { ["$expr"] = { ["$eq"] = modm.array { 1, modm.array { doubled } } } },
  accumulator = { ["$expr"] = summed },
  ordered = modm.ordered { { "n", 1 }, { "$where", "true" } },
}

local function at_depth(levels)
  local t = doubled
  for _ = 1, levels do t = { ["$not"] = modm.array { t } } end
  return { ["$expr"] = t }
end

local function refused(list, message, err)
  assert.is_nil(list)
  assert.is_truthy(message:find("runs JavaScript on the server", 1, true), message)
  assert.is_truthy(message:find("javascript = true", 1, true), message)
  assert.is_truthy(message:find("javascript.Item", 1, true), message)
  assert.is_truthy(err)
end

-- Nothing may be sent by what is refused.
local function nothing_sent(fn)
  local list, result = help.sent(fn)
  assert.equal(0, #list)
  return result
end

describe("JavaScript on the server", function()
  setup(function()
    help.connect(alias)
    for n = 1, 3 do assert(Item { n = n }:save()) end
  end)

  for name, query in pairs(hidden) do
    it("is refused in raw: " .. name, function()
      nothing_sent(function()
        refused(Item.objects:raw(query):list())
        refused(Item.objects:raw(query):count())
        refused(Item.objects:raw(query):update { ["$set"] = { n = 9 } })
        refused(Item.objects:raw(query):delete())
        refused(Item.objects:filter { n = 1 }:raw(query, { javascript = false }):first())
      end)
    end)
  end

  it("is refused at every depth", function()
    for _, levels in ipairs { 1, 10, 80 } do refused(Item.objects:raw(at_depth(levels)):list()) end
  end)

  it("is asked for where the call says so", function()
    local set = Item.objects:raw({ ["$where"] = "this.n > 1" }, { javascript = true })
    assert.equal(2, #assert(set:list()))
    set = Item.objects:raw({ ["$expr"] = { ["$gt"] = modm.array { doubled, 5 } } },
      { javascript = true })
    assert.equal(1, assert(set:count()))
  end)

  it("is refused in stages, and taken where it is allowed", function()
    local stages = {
      { ["$project"] = { x = doubled } }, { ["$group"] = { _id = modm.null, x = summed } },
      { ["$lookup"] = { from = "x", as = "y", pipeline = modm.array {
        { ["$match"] = { ["$expr"] = doubled } } } } },
      { ["$facet"] = { a = modm.array { { ["$addFields"] = { x = doubled } } } } },
      { ["$match"] = hidden.where },
    }
    nothing_sent(function()
      for _, stage in ipairs(stages) do
        refused(Item.objects:aggregate(stage):list())
        refused(Item.objects:aggregate({ ["$limit"] = 1 }, stage):list())
        refused(Item.objects:pipeline():stage(stage):list())
      end
      refused(Item.objects:pipeline():project { x = doubled }:list())
      refused(Item.objects:pipeline():add_fields { x = doubled }:list())
      refused(Item.objects:pipeline():group { _id = modm.null, x = summed }:list())
      refused(Item.objects:pipeline():replace_root { a = doubled }:list())
      refused(Item.objects:pipeline():facet {
        a = function(p) return p:add_fields { x = doubled } end }:list())
      refused(Item.objects:pipeline():lookup(Item, { as = "l", foreign_field = "n",
        pipeline = function(p) return p:add_fields { x = doubled } end }):list())
      refused(Item.objects:aggregate({ ["$limit"] = 1 }, { let = { x = doubled } }):list())
    end)
    local rows = Item.objects:order_by("n"):aggregate({ ["$project"] = { x = doubled } },
      { javascript = true })
    assert.equal(2, assert(rows:first()).x)
    rows = Item.objects:pipeline { javascript = true }:group { _id = modm.null, x = summed }
    assert.equal(6, assert(rows:first()).x)
  end)

  it("is refused in projections, and taken where it is allowed", function()
    assert.matches("project: $function runs JavaScript", (help.raised(function()
      Item.objects:project { x = doubled }
    end)), 1, true)
    local set = Item.objects:project({ x = doubled }, { javascript = true }):values()
    assert.equal(4, assert(set:get { n = 2 }).x)
    assert.equal("number", type(assert(set:sample(1))[1].x))
  end)

  it("is refused in updates, and taken where it is allowed", function()
    local set = Item.objects:filter { n = 3 }
    nothing_sent(function()
      refused(set:update { { ["$set"] = { n = doubled } } })
      refused(set:update { ["$set"] = { data = { a = { ["$where"] = "1" } } } })
      refused(set:update({ ["$set"] = { n = 1 } }, { let = { x = doubled } }))
      refused(set:update({ ["$set"] = { ["data.l.$[x]"] = 1 } },
        { array_filters = { { x = { ["$where"] = "1" } } } }))
    end)
    assert.equal(1, assert(set:update({ { ["$set"] = { n = doubled } } }, { javascript = true })))
    assert.equal(1, assert(Item.objects:filter { n = 6 }:update { ["$set"] = { n = 3 } }))
  end)

  it("is refused in change streams", function()
    local message = help.raised(function()
      Item.objects:watch { stages = { { ["$match"] = { ["$expr"] = doubled } } } }
    end)
    assert.matches("$function runs JavaScript", message, 1, true)
    local stream = assert(Item.objects:watch { javascript = true,
      stages = { { ["$addFields"] = { x = { ["$literal"] = hidden.where } } } } })
    stream:close()
  end)

  it("does not refuse names that only look like it", function()
    local query = { n = { ["$gt"] = 0 }, where = modm.null, ["data.$wherever"] = modm.null }
    assert.equal(3, assert(Item.objects:raw(query):count()))
  end)

  it("knows no other option", function()
    for _, given in ipairs { { js = true }, { javascript = 1 }, { javascript = "true" } } do
      help.raised(function() Item.objects:raw({ n = 1 }, given) end)
      help.raised(function() Item.objects:project({ n = 1 }, given) end)
    end
  end)
end)
