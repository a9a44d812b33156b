-- `modm check`: whole collections against their models.
local core = require "modm.core"
local help = require "spec.cli.help"
local json = require "modm.cli.json"
local modm = require "modm"
local server = require "spec.support.server"

local unpack = table.unpack or unpack -- luacheck: ignore

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
    local database = uri:match "/([^/?]+)%?"
    local note = ("modm: Owner: no collection 'owner' in database '%s'\n"):format(database)
    assert.same({ 0, note }, { found.code, found.err })
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
    assert.equal(note, found.err)
    found = help.run("check", uri, path, "--model", "Owner")
    assert.same({ 2, note .. "modm: there is nothing to check\n", "" },
      { found.code, found.err, found.out })
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

  it("draws how far it is, on a terminal only", function()
    local list = {}
    for i = 1, 2501 do list[i] = { _id = modm.ObjectId(), name = "x", _cls = "Beast" } end
    insert("beast", list)
    for limit, total in pairs { [9999] = 2501, [1250] = 1250 } do
      local words = { "check", uri, path, "--model", "Beast", "--limit", limit }
      local shown = help.on_terminal(unpack(words))
      local full, rest, done = shown:match
        "\r\27%[K%[(#*)(%.*)%] Beast (%d+) documents, %d+/s, %d+s left\r\27%[K"
      assert.same({ math.floor(24 * done / total), 24 }, { #full, #full + #rest }, shown)
      assert.matches(("\r\27[KBeast: %d documents, 0 invalid\r\n"):format(total), shown, 1, true)
      assert.equal("", help.run(unpack(words)).err)
    end
  end)

  it("says what full_clean says, with the hooks", function()
    local file = help.file [[
      local modm = require "modm"
      local f = modm.fields
      local Base = modm.MongoModel:extend("Hooked", {
        name = f.CharField { required = true, max_length = 5 },
        n = f.IntegerField { default = function() return 7 end },
        clean = function(self) return self.name ~= "bad", "is bad" end,
        Meta = { connection_alias = "check" },
      })
      local Child = Base:extend("HookedChild", { extra = f.IntegerField {} })
      Base:before("validate", function(doc)
        if doc.name == "give" then doc.name = "too long" end
        if doc.name == nil then doc.name = "given" end
        if doc.name == "stop" then return nil, "stopped" end
      end)
      Base:after("load", function(doc) if doc.name == "load" then error("raised", 0) end end)
      Child:after("validate", function(doc) if doc.n == 5 then return nil, "five" end end)
      return { Base, Child }]]
    local names = { "ok", "give", "stop", "load", "bad", "toolong" }
    for i = 0, #names do
      insert("hooked", {
        { _id = modm.ObjectId(), name = names[i], _cls = "Hooked", n = 5 },
        { _id = modm.ObjectId(), name = names[i], _cls = "HookedChild", n = 5 },
        { _id = modm.ObjectId(), name = names[i], _cls = "HookedChild", extra = "x" },
      })
    end
    local found = help.run("check", "--json", uri, file)
    local said, n = {}, 0
    for line in found.out:gmatch "[^\n]+" do
      local id = line:match '"id":{"$oid":"(%x+)"}'
      if id then said[id], n = line:match '"errors":(.*),"id"', n + 1 end
    end
    local Model = dofile(file)[1]
    os.remove(file)
    local invalid = 0
    for _, row in ipairs(assert(Model.objects:all():values():list())) do
      local key = row._id
      local doc, _, err = Model.objects:get { _id = key }
      if doc then _, _, err = doc:full_clean() end
      invalid = invalid + (err and 1 or 0)
      local tree = err and (err.errors or { ["(" .. err.hook .. ")"] = { err.message } })
      assert.equal(tree and json.encode(tree), said[tostring(key)])
    end
    assert.same({ invalid, 1 }, { n, found.code })
    assert.equal(19, invalid)
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
        or help.run(unpack(case, 3))
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
