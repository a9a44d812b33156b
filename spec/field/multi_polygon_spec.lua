-- MultiPolygonField: lists of rings.
local geo = require "spec.field.geo"

describe("MultiPolygonField", function()
  geo.describe(it, "MultiPolygon", {
    { { { 0, 0 }, { 0, 9 }, { 9.5, 9 }, { 0, 0 } } }, { { { 1, 1 }, { 2, 1 }, { 1, 1 } } },
  }, { { { { 5, 5 } } } }, {
    { {}, "MultiPolygon must contain at least one Polygon." },
    { { {} }, "Polygon must contain at least one LineString." },
    { { { {} } }, "LineString must contain at least one Point." },
    { { { { { 0, 0 }, { 0, 9 } } } },
      "LineString must start and end at the same Point: [0, 0], [0, 9]" },
    { { { { 1, 2 } } }, { "Point is not a list: a number", "Point is not a list: a number" } },
  })
end)
