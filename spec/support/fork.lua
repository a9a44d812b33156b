-- Runs a function in a forked process; forking.c is a module of the specs.
local forking = require "forking"

local fork = {}

-- Runs f in a child; true when it returned true there.
function fork.child(f)
  local pid = forking.fork()
  if pid == 0 then
    local ok, good = pcall(f)
    if not ok then
      io.stderr:write(tostring(good), "\n")
    end
    -- What counts coverage writes its counts in exit, which _exit passes by.
    local exit = os.getenv "MODM_COVER" and os.exit or forking.exit
    exit(ok and good and 0 or 1)
  end
  local status, signal = forking.wait(pid)
  if signal then io.stderr:write("the child ended by signal ", signal, "\n") end
  return status == 0
end

return fork
