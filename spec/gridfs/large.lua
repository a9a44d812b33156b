-- A file of 200 MB up and down, in a process of its own: prints the most memory it had, in KiB.
local modm = require "modm"

local SIZE, PIECE = 200 * 1024 * 1024, 64 * 1024
assert(modm.connect(arg[1]))
local storage = modm.GridFSStorage()
local piece, sent = ("0123456789abcdef"):rep(PIECE / 16), 0
local id = assert(storage:save("large", { read = function()
  if sent == SIZE then return nil end
  sent = sent + PIECE
  return piece
end }))
local file, got = assert(storage:open(id)), 0
for part in file:lines(PIECE) do
  assert(part == piece)
  got = got + #part
end
assert(got == SIZE and file.length == SIZE)
for line in io.lines "/proc/self/status" do
  local peak = line:match "^VmHWM:%s*(%d+)"
  if peak then print(peak) end
end
