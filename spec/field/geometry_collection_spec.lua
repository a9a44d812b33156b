-- GeometryCollectionField: geometries of any other type.
local core = require "modm.core"
local geo = require "spec.field.geo"
local help = require "spec.field.help" (it)
local modm = require "modm"

local f = modm.fields

describe("GeometryCollectionField", function()
  local json = geo.json
  geo.describe(it, "GeometryCollection", {
    json("Point", { 1, 2 }), json("Polygon", { { { 0, 0 }, { 0, 9 }, { 9, 9 }, { 0, 0 } } }),
  }, { json("LineString", { { 1, 2 }, { 3, 4.5 } }) }, {
    { {}, "GeometryCollection must contain at least one geometry." },
    { { "x" }, "not GeoJSON: 'x'" },
    { { json("Circle", { 1, 2 }) }, "Invalid GeoJSON type: 'Circle'." },
    { { json(5, { 1, 2 }) }, "Invalid GeoJSON type: 5." },
    { { { 1, 2 } }, "Invalid GeoJSON type: nil." },
    { { { type = "GeometryCollection", geometries = { json("Point", { 1, 2 }) } } },
      "Invalid GeoJSON type: 'GeometryCollection'." },
    { { json("Point", { 1 }), json("Point", { "x", 2 }) },
      { "Point is not a pair: [1]", "coordinate value must be a number, not 'x'" } },
  }, "geometries")

  -- { type, geometries } in this order, which is how modm writes it.
  local function whole(kind, member, value)
    return core.ordered { { "type", kind }, { member, value } }
  end
  local function stored(geometries)
    return help.loaded(f.GeometryCollectionField {}, whole("GeometryCollection", "geometries",
      geometries))
  end
  local point = whole("Point", "coordinates", { 1, 2.5 })

  it("takes what is stored, and does not look at it twice", function()
    for _, geometries in ipairs {
      { point }, { point, whole("LineString", "coordinates", { { 1, 2 }, { 3, 4 } }) },
      { whole("Polygon", "coordinates", { { { 0, 0 }, { 0, 9 }, { 9, 9 }, { 0, 0 } } }) },
      { core.ordered { { "coordinates", { 1, 2 } }, { "type", "Point" } } },
    } do
      local doc = stored(geometries)
      assert.is_nil(help.errors(doc))
      assert.equal(#geometries, #doc.value.geometries)
    end
  end)

  it("refuses what is stored and is no collection", function()
    for i, geometries in ipairs {
      {}, "none", { 5 }, { point, whole("Point", "coordinates", { 1 }) },
      { whole("Point", "coordinates", { 1, 2, 3 }) }, { whole("Point", "coordinates", {}) },
      { whole("Point", "coordinates", { 1, 0 / 0 }) }, { whole("Point", "coordinates", "here") },
      { whole("Polygon", "coordinates", { { { 0, 0 }, { 0, 9 }, { 9, 9 }, { 0, 1 } } }) },
      { whole("Polygon", "coordinates", { { { 0, 0 }, { 0, 9 }, { 9, 9 }, { 0.5, 0 } } }) },
      { whole("Circle", "coordinates", { 1, 2 }) }, { whole("Point", "geometries", { point }) },
      { whole("GeometryCollection", "geometries", { point }) }, { whole(5, "coordinates", { 1 }) },
      { core.ordered { { "type", "Point" } } }, { core.ordered { { "kind", "Point" } } },
    } do
      assert.truthy(help.errors(stored(geometries)), "case " .. i)
    end
    for i, value in ipairs {
      whole("GeometryCollection", "coordinates", { point }),
      whole("Geometry", "geometries", { point }), 5,
      whole("GeometryCollectioM", "geometries", { point }),
      core.ordered { { "type", "GeometryCollection" } },
    } do
      assert.truthy(help.errors(help.loaded(f.GeometryCollectionField {}, value)), "value " .. i)
    end
  end)
end)
