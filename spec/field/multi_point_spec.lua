-- MultiPointField: a list of points.
local geo = require "spec.field.geo"

describe("MultiPointField", function()
  geo.describe(it, "MultiPoint", { { 0, 0 }, { 1.5, 1 } }, { { 2, 2 } }, {
    { {}, "MultiPoint must contain at least one Point." },
    { { 1, 2 }, { "Point is not a list: a number", "Point is not a list: a number" } },
    { { { 1, 2 }, { 1, 2, 3 } }, "Point is not a pair: [1, 2, 3]" },
    { { { 1, false } }, "coordinate value must be a number, not false" },
  })
end)
