-- modm in a service of skynet: each call suspends only the calling coroutine.
local process = require "spec.support.process"
local server = require "spec.support.server"

-- The folder of a skynet that was built; its Lua has to be 5.4.
local skynet = os.getenv "SKYNET"

local config = [[
root = "%s/"
thread = 4
harbor = 0
bootstrap = "snlua bootstrap"
start = "skynet_service"
luaservice = root .. "service/?.lua;./spec/support/?.lua"
lualoader = root .. "lualib/loader.lua"
lua_path = root .. "lualib/?.lua;" .. root .. "lualib/?/init.lua;./lua/?.lua;./lua/?/init.lua"
lua_cpath = root .. "luaclib/?.so;./build/lua5.4/?.so"
cpath = root .. "cservice/?.so"
]]

describe("skynet", function()
  if not skynet or os.getenv "MODM_FLAVOUR" ~= "lua5.4" then
    pending "SKYNET does not name the folder of a skynet, or this is not Lua 5.4"
    return
  end

  it("waits for twenty finds at once, while others go on", function()
    local path = process.folder "skynet" .. "/config"
    local file = assert(io.open(path, "w"))
    file:write(config:format(skynet))
    file:close()
    local pipe = assert(io.popen(("SKYNET_SPEC_URI='%s' timeout 30 %s/skynet %s 2>&1")
      :format(server.fresh "skynet", skynet, path)))
    local text = pipe:read "*a"
    pipe:close()
    local function has(line)
      assert.is_truthy(text:find("skynet_spec: " .. line, 1, true), text)
    end
    has("found " .. ("x"):rep(20) .. ", at once, others went on")
    has "limit TimeoutError"
    has "ended well"
  end)
end)
