-- What filters and changes refuse, and the rarer forms that they take: without a server.
local core = require "modm.core"
local modm = require "modm"
local registry = require "modm.registry"

local f = modm.fields

local Part = modm.EmbeddedMongoModel:extend("refusals.Part", {
  name = f.CharField { max_length = 5, mongo_name = "n" },
  count = f.IntegerField {},
})
local deep = f.IntegerField {}
for _ = 1, 180 do deep = f.ListField { deep } end
local Thing = modm.MongoModel:extend("refusals.Thing", {
  title = f.CharField { required = true },
  n = f.IntegerField {},
  seen = f.DateTimeField {},
  tags = f.ListField { f.CharField {} },
  parts = f.EmbeddedModelListField { Part, mongo_name = "p" },
  others = f.EmbeddedModelListField { Part },
  part = f.EmbeddedModelField { Part },
  matrix = f.ListField { f.ListField { f.EmbeddedModelField { Part } } },
  any = f.ListField {},
  data = f.DictField {},
  deep = deep,
  place = f.PointField {},
})
local Keyed = modm.MongoModel:extend("refusals.Keyed", {
  key = f.DictField { primary_key = true },
})

local schema = registry.meta(Thing).schema

local function filter(conditions)
  return core.decode(assert(core.filter(schema, conditions)))
end

-- The message of a filter that is refused, where, and whether it is misuse.
local function refused(conditions)
  local bytes, message, path, misuse = core.filter(schema, conditions)
  assert.is_nil(bytes)
  return { message, path, misuse }
end

local function changes(change, array_filters)
  local update, filters = core.changes(schema, change, false, array_filters)
  assert(update, filters)
  return core.decode(update), filters and core.decode(filters).arrayFilters
end

local function change_refused(change, array_filters)
  local bytes, message, path, misuse = core.changes(schema, change, false, array_filters)
  assert.is_nil(bytes)
  return { message, path, misuse }
end

