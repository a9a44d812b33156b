-- Connecting: URIs and options, aliases, closing, unreachable servers, and the handshake.
local connection = require "modm.connection"
local core = require "modm.core"
local errors = require "modm.errors"
local server = require "spec.support.server"
local support = require "spec.driver.support"

local function refused(expected, uri, options)
  local ok, message, err = connection.connect(uri, options)
  assert.is_nil(ok)
  assert.is_truthy(message:find(expected, 1, true), message)
  assert.is_true(errors.is_error(err))
  assert.are.equal("ConfigurationError", err.kind)
  assert.are.equal(message, tostring(err))
  return message
end

describe("a URI", function()
  it("must name a database", function()
    for _, uri in ipairs { "mongodb://localhost", "mongodb://localhost/",
      "mongodb://localhost/?appname=x",
      "mongodb+srv://db.example.com", "mongodb://a,b:27018/" } do
      refused("the URI must name a database (mongodb://host/DATABASE)", uri)
    end
    refused("must name a database", "mongodb://localhost", { appname = "x" })
  end)

  it("may name a collection behind the database", function()
    local client = assert(core.client("mongodb://localhost/blog.posts?appname=x"))
    assert.are.equal("blog", client:database())
  end)

  it("must be one", function()
    refused("the URI is not valid: Invalid URI ", "http://localhost/x")
    refused("the URI is not valid", "")
    refused("the URI is not valid", "mongodb:///x")
    refused("the URI is not valid", "mongodb://localhost:port/x")
    refused("the URI is not valid", "mongodb://localhost/x?replicaSet=")
    refused("the URI is not valid", "mongodb://localhost/x?serverSelectionTimeoutMS=soon")
    refused("the URI is not valid", "localhost/x")
    refused("the URI is not valid", "localhost?a=mongodb://x")
    refused("zero byte", "mongodb://localhost/x\0y")
    refused("Multiple seeds", "mongodb://a,b/x", { direct_connection = true })
    refused("username", "mongodb://a/x", { auth_mechanism = "SCRAM-SHA-256" })
    assert.has_error(function() connection.connect() end, nil)
    assert.has_error(function() connection.connect({}) end, nil)
    local _, message = pcall(connection.connect, 7)
    assert.is_truthy(message:find("connect: the URI must be a string, got number", 1, true),
      message)
  end)
end)

