-- The models of modm's side; interop/models.py declares the same ones for PyMODM.
local modm = require "modm"
local fields = modm.fields

local models = {}

-- Declares a model by PyMODM's full name, module and class, which both store as `_cls`.
local function model(parent, name, definition)
  models[name] = parent:extend("models." .. name, definition)
  return models[name]
end
local Model, Embedded = modm.MongoModel, modm.EmbeddedMongoModel

-- ---- every kind of field, without options ----

model(Model, "Kinds", {
  key = fields.CharField { primary_key = true },
  char = fields.CharField {},
  integer = fields.IntegerField {},
  big = fields.BigIntegerField {},
  float = fields.FloatField {},
  boolean = fields.BooleanField {},
  object_id = fields.ObjectIdField {},
  date_time = fields.DateTimeField {},
  decimal = fields.Decimal128Field {},
  binary = fields.BinaryField {},
  uuid = fields.UUIDField {},
  regex = fields.RegularExpressionField {},
  code = fields.JavaScriptField {},
  timestamp = fields.TimestampField {},
  email = fields.EmailField {},
  url = fields.URLField {},
  address = fields.GenericIPAddressField {},
  dict = fields.DictField {},
  ordered = fields.OrderedDictField {},
  any_list = fields.ListField {},
  point = fields.PointField {},
  line = fields.LineStringField {},
  polygon = fields.PolygonField {},
  points = fields.MultiPointField {},
  lines = fields.MultiLineStringField {},
  polygons = fields.MultiPolygonField {},
  geometries = fields.GeometryCollectionField {},
  chars = fields.ListField { fields.CharField {} },
  integers = fields.ListField { fields.IntegerField {} },
  bigs = fields.ListField { fields.BigIntegerField {} },
  floats = fields.ListField { fields.FloatField {} },
  dates = fields.ListField { fields.DateTimeField {} },
  dicts = fields.ListField { fields.DictField {} },
  grid = fields.ListField { fields.ListField { fields.IntegerField {} } },
  cube = fields.ListField { fields.ListField { fields.ListField { fields.CharField {} } } },
})

-- ---- options of fields ----

local function shouts(text)
  return text == text:upper(), "must shout."
end

model(Model, "Options", {
  key = fields.IntegerField { primary_key = true, mongo_name = "_id", verbose_name = "the key" },
  short = fields.CharField { min_length = 2, max_length = 4 },
  percent = fields.IntegerField { min_value = 0, max_value = 100 },
  big = fields.BigIntegerField { min_value = -5000000000, max_value = 5000000000 },
  ratio = fields.FloatField { min_value = -1, max_value = 1.5 },
  price = fields.Decimal128Field { min_value = 0, max_value = "99.99" },
  blob = fields.BinaryField { subtype = 128 },
  ipv4 = fields.GenericIPAddressField { protocol = "ipv4" },
  ipv6 = fields.GenericIPAddressField { protocol = "ipv6" },
  required = fields.CharField { required = true },
  blank = fields.CharField { blank = true },
  blank_list = fields.ListField { fields.CharField {}, blank = true },
  blank_dict = fields.DictField { blank = true },
  blank_ordered = fields.OrderedDictField { blank = true },
  blank_date = fields.DateTimeField { blank = true },
  blank_items = fields.ListField { fields.CharField { blank = true } },
  role = fields.CharField { choices = { "reader", "author" }, default = "reader" },
  level = fields.IntegerField { choices = { { 1, "low" }, { 2, "high" } } },
  loud = fields.CharField { validators = { shouts } },
  renamed = fields.CharField { mongo_name = "r" },
  answer = fields.IntegerField { default = function() return 42 end },
  zero = fields.IntegerField { default = 0 },
  no = fields.BooleanField { default = false },
  no_list = fields.ListField { fields.CharField {}, default = modm.null },
  words = fields.ListField { fields.CharField {}, default = function() return { "a", "b" } end },
  facts = fields.DictField { default = function() return { a = 1 } end },
})

model(Model, "StandardUUID", {
  key = fields.UUIDField { primary_key = true },
  other = fields.ListField { fields.UUIDField {} },
  Meta = { codec_options = { uuid_representation = "standard" } },
})

-- ---- options of Meta ----

model(Model, "Setting", {
  name = fields.CharField { primary_key = true },
  value = fields.CharField { mongo_name = "v" },
  Meta = { final = true, collection_name = "the.settings", write_concern = { w = 1, j = true },
    read_preference = "primaryPreferred", read_concern = "local" },
})

model(Model, "HTTPServerLog", {
  text = fields.CharField {},
  Meta = { ignore_unknown_fields = true },
})

model(Model, "Collated", {
  name = fields.CharField { primary_key = true },
  Meta = { collation = { locale = "en", strength = 2 } },
})