describe("a filter", function()
  it("that holds itself is too deep", function()
    local cyclic = {}
    cyclic[1] = modm.all_of { cyclic }
    assert.same({ "a filter nested deeper than 180 levels", "", true }, refused(cyclic))
  end)

  it("of operators in operators is too deep after 180", function()
    local function nested(n)
      local o = modm.gt(1)
      for _ = 1, n do o = modm.not_(o) end
      return o
    end
    local found = filter { n = nested(170) }
    for _ = 1, 170 do found = found.n or found["$not"] end
    assert.same({ ["$not"] = { ["$gt"] = 1 } }, found)
    assert.same({ "operators nested deeper than 180 levels", "n", true },
      refused { n = nested(200000) })
    local o = modm.gt(1)
    for _ = 1, 200000 do o = modm.elem_match(o) end
    assert.same({ "operators nested deeper than 180 levels", "any", true }, refused { any = o })
  end)

  it("of lists in lists is as deep as documents may be", function()
    local list = 5
    for _ = 1, 180 do list = { list } end
    assert.same({ deep = 5 }, filter { deep = "5" })
    assert.matches("nested deeper than 180 levels (or cyclic)",
      refused { deep = modm.not_(modm.one_of { list }) }[1], 1, true)
  end)

  it("takes a list without holes and other keys", function()
    assert.same({ "not a list: it has other keys", "tags", false },
      refused { tags = { "a", x = "b" } })
    assert.same({ "a list with a hole (use modm.null)", "tags", false },
      refused { tags = { "a", [4] = "b" } })
    assert.same({ "not a list: it has other keys", "tags", false },
      refused { tags = modm.one_of { "a", x = "b" } })
  end)

  it("has a name for the item in which an operator stands", function()
    assert.same({ "an operator cannot stand inside a value", "tags.2", true },
      refused { tags = { "a", modm.gt(1) } })
    assert.same({ "an operator cannot stand inside a value", "n.1", true },
      refused { n = modm.one_of { modm.gt(1) } })
  end)

  it("takes what looks like a DBRef as data, and nothing else with a $", function()
    local id = modm.ObjectId()
    local ref = { ["$ref"] = "things", ["$id"] = id, ["$db"] = "other" }
    assert.same({ data = ref }, filter { data = ref })
    assert.same("data", refused { data = { ["$dbx"] = 1 } }[2])
    assert.matches("an operator must be made by modm", refused { data = { ["$i"] = 1 } }[1])
  end)

  it("of words stands beside the fields, like those of filters", function()
    assert.same({ "modm.text is no condition of one field: put it beside the fields", "title",
      true }, refused { title = modm.text "x" })
    assert.same({ "a filter's items are modm.all_of, modm.any_of, modm.none_of, modm.text, and "
      .. "name = value pairs", "", true }, refused { 5 })
    assert.same({ "a filter's items are modm.all_of, modm.any_of, modm.none_of, modm.text, and "
      .. "name = value pairs", "", true }, refused { modm.gt(5) })
    assert.same({ "its item 2 is no filter", "", true },
      refused { modm.any_of { { title = "x" }, 5 } })
  end)

  it("of a pattern has options only where they were given", function()
    assert.same({ title = { ["$regex"] = "^a" } }, filter { title = modm.matches "^a" })
    assert.same({ title = { ["$regex"] = "^a" } }, filter { title = modm.matches("^a", "") })
    assert.same({ title = { ["$regex"] = "^a", ["$options"] = "i" } },
      filter { title = modm.matches("^a", "i") })
  end)

  it("of items is for lists, and for what may be one", function()
    assert.same({ "modm.elem_match is for lists", "n", true },
      refused { n = modm.elem_match(modm.gt(1)) })
    assert.same({ "modm.elem_match takes an operator here: its items have no fields", "tags",
      true }, refused { tags = modm.elem_match { x = 1 } })
    assert.same({ ["data.list"] = { ["$elemMatch"] = { ["$gt"] = 1 } } },
      filter { ["data.list"] = modm.elem_match(modm.gt(1)) })
    assert.same({ data = { ["$elemMatch"] = { x = 1 } } },
      filter { data = modm.elem_match { x = 1 } })
    assert.same({ matrix = { ["$elemMatch"] = { n = "x" } } },
      filter { matrix = modm.elem_match { name = "x" } })
  end)

  it("by a whole key that is a document finds by it", function()
    local bytes = assert(core.filter(registry.meta(Keyed).schema, { pk = { a = 1 } }))
    assert.same({ _id = { a = 1 } }, core.decode(bytes))
  end)
end)

