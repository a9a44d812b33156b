-- The blocking transport: runs an operation here and now, and the whole program waits for it.
--
-- A transport is one function, run(op, seconds, canceller): it has the operation run to its end, by
-- whatever waits, and says whether it went well. Only here may modm wait for a server.
local blocking = { name = "blocking" }

---@param op userdata a modm.Op
---@return boolean ok
function blocking.run(op)
  return op:run()
end

return blocking
