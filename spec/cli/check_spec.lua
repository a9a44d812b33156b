-- `modm check`: whole collections against their models.
local core = require "modm.core"
local help = require "spec.cli.help"
local modm = require "modm"
local server = require "spec.support.server"

local MODELS = [[
local modm = require "modm"
local f = modm.fields
local Base = modm.MongoModel:extend("Beast", {
  name = f.CharField { required = true, validators = { function(v) return v ~= "no", "no" end } },
  owner = f.ReferenceField { "Owner" },
})
Base:extend("Dog", { loud = f.BooleanField {} })
modm.MongoModel:extend("Owner", { Meta = { connection_alias = "other" } })
]]

describe("modm check", function()
  local uri, conn, path

  setup(function()
    uri = server.fresh "check"
    conn = assert(modm.connect(uri, { alias = "check" }))
    path = help.file(MODELS)
  end)
  teardown(function()
    os.remove(path)
    modm.disconnect "check"
  end)
  before_each(function()
    assert(conn:run(core.command(conn.client, "write", conn.database, { dropDatabase = 1 })))
  end)

  local function insert(collection, list)
    assert(conn:run(core.insert(conn.client, conn.database, collection, list)))
  end

  it("ends with 0 when all is well, and with 1 and the errors when not", function()
    local list = {}
    for i = 1, 2500 do
      list[i] = { _id = modm.ObjectId(), name = "n" .. i, _cls = i % 2 == 0 and "Beast" or "Dog" }
    end
    insert("beast", list)
    local found = help.run("check", uri, path)
    assert.equal("Beast: 2500 documents, 0 invalid\nOwner: 0 documents, 0 invalid\n", found.out)
    assert.same({ 0, "" }, { found.code, found.err })
    insert("beast", {
      { name = "", _cls = "Beast" }, { loud = true, _cls = "Dog" }, { name = "x", _cls = "Cat" },
      { name = "x", colour = "red", _cls = "Beast" }, { name = "no", _cls = "Beast" },
      { name = "x", owner = 5, _cls = "Beast" }, { name = "last", _cls = "Dog" },
    })
    found = help.run("check", uri, path)
    assert.equal(1, found.code)
    assert.matches("Beast: 2507 documents, 6 invalid\n", found.out, 1, true)
    assert.matches("       2  (document)\n       3  name\n       1  owner\n", found.out, 1, true)
    assert.matches("Beast %x+: Beast.name: no\n", found.out)
    assert.matches("has the field 'colour', which the model does not declare", found.out, 1, true)
    assert.matches("says that it is of the model 'Cat'", found.out, 1, true)
    assert.equal("", found.err)
  end)

  it("gives JSON, a line for each invalid document and one for the sum", function()
    insert("beast", { { _id = 'a"b', name = "", _cls = "Beast" } })
    local found = help.run("check", "--json", "--model=Beast", uri, path)
    assert.equal('{"errors":{"_id":["not an ObjectId (24 hex digits or 12 bytes): \'a\\"b\'"],'
      .. '"name":["must not be blank (was: \'\')."]},"id":"a\\"b","model":"Beast"}\n'
      .. '{"summary":[{"fields":{"_id":1,"name":1},"invalid":1,"model":"Beast","read":1}]}\n',
      found.out)
    assert.equal(1, found.code)
  end)

  it("stops early when told", function()
    insert("beast", { { name = "" }, { name = "" }, { name = "x", _cls = "Beast" } })
    local found = help.run("check", uri, path, "--fail-fast")
    assert.matches("Beast: 3 documents, 1 invalid", found.out, 1, true)
    found = help.run("check", uri, path, "--limit", "2")
    assert.matches("Beast: 2 documents, 2 invalid", found.out, 1, true)
    assert.equal(2, help.run("check", uri, path, "--limit", "none").code)
  end)

  it("says what is wrong with its words and files, and shows no password", function()
    local broken, raising = help.file "local x = = 1", help.file "error('my own')"
    local empty = help.file "return 5"
    local away = "mongodb://ann:secretpw@127.0.0.1:1/x?serverSelectionTimeoutMS=100"
    for _, case in ipairs {
      { 2, "", "usage: modm COMMAND" },
      { 2, "no such command", "nonsense" }, { 2, "URI is missing", "check" },
      { 2, "MODELS.lua is missing", "check", away }, { 2, "no option --x", "check", "--x" },
      { 2, "--limit needs a value", "check", uri, path, "--limit" },
      { 2, "too many arguments", "check", uri, path, away },
      { 2, ":1: unexpected symbol near '='", "check", uri, broken },
      { 2, ":1: my own", "check", uri, raising },
      { 2, "makes no model", "check", uri, empty },
      { 2, "there is no model called 'Nobody'", "check", uri, path, "--model", "Nobody" },
      { 2, "No such file", "check", uri, away },
      { 2, "the URI is not valid", "check", "mongo:/ann:secretpw@x/y", path },
      { 2, "must name a database", "check", "mongodb://ann:secretpw@127.0.0.1", path },
      { 3, "no server answered within 100 ms", "check", away, path },
    } do
      local found = case[3] == "usage: modm COMMAND" and help.run()
        or help.run((table.unpack or unpack)(case, 3)) -- luacheck: ignore
      assert.equal(case[1], found.code, case[2])
      assert.matches(case[2], found.err, 1, true)
      assert.equal("", found.out)
      assert.is_nil(found.err:find("secretpw", 1, true))
      assert.is_nil(found.err:find("traceback", 1, true), found.err)
    end
    for _, file in ipairs { broken, raising, empty } do os.remove(file) end
  end)

  it("helps", function()
    local found = help.run "--help"
    assert.equal(0, found.code)
    for command in ("inspect check indexes schema diagram"):gmatch "%a+" do
      assert.matches("\n  " .. command, found.out, 1, true)
      local own = help.run(command, "--help")
      assert.equal(0, own.code)
      assert.matches("usage: modm " .. command, own.out, 1, true)
      assert.matches("--json", own.out, 1, true)
    end
    assert.equal(modm._VERSION .. "\n", help.run("--version").out)
  end)
end)
