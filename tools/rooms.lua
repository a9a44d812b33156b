-- Fails when a file of csrc includes a room that its own may not use: lua5.4 tools/rooms.lua [csrc]
local csrc = arg[1] or "csrc"

-- A room uses those to its left; every room uses compat.
local order = { "base", "bson", "field", "schema", "codec", "document", "query", "relation" }
local uses = { compat = { compat = true } }
for i, room in ipairs(order) do
  uses[room] = { compat = true }
  for left = 1, i do
    uses[room][order[left]] = true
  end
end
uses.driver = { driver = true, base = true, bson = true, compat = true }

-- The word of these two rooms with the server is the driver's surface alone.
local may_also = {
  query = { ["driver/driver.h"] = true },
  relation = { ["driver/driver.h"] = true },
}

local mongoc = "only driver knows libmongoc"

-- Why `room` may not include `path`, or nil.
local function objection(room, path, quoted)
  if not quoted then
    local wrapper = room == "driver" or room == "compat"
    return path:match("^mongoc/") and not wrapper and mongoc or nil
  end
  local target = path:match("^([%w_]+)/")
  if not target then
    return 'write it "room/file.h"'
  end
  if path:match("_private%.h$") and target ~= room then
    return "private to " .. target
  end
  if path == "compat/mongoc.h" and room ~= "driver" and room ~= "compat" then
    return mongoc
  end
  if room == "modm.c" or (may_also[room] and may_also[room][path]) then
    return nil
  end
  if not uses[room] then
    return "there is no room " .. room
  end
  if not uses[room][target] then
    return room .. " may not use " .. target
  end
end

local bad, files = 0, 0
for file in io.popen("find '" .. csrc .. "' -name '*.[ch]' | sort"):lines() do
  local room = file:sub(#csrc + 2):match("^[^/]+")
  files = files + 1
  local number = 0
  for line in io.lines(file) do
    number = number + 1
    local mark, path = line:match('^%s*#%s*include%s*(["<])([^">]+)[">]')
    local why = path and objection(room, path, mark == '"')
    if why then
      bad = bad + 1
      io.stderr:write(("%s:%d: includes %s: %s\n"):format(file, number, path, why))
    end
  end
end
print(("rooms: %d files, %d arrows the wrong way"):format(files, bad))
os.exit(bad == 0)
