-- The models of the blog, and its connection. Each delete rule has its place here.
local modm = require "modm"
local fields = modm.fields

-- Nothing is sent before the first use, so this may run before nginx forks its workers.
assert(modm.connect(os.getenv "BLOG_MONGODB_URI" or "mongodb://127.0.0.1:27017/blog"))

local models = {}

-- A validator is called with the converted value. It raises, or returns nil and a message.
local function must_not_shout(title)
  if title:find("%u%u") and title == title:upper() then return nil, "must not shout." end
  return true
end

models.User = modm.MongoModel:extend("User", {
  email = fields.EmailField { primary_key = true }, -- stored as _id
  name = fields.CharField { required = true, max_length = 40 },
  password = fields.CharField { required = true }, -- what secrets.hash makes of it
})

-- A message of its own: those of modm repeat the value, which is good for a title and bad for this.
local function must_be_long(password)
  return #password >= 8 and #password <= 200, "must have 8 to 200 characters."
end

-- No collection has this one: a form's values are declared, and checked, as those of a document.
models.NewPassword = modm.EmbeddedMongoModel:extend("NewPassword", {
  password = fields.CharField { required = true, validators = { must_be_long } },
})

-- One for each browser that is logged in. The server deletes those that are over.
models.Session = modm.MongoModel:extend("Session", {
  digest = fields.CharField { primary_key = true }, -- of the token in the browser's cookie
  user = fields.ReferenceField { models.User, required = true, on_delete = modm.CASCADE },
  expires = fields.DateTimeField { required = true },
  Meta = { indexes = { { "expires", expireAfterSeconds = 0 } } },
})

models.Category = modm.MongoModel:extend("Category", {
  name = fields.CharField { primary_key = true, max_length = 30 },
})

models.Tag = modm.MongoModel:extend("Tag", {
  word = fields.CharField { primary_key = true, max_length = 20 },
})

models.Comment = modm.EmbeddedMongoModel:extend("Comment", {
  author = fields.ReferenceField { models.User }, -- DO_NOTHING: it keeps the key of who left
  content = fields.CharField { required = true, min_length = 2, max_length = 500 },
  written = fields.DateTimeField { required = true, default = modm.DateTime.now },
})

models.Post = modm.MongoModel:extend("Post", {
  title = fields.CharField {
    required = true, min_length = 3, max_length = 80, validators = { must_not_shout },
  },
  content = fields.CharField { required = true, max_length = 10000 },
  author = fields.ReferenceField { models.User, required = true, on_delete = modm.CASCADE },
  editor = fields.ReferenceField { models.User, on_delete = modm.NULLIFY },
  category = fields.ReferenceField { models.Category, required = true, on_delete = modm.DENY },
  tags = fields.ListField { fields.ReferenceField { models.Tag, on_delete = modm.PULL } },
  comments = fields.EmbeddedModelListField { models.Comment },
  Meta = {
    timestamps = { created = "written", updated = "changed" },
    indexes = { { "-written" }, { "author" }, { "editor" }, { "category" }, { "tags" } },
  },
})

-- What get and first give; nil where there is no such document. What else went wrong is raised.
function models.found(document, message, err)
  if not document and err.kind ~= "DoesNotExist" then error(message, 0) end
  return document
end

return models
