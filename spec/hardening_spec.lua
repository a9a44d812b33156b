-- The built module: what it exports, and the protections that the compiler and linker give.
local flavour = os.getenv "MODM_FLAVOUR" or (jit and "luajit" or "lua5.4")

local function output(command)
  local pipe = assert(io.popen("env -u LD_PRELOAD " .. command .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

describe("the built module", function()
  it("exports luaopen_modm_core and nothing else", function()
    local symbols = output(("nm -D --defined-only build/%s/modm/core.so"):format(flavour))
    assert.matches("^%x+ T luaopen_modm_core\n$", symbols)
  end)

  if flavour:find "^asan" then return end -- what follows would stand in the sanitizers' way

  it("is hardened", function()
    assert.are.equal("", output(("tools/check-hardening build/%s/modm/core.so"):format(flavour)))
  end)

  it("has places to jump to, where the processor knows of them", function()
    local header = output(("readelf -hW build/%s/obj/modm.o"):format(flavour))
    if not header:find "X86%-64" then return end
    local notes = output(("readelf -nW build/%s/obj/modm.o"):format(flavour))
    assert.is_truthy(notes:find "IBT" and notes:find "SHSTK", notes)
  end)

  it("complains of a module that is not", function()
    local said = output "tools/check-hardening $(ls /lib/*/libc.so.6 /lib/libc.so.6 2>/dev/null)"
    assert.is_truthy(said:find "exports other symbols")
    assert.is_truthy(said:find "NODELETE" or said:find "nodelete")
  end)
end)
