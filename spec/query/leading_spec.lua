-- Aggregations whose first stage must be the first of the pipeline.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "leading"

local Stop = modm.MongoModel:extend("leading.Stop", {
  name = f.CharField {}, place = f.PointField {},
  Meta = { connection_alias = "leading", indexes = { { { "place", "2dsphere" } } } },
})
local Tram = Stop:extend("leading.Tram", {})

local function near(query)
  return { ["$geoNear"] = { near = { type = "Point", coordinates = { 0, 0 } }, query = query,
    distanceField = "far", key = "place" } }
end

local function names(rows)
  return table.concat(help.pluck(assert(rows:list()), "name"), " ")
end

describe("an aggregation that begins with", function()
  setup(function()
    assert(Stop.objects:bulk_create {
      Stop { name = "c", place = { 3, 0 } }, Stop { name = "a", place = { 1, 0 } },
      Tram { name = "b", place = { 2, 0 } },
    })
  end)

  it("$geoNear finds the model's documents, within the conditions of both", function()
    assert.equal("a b c", names(Stop.objects:aggregate(near())))
    assert.equal("b", names(Tram.objects:aggregate(near())))
    local set = Stop.objects:filter { name = modm.one_of { "a", "c" } }
    assert.equal("a c", names(set:aggregate(near())))
    assert.equal("c", names(set:aggregate(near { name = { ["$gt"] = "a" } })))
    assert.equal("c", names(set:order_by("-name"):limit(1):aggregate(near())))
    assert.equal("", names(Tram.objects:aggregate(near { name = "a" })))
    local stage = near { name = "a" }
    assert(Stop.objects:aggregate(stage):list())
    assert.same({ name = "a" }, stage["$geoNear"].query)
    assert.equal(1, #Stop.objects:aggregate(near(), { ["$limit"] = 1 }):list())
  end)

  it("$indexStats or $collStats has no class filter, and takes no conditions", function()
    local found = {}
    for row in Stop.objects:aggregate({ ["$indexStats"] = modm.object() }):iter() do
      found[row.name] = true
    end
    assert.is_true(found._id_)
    local count = { ["$collStats"] = { count = modm.object() } }
    assert.equal(3, Tram.objects:aggregate(count):first().count)
    local message = help.raised(function()
      return Stop.objects:filter { name = "a" }:aggregate(count):list()
    end)
    assert.matches("leading.Stop: $collStats speaks of the collection", message, 1, true)
  end)

  it("$search has the conditions behind it", function()
    local command = help.one(function()
      assert.is_nil((Tram.objects:aggregate({ ["$search"] = { text = "x" } }):list()))
    end)
    assert.same({ text = "x" }, command.pipeline[1]["$search"])
    assert.equal("leading.Tram", command.pipeline[2]["$match"]._cls)
  end)
end)
