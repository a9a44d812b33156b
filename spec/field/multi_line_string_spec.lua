-- MultiLineStringField: lists of points.
local geo = require "spec.field.geo"

describe("MultiLineStringField", function()
  geo.describe(it, "MultiLineString", {
    { { 0, 0 }, { 1.5, 1 } }, { { 2, 2 } },
  }, { { { 3, 3 } } }, {
    { {}, "MultiLineString must contain at least one LineString." },
    { { {} }, "LineString must contain at least one Point." },
    { { { 1, 2 } }, { "Point is not a list: a number", "Point is not a list: a number" } },
    { { { { 1, 2 } }, "x" }, "LineString is not a list: a string" },
  })
end)