describe("options", function()
  it("are known by libmongoc's names and in snake case", function()
    for _, options in ipairs {
      { serverSelectionTimeoutMS = 100 }, { server_selection_timeout_ms = 100 }, { appname = "x" },
      { replica_set = "rs0" }, { tls = true, tls_ca_file = "/nowhere" }, { w = "majority" },
      { w = 1 },
      { compressors = { "zlib", "snappy" } }, { compressors = "zlib" }, { retry_writes = false },
      { read_preference = "secondary", read_preference_tags = { "dc:ny", "" } }, { journal = true },
      { username = "u", password = "p%:/?#[]@", auth_source = "admin" }, { wtimeout_ms = 5 },
      { read_concern_level = "majority" },
      { max_staleness_seconds = 100, readPreference = "nearest" },
    } do
      assert(core.client("mongodb://localhost/x", options))
    end
  end)

  it("that are unknown or of the wrong type are named", function()
    local uri = "mongodb://localhost/x"
    refused("unknown option 'server_selection'", uri, { server_selection = 1 })
    refused("unknown option 'maxTime'", uri, { maxTime = 1 })
    refused("option 'tls' must be a boolean (got a string)", uri, { tls = "yes" })
    refused("option 'connect_timeout_ms' must be an integer (got a string)", uri,
      { connect_timeout_ms = "5" })
    refused("option 'connectTimeoutMS' must be an integer (got a number)", uri,
      { connectTimeoutMS = 1.5 })
    refused("option 'appname' must be a string (got a number)", uri, { appname = 7 })
    refused("option 'appname' must be a string", uri, { appname = "a\0b" })
    refused("option 'compressors' must be a string or a list of strings", uri, { compressors = {} })
    refused("option 'compressors' must be a string or a list of strings", uri,
      { compressors = { 1 } })
    refused("option 'w' must be an integer or a string (got a boolean)", uri, { w = true })
    refused("the options must have names (got a number as key)", uri, { "tls" })
    refused("the options must be a table (got a string)", uri, "alias")
    refused("option 'timeout_ms' must be a positive number", uri, { timeout_ms = 0 })
    refused("option 'timeout_ms' must be a positive number", uri, { timeout_ms = 2 ^ 40 })
    refused("option 'timeout_ms' must be an integer", uri, { timeout_ms = "soon" })
    refused("the URI is not valid", uri, { connect_timeout_ms = 3000000000 })
    assert.has_error(function() connection.connect(uri, { alias = 7 }) end, nil)
  end)

  it("replace those of the URI", function()
    local client = support.client({ appname = "table" }, server.uri("x") .. "&appName=uri")
    client:monitor(true)
    local found = support.run(client, "read", { { "aggregate", 1 }, { "cursor", core.object {} },
      { "pipeline", { { ["$currentOp"] = core.object { localOps = true } },
        { ["$match"] = { appName = core.ordered { { "$in", { "table", "uri" } } } } } } },
    }, nil, nil, "admin")
    assert.are.equal("table", found.cursor.firstBatch[1].appName)
    client:close()
  end)

  it("does not take a password behind a slash in the user's name for its database", function()
    for _, uri in ipairs { "mongodb://an/n:hunter2@localhost", "mongodb://h/n:hunter2@",
      "mongodb://an/n:hunter2@localhost/x", "mongodb://an/n:hunter2@localhost?w=1",
      "mongodb://an/n:hunter2?@localhost/x" } do
      local message = refused("percent-encoded", uri)
      assert.is_nil(message:find("hunter2", 1, true), message)
    end
    assert(core.client "mongodb://h/a%40b") -- a name that is meant
  end)

  it("does not take a password behind an @ for a host, or the name of one to look up", function()
    for _, uri in ipairs { "mongodb://ann:p@hunter2@localhost/x",
      "mongodb+srv://ann:p@hunter2@db.example.com/x" } do
      local message = refused("percent-encoded", uri)
      assert.is_nil(message:find("hunter2", 1, true), message)
    end
  end)

  it("may hold user and password for a URI with or without them", function()
    for _, uri in ipairs { "mongodb://h/x", "mongodb://a:b@h/x", "mongodb://a@h/x" } do
      local client = assert(core.client(uri, { username = "ann", password = "p@ss/word" }))
      assert.are.equal("modm.Client: h:27017/x", tostring(client))
    end
    assert(core.client("mongodb://a@h/x", { password = "p@ss/word" }))
    assert.are.equal("modm.Client: a:27017,b:27018/x",
      tostring(core.client("mongodb://a,b:27018/x?&w=1&&")))
    refused("username", "mongodb://h/x", { password = "p@ss/word" })
  end)
end)

describe("an alias", function()
  after_each(function() connection.disconnect() end)

  it("is 'default' unless given", function()
    local conn = assert(connection.connect("mongodb://localhost/x"))
    assert.are.equal(conn, connection.get())
    assert.are.equal(conn, connection.get("default"))
    assert.are.equal("default", conn.alias)
    assert.are.equal("x", conn.database)
    assert.are.equal("modm.Connection 'default': modm.Client: localhost:27017/x", tostring(conn))
  end)

  it("that is not connected says what to do", function()
    local conn, message, err = connection.get("blog")
    assert.is_nil(conn)
    assert.are.equal("no connection 'blog': call modm.connect(uri, { alias = \"blog\" }) first",
      message)
    assert.are.equal("ConfigurationError", err.kind)
    assert.are.equal("no connection 'default': call modm.connect(uri) first",
      select(2, connection.get()))
  end)

  it("can be connected again: the old client serves whoever still has it", function()
    local first = assert(connection.connect(server.uri("x"), { alias = "a" }))
    local second = assert(connection.connect(server.uri("y"), { alias = "a" }))
    assert.are.equal(second, connection.get("a"))
    assert.is_true(first:run(core.command(first.client, "read", nil, { ping = 1 })))
  end)

  it("that cannot be connected again stays as it was", function()
    local first = assert(connection.connect(server.uri("x"), { alias = "a" }))
    assert.is_nil(connection.connect("mongodb://localhost", { alias = "a" }))
    assert.are.equal(first, connection.get("a"))
  end)

  it("can be disconnected, and what still uses it gets an error", function()
    local conn = assert(connection.connect(server.uri("x"), { alias = "a" }))
    local other = assert(connection.connect(server.uri("x"), { alias = "b" }))
    local op = core.command(conn.client, "read", nil, { ping = 1 })
    assert.is_true(conn:run(op))
    assert.is_true(connection.disconnect("a"))
    assert.is_false(connection.disconnect("a"))
    assert.is_nil(connection.get("a"))
    local ok, message, err = conn:run(op)
    assert.is_nil(ok)
    assert.are.equal("the connection is closed", message)
    assert.are.equal("ConnectionError", err.kind)
    assert.are.equal(other, connection.get("b"))
    assert.is_true(connection.disconnect())
    assert.is_false(connection.disconnect())
    assert.is_nil(connection.get("b"))
  end)

  it("is taken without looking for the server", function()
    assert(connection.connect("mongodb+srv://db.nowhere.invalid/x"))
    assert(connection.connect("mongodb://nowhere.invalid/x", { tls = true }))
  end)
end)

