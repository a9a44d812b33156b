--- Documents that get larger with each save.

local core = require "modm.core"

local growth = {}

-- Documents that are remembered; all are forgotten when there are more.
local MOST = 10000

--- Makes what is told of saved documents.
---@param times integer saves in a row that made it larger
---@param bytes integer smaller ones do not matter
---@param warn fun(kind: string, place: string?, text: string, more: table)
---@param place fun(): string?
---@return fun(doc: modm.Document, meta: table)
function growth.new(times, bytes, warn, place)
  local seen, count = {}, 0
  return function(doc, meta)
    local encoded = core.encode_document(doc)
    local id = meta.name .. "\n" .. tostring(core.key(doc))
    local one = seen[id]
    if not one then
      if count >= MOST then seen, count = {}, 0 end
      one, count = { size = #encoded, grown = 0 }, count + 1
      seen[id] = one
      return
    end
    one.grown = #encoded > one.size and one.grown + 1 or 0
    one.size = #encoded
    if one.grown >= times and one.size >= bytes and not one.told then
      one.told = true
      warn("growing_document", place(), ("%s %s grew with each of its last %d saves, to %d bytes "
        .. "(16 MiB at most): what has no end belongs in documents of its own"):format(meta.name,
        tostring(core.key(doc)), one.grown, one.size), { model = meta.name, key = core.key(doc) })
    end
  end
end

return growth
