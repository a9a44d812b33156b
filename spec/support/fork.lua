-- Forks by LuaJIT's FFI; for Lua 5.4 it would take a library, and the C code is the same.
local fork = {}

if not jit then return fork end

local ffi = require "ffi"
ffi.cdef [[
  int fork (void);
  int waitpid (int pid, int *status, int options);
  void _exit (int status);
]]

-- Runs f in a child; true when it returned true there.
function fork.child(f)
  local pid = ffi.C.fork()
  if pid == 0 then
    local ok, good = pcall(f)
    if not ok then
      io.stderr:write(tostring(good), "\n")
    end
    -- What counts coverage writes its counts in exit, which _exit passes by.
    local exit = os.getenv "MODM_COVER" and os.exit or ffi.C._exit
    exit(ok and good and 0 or 1)
  end
  local status = ffi.new("int[1]")
  assert(pid == ffi.C.waitpid(pid, status, 0), "waitpid")
  return status[0] == 0
end

return fork
