-- Judges decode-encode-decode: the bytes are the same, unless a Lua table cannot hold them; then
-- once more gives the same.
local core = require "modm.core"

return function(bytes, regular)
  local ok, value = pcall(core.decode, bytes)
  if not ok then return end
  local written = core.encode(value)
  assert(written == bytes or not regular, "other bytes than were read")
  assert(core.encode(core.decode(written)) == written, "other bytes the second time")
end
