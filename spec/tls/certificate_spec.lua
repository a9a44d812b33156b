-- TLS: a server is believed by its certificate, and a refusal says what is wrong with it.
local core = require "modm.core"
local fork = require "spec.support.fork"
local modm = require "modm"
local support = require "spec.driver.support"
local tls = require "spec.support.tls"

describe("a server with TLS", function()
  local own

  setup(function() own = tls.start() end)
  teardown(function() if own then own.stop() end end)
  after_each(function() modm.disconnect() end)

  local function skip()
    if not own then pending("no mongod of our own") end
    return not own
  end

  -- The message with which a URI is refused.
  local function refused(uri)
    local client = support.client({ server_selection_timeout_ms = 300 }, uri)
    local err = support.fail(core.command(client, "read", nil, { ping = 1 }))
    client:close()
    assert.are.equal("ConnectionError", err.kind)
    return err.message
  end

  local function says(message, ...)
    for _, text in ipairs { ... } do
      assert.is_truthy(message:find(text, 1, true), message)
    end
  end

  it("is believed by who knows its CA, under each of its names", function()
    if skip() then return end
    modm.connect(own.scram "blog")
    local Post = modm.MongoModel:extend("TlsPost", { title = modm.fields.CharField {} })
    assert(Post { title = "a" }:save())
    assert(modm.transaction(function() return Post { title = "b" }:save() end))
    assert.are.equal(2, Post.objects:count())
    local address = own.address("blog", "directConnection=true"):gsub("localhost", "127.0.0.1")
    local client = support.client(nil, address)
    support.run(client, "read", { { "ping", 1 } })
    client:close()
  end)

  it("is refused by who does not know its CA", function()
    if skip() then return end
    local uri = own.address("blog"):gsub("&?tlsCAFile=[^&]*", "")
    says(refused(uri), "TLS handshake failed: certificate verify failed", "localhost:" .. own.port)
    says(refused((own.address("blog"):gsub("/ca%.pem", "/foreign_ca.pem"))),
      "certificate verify failed")
  end)

  it("is not reached without TLS", function()
    if skip() then return end
    says(refused(("mongodb://localhost:%d/blog"):format(own.port)), "closed",
      "localhost:" .. own.port)
  end)

  for name, reason in pairs {
    expired = "certificate has expired",
    foreign = "unable to get local issuer certificate",
    wrong_host = "hostname mismatch",
  } do
    it("is refused with a certificate that is " .. name, function()
      if skip() then return end
      local listener = tls.listen(own.files, name)
      local message = refused(("mongodb://localhost:%d/x?tls=true&tlsCAFile=%s"):format(
        listener.port, own.files.path "ca.pem"))
      listener.stop()
      says(message, "TLS handshake failed: certificate verify failed", reason,
        "localhost:" .. listener.port)
    end)
  end

  it("tells a good certificate from a server that is none", function()
    if skip() then return end
    local listener = tls.listen(own.files, "good")
    local message = refused(("mongodb://localhost:%d/x?tls=true&tlsCAFile=%s"):format(
      listener.port, own.files.path "ca.pem"))
    listener.stop()
    assert.is_nil(message:find("certificate", 1, true), message)
  end)

  it("is refused when a file of the client's is not there or no certificate", function()
    if skip() then return end
    for _, option in ipairs { "tlsCAFile", "tlsCertificateKeyFile" } do
      for _, file in ipairs { "/nowhere.pem", own.files.path "keyfile" } do
        local uri = ("mongodb://localhost:%d/x?tls=true&%s=%s"):format(own.port, option, file)
        assert.is_string(refused(uri))
      end
    end
  end)

  it("may be used on both sides of a fork", function()
    if skip() then return end
    local client = support.client(nil, own.scram "blog")
    local function id()
      return tostring(support.run(client, "read", { { "hello", 1 } }).connectionId)
    end
    local first = id()
    for _ = 1, 3 do
      assert.is_true(fork.child(function() return id() ~= first end))
      assert.are.equal(first, id())
    end
    client:close()
  end)
end)
