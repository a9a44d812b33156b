-- Values at the edges of fields: shapes of places as others stored them, decimals in forms that are
-- rare, numbers with white space, texts that are too long, lists that are none.
local core = require "modm.core"
local modm = require "modm"

local f = modm.fields

local Thing = modm.MongoModel:extend("strange_fields.Thing", {
  place = f.PointField {}, line = f.LineStringField {}, area = f.PolygonField {},
  many = f.MultiPointField {}, all = f.GeometryCollectionField {}, data = f.DictField {},
  price = f.Decimal128Field { min_value = "-1", max_value = "1e3" },
  n = f.IntegerField {}, x = f.FloatField {}, re = f.RegularExpressionField {},
  js = f.JavaScriptField {}, bin = f.BinaryField {}, id = f.UUIDField {},
  word = f.CharField { max_length = 5 }, mail = f.EmailField { strict = true },
  url = f.URLField {}, ip = f.GenericIPAddressField {}, numbers = f.ListField { f.IntegerField {} },
  rows = f.ListField { f.ListField { f.IntegerField {} } }, any = f.ListField {},
  file = f.FileField {}, at = f.DateTimeField {},
})
local schema = core.schema_of(Thing {})
local array, ordered = core.array, core.ordered

-- Whether it is valid as it is stored, not looked at by anyone.
local function stored(name, value)
  local doc = core.from_bytes(schema, core.encode(ordered {
    { "_cls", "strange_fields.Thing" }, { name, value } }))
  return (doc:is_valid())
end

local function assigned(name, value) return (Thing { [name] = value }:is_valid()) end

local function geo(kind, ...)
  return ordered { { "type", kind }, ... }
end

describe("a place", function()
  local int64 = modm.Int64
  local ring = array { array { 0, 0 }, array { 3, 0 }, array { 3, 3 }, array { 0, 0 } }
  local open = array { array { 0, 0 }, array { 3, 0 }, array { 3, 3 }, array { 0, 1 } }
  local mixed = array { array { 0, 0 }, array { 3, 0 }, array { 3, 3 },
    array { int64(0), int64(0) } }
  local point = geo("Point", { "coordinates", array { 1, 2.5 } })

  it("is valid as stored by others when it is GeoJSON", function()
    for name, values in pairs {
      place = { point, geo("Point", { "coordinates", array { int64(1), 2 } }) },
      line = { geo("LineString", { "coordinates", array { array { 1, 2 }, array { 3, 4 } } }) },
      area = { geo("Polygon", { "coordinates", array { ring } }),
        geo("Polygon", { "coordinates", array { mixed } }) },
      many = { geo("MultiPoint", { "coordinates", array { array { 1, 2 } } }) },
      all = { geo("GeometryCollection", { "geometries", array { point, point } }) },
    } do
      for i, value in ipairs(values) do assert.is_true(stored(name, value), name .. i) end
    end
  end)

  it("is not valid in any other shape, stored or assigned", function()
    local coordinates = { "coordinates", array { 1, 2 } }
    for name, values in pairs {
      place = {
        geo("Point", { "coordinates", array {} }), geo("Point", { "coordinates", array { 1 } }),
        geo("Point", { "coordinates", array { 1, 2, 3, 4 } }), geo("Point", { "coordinates", 5 }),
        geo("Point", { "coordinates", array { 1, "x" } }), geo("Point"), geo(5, coordinates),
        geo("Point", { "coordinates", array { 1 / 0, 2 } }), geo("Circle", coordinates),
        geo("Point", { "coords", array { 1, 2 } }), geo("LineString", coordinates),
        geo("Point", { "geometries", array { point } }), "x", 5, array {}, array { 1 },
        geo("Point", { "coordinates", array { array { 1, 2 } } }), geo("\255", coordinates),
      },
      area = { geo("Polygon", { "coordinates", array { open } }),
        geo("Polygon", { "coordinates", array {} }), geo("Polygon", { "coordinates", ring }),
        geo("Polygon", { "coordinates", array { array {} } }), array { open } },
      all = {
        geo("GeometryCollection", { "geometries", array { 5 } }),
        geo("GeometryCollection", { "geometries", 5 }),
        geo("GeometryCollection", { "coordinates", array { point } }),
        geo("GeometryCollection", { "geometries", array { geo("Point") } }), point,
        geo("GeometryCollection", { "geometries", array { point, geo("Circle", coordinates) } }),
      },
    } do
      for i, value in ipairs(values) do
        if type(value) ~= "table" or value.type ~= "\255" then -- which is not encoded
          assert.is_false(stored(name, value), ("%s %d stored"):format(name, i))
        end
        local plain = type(value) == "table" and { type = value.type,
          coordinates = value.coordinates, geometries = value.geometries } or value
        assert.is_false(assigned(name, plain), ("%s %d assigned"):format(name, i))
      end
    end
  end)

  it("is refused where it cannot be written, though nobody validated it", function()
    for name, values in pairs {
      place = { { type = "Point", coordinates = { 1, print } }, { type = "\255",
        coordinates = { 1, 2 } }, { type = 5, coordinates = print } },
      all = { { type = "GeometryCollection", geometries = { { type = "Point",
        coordinates = { 1, print } } } }, { type = "GeometryCollection",
        geometries = { { type = "Point", coordinates = { 1, 2 } }, nil, {} , [4] = 1 } },
        { type = "GeometryCollection", geometries = { x = 1 } } },
      numbers = { { 1, print }, { x = 1 }, { 1, [3] = 2 } }, rows = { { { 1 }, { print } } },
      any = { { 1, { print } } }, data = { { a = { print } } },
    } do
      for i, value in ipairs(values) do
        local bytes, message = core.encode_document(Thing { [name] = value })
        assert.is_nil(bytes, name .. i)
        assert.is_string(message)
      end
    end
    local round = { type = "GeometryCollection", geometries = {} }
    round.geometries[1] = round
    assert.is_nil((core.encode_document(Thing { all = round })))
  end)
end)

