-- References the other way round: document:related.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "reverse"

local Meta = { connection_alias = "reverse" }
local Person = modm.MongoModel:extend("reverse.Person", { name = f.CharField {}, Meta = Meta })
local Writer = Person:extend("reverse.Writer", {})
local Remark = modm.EmbeddedMongoModel:extend("reverse.Remark", {
  by = f.ReferenceField { Person, mongo_name = "b" },
})
local Text = modm.MongoModel:extend("reverse.Text", {
  title = f.CharField {},
  author = f.ReferenceField { Writer, mongo_name = "a" },
  readers = f.ListField { f.ReferenceField { Person } },
  remarks = f.EmbeddedModelListField { Remark },
  parent = f.ReferenceField { "reverse.Text" },
  Meta = Meta,
})
local Poem = Text:extend("reverse.Poem", {})
local ann, bob = Writer { name = "Ann" }, Person { name = "Bob" }

local function titles(set)
  return table.concat(help.pluck(set:order_by "title":list(), "title"), " ")
end

describe("a document's related ones", function()
  setup(function()
    assert(ann:save())
    assert(bob:save())
    local first = assert(Text { title = "a", author = ann, readers = { bob } }:save())
    assert(Text { title = "b", author = ann, remarks = { Remark { by = bob } } }:save())
    assert(Poem { title = "c", readers = { ann, bob }, parent = first }:save())
  end)

  it("are those that refer to it by the field", function()
    assert.equal("a b", titles(ann:related(Text, "author")))
    assert.equal("a c", titles(bob:related(Text, "readers")))
    assert.equal("c", titles(ann:related(Text, "readers")))
    assert.equal("b", titles(bob:related(Text, "remarks.by")))
    assert.equal("c", titles(bob:related(Poem, "readers")))
    assert.equal("c", titles(Text.objects:get { title = "a" }:related(Poem, "parent")))
  end)

  it("are a queryset, which goes on", function()
    local set = ann:related(Text, "author"):filter { title = "b" }
    assert.equal(1, set:count())
    assert.equal(1, set:update { ["$set"] = { seen = 1 } })
    assert.equal(1, set:update { ["$unset"] = { seen = "" } })
    assert.matches("modm.QuerySet of reverse.Text", tostring(set))
  end)

  it("are sent by one query, of the key under the stored name", function()
    local command = help.one(function() ann:related(Text, "author"):list() end)
    assert.same({ a = ann.pk }, command.filter["$and"][1])
  end)

  it("begin with the default manager", function()
    local Shown = modm.Manager:extend { get_queryset = function(self)
      return modm.Manager.get_queryset(self):filter { shown = true }
    end }
    local Page = modm.MongoModel:extend("reverse.Page", { by = f.ReferenceField { Person },
      shown = f.BooleanField {}, pages = Shown(), Meta = Meta })
    assert(Page.pages:bulk_create { Page { by = bob, shown = true }, Page { by = bob } })
    assert.equal(1, bob:related(Page, "by"):count())
  end)

  it("of one that is not saved are an error of the end", function()
    local list, message, err = Writer { name = "x" }:related(Text, "author"):list()
    assert.is_nil(list)
    assert.equal("ValidationError", err.kind)
    assert.matches("must be saved first", message)
  end)

  it("raise for what is no such reference", function()
    for _, case in ipairs {
      { function() bob:related(Text, "author") end, "refers to reverse.Writer, not to" },
      { function() ann:related(Text, "title") end, "reverse.Text.title is no reference" },
      { function() ann:related(Text, "nothing") end, "is no reference" },
      { function() ann:related(Text) end, "is no reference" },
      { function() ann:related(Remark, "by") end, "takes a model with a collection" },
      { function() ann:related("Text", "author") end, "takes a model with a collection" },
      { function() ann:related(Text, "parent") end, "refers to reverse.Text" },
    } do
      local message, here = help.raised(case[1])
      assert.matches(case[2], message, 1, true)
      assert.is_true(here, message)
    end
  end)

  it("leave the name to a field that has it", function()
    local Linked = modm.MongoModel:extend("reverse.Linked", { related = f.ListField {
      f.ReferenceField { Person } }, Meta = Meta })
    assert.equal(1, #assert(Linked { related = { bob } }:save()).related)
  end)
end)
