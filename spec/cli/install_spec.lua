-- `make install`: the command starts the Lua that it was installed for, and finds modm there.
local modm = require "modm"

local flavour = (os.getenv "MODM_FLAVOUR" or "lua5.4"):gsub("^asan%-", "")
local version = flavour == "luajit" and "5.1" or "5.4"

local function output(command)
  local pipe = io.popen("env -u LD_PRELOAD -u MAKEFLAGS -u MAKELEVEL " .. command .. " 2>&1")
  local text = pipe:read "*a"
  pipe:close()
  return text
end

describe("make install", function()
  local root = output("mktemp -d"):match "%S+"
  teardown(function() os.execute("rm -rf '" .. root .. "'") end)

  it("installs a command that runs", function()
    local at = root .. "/usr"
    assert.equal("", output(("make -s install DESTDIR=%s PREFIX=/usr LUA_VERSION=%s"):format(root,
      version)))
    assert.equal("#!/usr/bin/env " .. flavour, io.lines(at .. "/bin/modm")())
    local share, lib = at .. "/share/lua/" .. version, at .. "/lib/lua/" .. version
    local paths = ("LUA_PATH='%s/?.lua;%s/?/init.lua' LUA_CPATH='%s/?.so'"):format(share, share,
      lib)
    assert.equal(modm._VERSION .. "\n", output(paths .. " " .. at .. "/bin/modm --version"))
  end)
end)
