-- LineStringField: a list of points.
local geo = require "spec.field.geo"

describe("LineStringField", function()
  geo.describe(it, "LineString", { { 0, 0 }, { 1.5, 1 } }, { { 2, 2 } }, {
    { {}, "LineString must contain at least one Point." },
    { { 1, 2 }, { "Point is not a list: a number", "Point is not a list: a number" } },
    { { { 1, 2 }, { 3 } }, "Point is not a pair: [3]" },
    { { { 1, 2 }, { "x", {} } }, { "coordinate value must be a number, not 'x'",
      "coordinate value must be a number, not a table" } },
    { { { { 1, 2 }, { 3, 4 } } }, { "coordinate value must be a number, not a table",
      "coordinate value must be a number, not a table" } },
  })
end)
