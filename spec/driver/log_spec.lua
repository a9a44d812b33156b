-- The log: modm.on("log", f) hears what libmongoc logs; without a listener nothing is printed.
local modm = require "modm"
local secrets = require "spec.support.secrets"
local server = require "spec.support.server"

describe("a listener to the log", function()
  local heard, off

  -- libmongoc does not know this option, and says so.
  local function log_a_line(name)
    assert(modm.connect("mongodb://ann:" .. secrets.ENCODED .. "@h/x?" .. name .. "=1",
      { alias = "log" }))
  end

  before_each(function()
    heard = {}
    off = modm.on("log", function(entry) heard[#heard + 1] = entry end)
  end)

  after_each(function()
    off()
    modm.disconnect "log"
  end)

  it("hears each line once, from now on, with level, domain and message", function()
    log_a_line "guess"
    assert.are.equal(1, #heard)
    assert.are.equal("warning", heard[1].level)
    assert.is_string(heard[1].domain)
    assert.is_truthy(heard[1].message:find("guess", 1, true))
    log_a_line "another"
    assert.are.equal(2, #heard)
    assert.is_truthy(heard[2].message:find("another", 1, true))
    off()
    log_a_line "unheard"
    off = modm.on("log", function(entry) heard[#heard + 1] = entry end)
    log_a_line "later"
    assert.are.equal(3, #heard)
    assert.is_truthy(heard[3].message:find("later", 1, true))
  end)

  it("is one of several, told in order", function()
    local second = modm.on("log", function(entry) heard[#heard + 1] = entry.message end)
    log_a_line "guess"
    second()
    assert.are.equal(2, #heard)
    assert.are.equal(heard[1].message, heard[2])
  end)

  it("is told of what was logged while a call waited", function()
    local conn = assert(modm.connect(server.uri "log", { alias = "log" }))
    local core = require "modm.core"
    assert(core.client("mongodb://h/x?guess=1")) -- beside modm.connect
    assert.are.equal(0, #heard)
    assert(conn:run(core.command(conn.client, "read", nil, { ping = 1 })))
    assert.are.equal(1, #heard)
  end)

  it("is told when it was not told in time", function()
    local core = require "modm.core"
    for _ = 1, 100 do assert(core.client "mongodb://h/x?guess=1") end
    log_a_line "last"
    assert.are.equal(65, #heard)
    assert.are.equal("modm", heard[1].domain)
    assert.are.equal("37 older lines of the log were lost", heard[1].message)
    assert.is_truthy(heard[65].message:find("last", 1, true))
  end)

  it("sees no password", function()
    log_a_line(secrets.ENCODED)
    log_a_line("x" .. secrets.ENCODED:rep(50)) -- longer than a line
    modm.connect("mongodb://ann:" .. secrets.PASSWORD .. "@h/x?y", { alias = "log" })
    assert.is_true(#heard >= 2)
    secrets.assert_clean(heard)
  end)

  it("may call modm itself, and raise", function()
    off()
    off = modm.on("log", function()
      off()
      log_a_line "within"
      error("of the listener", 0)
    end)
    local ok, message = pcall(log_a_line, "guess")
    assert.is_false(ok)
    assert.are.equal("of the listener", message)
  end)

  it("takes no options", function()
    assert.has_error(function()
      modm.on("log", print, { slower_than_ms = 1 })
    end, "modm.on: log has no option 'slower_than_ms'")
  end)
end)

describe("without a listener", function()
  -- What a program of its own prints.
  local function printed(program)
    local lua = (os.getenv "MODM_FLAVOUR" or "lua5.4"):gsub("^asan%-", "")
    local pipe = assert(io.popen(("%s -e '%s' 2>&1"):format(lua, program)))
    local text = pipe:read "*a"
    pipe:close()
    return text
  end

  it("libmongoc's lines are not printed", function()
    assert.are.equal("", printed [[require "modm".connect "mongodb://h/x?guess=1"]])
  end)

  it("modm's own warnings go to standard error", function()
    assert.is_truthy(printed [[require "modm".connect("mongodb://h/x", { tls_insecure = true })]]
      :find "^modm: warning: connection 'default': with tlsInsecure, any certificate [^\n]*\n$")
  end)
end)
