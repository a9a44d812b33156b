-- A model with a field of each kind, for the targets that need a schema.
local modm = require "modm"
local f = modm.fields

local Address = modm.EmbeddedMongoModel:extend("Address", {
  city = f.CharField { mongo_name = "c" }, number = f.IntegerField {},
})
local Comment = modm.EmbeddedMongoModel:extend("Comment", {
  who = f.ReferenceField { "Post" }, text = f.CharField {},
  places = f.EmbeddedModelListField { Address },
})
local Post = modm.MongoModel:extend("Post", {
  title = f.CharField { mongo_name = "t" }, visits = f.IntegerField {},
  big = f.BigIntegerField {}, rating = f.FloatField {}, public = f.BooleanField {},
  at = f.DateTimeField {}, price = f.Decimal128Field {}, bytes = f.BinaryField {},
  uuid = f.UUIDField {}, regex = f.RegularExpressionField {}, code = f.JavaScriptField {},
  stamp = f.TimestampField {}, email = f.EmailField {}, url = f.URLField {},
  ip = f.GenericIPAddressField {}, place = f.PointField {}, area = f.PolygonField {},
  things = f.GeometryCollectionField {}, author = f.ReferenceField { "Post" },
  tags = f.ListField { f.CharField {} }, anything = f.ListField {},
  matrix = f.ListField { f.ListField { f.IntegerField {} } }, data = f.DictField {},
  file = f.FileField {}, address = f.EmbeddedModelField { Address },
  comments = f.EmbeddedModelListField { Comment },
})

-- By the order of the alphabet, so that a corpus keeps its meaning.
local names = {}
for name in pairs(require "modm.registry".meta(Post).fields) do names[#names + 1] = name end
table.sort(names)

return { Post = Post, Comment = Comment, Address = Address, names = names,
  schema = require "modm.registry".meta(Post).schema }
