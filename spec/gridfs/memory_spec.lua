-- Uploads and downloads need memory that does not grow with the file.
local core = require "modm.core"
local modm = require "modm"
local server = require "spec.support.server"

describe("a file of 200 MB", function()
  local flavour = os.getenv "MODM_FLAVOUR" or (rawget(_G, "jit") and "luajit" or "lua5.4")
  if flavour:find "asan" then
    pending "the sanitizer needs memory of its own"
    return
  end

  it("goes up and down in less than 64 MB", function()
    local uri = server.fresh "large"
    local pipe = io.popen(("tools/lua-env %s %s spec/gridfs/large.lua '%s' 2>&1"):format(flavour,
      flavour, uri))
    local out = pipe:read "*a"
    pipe:close()
    local conn = assert(modm.connect(uri, { alias = "large" }))
    assert(conn:run(core.command(conn.client, "write", nil, { dropDatabase = 1 })))
    modm.disconnect "large"
    local peak = assert(tonumber(out:match "^(%d+)%s*$"), out)
    assert.is_true(peak < 64 * 1024, peak .. " KiB")
  end)
end)
