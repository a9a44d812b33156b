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

  it("has the public methods of its class of querysets, and no more", function()
    local Set = modm.QuerySet:extend {
      _narrowed = function(self) return self:filter { public = true } end,
      open_ones = function(self) return self:_narrowed():order_by "title" end,
      note = "no method",
    }
    local Noted = modm.MongoModel:extend("manager.Noted", {
      title = f.CharField {}, public = f.BooleanField {},
      objects = modm.Manager.from_queryset(Set)(),
      Meta = { connection_alias = "manager" },
    })
    assert(Noted.objects:bulk_create { Noted { title = "b", public = true },
      Noted { title = "a", public = true }, Noted { title = "c", public = false } })
    assert.same({ "a", "b" }, help.pluck(Noted.objects:open_ones():list(), "title"))
    assert.equal(2, Noted.objects:all():open_ones():count())
    assert.is_nil(Noted.objects._narrowed)
    assert.is_nil(Noted.objects.note)
    assert.is_function(Noted.objects:all()._narrowed)
  end)

  it("of a class made from querysets extends, and class of querysets extends further", function()
    local More = PostSet:extend { loud = function(self) return self:by "bob" end }
    local Mixed = modm.Manager.from_queryset(More):extend {
      get_queryset = function(self) return modm.Manager.get_queryset(self):published() end,
    }
    local Mix = modm.MongoModel:extend("manager.Mix", {
      title = f.CharField {}, public = f.BooleanField {}, author = f.CharField {},
      mixed = Mixed(), Meta = { connection_alias = "manager" },
    })
    assert(Mix.mixed:bulk_create { Mix { title = "a", public = true, author = "bob" },
      Mix { title = "b", author = "bob" }, Mix { title = "c", public = true, author = "ann" } })
    assert.same({ "a" }, help.pluck(Mix.mixed:loud():list(), "title"))
    assert.equal(2, Mix.mixed:count())
    assert.equal(1, Mix.mixed:by "ann":loud():reverse():count() + Mix.mixed:by "ann":count())
  end)

  describe("that is the default", function()
    -- Which one it is shows where a document looks for itself.
    local function hidden(model)
      local doc = assert(model { title = "x", public = false }:save())
      return doc:refresh_from_db() == nil
    end
    local Meta = { connection_alias = "manager", collection_name = "defaults" }
    local function fields(more)
      more.title, more.public, more.Meta = f.CharField {}, f.BooleanField {}, Meta
      return more
    end

    it("is the first one that was made, whatever its name", function()
      local zebra, apple = Published(), modm.Manager()
      local First = modm.MongoModel:extend("manager.First", fields { zebra = zebra, apple = apple })
      assert.is_true(hidden(First))
      assert.is_nil(rawget(First, "objects"))
      apple, zebra = modm.Manager(), Published()
      local Second = modm.MongoModel:extend("manager.Second", fields { zebra = zebra,
        apple = apple })
      assert.is_false(hidden(Second))
    end)

    it("is that of the parent, where a model declares none", function()
      local Parent = modm.MongoModel:extend("manager.Parent", fields { shown = Published(),
        every = modm.Manager() })
      local Child = Parent:extend("manager.Child", {})
      assert.is_true(hidden(Child))
      assert.is_nil(rawget(Child, "objects"))
    end)

    it("is a model's own, where it declares one beside those of its parent", function()
      local Base = modm.MongoModel:extend("manager.Base", fields { every = modm.Manager() })
      local Own = Base:extend("manager.Own", { shown = Published() })
      assert.is_true(hidden(Own))
      assert.is_false(hidden(Base))
      assert.equal("modm.Manager of manager.Own", tostring(Own.every))
      assert.is_true(hidden(Own:extend("manager.Grandchild", {})))
    end)

    it("may be replaced by one of its name", function()
      local Base = modm.MongoModel:extend("manager.Named", fields { objects = modm.Manager() })
      local Own = Base:extend("manager.Renamed", { objects = Published() })
      assert.is_true(hidden(Own))
      assert.is_false(hidden(Base))
    end)
  end)

  it("may be declared on two models, and is of each", function()
    local one = modm.Manager()
    local A = modm.MongoModel:extend("manager.A", { objects = one,
      Meta = { connection_alias = "manager" } })
    local B = modm.MongoModel:extend("manager.B", { objects = one,
      Meta = { connection_alias = "manager" } })
    assert.equal("modm.Manager of manager.A", tostring(A.objects))
    assert.equal("modm.Manager of manager.B", tostring(B.objects))
  end)

  it("raises for what makes none", function()
    assert.is_false((pcall(modm.Manager.from_queryset, {})))
    assert.is_false((pcall(modm.Manager.from_queryset, modm.Manager)))
    assert.is_false((pcall(modm.Manager.extend, modm.Manager, 5)))
    assert.is_false((pcall(modm.QuerySet.extend, modm.QuerySet, 5)))
  end)
end)