describe("constructors of operators", function()
  local function raised(message, fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    assert.matches(message, tostring(err), 1, true)
  end

  it("say what they take", function()
    raised("a number of items expected", modm.size, "3")
    raised("a number of items expected", modm.size, 1.5)
    raised("a number of items expected", modm.size, -1)
    raised("the name or number of a BSON type expected", modm.type_of, true)
    raised("a divisor that is an integer and not 0 expected", modm.mod, "3", 1)
    raised("a divisor that is an integer and not 0 expected", modm.mod, 1.5, 1)
    raised("a divisor that is an integer and not 0 expected", modm.mod, 0, 1)
    raised("a remainder that is an integer expected", modm.mod, 3, "1")
    raised("a remainder that is an integer expected", modm.mod, 3, 1.5)
    raised("true or false expected", modm.exists, 1)
    raised("a pattern must be UTF-8 without NUL", modm.matches, "a\0b")
    raised("a pattern must be UTF-8 without NUL", modm.matches, "\255")
    raised("words to look for, in UTF-8, expected", modm.text, "\255")
    raised("modm.one_of takes a list, not a number", modm.one_of, 1)
    raised("modm.one_of takes a list, not a document", modm.one_of, modm.ordered {})
    raised("modm.not_ takes an operator", modm.not_, 1)
    raised("modm.not_ takes an operator", modm.not_, modm.all_of { { n = 1 } })
    raised("modm.near takes GeoJSON or coordinates, not a string", modm.near, "here")
    raised("modm.any_of takes a list of filters", modm.any_of, {})
    raised("modm.near: option 'max_distance' must not be negative", modm.near, { 1, 2 },
      { max_distance = -1 })
  end)

  it("know each their own options", function()
    raised("modm.each has no option 'sorted'", modm.each, { 1 }, { sorted = 1 })
    raised("modm.each has no option ''", modm.each, { 1 }, { 5 })
    raised("position and slice are integers", modm.each, { 1 }, { slice = "1" })
    raised("position and slice are integers", modm.each, { 1 }, { position = 1.5 })
    raised("modm.near: options have names", modm.near, { 1, 2 }, { 5 })
  end)
end)

describe("a place", function()
  it("may be of integers, and is checked", function()
    local found = filter { place = modm.within({ 1, 2 }, { radius = 6378100 }) }
    assert.same({ { 1, 2 }, 1 }, found.place["$geoWithin"]["$centerSphere"])
    found = filter { place = modm.within({ 1.5, -2.5 }, { radius = 0 }) }
    assert.same({ { 1.5, -2.5 }, 0 }, found.place["$geoWithin"]["$centerSphere"])
    assert.same({ "GeoJSON or coordinates of a Point expected", "place", false },
      refused { place = modm.near {} })
    assert.same({ "GeoJSON or coordinates of a Polygon expected", "place", false },
      refused { place = modm.within({ type = "Nothing", coordinates = { 1, 2 } }) })
    assert.same("place", refused { place = modm.near({ type = "Point", coordinates = "here" }) }[2])
    assert.same("place", refused { place = modm.near({ { { { { { 1, 2 } } } } } }) }[2])
    assert.same("place", refused { place = modm.near({ 1, 2, 3 }) }[2])
    assert.same({ "modm.near is for places: GeoJSON fields and dicts", "n", true },
      refused { n = modm.near { 1, 2 } })
  end)
end)

describe("a change", function()
  it("sorts items by names, one or several, or by 1 or -1", function()
    local function sorted(sort)
      return changes({ push = { parts = modm.each({}, { sort = sort }) } })["$push"].p["$sort"]
    end
    assert.same({ n = 1 }, sorted "name")
    assert.same({ n = -1 }, sorted "-name")
    assert.same({ count = -1, n = 1 }, sorted { "-count", "name" })
    assert.equal(-1, sorted(-1))
    assert.equal(1, sorted(1))
    assert.same({ ["x.y"] = 1 },
      changes({ push = { any = modm.each({}, { sort = "x.y" }) } })["$push"].any["$sort"])
  end)

  it("refuses to sort by anything else", function()
    local function message(sort, name)
      local r = change_refused { push = { [name or "parts"] = modm.each({}, { sort = sort }) } }
      assert.same({ name or "parts", true }, { r[2], r[3] })
      return r[1]
    end
    for _, way in ipairs { 0, 2, 1.5 } do
      assert.equal("the sort of modm.each is 1, -1 or names", message(way))
    end
    for _, sort in ipairs { true, {}, { { "name" } }, { "name", true } } do
      assert.equal("the sort of modm.each is 1, -1 or names", message(sort))
    end
    assert.equal("refusals.Part has no field 'size'", message "size")
    assert.matches("NUL", message "name\0x")
    assert.equal("the sort of modm.each is 1 or -1: items have no fields", message("x", "tags"))
  end)

  it("says which items it does not take", function()
    assert.same({ "not a list: it has other keys", "tags", false },
      change_refused { push = { tags = modm.each { "a", x = 1 } } })
    assert.same({ "options of modm.each are for push", "tags", true },
      change_refused { add_to_set = { tags = modm.each({ "a" }, { slice = 1 }) } })
    for operator, value in pairs { push = 1, add_to_set = 1, pull = 1, pop = 1 } do
      assert.same({ operator .. " is for lists, not for a IntegerField", "n", true },
        change_refused { [operator] = { n = value } })
    end
    for _, way in ipairs { 0, 2, 1.5, "1" } do
      assert.same({ "pop takes 1, the last item, or -1, the first", "tags", true },
        change_refused { pop = { tags = way } })
    end
  end)

  it("names where inside an embedded document a value is wrong", function()
    assert.same({ "value exceeds the maximum length of 5.", "part.name", false },
      change_refused { set = { part = Part { name = "too long" } } })
    assert.same({ "value exceeds the maximum length of 5.", "parts.2.name", false },
      change_refused { set = { parts = { Part { name = "a" }, Part { name = "too long" } } } })
  end)

  it("takes numbers of each kind where any number may be", function()
    local int64, decimal = modm.Int64 "9007199254740993", modm.Decimal128 "1.5"
    local update = changes { inc = { ["data.a"] = 1, ["data.b"] = decimal, ["data.c"] = int64 } }
    assert.same({ 1, decimal }, { update["$inc"]["data.a"], update["$inc"]["data.b"] })
    assert.equal("9007199254740993", tostring(update["$inc"]["data.c"]))
    assert.same({ "a number expected, not '1'", "data.a", false },
      change_refused { inc = { ["data.a"] = "1" } })
    assert.same({ "inc is for numbers, not for a CharField", "title", true },
      change_refused { inc = { title = 1 } })
    assert.same("n", change_refused { inc = { n = modm.null } }[2])
  end)

  it("takes lists of names where there is nothing to give", function()
    assert.same({ ["$unset"] = { n = "", ["data.x"] = "" } }, changes { unset = { "n", "data.x" } })
    assert.same({ ["$currentDate"] = { ["data.x"] = { ["$type"] = "date" } } },
      changes { current_date = { "data.x" } })
    assert.same({ "field is required.", "title", false }, change_refused { unset = { "title" } })
    assert.same({ "current_date is for dates, not for a IntegerField", "n", true },
      change_refused { current_date = { "n" } })
    for _, names in ipairs { {}, { 5 }, { n = 1 }, { "n", true } } do
      assert.same({ "unset takes a list of names", "", true }, change_refused { unset = names })
    end
    assert.same({ "refusals.Thing has no field 'x'", "", true }, change_refused { unset = { "x" } })
  end)

  it("is a table of operators, each with a table", function()
    assert.same({ "a change without an operator", "", true }, change_refused {})
    assert.same("a change is { set = {...}, inc = {...}, ... }; there is no ''",
      change_refused { 5 }[1])
    assert.same({ "set takes { name = value }", "", true }, change_refused { set = 5 })
    assert.same({ "set takes { name = value }", "", true }, change_refused { set = {} })
    assert.same({ "set takes { name = value }", "", true }, change_refused { set = { 5, n = 1 } })
    assert.same({ "set takes { name = value }", "", true },
      change_refused { set = { ["n\0"] = 1 } })
    assert.same({ "rename takes the new name", "n", true }, change_refused { rename = { n = 5 } })
    assert.same({ "a value expected, not an operator", "n", true },
      change_refused { set = { n = modm.gt(1) } })
  end)

  it("speaks of items by $, $[] and $[name], and by nothing like them", function()
    local update, filters = changes({ set = { ["parts.$[a1].name"] = "x" } },
      { a1 = { count = modm.gt(1), name = "y" } })
    assert.same({ ["p.$[a1].n"] = "x" }, update["$set"])
    assert.same({ { ["a1.count"] = { ["$gt"] = 1 }, ["a1.n"] = "y" } }, filters)
    update = changes { set = { ["parts.$.name"] = "x", ["parts.$[].count"] = 1 } }
    assert.same({ ["p.$.n"] = "x", ["p.$[].count"] = 1 }, update["$set"])
    update = changes({ set = { ["parts.$[aZ09].name"] = "x" } }, { aZ09 = { count = 1 } })
    assert.same({ ["p.$[aZ09].n"] = "x" }, update["$set"])
    for _, name in ipairs { "$a", "$[", "$[a", "$[a-b]", "$[{]", "$[@]", "$[`]", "$a]", "$[ ]" } do
      assert.same({ "a step of a path cannot be empty or begin with $", "", true },
        change_refused { set = { ["any." .. name] = "x" } }, name)
      assert.same({ ("refusals.Part has no field '%s'"):format(name), "", true },
        change_refused { set = { ["parts." .. name .. ".name"] = "x" } }, name)
    end
  end)

  it("names no more than four lists in one path, and one list by each name", function()
    local function path(n)
      local names, filters = { "any" }, {}
      for i = 1, n do
        names[#names + 1] = ("$[l%d]"):format(i)
        filters["l" .. i] = modm.gt(i)
      end
      return { set = { [table.concat(names, ".")] = 1 } }, filters
    end
    local _, filters = changes(path(4))
    assert.equal(4, #filters)
    assert.same({ "a path with more than 4 names in $[]", "", true }, change_refused(path(5)))
    assert.same({ "$[x] stands for items of two lists", "", true },
      change_refused({ set = { ["parts.$[x].name"] = "a", ["tags.$[x]"] = "b" } }, { x = "a" }))
  end)

  it("needs conditions of just the items that it names", function()
    local set = { set = { ["parts.$[x].name"] = "a" } }
    assert.same({ "array_filters has no 'x', of which the change speaks", "", true },
      change_refused(set))
    assert.same({ "no name of the change has $[y]", "", true },
      change_refused(set, { y = { name = "a" } }))
    assert.same({ "array_filters are { name = conditions }", "", true },
      change_refused(set, { { name = "a" } }))
    assert.same({ "array_filters are { name = conditions }", "", true },
      change_refused(set, { ["x\0"] = { name = "a" } }))
    for _, conditions in ipairs { {}, { 5 }, { 5, name = "a" }, { ["n\0"] = 1 } } do
      assert.same({ "conditions of items are { name = value }", "x", true },
        change_refused(set, { x = conditions }))
    end
    assert.same({ "refusals.Part has no field 'size'", "x", true },
      change_refused(set, { x = { size = 1 } }))
    assert.equal("x.name", change_refused(set, { x = { name = {} } })[2])
    local long = ("n"):rep(400)
    assert.same({ "a path of more than 512 bytes", "", true },
      change_refused { set = { ["any.$[" .. long .. "]." .. long] = 1 } })
    local _, filters = changes({ set = { ["any.$[x].a"] = 1 } }, { x = { b = 2 } })
    assert.same({ { ["x.b"] = 2 } }, filters)
  end)
end)

describe("what is watched for", function()
  local function watched(raw)
    local bytes, message = core.watch_match(assert(core.raw_filter(raw, true)))
    return bytes and core.decode(bytes), message
  end

  it("is put to documents before and after, also inside of $and and $nor", function()
    local alternatives = assert(watched { ["$and"] = { { a = 1 }, { ["$nor"] = { { b = 2 } } } } })
    local list = alternatives["$or"]
    assert.equal(4, #list)
    assert.same({ ["$and"] = { { ["fullDocument.a"] = 1 },
      { ["$nor"] = { { ["fullDocument.b"] = 2 } } } } }, list[4])
    assert.same({ ["$and"] = { { ["fullDocumentBeforeChange.a"] = 1 },
      { ["$nor"] = { { ["fullDocumentBeforeChange.b"] = 2 } } } } }, list[2]["$or"][2])
  end)

  it("has no operators of finds alone, no lists of other things, no endless names", function()
    for message, raw in pairs {
      ["$text cannot be watched for"] = { ["$text"] = { ["$search"] = "x" } },
      ["$where cannot be watched for"] = { ["$or"] = { { a = 1 }, { ["$where"] = "true" } } },
      ["$and takes a list of filters"] = { ["$and"] = 5 },
      ["a filter expected"] = { ["$nor"] = { { a = 1 }, 5 } },
      ["a path of 600 bytes is too long"] = { [("x"):rep(600)] = 1 },
    } do
      assert.same({ nil, message }, { watched(raw) })
    end
  end)
end)

describe("functions that take a document's bytes", function()
  it("refuse others", function()
    local good = core.encode {}
    for _, bytes in ipairs { "", "\4\0\0\0", "\6\0\0\0\0", "\5\0\0\0\0\0" } do
      assert.error_matches(function() core.watch_match(bytes) end, "no BSON document")
      assert.error_matches(function() core.diff(schema, bytes, good) end, "no BSON document")
      assert.error_matches(function() core.diff(schema, good, bytes) end, "no BSON document")
    end
    assert.is_nil(core.diff(schema, good, good))
    for _, other in ipairs { modm.ObjectId(), modm.gt(1) } do
      assert.error_matches(function() core.unsure(Thing {}, other) end,
        "the encoding of a document expected")
    end
    assert.error_matches(function() core.unsure(Part {}, modm.ObjectId()) end,
      "a document of a model with a collection expected")
  end)
end)
