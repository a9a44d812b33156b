-- Models that share a collection: which documents each of them sees, and as what.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "classes"

local function meta(more)
  more.connection_alias = "classes"
  return more
end

-- The titles that a model finds, with the models of the documents.
local function found(Model)
  local list = {}
  for doc in Model.objects:order_by("title"):iter() do
    list[#list + 1] = doc.title .. " " .. tostring(core.model_of(doc)):match "[^.]+$"
  end
  return list
end

describe("models that share a collection", function()
  local Base = modm.MongoModel:extend("classes.Base", { title = f.CharField {}, Meta = meta {} })
  local Sub = Base:extend("classes.Sub", { n = f.IntegerField {} })
  local Last = Base:extend("classes.Last", { Meta = meta { final = true } })
  local Deep = Sub:extend("classes.Deep", { Meta = meta { cls = "deep",
    cls_aliases = { "deeper" } } })
  -- All of the collection as it is, and what has no class.
  local All = modm.MongoModel:extend("classes.All", { title = f.CharField {},
    Meta = meta { final = true, collection_name = "base", ignore_unknown_fields = true } })
  local Optional = modm.MongoModel:extend("classes.Optional", { title = f.CharField {},
    Meta = meta { collection_name = "base", cls_optional = true, cls = "classes.Base",
      ignore_unknown_fields = true } })

  setup(function()
    assert(Base { title = "a" }:save())
    assert(Sub { title = "b", n = 1 }:save())
    assert(Last { title = "c" }:save())
    assert(Deep { title = "d" }:save())
    assert(All { title = "e" }:save())
    All.objects:filter { title = "d" }:update { ["$set"] = { _cls = "deeper" } }
  end)

  it("see their own documents and those of models that extend them", function()
    assert.same({ "a Base", "b Sub", "c Last", "d Deep" }, found(Base))
    assert.same({ "b Sub", "d Deep" }, found(Sub))
    assert.same({ "c Last" }, found(Last))
    assert.same({ "d Deep" }, found(Deep))
    assert.equal(4, Base.objects:all():count())
    assert.equal(1, Last.objects:all():count())
  end)

  it("see all when they are final and extend nothing", function()
    assert.equal(5, All.objects:all():count())
  end)

  it("take documents without a class when that is allowed, and leave them so", function()
    assert.same({ "a Optional", "e Optional" }, found(Optional))
    local doc = Optional.objects:get { title = "e" }
    doc.title = "f"
    local command = help.one(function() assert(doc:save()) end)
    assert.same({ ["$set"] = { title = "f" } }, command.updates[1].u)
    doc.title = "e"
    assert(doc:save())
  end)

  it("keep an alias that was stored", function()
    local doc = Deep.objects:get { title = "d" }
    doc.n = 5
    local command = help.one(function() assert(doc:save()) end)
    assert.same({ ["$set"] = { n = 5 } }, command.updates[1].u)
  end)

  it("delete their own only", function()
    assert.equal(1, Last.objects:all():delete())
    assert.equal(4, All.objects:all():count())
    assert.equal(2, Sub.objects:all():delete())
    assert.equal(2, All.objects:all():count())
  end)
end)