describe("a client", function()
  it("closes once and for all", function()
    local client = support.client()
    support.run(client, "read", { { "ping", 1 } })
    client:close()
    client:close()
    assert.is_truthy(tostring(client):find("(closed)", 1, true))
    assert.are.equal("the connection is closed",
      support.fail(core.command(client, "read", nil, { ping = 1 })).message)
    assert.are.equal("the connection is closed",
      support.fail(core.find(client, nil, "c", {})).message)
  end)

  it("is checked for", function()
    local client = support.client()
    for _, wrong in ipairs { 1, "x", {}, core.ObjectId() } do
      local ok, message = pcall(client.close, wrong)
      assert.is_false(ok)
      assert.is_truthy(message:find("modm.Client expected", 1, true), message)
    end
    assert.has_error(function() core.command({}, "read", nil, { ping = 1 }) end)
    assert.has_error(function() core.command(client, "other", nil, { ping = 1 }) end)
    assert.has_error(function() core.command(client, "read", nil, "no BSON") end)
    assert.has_error(function() client:monitor(1) end)
    assert.are.equal("modm.Client", getmetatable(client))
  end)
end)

describe("a server that cannot be reached", function()
  it("is an error by a deadline that says how it is set", function()
    local client = support.client({ server_selection_timeout_ms = 300 }, "mongodb://127.0.0.1:1/x")
    local start = os.time()
    local err = support.fail(core.command(client, "read", nil, { ping = 1 }))
    assert.is_true(os.time() - start <= 2)
    assert.are.equal("ConnectionError", err.kind)
    assert.are.equal(1, (err.message:find(
      "no server answered within 300 ms (serverSelectionTimeoutMS sets the limit): ", 1, true)))
    assert.is_truthy(err.message:find("127.0.0.1:1", 1, true), err.message)
    assert.is_nil(err.code)
  end)

  it("has timeout_ms as its deadline, too, and 15 seconds without", function()
    local client = support.client({ timeout_ms = 200 }, "mongodb://127.0.0.1:1/x")
    local err = support.fail(core.insert(client, nil, "c", { { _id = 1 } }))
    assert.is_truthy(err.message:find("within 200 ms", 1, true), err.message)
    client = support.client(nil, "mongodb://127.0.0.1:1/x")
    err = support.fail(core.find(client, nil, "c", {}))
    assert.is_truthy(err.message:find("within 15000 ms", 1, true), err.message)
  end)

  it("whose name does not resolve is one, also by its SRV record", function()
    local client = support.client({ timeout_ms = 200 }, "mongodb://nowhere.invalid/x")
    assert.are.equal("ConnectionError",
      support.fail(core.command(client, "read", nil, { ping = 1 })).kind)
    client = support.client({ timeout_ms = 200 }, "mongodb+srv://db.nowhere.invalid/x")
    assert.are.equal("modm.Client: db.nowhere.invalid/x", tostring(client))
    assert.are.equal("ConnectionError",
      support.fail(core.command(client, "read", nil, { ping = 1 })).kind)
  end)
end)

describe("the handshake", function()
  it("tells the server modm's name and version", function()
    local client = support.client({ appname = "modm's spec" })
    local found = support.run(client, "read", { { "aggregate", 1 }, { "cursor", core.object {} },
      { "pipeline", { { ["$currentOp"] = core.object { localOps = true } },
        { ["$match"] = { appName = "modm's spec" } } } },
    }, nil, nil, "admin")
    local metadata = found.cursor.firstBatch[1].clientMetadata
    assert.are.equal("mongoc / modm", metadata.driver.name)
    assert.is_truthy(metadata.driver.version:find(" / scm", 1, true), metadata.driver.version)
    assert.is_truthy(metadata.platform:find(jit and "LuaJIT" or "Lua 5.4", 1, true),
      metadata.platform)
    client:close()
  end)
end)
