-- Memory that runs out anywhere: nothing leaks, no document is left half changed. The allocator
-- that fails is a C program's (oom.c); LuaJIT has its own.
local function run(command)
  local pipe = io.popen("(" .. command .. ") 2>&1; echo $?")
  local out = pipe:read "*a"
  pipe:close()
  return out:match "^(.-)(%d+)%s*$"
end

describe("memory that runs out", function()
  if rawget(_G, "jit") then
    pending "cannot be tried under LuaJIT"
    return
  end

  it("leaks nothing and leaves documents as they were", function()
    local program = os.tmpname()
    local text, status = run("env -u LD_PRELOAD cc -o " .. program
      .. " spec/regress/oom.c $(pkg-config --cflags --libs lua5.4)")
    assert.equal("0", status, text)
    text, status = run(program .. " spec/regress/oom.lua")
    os.remove(program)
    assert.equal("0", status, text)
    assert.is_true(tonumber(text:match "%d+") > 500, text)
  end)
end)
