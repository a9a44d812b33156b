-- The models of the blog: users, categories, tags, and posts with their comments inside.
local modm = require "modm"
local fields = modm.fields

-- A validator is called with the converted value. It raises, or returns nil and a message.
local function must_not_shout(title)
  if title:find("%u%u") and title == title:upper() then
    return nil, "must not shout."
  end
  return true
end

local User = modm.MongoModel:extend("User", {
  email = fields.EmailField { primary_key = true }, -- stored as _id
  first_name = fields.CharField {},
  last_name = fields.CharField { max_length = 30 },
  Meta = { connection_alias = "my-app", write_concern = { w = 1, j = true } },
})

local Category = modm.MongoModel:extend("Category", {
  name = fields.CharField { primary_key = true },
  Meta = { connection_alias = "my-app" },
})

local Tag = modm.MongoModel:extend("Tag", {
  word = fields.CharField { primary_key = true },
  Meta = { connection_alias = "my-app" },
})

local Comment = modm.EmbeddedMongoModel:extend("Comment", {
  author = fields.ReferenceField { User }, -- DO_NOTHING: the comment keeps the key of who left
  content = fields.CharField { required = true, min_length = 2 },
})

local Post = modm.MongoModel:extend("Post", {
  title = fields.CharField { required = true, validators = { must_not_shout } },
  author = fields.ReferenceField { User, on_delete = modm.CASCADE },
  editor = fields.ReferenceField { User, on_delete = modm.NULLIFY },
  category = fields.ReferenceField { Category, on_delete = modm.DENY },
  tags = fields.ListField { fields.ReferenceField { Tag, on_delete = modm.PULL } },
  revised_on = fields.DateTimeField {},
  likes = fields.IntegerField { min_value = 0, default = 0 },
  comments = fields.EmbeddedDocumentListField { Comment },
  Meta = {
    connection_alias = "my-app",
    indexes = { { { "author", 1 }, { "revised_on", -1 } } },
  },
})

return { User = User, Category = Category, Tag = Tag, Comment = Comment, Post = Post }