model(Model, "Indexed", {
  name = fields.CharField { mongo_name = "n" },
  when = fields.DateTimeField {},
  where = fields.PointField {},
  text = fields.CharField {},
  count = fields.IntegerField { mongo_name = "c" },
  Meta = {
    indexes = {
      { "name", "-count" },
      { "name", unique = true, sparse = true },
      { "when", expireAfterSeconds = 3600 },
      { { "where", "2dsphere" } },
      { { "text", "text" }, name = "words", default_language = "none" },
      { "count", partialFilterExpression = { c = { ["$gt"] = 5 } } },
      { "-name", name = "folded", collation = { locale = "en", strength = 2 } },
      { { "count", "hashed" } },
    },
  },
})

-- ---- inheritance ----

local Animal = model(Model, "Animal", {
  name = fields.CharField { primary_key = true },
  age = fields.IntegerField {},
  sound = fields.CharField { mongo_name = "s" },
})

local Dog = model(Animal, "Dog", {
  good = fields.BooleanField { default = true },
  age = fields.FloatField {}, -- overridden, and so moved to this place
})

model(Dog, "Puppy", { months = fields.IntegerField {} })

model(Animal, "Cat", {
  lives = fields.IntegerField { default = 9 },
  Meta = { collection_name = "cats" },
})

-- ---- embedded models ----

local Shape = model(Embedded, "Shape", { name = fields.CharField {} })

model(Shape, "Circle", { radius = fields.FloatField { mongo_name = "r", required = true } })

local Pair = model(Embedded, "Pair", {
  left = fields.IntegerField {},
  right = fields.IntegerField {},
  Meta = { final = true },
})

local Part = model(Embedded, "Part", {
  serial = fields.IntegerField {},
  number = fields.IntegerField { primary_key = true },
  shape = fields.EmbeddedDocumentField { Shape },
  spares = fields.EmbeddedDocumentListField { "Pair" },
})

model(Model, "Drawing", {
  title = fields.CharField { primary_key = true },
  shape = fields.EmbeddedDocumentField { Shape },
  shapes = fields.EmbeddedDocumentListField { Shape },
  pair = fields.EmbeddedDocumentField { Pair, mongo_name = "p" },
  couples = fields.ListField { fields.EmbeddedDocumentField { Pair } },
  rows = fields.ListField { fields.ListField { fields.EmbeddedDocumentField { Shape } } },
  part = fields.EmbeddedDocumentField { Part },
  parts = fields.EmbeddedDocumentListField { Part },
  blank_parts = fields.EmbeddedDocumentListField { Part, blank = true },
})

-- ---- references, to keys of several kinds ----

local User = model(Model, "User", {
  email = fields.EmailField { primary_key = true },
  name = fields.CharField {},
})

model(User, "Admin", { rank = fields.IntegerField {} })

local keys = {
  IntegerKey = fields.IntegerField { primary_key = true },
  BigKey = fields.BigIntegerField { primary_key = true },
  DateKey = fields.DateTimeField { primary_key = true },
  UUIDKey = fields.UUIDField { primary_key = true },
  PairKey = fields.EmbeddedDocumentField { Pair, primary_key = true },
}
for name, key in pairs(keys) do
  model(Model, name, { key = key })
end

local Comment = model(Embedded, "Comment", {
  author = fields.ReferenceField { User },
  text = fields.CharField {},
  readers = fields.ListField { fields.ReferenceField { "User" } },
})

model(Model, "Post", {
  title = fields.CharField {},
  author = fields.ReferenceField { User },
  answers = fields.ReferenceField { "Post" },
  editors = fields.ListField { fields.ReferenceField { User }, mongo_name = "e" },
  related = fields.ListField { fields.ReferenceField { "Post" } },
  pinned = fields.EmbeddedDocumentField { Comment },
  comments = fields.EmbeddedDocumentListField { Comment },
  integer_key = fields.ReferenceField { models.IntegerKey },
  big_key = fields.ReferenceField { models.BigKey },
  date_key = fields.ReferenceField { models.DateKey },
  uuid_key = fields.ReferenceField { models.UUIDKey },
  pair_key = fields.ReferenceField { models.PairKey },
})

model(Model, "Cascading", {
  title = fields.CharField { primary_key = true },
  author = fields.ReferenceField { User },
  Meta = { cascade = true },
})

-- ---- files ----

model(Model, "Folder", {
  name = fields.CharField { primary_key = true },
  file = fields.FileField {},
  image = fields.ImageField {},
})

-- ---- delete rules ----

local Shop = model(Model, "Shop", { name = fields.CharField { primary_key = true } })

local Staff = model(Model, "Staff", {
  name = fields.CharField { primary_key = true },
  shop = fields.ReferenceField { Shop, on_delete = modm.CASCADE },
  boss = fields.ReferenceField { "Staff" },
})

model(Model, "Shift", {
  day = fields.CharField { primary_key = true },
  lead = fields.ReferenceField { Staff, on_delete = modm.DENY },
  team = fields.ListField { fields.ReferenceField { Staff, on_delete = modm.PULL } },
  deputy = fields.ReferenceField { Staff, on_delete = modm.NULLIFY },
  guest = fields.ReferenceField { Staff },
})

