-- Options that weaken TLS do what they say, and do not go unnoticed.
local core = require "modm.core"
local modm = require "modm"
local support = require "spec.driver.support"
local tls = require "spec.support.tls"

describe("an option that weakens TLS", function()
  local heard, off

  before_each(function()
    heard = {}
    off = modm.on("log", function(entry) heard[#heard + 1] = entry end)
  end)

  after_each(function()
    off()
    modm.disconnect "weak"
  end)

  local function assert_warned(option)
    assert.are.equal(1, #heard)
    assert.are.equal("warning", heard[1].level)
    assert.are.equal("modm", heard[1].domain)
    assert.is_truthy(heard[1].message:find("^connection 'weak': with " .. option .. ", "),
      heard[1].message)
    heard[1] = nil
  end

  for _, option in ipairs { "tlsInsecure", "tlsAllowInvalidCertificates",
    "tlsAllowInvalidHostnames", "tlsDisableCertificateRevocationCheck",
    "tlsDisableOCSPEndpointCheck" } do
    it("warns: " .. option, function()
      for _, case in ipairs { { "", { [option] = true } }, { "?" .. option .. "=true", {} },
        { "?tls=true&" .. option:lower() .. "=true", {} },
        { "?" .. option .. "=false", { [option] = true } } } do
        case[2].alias = "weak"
        assert(modm.connect("mongodb://h/x" .. case[1], case[2]))
        assert_warned(option)
      end
      assert(modm.connect("mongodb://h/x?tls=true&" .. option .. "=false", { alias = "weak" }))
      assert(modm.connect("mongodb://h/x?" .. option .. "=true",
        { alias = "weak", [option] = false }))
      assert.are.same({}, heard)
    end)
  end

  it("warns by its older names, too", function()
    for old, new in pairs { sslAllowInvalidCertificates = "tlsAllowInvalidCertificates",
      sslAllowInvalidHostnames = "tlsAllowInvalidHostnames" } do
      assert(modm.connect("mongodb://h/x?ssl=true&" .. old .. "=true", { alias = "weak" }))
      local kept = {}
      for _, entry in ipairs(heard) do
        if entry.domain == "modm" then kept[#kept + 1] = entry end
      end
      heard = kept
      assert_warned(new)
    end
  end)

  it("lets in what is refused without it, and no more", function()
    local own = tls.start "wrong_host"
    if not own then return pending("no mongod of our own") end
    local function ping(uri, options)
      local client = support.client(options, uri)
      local op = core.command(client, "read", nil, { ping = 1 })
      local ok = op:run()
      client:close()
      return ok
    end
    local function refused(uri) return not ping(uri, { server_selection_timeout_ms = 300 }) end
    local uri = own.address("x", "directConnection=true")
    local foreign = uri:gsub("/ca%.pem", "/foreign_ca.pem")
    assert.is_true(refused(uri))
    assert.is_true(ping(uri .. "&tlsAllowInvalidHostnames=true"))
    assert.is_true(refused(foreign .. "&tlsAllowInvalidHostnames=true"))
    assert.is_true(ping(foreign .. "&tlsInsecure=true"))
    assert.is_true(ping(foreign .. "&tlsAllowInvalidCertificates=true"))
    own.stop()
  end)
end)
