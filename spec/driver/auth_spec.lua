-- Secrets: a server with authentication, wrong passwords, and that no text anywhere holds one.
local connection = require "modm.connection"
local core = require "modm.core"
local errors = require "modm.errors"
local events = require "modm.events"
local secrets = require "spec.support.secrets"
local server = require "spec.support.server"
local support = require "spec.driver.support"

local PASSWORD, ENCODED, assert_clean = secrets.PASSWORD, secrets.ENCODED, secrets.assert_clean

describe("a server with authentication", function()
  local own, admin

  setup(function()
    own = server.start("--auth")
    if own then
      admin = assert(core.client(own.uri .. "/admin"))
      admin:monitor(true)
      support.run(admin, "write", {
        { "createUser", "ann" }, { "pwd", PASSWORD }, { "roles", core.array { "root" } },
      })
    end
  end)

  teardown(function()
    if own then
      own.stop()
    end
  end)

  local function url(user, password)
    return ("mongodb://%s:%s@127.0.0.1:%d/blog?authSource=admin"):format(user, password, own.port)
  end

  it("lets in who knows the password", function()
    if not own then return pending("no mongod of our own") end
    for _, mechanism in ipairs { "", "&authMechanism=SCRAM-SHA-1",
      "&authMechanism=SCRAM-SHA-256" } do
      local client = support.client(nil, url("ann", ENCODED) .. mechanism)
      support.run(client, "read", { { "count", "posts" } })
      client:close()
    end
    local client = support.client({ username = "ann", password = PASSWORD, auth_source = "admin" },
      own.uri .. "/blog")
    support.run(client, "read", { { "count", "posts" } })
    client:close()
  end)

  it("refuses a wrong password, and no text holds it", function()
    if not own then return pending("no mongod of our own") end
    local seen = {}
    local off = events.on("command", function(event) seen[#seen + 1] = event end)
    local conn = assert(connection.connect(url("bob", ENCODED)))
    local start = os.time()
    for _, op in ipairs {
      core.command(conn.client, "read", nil, { ping = 1 }),
      core.insert(conn.client, nil, "posts", { { _id = 1 } }),
      core.find(conn.client, nil, "posts", {}),
      core.command(conn.client, "write", nil, core.ordered { { "delete", "posts" },
        { "deletes", { core.ordered { { "q", core.object {} }, { "limit", 1 } } } } }),
    } do
      local ok, message, err = conn:run(op)
      assert.is_nil(ok)
      assert.is_truthy(message:find("Authentication failed", 1, true), message)
      assert.are.equal("ServerError", err.kind)
      assert.are.equal(18, err.code)
      assert.are.equal("AuthenticationFailed", err.code_name)
      assert_clean { message, err, op:reply() or {} }
    end
    assert.is_true(os.time() - start <= 4)
    off()
    assert_clean { seen, core.log(), tostring(conn), tostring(conn.client),
      conn.client:events() }
    connection.disconnect()
  end)

  it("refuses who has no user", function()
    if not own then return pending("no mongod of our own") end
    local client = support.client(nil, own.uri .. "/blog")
    local err = support.fail(core.command(client, "read", nil, { count = "posts" }))
    assert.are.equal("ServerError", err.kind)
    assert.are.equal("Unauthorized", err.code_name)
  end)

  it("shows no password in what the server echoes", function()
    if not own then return pending("no mongod of our own") end
    local client = support.client(nil, url("ann", ENCODED))
    client:monitor(true)
    local err = support.fail(core.command(client, "read", nil, { [PASSWORD] = 1 }))
    assert.are.equal("no such command: '***'", err.message)
    local list = client:events()
    assert.are.equal("no such command: '***'", list[#list].message)
    client:close()
  end)

  it("shows nothing of a command that sets a password", function()
    if not own then return pending("no mongod of our own") end
    local list = admin:events()
    assert.are.equal("createUser", list[1].name)
    assert.is_nil(next(list[1].command))
    assert.is_nil(next(list[2].reply))
    assert_clean(list)
  end)
end)

describe("no text holds a password", function()
  it("of a URI that is not valid", function()
    for _, password in ipairs { PASSWORD, ENCODED, "s3cr/p@ss", "s3cr:p@ss", "s3cr%", "s3cr%zz",
      "s3cr?p@ss",
      "s3cr#p@ss", "s3cr p@ss" } do
      for _, rest in ipairs { "localhost/x", "localhost:port/x", "localhost",
        "localhost/x?replicaSet=",
        "localhost/x?s3cr", "", "/x", "local host/x?tls=perhaps", "a,b/x?directConnection=true",
        "h/x?readPreferenceTags=s3cr", "h/x?w=-7", "h/x?connectTimeoutMS=s3cr",
        "h/x?authMechanism=s3cr" } do
        for _, scheme in ipairs { "mongodb://", "mongodb+srv://", "http://", "" } do
          local uri = scheme .. "ann:" .. password .. "@" .. rest
          local conn, message, err = connection.connect(uri)
          assert_clean { tostring(conn), message or "", err and err.message or "" }
        end
      end
    end
    assert_clean(core.log())
    connection.disconnect()
  end)

  it("of the URI's options, by any of their names", function()
    for _, option in ipairs { "tlsCertificateKeyFilePassword=", "tlscertificatekeyfilepassword=",
      "sslclientcertificatekeypassword=",
      "authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:" } do
      for _, password in ipairs { ENCODED, "s3cr%zz", "s3cr=p@ss" } do
        local text = option .. password
        for _, more in ipairs { "", "&s3cr=1", "&tls=s3cr", "&" .. text } do
          local conn, message = connection.connect("mongodb://h/x?" .. text .. more)
          assert_clean { tostring(conn), message or "" }
        end
      end
    end
    assert_clean(core.log())
    connection.disconnect()
  end)

  it("of the options", function()
    local _, message = core.client("mongodb://localhost", { username = "ann", password = PASSWORD })
    assert_clean(message)
    _, message = core.client("mongodb://a,b/x",
      { username = "ann", password = PASSWORD, direct_connection = true })
    assert_clean(message)
    _, message = core.client("mongodb://h/x", { username = "ann", password = { PASSWORD } })
    assert_clean(message)
    _, message = core.client("mongodb://h/x", { tls = true, tls_ca_file = 1,
      tls_certificate_key_file_password = PASSWORD })
    assert_clean(message)
  end)

  it("when the server cannot be reached", function()
    local client = support.client({ timeout_ms = 100 },
      "mongodb://ann:" .. ENCODED .. "@127.0.0.1:1/x")
    local err = support.fail(core.command(client, "read", nil, { ping = 1 }))
    assert_clean { err, tostring(client) }
    assert.is_false(errors.is_error(err))
  end)
end)