Staff:register_delete_rule(Staff, "boss", modm.NULLIFY)

-- Rules that reach the end of their cascade, through references with a mongo_name. PyMODM's rules
-- know these by that name only.
local Region = model(Model, "Region", { name = fields.CharField { primary_key = true } })

local Town = model(Model, "Town", {
  name = fields.CharField { primary_key = true },
  region = fields.ReferenceField { Region, on_delete = modm.CASCADE },
})

local House = model(Model, "House", {
  number = fields.IntegerField { primary_key = true },
  town = fields.ReferenceField { Town, mongo_name = "t" },
})
Town:register_delete_rule(House, "town", modm.CASCADE)

local Walk = model(Model, "Walk", {
  name = fields.CharField { primary_key = true },
  start = fields.ReferenceField { Town, mongo_name = "from" },
  stops = fields.ListField { fields.ReferenceField { Town }, mongo_name = "s" },
  houses = fields.ListField { fields.ReferenceField { House, on_delete = modm.PULL } },
})
Town:register_delete_rule(Walk, "start", modm.NULLIFY)
Town:register_delete_rule(Walk, "stops", modm.PULL)

model(Model, "Tour", {
  name = fields.CharField { primary_key = true },
  towns = fields.ListField { fields.ReferenceField { Town, on_delete = modm.NULLIFY } },
})

-- ---- keys that are made ----

model(Model, "Note", { text = fields.CharField {},
  count = fields.IntegerField { mongo_name = "n" } })

-- ---- a field of each kind, for the values of each kind ----

models.probes = {
  CharField = fields.CharField {},
  IntegerField = fields.IntegerField {},
  BigIntegerField = fields.BigIntegerField {},
  FloatField = fields.FloatField {},
  BooleanField = fields.BooleanField {},
  ObjectIdField = fields.ObjectIdField {},
  DateTimeField = fields.DateTimeField {},
  Decimal128Field = fields.Decimal128Field {},
  BinaryField = fields.BinaryField {},
  UUIDField = fields.UUIDField {},
  RegularExpressionField = fields.RegularExpressionField {},
  JavaScriptField = fields.JavaScriptField {},
  TimestampField = fields.TimestampField {},
  EmailField = fields.EmailField {},
  URLField = fields.URLField {},
  GenericIPAddressField = fields.GenericIPAddressField {},
  DictField = fields.DictField {},
  OrderedDictField = fields.OrderedDictField {},
  PointField = fields.PointField {},
  LineStringField = fields.LineStringField {},
  PolygonField = fields.PolygonField {},
  MultiPointField = fields.MultiPointField {},
  MultiLineStringField = fields.MultiLineStringField {},
  MultiPolygonField = fields.MultiPolygonField {},
  GeometryCollectionField = fields.GeometryCollectionField {},
  ListField = fields.ListField {},
  ["CharField of 2 to 4"] = fields.CharField { min_length = 2, max_length = 4 },
  ["IntegerField from 1 to 5"] = fields.IntegerField { min_value = 1, max_value = 5 },
  ["BigIntegerField from 1 to 5"] = fields.BigIntegerField { min_value = 1, max_value = 5 },
  ["FloatField from 1 to 5"] = fields.FloatField { min_value = 1, max_value = 5 },
  ["Decimal128Field from 1 to 5"] = fields.Decimal128Field { min_value = 1, max_value = 5 },
  ["CharField of choices"] = fields.CharField { choices = { "text", "5" } },
  ["IntegerField of choices"] = fields.IntegerField { choices = { { 5, "five" }, { 1, "one" } } },
  ["CharField, blank"] = fields.CharField { blank = true },
  ["IntegerField, blank"] = fields.IntegerField { blank = true },
  ["ListField, blank"] = fields.ListField { blank = true },
  ["DictField, blank"] = fields.DictField { blank = true },
  ["IPv4"] = fields.GenericIPAddressField { protocol = "ipv4" },
  ["IPv6"] = fields.GenericIPAddressField { protocol = "ipv6" },
  ["list of CharField"] = fields.ListField { fields.CharField {} },
  ["list of IntegerField"] = fields.ListField { fields.IntegerField {} },
  ["list of lists of IntegerField"] = fields.ListField {
    fields.ListField { fields.IntegerField {} },
  },
  ["list of DictField"] = fields.ListField { fields.DictField {} },
  ["embedded Pair"] = fields.EmbeddedDocumentField { Pair },
  ["embedded Shape"] = fields.EmbeddedDocumentField { Shape },
  ["embedded list of Pair"] = fields.EmbeddedDocumentListField { Pair },
  ["list of embedded Pair"] = fields.ListField { fields.EmbeddedDocumentField { Pair } },
  ["reference to IntegerKey"] = fields.ReferenceField { models.IntegerKey },
  ["reference to Post"] = fields.ReferenceField { models.Post },
  ["reference to DateKey"] = fields.ReferenceField { models.DateKey },
  ["list of references to Post"] = fields.ListField { fields.ReferenceField { models.Post } },
}

return models
