-- Users over TLS: SCRAM and x.509 let in and refuse, and nothing a program sees holds a password.
local cli = require "spec.cli.help"
local connection = require "modm.connection"
local core = require "modm.core"
local events = require "modm.events"
local secrets = require "spec.support.secrets"
local tls = require "spec.support.tls"

describe("a user over TLS", function()
  local own, seen, stop_commands, stop_operations

  setup(function()
    own = tls.start()
    seen = {}
    local function see(what) seen[#seen + 1] = what end
    stop_commands = events.on("command", see)
    stop_operations = events.on("operation", see)
  end)

  teardown(function()
    stop_commands()
    stop_operations()
    if own then own.stop() end
  end)

  local function skip()
    if not own then pending("no mongod of our own") end
    return not own
  end

  -- Runs a command by the connection's own way; nil, message, error as it gives them.
  local function attempt(uri, command)
    local conn = assert(connection.connect(uri, { alias = "user" }))
    local op = core.command(conn.client, "read", nil, command or { connectionStatus = 1 })
    local ok, message, err = conn:run(op)
    secrets.assert_clean { tostring(conn), tostring(conn.client), message or "", err or {},
      op:reply() or {} }
    connection.disconnect("user")
    return ok and op:reply(), message, err
  end

  local function user_of(reply)
    local user = reply.authInfo.authenticatedUsers[1]
    return user.user, user.db
  end

  -- No command of the name that was seen has content, and at least one was seen.
  local function assert_nothing_seen(name)
    secrets.assert_clean { seen, core.log() }
    local found = 0
    for _, what in ipairs(seen) do
      if what.name == name then
        found = found + 1
        for _, part in ipairs { "command", "reply" } do
          assert.is_nil(next(what[part] or {}))
        end
      end
    end
    assert.is_true(found > 0, "no " .. name .. " was seen")
    seen = {}
  end

  it("comes in by SCRAM-SHA-256 and SCRAM-SHA-1", function()
    if skip() then return end
    for _, case in ipairs {
      { "ann" }, { "ann", "authMechanism=SCRAM-SHA-256" },
      { "old" }, { "old", "authMechanism=SCRAM-SHA-1" },
    } do
      local user, database = user_of(assert(attempt(own.scram("blog", case[2], case[1]))))
      assert.are.equal(case[1], user)
      assert.are.equal("admin", database)
    end
    secrets.assert_clean { seen, core.log() }
  end)

  it("does not come in by a mechanism that is not the user's", function()
    if skip() then return end
    for user, mechanism in pairs { ann = "SCRAM-SHA-1", old = "SCRAM-SHA-256" } do
      local ok, _, err = attempt(own.scram("blog", "authMechanism=" .. mechanism, user))
      assert.is_falsy(ok)
      assert.are.equal("AuthenticationFailed", err.code_name)
    end
    secrets.assert_clean { seen, core.log() }
  end)

  it("does not come in with a wrong password", function()
    if skip() then return end
    for _, mechanism in ipairs { "SCRAM-SHA-256", "SCRAM-SHA-1" } do
      local ok, message, err = attempt(own.scram("blog", "authMechanism=" .. mechanism, "nobody"))
      assert.is_falsy(ok)
      assert.are.equal("ServerError", err.kind)
      assert.are.equal(18, err.code)
      assert.is_truthy(message:find("Authentication failed", 1, true), message)
    end
    secrets.assert_clean { seen, core.log() }
  end)

  it("comes in by a certificate, as its subject", function()
    if skip() then return end
    local user, database = user_of(assert(attempt(own.x509 "blog")))
    assert.are.equal(tls.SUBJECT, user)
    assert.are.equal("$external", database)
    local named = own.x509("blog"):gsub("://", "://CN=ann%%2COU=clients%%2CO=modm spec@")
    assert.are.equal(tls.SUBJECT, (user_of(assert(attempt((named:gsub(" ", "%%20")))))))
  end)

  it("comes in by a certificate whose key has a password, which does not show", function()
    if skip() then return end
    local file = "tlsCertificateKeyFile=" .. own.files.path "locked.pem"
    local key = "&tlsCertificateKeyFilePassword="
    local reply = assert(attempt(own.x509("blog", file .. key .. secrets.ENCODED)))
    assert.are.equal(tls.SUBJECT, (user_of(reply)))
    for _, wrong in ipairs { key .. secrets.ENCODED .. "no", key .. "s3cr" } do
      local ok, _, err = attempt(own.x509("blog", file .. wrong))
      assert.is_falsy(ok)
      assert.is_string(err.kind)
    end
    secrets.assert_clean { seen, core.log() }
  end)

  it("does not come in by a certificate of another CA, or without one", function()
    if skip() then return end
    local foreign = own.files.path "foreign_client.pem"
    local ok, _, err = attempt(own.x509("blog",
      "serverSelectionTimeoutMS=300&tlsCertificateKeyFile=" .. foreign))
    assert.is_falsy(ok)
    assert.are.equal("ConnectionError", err.kind)
    ok, _, err = attempt(own.x509("blog", "serverSelectionTimeoutMS=300"))
    assert.is_falsy(ok)
    assert.is_truthy(err.kind == "ServerError" or err.kind == "ConnectionError", err.kind)
  end)

  it("shows nothing of commands that hold a password or a proof of one", function()
    if skip() then return end
    local roles, proof = core.array {}, core.Binary("n,,n=ann,r=" .. secrets.PASSWORD)
    for _, command in ipairs {
      { { "createUser", "eve" }, { "pwd", secrets.PASSWORD }, { "roles", roles } },
      { { "createUser", "eve" }, { "pwd", secrets.PASSWORD }, { "roles", roles } }, -- refused
      { { "updateUser", "eve" }, { "pwd", secrets.PASSWORD } },
      { { "saslStart", 1 }, { "mechanism", "SCRAM-SHA-256" }, { "payload", proof } },
      { { "saslContinue", 1 }, { "conversationId", 1 }, { "payload", proof } },
      { { "authenticate", 1 }, { "mechanism", "MONGODB-X509" }, { "user", secrets.PASSWORD } },
      { { "hello", 1 }, { "speculativeAuthenticate", { saslStart = 1, payload = proof,
        mechanism = "SCRAM-SHA-256", db = "admin" } } },
    } do
      attempt(own.scram "admin", core.ordered(command))
      assert_nothing_seen(command[1][1])
    end
  end)

  it("shows no password in what the command line says", function()
    if skip() then return end
    for _, uri in ipairs { own.scram "blog", own.scram("blog", nil, "nobody"), own.scram "",
      own.scram("blog", "authMechanism=guess"), own.scram("blog", "guess=1") } do
      local ran = cli.run("inspect", uri, "people")
      assert.is_true(#ran.out + #ran.err > 0)
      secrets.assert_clean(ran)
    end
  end)
end)
