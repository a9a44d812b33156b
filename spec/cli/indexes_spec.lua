-- `modm indexes`: what models declare beside what the server has.
local core = require "modm.core"
local help = require "spec.cli.help"
local modm = require "modm"
local server = require "spec.support.server"

describe("modm indexes", function()
  local uri = server.fresh "cli_indexes"
  local path = help.file [[
    local m = require "modm"
    m.MongoModel:extend("Thing", { name = m.fields.CharField {},
      Meta = { indexes = { { "name", unique = true } } } })]]
  local conn

  setup(function() conn = assert(modm.connect(uri, { alias = "cli_indexes" })) end)
  teardown(function()
    os.remove(path)
    modm.disconnect "cli_indexes"
  end)

  it("shows what differs, and puts it right when told", function()
    assert(conn:run(core.command(conn.client, "write", conn.database, core.ordered {
      { "createIndexes", "thing" },
      { "indexes", { core.ordered { { "key", { old = 1 } }, { "name", "old_1" } } } } })))
    local found = help.run("indexes", uri, path)
    assert.same({ 1, "thing:\n  + name_1\n  - old_1\n", "" }, { found.code, found.out, found.err })
    found = help.run("indexes", "--sync", uri, path)
    assert.same({ 1, "thing:\n  - old_1\n  created name_1\n" }, { found.code, found.out })
    found = help.run("indexes", "--sync", "--drop", uri, path)
    assert.same({ 0, "thing: as declared\n  dropped old_1\n" }, { found.code, found.out })
    found = help.run("indexes", "--json", uri, path)
    assert.equal('[{"changed":[],"collection":"thing","differs":false,"extra":[],"missing":[]}]\n',
      found.out)
  end)

  it("drops nothing without --sync, and tells of a server that is away", function()
    assert.equal(2, help.run("indexes", "--drop", uri, path).code)
    local found = help.run("indexes",
      "mongodb://u:secretpw@127.0.0.1:1/x?serverSelectionTimeoutMS=99", path)
    assert.equal(3, found.code)
    assert.is_nil(found.err:find("secretpw", 1, true))
  end)
end)
