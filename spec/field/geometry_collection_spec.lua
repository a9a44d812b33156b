-- GeometryCollectionField: geometries of any other type.
local geo = require "spec.field.geo"

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
end)
