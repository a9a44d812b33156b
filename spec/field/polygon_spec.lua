-- PolygonField: rings, each closed.
local geo = require "spec.field.geo"

describe("PolygonField", function()
  geo.describe(it, "Polygon", {
    { { 0, 0 }, { 0, 9 }, { 9.5, 9 }, { 0, 0 } }, { { 1, 1 }, { 2, 1 }, { 2, 2 }, { 1, 1 } },
  }, { { { 5, 5 } } }, {
    { {}, "Polygon must contain at least one LineString." },
    { { {} }, "LineString must contain at least one Point." },
    { { { { 0, 0 }, { 0, 9 }, { 9, 9 } } },
      "LineString must start and end at the same Point: [0, 0], [9, 9]" },
    { { { { 0, 0 }, { 0, 9 }, { 0, 0 } }, { { 1, 1 }, { 2, 1 } } },
      "LineString must start and end at the same Point: [1, 1], [2, 1]" },
    { { { { 0, 0 }, { "x", 0 }, { 0, 0 } }, 5 },
      { "coordinate value must be a number, not 'x'", "LineString is not a list: a number" } },
    { { { { 0, 0 }, { 0, 1 / 0 }, { 0, 0 } } }, "coordinate value must be a number, not inf" },
    { { { 0, 0 } }, { "Point is not a list: a number", "Point is not a list: a number" } },
  })
end)
