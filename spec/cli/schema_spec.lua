-- `modm schema` and `modm diagram`.
local help = require "spec.cli.help"
local server = require "spec.support.server"

local MODELS = [[
local modm = require "modm"
local f = modm.fields
local Item = modm.EmbeddedMongoModel:extend("Item", { what = f.CharField {} })
local User = modm.MongoModel:extend("User", {
  email = f.EmailField { primary_key = true, validators = { function() end } },
})
local Order = modm.MongoModel:extend("Order", {
  items = f.EmbeddedModelListField { Item },
  by = f.ReferenceField { User, on_delete = modm.CASCADE },
  next = f.ReferenceField { "Order" },
})
local Rush = Order:extend("Rush", { hours = f.IntegerField {} })
return { User, Rush, Order }
]]

local function contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

describe("modm schema", function()
  local path = help.file(MODELS)
  teardown(function() os.remove(path) end)

  it("prints a collection's schema and what it cannot say, without a server", function()
    local found = help.run("schema", "mongodb://127.0.0.1:1/x", path, "--model", "User")
    assert.equal('{"bsonType":"object","additionalProperties":false,"properties":{"_id":'
      .. '{"bsonType":"string","minLength":1,"pattern":"^[^@]+@[^@]+\\\\z"},'
      .. '"_cls":{"enum":["User"]}},"required":["_id","_cls"]}\n', found.out)
    assert.equal("User.email: not said: validators (functions of the program)\n"
      .. "User: not said: UTF-8 (the server takes strings that are not)\n", found.err)
    assert.equal(0, found.code)
  end)

  it("installs it and says what was there", function()
    local uri = server.fresh "schema"
    local found = help.run("schema", "--json", "--install", "strict", uri, path)
    assert.equal(0, found.code, found.err)
    assert.matches('"created":true', found.out, 1, true)
    assert.is_nil(found.out:find('"model":"Rush","s', 1, true)) -- it is in Order's collection
    found = help.run("schema", "--install=moderate", "--action=warn", uri, path)
    assert.matches('before: {"action":"error","level":"strict","validator":{"$jsonSchema":',
      found.out, 1, true)
    assert.equal(2, help.run("schema", "--install=loose", uri, path).code)
    found = help.run("schema", "--install=off",
      "mongodb://u:secretpw@127.0.0.1:1/x?serverSelectionTimeoutMS=100", path)
    assert.equal(3, found.code)
    assert.is_nil(found.err:find("secretpw", 1, true))
  end)
end)

describe("modm diagram", function()
  local path = help.file(MODELS)
  teardown(function() os.remove(path) end)

  it("prints the models, what they hold, refer to and extend", function()
    local found = help.run("diagram", path)
    assert.equal(0, found.code, found.err)
    for _, line in ipairs {
      '"Order" -> "User" [arrowhead=vee, label="by\\nCASCADE"];',
      '"Order" -> "Order" [arrowhead=vee, label="next"];',
      '"Order" -> "Item" [dir=both, arrowtail=diamond, arrowhead=none, label="items *"];',
      '"Rush" -> "Order" [style=dashed, arrowhead=empty, label=""];',
      '"Item" [label="{Item|what: Char\\l}", style=rounded];',
    } do assert.matches(line, found.out, 1, true) end
    local json = help.run("diagram", "--json", path).out
    assert.matches('{"field":"by","from":"Order","kind":"reference","list":false,"rule":"CASCADE"'
      .. ',"to":"User"}', json, 1, true)
  end)

  it("draws them", function()
    local svg = os.tmpname()
    local found = help.run("diagram", path, "--svg", svg)
    assert.same({ 0, "", "" }, { found.code, found.out, found.err })
    local text = contents(svg)
    os.remove(svg)
    assert.matches("<svg", text, 1, true)
    assert.matches(">Order<", text, 1, true)
    assert.equal(2, help.run("diagram", path, "--svg", "/nowhere/at/all.svg").code)
  end)

  it("says when a reference names nothing", function()
    local file = help.file [[local m = require "modm"
      m.MongoModel:extend("A", { b = m.fields.ReferenceField { "Nobody" } })]]
    local found = help.run("diagram", file)
    os.remove(file)
    assert.equal(2, found.code)
    assert.matches("there is no model called 'Nobody'", found.err, 1, true)
  end)
end)