describe("a decimal", function()
  -- A stored one of these 16 bytes.
  local function raw(low, high)
    local doc = "\19price\0" .. low .. high .. "\2_cls\0\21\0\0\0strange_fields.Thing\0\0"
    return core.from_bytes(schema, string.char(#doc + 4, 0, 0, 0) .. doc):is_valid()
  end
  local none, ones = ("\0"):rep(8), ("\255"):rep(8)

  it("of more digits than there are, or in the long form, is zero", function()
    assert.is_true((raw(none, "\0\0\0\0\0\0\64\48")))
    assert.is_true((raw(ones, "\255\255\255\255\255\255\65\48"))) -- over 34 digits
    assert.is_true((raw(none, "\0\0\0\0\0\0\0\96"))) -- the long form
    assert.is_false((raw(none, "\0\0\0\0\0\0\0\120"))) -- infinite
    assert.is_false((raw(none, "\0\0\0\0\0\0\0\248")))
  end)

  it("is compared by its value, also about zero", function()
    for text, valid in pairs { ["0"] = true, ["-0"] = true, ["-0.5"] = true, ["-1"] = true,
      ["-1.0000000001"] = false, ["1e3"] = true, ["1000.00"] = true, ["1000.001"] = false,
      ["0e10"] = true, ["1e-400"] = true, ["-1e-400"] = true, ["1e400"] = false,
      ["Infinity"] = false, ["-Infinity"] = false } do
      assert.equal(valid, assigned("price", text), text)
      assert.equal(valid, stored("price", modm.Decimal128(text)), text)
    end
    local Zero = modm.MongoModel:extend("strange_fields.Zero", {
      d = f.Decimal128Field { min_value = "-0", max_value = "0" } })
    for text, valid in pairs { ["0"] = true, ["-0"] = true, ["0e5"] = true, ["1e-300"] = false,
      ["-1e-300"] = false } do
      assert.equal(valid, (Zero { d = text }:is_valid()), text)
    end
  end)
end)

describe("a text", function()
  it("may have white space around a number, and nothing else", function()
    for _, text in ipairs { "5", " 5", "5 ", "\t5\n", "\v5\f\r", " +5 " } do
      assert.is_true(assigned("n", text), text)
      assert.is_true(assigned("x", text), text)
    end
    for _, text in ipairs { "", " ", "5x", "x5", "5\0", "5 5", "0x", "--5" } do
      assert.is_false(assigned("n", text), text)
      assert.is_false(assigned("x", text), text)
    end
  end)

  it("is never longer than a document", function()
    local long = ("a"):rep(16 * 1024 * 1024 + 1)
    for _, name in ipairs { "re", "js", "bin", "word" } do
      assert.is_false(assigned(name, long), name)
    end
    for _, name in ipairs { "re", "js" } do assert.is_false(assigned(name, ""), name) end
  end)

  it("of an address is as the standards have it", function()
    for name, values in pairs {
      mail = { ["a@b.org"] = true, ["a b@c.org"] = false, ["a\127@b.org"] = false,
        ["a@b"] = false, ["a@@b.org"] = false, ["@b.org"] = false, ["a@"] = false },
      url = { ["http://a.org"] = true, ["http://a.org/\127"] = false, ["http://a.org/a b"] = false,
        ["ftp://1.2.3.4:5/x"] = true, ["http://[::1]:80/"] = false,
        ["http://80"] = false,
        ["http://:80"] = false, ["http://a.org:80"] = true, ["http://::1"] = true,
        ["http://[::1"] = false,
        ["http://a.org:x/"] = false, ["gopher://a.org"] = false, ["http://"] = false },
      ip = { ["::1"] = true, ["1.2.3.4"] = true, ["::ffff:1.2.3.4"] = true,
        ["1:2:3:4:5:6:7:8"] = true,
        ["fe80::1%eth0"] = true, ["fe80::1%"] = false, ["fe80::1%a b"] = false,
        ["fe80::1%a/b"] = false, ["fe80::1%a%b"] = false, ["fe80::1%a\127"] = false,
        ["1:2:3:4:5:6:7:8:9"] = false, ["1::2::3"] = false, [":::"] = false, ["::1.2.3"] = false,
        ["1.2.3.256"] = false, ["01.2.3.4"] = false, ["12345::"] = false, ["::g"] = false,
        ["1:2:3:4:5:6:7:1.2.3.4"] = false, [":1"] = false, ["1:"] = false, ["1.2.3.4.5"] = false },
    } do
      for text, valid in pairs(values) do
        assert.equal(valid, assigned(name, text), text)
        assert.equal(valid, stored(name, text), text)
      end
      assert.is_false(assigned(name, "\255"))
    end
  end)
end)

describe("what others stored", function()
  it("is valid only where the field would take it", function()
    for _, one in ipairs {
      { "bin", modm.Binary "", false }, { "bin", modm.Binary "x", true }, { "bin", "x", true },
      { "id", modm.Binary(("x"):rep(16), 3), true }, { "id", modm.Binary(("x"):rep(15), 3), false },
      { "id", modm.Binary(("x"):rep(16), 0), false }, { "js", modm.JavaScript "f()", true },
      { "js", modm.JavaScript("f()", { a = 1 }), true }, { "js", "f()", true }, { "js", 5, false },
      { "data", { a = { b = array { { c = 1 } } } }, true }, { "data", { ["a.b"] = 1 }, false },
      { "data", { a = array { { ["$x"] = 1 } } }, false },
      { "data", { a = { ["b.c"] = 1 } }, false },
      { "word", "toolong", false }, { "word", "fits", true },
    } do
      assert.equal(one[3], stored(one[1], one[2]), one[1])
    end
  end)

  it("is refused as a dict where its tables hold each other too often", function()
    local twice = { x = 1 }
    for _ = 1, 22 do twice = { a = twice, b = twice } end
    local ok, _, err = Thing { data = twice }:full_clean()
    assert.is_nil(ok)
    assert.matches("tables", err.errors.data[1])
  end)
end)

describe("a message", function()
  it("describes values that no text is made of, and is cut between characters", function()
    local light, object = debug.upvalueid(assigned, 1), core.keys()
    for _, name in ipairs { "n", "x", "word", "at", "bin", "file", "place", "mail", "numbers" } do
      for _, value in ipairs { light, object, print, coroutine.create(print) } do
        local ok, _, err = Thing { [name] = value }:full_clean()
        assert.is_nil(ok, name)
        assert.is_string(err.errors[name][1])
      end
    end
    for shift = 0, 3 do
      for _, char in ipairs { "\195\169", "\226\130\172", "\240\159\152\128" } do
        local key = ("x"):rep(shift) .. char:rep(300) .. ".b"
        local _, _, err = Thing { data = { [key] = 1 } }:full_clean()
        local message = err.errors.data[1]
        assert.is_true(#message > 500 and #message < 512)
        assert.is_true(core.is_utf8(message))
        assert.equal(char, message:sub(-#char))
      end
    end
  end)
end)
