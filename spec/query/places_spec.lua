-- Conditions of places: near, within, intersects.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "places"

local Site = modm.EmbeddedMongoModel:extend("places.Site", {
  spot = f.PointField { mongo_name = "s" }, Meta = { final = true },
})
local Stop = modm.MongoModel:extend("places.Stop", {
  name = f.CharField {},
  place = f.PointField { mongo_name = "p" },
  route = f.LineStringField {},
  site = f.EmbeddedModelField { Site },
  extra = f.DictField {},
  Meta = { connection_alias = "places", indexes = { { { "place", "2dsphere" } } } },
})

local function names(set) return table.concat(help.pluck(assert(set:list()), "name"), " ") end
local function where(condition) return Stop.objects:filter { place = condition } end
local square = { { { -0.5, -0.5 }, { 1.5, -0.5 }, { 1.5, 1 }, { -0.5, 1 }, { -0.5, -0.5 } } }

describe("a filter of places", function()
  setup(function()
    assert(Stop.objects:bulk_create {
      Stop { name = "a", place = { 0, 0 }, route = { { 0, 0 }, { 0, 5 } },
        site = Site { spot = { 7, 7 } },
        extra = { at = { type = "Point", coordinates = { 9, 9 } } } },
      Stop { name = "b", place = { 1, 0 }, route = { { 5, 5 }, { 6, 6 } } },
      Stop { name = "c", place = { 3.5, 0 } },
    })
  end)

  it("finds what is near, the nearest first", function()
    assert.equal("b a c", names(where(modm.near { 0.9, 0 })))
    assert.equal("c b a", names(where(modm.near { type = "Point", coordinates = { 4, 0 } })))
    assert.equal("b a", names(where(modm.near({ 0.9, 0 }, { max_distance = 200000 }))))
    assert.equal("a c", names(where(modm.near({ 0.9, 0 }, { min_distance = 20000 }))))
    assert.equal("a", where(modm.near({ 0.9, 0 }, { min_distance = 20000,
      max_distance = 200000 })):get().name)
    assert.equal("b", where(modm.near(Stop.objects:get { name = "b" }.place)):first().name)
    assert.is_true(where(modm.near { 0, 0 }):exists())
  end)

  it("sends GeoJSON under the stored name", function()
    local command = help.one(function()
      where(modm.near({ 1, 2 }, { max_distance = 5, min_distance = 1 })):list()
    end)
    assert.same({ p = { ["$near"] = { ["$geometry"] = { type = "Point", coordinates = { 1, 2 } },
      ["$maxDistance"] = 5, ["$minDistance"] = 1 } } }, command.filter["$and"][1])
  end)

  it("finds what lies in a region", function()
    local inside = where(modm.within(square))
    assert.equal("a b", names(inside:order_by "name"))
    assert.equal(2, inside:count())
    assert.equal(2, where(modm.within { type = "Polygon", coordinates = square }):count())
    assert.equal(3, where(modm.within { square, { { { 3, -1 }, { 4, -1 }, { 4, 1 }, { 3, -1 } } } })
      :count())
    assert.equal(1, where(modm.not_(modm.within(square))):count())
  end)

  it("finds what lies in a circle, in metres", function()
    assert.equal(1, where(modm.within({ 0, 0 }, { radius = 1000 })):count())
    assert.equal(2, where(modm.within({ 0, 0 }, { radius = 112000 })):count())
    assert.equal(1, where(modm.within({ 0, 0 }, { radius = 111000 })):count())
  end)

  it("finds what a geometry meets", function()
    local function met(geometry)
      return names(Stop.objects:filter { route = modm.intersects(geometry) }:order_by "name")
    end
    assert.equal("a", met { { -1, 1 }, { 1, 1 } })
    assert.equal("b", met { 5, 5 })
    assert.equal("b", met { type = "Polygon", coordinates = { { { 4, 4 }, { 7, 4 }, { 7, 7 },
      { 4, 7 }, { 4, 4 } } } })
    assert.equal("a b", met { type = "MultiPoint", coordinates = { { 0, 2 }, { 6, 6 } } })
  end)

  it("goes into embedded documents and dicts", function()
    local around = modm.within({ 7, 7 }, { radius = 10 })
    assert.equal("a", names(Stop.objects:filter { ["site.spot"] = around }))
    around = modm.within({ 9, 9 }, { radius = 10 })
    assert.equal("a", names(Stop.objects:filter { ["extra.at"] = around }))
    assert.equal("a", names(Stop.objects:where("place", "within", square):limit(1)))
  end)

  it("refuses what is no such geometry, as data", function()
    for _, condition in ipairs {
      modm.near(square), modm.near { "x", 1 }, modm.near { type = "Point", coordinates = { 1 } },
      modm.near { type = "MultiPoint", coordinates = { { 1, 1 } } }, modm.near {},
      modm.near { type = "Nothing", coordinates = { 1, 1 } }, modm.near { ["$where"] = "1" },
      modm.within { 1, 1 }, modm.within { { { 0, 0 }, { 1, 0 }, { 1, 1 } } },
      modm.within(square, { radius = 5 }), modm.intersects { type = "Char", coordinates = "x" },
      modm.near { 1 / 0, 0 / 0 }, modm.near { 1, 2, 3 },
    } do
      local set = where(condition)
      local list, message, err = set:list()
      assert.is_nil(list)
      assert.equal("ValidationError", err.kind, message)
      assert.matches("^places.Stop.place: ", message)
    end
  end)

  it("raises for what is no place, and for options that it has not", function()
    for _, fn in ipairs {
      function() Stop.objects:filter { name = modm.near { 1, 1 } } end,
      function() modm.near() end, function() modm.near "x" end, function() modm.within(5) end,
      function() modm.near({ 1, 1 }, { distance = 5 }) end,
      function() modm.near({ 1, 1 }, { max_distance = "5" }) end,
      function() modm.near({ 1, 1 }, { max_distance = -5 }) end,
      function() modm.near({ 1, 1 }, { 5 }) end, function() modm.near({ 1, 1 }, 5) end,
      function() modm.intersects({ 1, 1 }, { radius = 5 }) end,
    } do
      local message, here = help.raised(fn)
      assert.is_true(here, message)
    end
  end)

  it("tells that what is nearest cannot be counted", function()
    local n, _, err = where(modm.near { 1, 1 }):count()
    assert.is_nil(n)
    assert.equal("ServerError", err.kind)
  end)
end)
