-- Model:json_schema and Model:install_validator: the server refuses what modm refuses, and takes
-- what modm stores.
local core = require "modm.core"
local modm = require "modm"
local server = require "spec.support.server"

local f = modm.fields

local Part = modm.EmbeddedMongoModel:extend("server.Part", {
  name = f.CharField { required = true, max_length = 3 },
})
local Special = Part:extend("server.Special", { size = f.IntegerField {} })
local Tree = modm.EmbeddedMongoModel:extend("server.Tree", {
  name = f.CharField { max_length = 3 },
  parts = f.EmbeddedModelListField { "server.Tree" },
})
local Target = modm.MongoModel:extend("server.Target", {
  code = f.CharField { primary_key = true, max_length = 2 },
})

local binary, id = modm.Binary("\1\2", 0), modm.ObjectId()
local uuid = modm.UUID "01234567-89ab-cdef-0123-456789abcdef"
local inf = 1 / 0
local ring = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 0 } }
local open = { { 0, 0 }, { 1, 0 }, { 1, 1 }, { 0, 1 } }

local function geo(type, coordinates, member)
  return { type = type, [member or "coordinates"] = coordinates }
end

-- For each kind: options, what it takes, raw values that it refuses; in `unsaid`, raw values that
-- only modm refuses, by the rule that says so; in `converted`, raw values that only the server
-- refuses, since modm stores them as another type.
local cases = {
  CharField = {
    { {}, { "a", "ä€", 5 }, { "", modm.null, {} }, converted = { id } },
    { { blank = true }, { "", modm.Binary("", 128) }, {} },
    { { min_length = 2, max_length = 3 }, { "ab", "äöü", "😀😀" }, { "a", "abcd", "äöüß", "😀" } },
    { { blank = true, min_length = 2 }, { "", modm.null, "ab", {} }, { "a" } },
    { { choices = { "s", { "m", "medium" } } }, { "s", "m" }, { "medium", "x", "" } },
    { { choices = { "s" }, blank = true }, { "s", "", modm.null }, { "x" } },
    { { validators = { function(v) return v ~= "no", "no" end } }, { "a" }, { "" },
      { validators = { "no" } } },
  },
  IntegerField = {
    { {}, { 1, -7, 2 ^ 40, "12", modm.Int64(5) }, { 1.5, "x", modm.null, "", {}, id } },
    { { min_value = -1, max_value = 2 ^ 40 }, { -1, 2 ^ 40 }, { -2, 2 ^ 40 + 1 } },
    { { choices = { 1, 2 } }, { 1, "2" }, { 3 } },
    { { blank = true }, { "", modm.null, core.object {}, core.array {}, modm.Binary "",
      modm.Binary("", 5), 5 }, { "x", 1.5 }, { blank = { binary } } },
  },
  BigIntegerField = {
    { {}, { 1, 2 ^ 53, "12" }, { 1.5, "x", modm.null } },
    { { min_value = 0 }, { 0 }, { modm.Int64(-1) } },
  },
  FloatField = {
    { {}, { 1, 1.5, "2.5", inf, 0 / 0 }, { "x", modm.null, "" } },
    { { min_value = 0.5, max_value = 2 }, { 0.5, 2 }, { 0.25, 2.5, inf, -inf, 0 / 0 } },
    { { max_value = 2 }, { 1.5, -inf }, { 0 / 0, 3 } },
    { { min_value = 2 }, { 2, inf }, { 0 / 0, 1.5 } },
  },
  BooleanField = { { {}, { true, false, 0, "" }, { modm.null } } },
  ObjectIdField = { { {}, { id, tostring(id) }, { "x", 5, modm.null } } },
  DateTimeField = { { {}, { modm.DateTime(0), 12, "2020-01-01" }, { "x", id, modm.null } } },
  Decimal128Field = {
    { {}, { 1, "1.10", modm.Decimal128 "NaN" }, { "x", modm.null } },
    { { min_value = "0.1", max_value = 2 }, { "0.1", 2 },
      { modm.Decimal128 "0.09", modm.Decimal128 "2.01", modm.Decimal128 "NaN",
        modm.Decimal128 "Infinity" } },
    { { max_value = 2 }, { 2 }, { modm.Decimal128 "NaN" } },
  },
  BinaryField = {
    { {}, { "x", binary, modm.Binary("x", 5) }, { modm.Binary "", modm.null, 5 },
      { blank = { modm.Binary("", 5) } } },
    { { subtype = 5 }, { "x" }, { modm.Binary("", 5) } },
    { { blank = true, subtype = 5 }, { "", modm.Binary("", 5) }, { 5 } },
  },
  UUIDField = {
    { {}, { uuid, tostring(uuid) }, { "x", modm.null, 5 }, { subtype = { binary } } },
    { { subtype = 4 }, { uuid }, { 5 }, { subtype = { modm.Binary("x", 4) } } },
  },
  RegularExpressionField = { { {}, { modm.Regex("a", "i"), "b" }, { 5, modm.null } } },
  JavaScriptField = {
    { {}, { modm.JavaScript "1", "2", modm.JavaScript("x", { x = 1 }) }, { 5, modm.null } },
  },
  TimestampField = { { {}, { modm.Timestamp(5, 1), modm.DateTime(0) }, { 5, "x" } } },
  EmailField = {
    { {}, { "a@b", "a\n@b c\n", "ü@ü" }, { "a", "@b", "a@", "a@b@c", "", 5, "a@@b" } },
    { { strict = true }, { "a@b.c", "a@bücher.example", "x@a-b.c1.d" },
      { "a@b", "a b@c.d", "a@b..c", "a@-b.c", "a@b-.c", "a@b.c.", "a@.b.c", "a@b_c.d", "a\n@b.c",
        "a@b.c\n", "a@" .. ("x"):rep(64) .. ".example" },
      { strict = { "a@" .. ("ä"):rep(63) .. ".example" } } },
  },
  URLField = {
    { {}, { "http://a.example", "FTPS://x-1.example.:80/a?b#c", "https://127.0.0.1:8080/",
      "http://::1/x", "ftp://1.2.example/ä", "http://fe80::1:80/" },
      { "a.example", "x://a.example", "http://a", "http://-a.example", "http://a.1", "http://a.b",
        "http://a..bc", "http://256.1.1.1", "http://01.1.1.1", "http://a.example/x y",
        "http://a.example/\194\160", "http://a.example/http://b.example", "", 5, "http://a_b.cc",
        "http://a.example:x", "http://a.example\n", "http://" .. ("x"):rep(64) .. ".example" },
      { IPv6 = { "http://1:2:3" } } },
  },
  GenericIPAddressField = {
    { {}, { "127.0.0.1", "::1", "fe80::1%eth0", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8" },
      { "x", "256.1.1.1", "1.2.3", "01.2.3.4", "::1%", "1.2.3.4\n", "", 5, "::12345:1" },
      { IPv6 = { "1:2:3" } } },
    { { protocol = "ipv4" }, { "1.2.3.4" }, { "::1" } },
    { { protocol = "ipv6" }, { "::1" }, { "1.2.3.4" } },
  },
  DictField = {
    { {}, { { a = 1 }, {}, { [""] = { b = { 1 } } }, modm.null }, { 5, "x", { 1 } } },
    { { blank = false }, { { ["a b"] = 1 } },
      { core.object {}, modm.null, { ["a.b"] = 1 }, { ["$a"] = 1 }, { ["a\n.b"] = 1 } },
      { keys = { { a = { ["b.c"] = 1 } } } } },
  },
  ListField = {
    { {}, { { 1, "x", {} }, {}, modm.null }, { 5, "x", { a = 1 } } },
    { { f.IntegerField { max_value = 5 } }, { { 1, "5" }, {} },
      { { 1, 6 }, { modm.null }, { "x" } } },
    { { f.CharField {}, blank = false }, { { "x" } }, { core.array {}, { "" }, modm.null } },
    { { f.ListField { f.CharField { choices = { "a" } } } }, { { { "a" }, {} } }, { { { "b" } } } },
  },
  PointField = {
    { {}, { { 1, 2.5 }, geo("Point", { 0, 0 }) },
      { geo("Point", { 1 }), geo("Point", { 1, 2, 3 }), geo("Point", { 1, "x" }), 5, core.object {},
        geo("LineString", { { 1, 2 } }), { type = "Point" }, { coordinates = { 1, 2 } } } },
    { { blank = true }, { {}, { 1, 2 } }, { geo("Point", { 1 }) } },
  },
  LineStringField = {
    { {}, { { { 1, 2 }, { 3, 4 } } },
      { geo("LineString", core.array {}), geo("LineString", { 1, 2 }) } },
  },
  PolygonField = {
    { {}, { { ring } }, { geo("Polygon", ring), geo("Polygon", core.array {}) },
      { ring = { geo("Polygon", { open }) } } },
  },
  MultiPointField = { { {}, { { { 1, 2 } } }, { geo("MultiPoint", { 1, 2 }) } } },
  MultiLineStringField = {
    { {}, { { { { 1, 2 }, { 3, 4 } } } }, { geo("MultiLineString", { { 1, 2 } }) } },
  },
  MultiPolygonField = {
    { {}, { { { ring } } }, { geo("MultiPolygon", { ring }) },
      { ring = { geo("MultiPolygon", { { open } }) } } },
  },
  GeometryCollectionField = {
    { {}, { { geo("Point", { 1, 2 }), geo("Polygon", { ring }) } },
      { geo("GeometryCollection", core.array {}, "geometries"),
        geo("GeometryCollection", { geo("Point", { 1 }) }, "geometries"),
        geo("GeometryCollection", { geo("GeometryCollection", {}, "geometries") }, "geometries") },
      { ring = { geo("GeometryCollection", { geo("Polygon", { open }) }, "geometries") } } },
  },
  EmbeddedModelField = {
    { { Part }, { Part { name = "x" }, Special { name = "x", size = 1 }, { name = "x" } },
      { { name = "long" }, { size = 1 }, { name = "x", size = 1 }, 5, modm.null, { 1 },
        { name = "x", _cls = "Other" } } },
    { { Part, blank = true }, { modm.null, { name = "x" } }, { { name = "long" } } },
    { { Tree }, { Tree { parts = { Tree { name = "x" } } } }, { { parts = { { name = "long" } } } },
      { embedded = { { parts = {
        { parts = { { parts = { { parts = { { name = "long" } } } } } } },
      } } } } },
  },
  EmbeddedModelListField = {
    { { Part }, { { Part { name = "x" }, Special { name = "y", size = 1 } }, {} },
      { { { name = "long" } }, { modm.null }, 5, { { size = 1 } } } },
  },
  ReferenceField = {
    { { Target }, { Target { code = "a" }, "longer than the key may be" }, { modm.null, "" },
      converted = { 5 } },
  },
}
cases.OrderedDictField = cases.DictField
cases.FileField = {
  { {}, { id, modm.ContentFile "x" }, { modm.null } },
  { { blank = true }, { id, modm.null }, {} },
}
cases.ImageField = { { {}, { id }, { modm.null } } }

local count = 0

local function model_of(kind, given)
  count = count + 1
  local options = {}
  for name, value in pairs(given) do options[name] = value end
  return modm.MongoModel:extend("server.Probe" .. count, {
    value = f[kind](options),
    Meta = { connection_alias = "schema", final = true },
  })
end

local conn

-- Inserts past modm; true, or nil and the server's error.
local function insert_raw(Model, document)
  local collection = tostring(Model):match "[^.]+$":lower()
  return conn:run(core.insert(conn.client, conn.database, collection, { document }))
end

local function refused_by_server(Model, document)
  local ok, _, err = insert_raw(Model, document)
  if ok then return false end
  assert.equal(121, err.code)
  return true
end

-- Whether modm finds fault with a stored document.
local function refused_by_modm(Model, document)
  local ok, valid = pcall(function()
    return core.from_bytes(core.schema_of(Model {}), core.encode(document)):is_valid()
  end)
  return not ok or not valid
end

local function rules_of(unsaid)
  local set = {}
  for _, one in ipairs(unsaid) do set[one.rule] = one end
  return set
end

describe("the server's schema", function()
  setup(function()
    conn = assert(modm.connect(server.fresh "schema", { alias = "schema" }))
  end)
  teardown(function() modm.disconnect "schema" end)

  for _, row in ipairs(core.kinds()) do
    it("agrees with modm about " .. row.name, function()
      assert.truthy(cases[row.name], "no cases for " .. row.name)
      for _, case in ipairs(cases[row.name]) do
        local options, taken, refused, unsaid = case[1], case[2], case[3], case[4] or {}
        local Model = model_of(row.name, options)
        local installed = assert(Model:install_validator())
        assert.is_true(installed.created)
        for i, value in ipairs(taken) do
          local doc = Model {}
          doc.value = value
          local ok, message = doc:save()
          assert(ok, ("%s takes %d: %s"):format(row.name, i, tostring(message)))
        end
        for i, value in ipairs(refused) do
          local what = ("%s refuses %d of %s"):format(row.name, i, tostring(next(options)))
          local document = { _id = modm.ObjectId(), value = value }
          assert.is_true(refused_by_modm(Model, document), what .. ", modm")
          assert.is_true(refused_by_server(Model, { value = value }), what .. ", the server")
        end
        for _, value in ipairs(case.converted or {}) do
          local document = { _id = modm.ObjectId(), value = value }
          assert.is_false(refused_by_modm(Model, document), row.name)
          assert.is_true(refused_by_server(Model, document), row.name)
        end
        local listed = rules_of(installed.unsaid)
        for rule, values in pairs(unsaid) do
          assert.truthy(listed[rule], row.name .. " does not list " .. rule)
          for _, value in ipairs(values) do
            local document = { _id = modm.ObjectId(), value = value }
            assert.is_true(refused_by_modm(Model, document), row.name .. " " .. rule)
            assert.is_false(refused_by_server(Model, { value = value }), row.name .. " " .. rule)
          end
        end
      end
    end)
  end

  it("knows the classes of a collection, required fields and stored names", function()
    local Base = modm.MongoModel:extend("server.Base", {
      title = f.CharField { required = true, mongo_name = "t" },
      Meta = { connection_alias = "schema", cls_aliases = { "Old" } },
    })
    local Child = Base:extend("server.Child", { extra = f.IntegerField {} })
    Base:extend("server.Elsewhere", { more = f.IntegerField {},
      Meta = { collection_name = "elsewhere" } })
    assert(Base:install_validator())
    assert(Base { title = "a" }:save())
    assert(Child { title = "a", extra = 1 }:save())
    assert.is_true((insert_raw(Base, { t = "x", _cls = "Old" })))
    for _, document in ipairs {
      { t = "x" }, { _cls = "server.Base" }, { title = "x", _cls = "server.Base" },
      { t = "x", extra = 1, _cls = "server.Base" }, { t = "x", _cls = "server.Elsewhere" },
      { t = "x", more = 1, _cls = "server.Child" }, { t = "x", _cls = 5 },
    } do assert.is_true(refused_by_server(Base, document)) end
    assert.error_matches(function() Child:install_validator() end,
      "server.Child shares its collection with server.Base: install the validator of that one")
    local schema = Child:json_schema()
    assert.same({ enum = { "server.Child" } }, schema.properties._cls)
    assert.same({ "t", "_cls" }, schema.required)
  end)

  it("lets unknown fields and a missing _cls pass where the model does", function()
    local Loose = modm.MongoModel:extend("server.Loose", {
      a = f.IntegerField {},
      Meta = { connection_alias = "schema", cls_optional = true, ignore_unknown_fields = true },
    })
    assert(Loose:install_validator())
    assert.is_true((insert_raw(Loose, { a = 1, b = 2 })))
    assert.is_true(refused_by_server(Loose, { a = "x" }))
  end)

  it("lists once that the server does not look whether text is UTF-8", function()
    local Model = modm.MongoModel:extend("server.Text", {
      text = f.CharField { max_length = 5 },
      parts = f.EmbeddedModelListField { Part },
      Meta = { connection_alias = "schema" },
    })
    local installed = assert(Model:install_validator())
    assert.same({ { model = "server.Text", field = "", rule = "UTF-8",
      why = "the server takes strings that are not" } }, installed.unsaid)
    local bytes = core.encode(core.ordered { { "insert", "text" },
      { "documents", { { _id = modm.ObjectId(), text = "M@", _cls = "server.Text" } } } })
    assert(conn:run(core.command(conn.client, "write", conn.database, (bytes:gsub("M@", "M\252")))))
    assert.is_false(assert(Model.objects:all():first()):is_valid())
    local Numbers = modm.MongoModel:extend("server.Numbers", {
      list = f.ListField { f.IntegerField {} },
      at = f.DateTimeField {},
    })
    assert.same({}, (select(2, Numbers:json_schema())))
  end)

  it("lists what it cannot say, by model and field", function()
    local Inner = modm.EmbeddedMongoModel:extend("server.Inner", {
      n = f.IntegerField { validators = { function() return true end } },
      clean = function() end,
    })
    local Outer = modm.MongoModel:extend("server.Outer", {
      list = f.EmbeddedModelListField { Inner },
      clean = function() end,
    })
    local _, unsaid = Outer:json_schema()
    assert.same({
      { model = "server.Inner", field = "list[].n", rule = "validators",
        why = "functions of the program" },
      { model = "server.Inner", field = "list[]", rule = "clean",
        why = "a function of the program" },
      { model = "server.Outer", field = "", rule = "clean", why = "a function of the program" },
    }, unsaid)
  end)

  it("replaces what is there, and says what that was", function()
    local name = "server.Replaced"
    local First = modm.MongoModel:extend(name, { a = f.IntegerField {},
      Meta = { connection_alias = "schema" } })
    assert.same({}, assert(First:install_validator()).before)
    local Second = modm.MongoModel:extend(name, { a = f.CharField {},
      Meta = { connection_alias = "schema" } })
    local installed = assert(Second:install_validator { level = "moderate", action = "warn" })
    assert.is_false(installed.created)
    assert.equal("strict", installed.before.level)
    assert.equal("error", installed.before.action)
    assert.same(First:json_schema(), installed.before.validator["$jsonSchema"])
    assert.is_true((insert_raw(Second, { a = 5 }))) -- a warning only
    assert.equal("warn", assert(Second:install_validator { level = "off" }).before.action)
  end)

  it("refuses options that it does not know, at the line that gives them", function()
    local Model = model_of("IntegerField", {})
    local _, message = pcall(function()
      Model:install_validator { level = "loose" }
    end)
    assert.matches("json_schema_spec.lua:%d+: %S+: install_validator has no level 'loose'", message)
    assert.error_matches(function() Model:install_validator { size = 1 } end, "no option 'size'")
    assert.error_matches(function() Part:install_validator() end, "an embedded model has no")
    assert.error_matches(function() modm.MongoModel.install_validator() end, "nil value")
  end)

  it("says what the server says", function()
    local Model = modm.MongoModel:extend("server.View", { Meta = { connection_alias = "schema" } })
    assert(conn:run(core.command(conn.client, "write", conn.database,
      core.ordered { { "create", "view" }, { "viewOn", "other" }, { "pipeline", core.array {} } })))
    local ok, message = Model:install_validator()
    assert.is_nil(ok)
    assert.equal("view is a view, which has no validator", message)
    local Away = modm.MongoModel:extend("server.Away", { Meta = { connection_alias = "nowhere" } })
    assert.matches("no connection 'nowhere'", select(2, Away:install_validator()), 1, true)
  end)
end)
