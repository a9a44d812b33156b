-- Managers and classes of querysets of a program's own.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "manager"

local PostSet = modm.QuerySet:extend {
  published = function(self) return self:filter { public = true } end,
  by = function(self, author) return self:filter { author = author } end,
}
local Published = modm.Manager:extend {
  get_queryset = function(self) return modm.Manager.get_queryset(self):filter { public = true } end,
  titles = function(self) return help.pluck(self:order_by "title":list(), "title") end,
}

local Post = modm.MongoModel:extend("manager.Post", {
  title = f.CharField {}, public = f.BooleanField {}, author = f.CharField {},
  objects = modm.Manager.from_queryset(PostSet)(),
  published = Published(),
  Meta = { connection_alias = "manager" },
})
local News = Post:extend("manager.News", {})

describe("a manager", function()
  before_each(function()
    assert(Post.objects:all():delete())
    assert(Post.objects:bulk_create {
      Post { title = "a", public = true, author = "ann" }, Post { title = "b", public = false,
        author = "ann" },
      News { title = "c", public = true, author = "bob" },
    })
  end)

  it("has all methods of querysets", function()
    for name, method in pairs(modm.QuerySet) do
      if type(method) == "function" and name ~= "extend" then
        assert.equal("function", type(Post.objects[name]), name)
      end
    end
    assert.is_nil(Post.objects.nonsense)
    assert.equal("a", Post.objects:order_by "title"[1].title)
    assert.equal("c", Post.objects[3].title)
    local n = 0
    for _ in Post.objects:iter() do n = n + 1 end
    assert.equal(3, n)
    assert.matches("manager.Post", tostring(Post.objects))
  end)

  it("may give querysets of a class of one's own, through all steps", function()
    assert.equal(2, Post.objects:published():count())
    assert.equal(1, Post.objects:by "ann":published():count())
    assert.equal("a", Post.objects:order_by "-title":by "ann":published():first().title)
    assert.equal(1, Post.objects:published():by "bob":limit(5):published():count())
  end)

  it("may begin with other conditions, and have methods", function()
    assert.equal(2, Post.published:count())
    assert.same({ "a", "c" }, Post.published:titles())
    assert.is_nil((Post.published:get { title = "b" }))
    assert.equal("b", Post.objects:get { title = "b" }.title)
  end)

  it("is inherited, and is of the model that it is reached through", function()
    assert.equal(1, News.objects:count())
    assert.same({ "c" }, News.published:titles())
    assert.equal(1, News.objects:published():count())
  end)

  it("raises at the line of who called it", function()
    assert.is_true(select(2, help.raised(function() Post.objects:filter { titel = 1 } end)))
    assert.is_true(select(2, help.raised(function() Post.objects:where("title", nil) end)))
    assert.is_true(select(2, help.raised(function() Post.objects:delete() end)))
    assert.is_true(select(2, help.raised(function() Post.published:limit(-1) end)))
  end)

  it("is made when a model has none", function()
    local Bare = modm.MongoModel:extend("manager.Bare", { Meta = { connection_alias = "manager" } })
    assert.equal(0, Bare.objects:count())
  end)

  it("is of the model, not of its documents", function()
    local post = Post { title = "a" }
    for _, name in ipairs { "objects", "published" } do
      assert.error_matches(function() return post[name] end, "no field '" .. name .. "'")
    end
  end)

  it("of no model says so", function()
    assert.matches("no model", tostring(Published()))
    assert.is_false((pcall(function() return Published():count() end)))
  end)

  it("extends further", function()
    local Loud = Published:extend {
      get_queryset = function(self) return Published.get_queryset(self):filter {
        author = "bob" } end,
    }
    local Other = modm.MongoModel:extend("manager.Other", {
      title = f.CharField {}, public = f.BooleanField {}, author = f.CharField {},
      loud = Loud(), Meta = { connection_alias = "manager" },
    })
    assert(Other.loud:bulk_create { Other { title = "c", public = true, author = "bob" },
      Other { title = "d", public = true, author = "ann" }, Other { title = "e", author = "bob" } })
    assert.same({ "c" }, Other.loud:titles())
    assert.is_nil(rawget(Other, "objects"))
  end)

  it("raises for what makes none", function()
    assert.is_false((pcall(modm.Manager.from_queryset, {})))
    assert.is_false((pcall(modm.Manager.from_queryset, modm.Manager)))
    assert.is_false((pcall(modm.Manager.extend, modm.Manager, 5)))
    assert.is_false((pcall(modm.QuerySet.extend, modm.QuerySet, 5)))
  end)
end)
