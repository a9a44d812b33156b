-- What defining a model does not do: connections and indexes are made at the first use.
local help = require "spec.query.help"
local modm = require "modm"
local server = require "spec.support.server"

local f = modm.fields

-- The names of the commands that fn sends.
local function names(fn)
  local list = {}
  for i, event in ipairs(help.sent(fn)) do list[i] = event.name end
  return list
end

describe("a model", function()
  it("may be defined before its connection, and its indexes are made at the first use", function()
    local Article
    local meta = { connection_alias = "first_use", indexes = { { "title", unique = true } } }
    assert.same({}, names(function()
      Article = modm.MongoModel:extend("first_use.Article", { title = f.CharField {}, Meta = meta })
    end))
    assert.error_matches(function() assert(Article.objects:count()) end, "first_use.*connect")
    assert.same({}, names(function()
      assert(modm.connect(server.fresh("first_use"), { alias = "first_use" }))
    end))
    assert.same({ "createIndexes", "aggregate" }, names(function()
      assert.equal(0, Article.objects:count())
    end))
    assert.same({ "aggregate" }, names(function() assert.equal(0, Article.objects:count()) end))
    assert(Article { title = "one" }:save())
    local _, _, err = Article { title = "one" }:save()
    assert.equal("DuplicateKeyError", err.kind)
  end)

  it("that extends one with indexes changes nothing about them", function()
    help.connect "first_use_child"
    local Product = modm.MongoModel:extend("first_use.Product", {
      code = f.UUIDField {}, name = f.CharField {},
      Meta = {
        connection_alias = "first_use_child",
        indexes = { { "code", "name", unique = true } },
      },
    })
    local Book = Product:extend("first_use.Book", {})
    -- A model without a class filter, so that its own stage comes first.
    local Any = modm.MongoModel:extend("first_use.Any", {
      Meta = {
        connection_alias = "first_use_child", collection_name = "product", final = true,
      },
    })
    local function indexes()
      local rows = assert(Any.objects:aggregate { ["$indexStats"] = modm.object {} }:list())
      local list = {}
      for i, row in ipairs(rows) do list[i] = row.name end
      table.sort(list)
      return list
    end
    assert(Product { name = "x" }:save())
    assert(Book { name = "y" }:save())
    assert.same({ "_id_", "code_1_name_1" }, indexes())
  end)
end)
