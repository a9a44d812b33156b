--- What cannot be the name of a collection, said before the server is asked.

local core = require "modm.core"

local collection_name = {}

-- The server takes 255 bytes for "database.collection"; a database has up to 63 of them.
local MOST = 255 - 64

--- What is wrong with a name, or nil. A name ends with its first NUL on the way to the server, so
--- one with more behind it would be another collection.
---@param name string
---@return string|nil problem
function collection_name.problem(name)
  if name == "" then return "it is empty" end
  if name:find "%z" then return "it holds a NUL byte" end
  if name:find("$", 1, true) then return "it holds a $" end
  if name:find "^%." or name:find "%.$" or name:find("..", 1, true) then
    return "it begins or ends with a dot, or has two together"
  end
  if not core.is_utf8(name) then return "it is not valid UTF-8" end
  if #name > MOST then return ("it has more than %d bytes"):format(MOST) end
end

return collection_name
