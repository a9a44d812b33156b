--- The same query again and again from one line: a loop that should be one query.

local repeats = {}

local reads = { find = true, aggregate = true, count = true, distinct = true }
-- Seconds of quiet after which the same line is another loop.
local QUIET = 1

--- Makes what looks at operations.
---@param most integer so many are no loop yet
---@param warn fun(kind: string, place: string?, text: string, more: table)
---@param clock fun(): number seconds
---@return fun(operation: modm.Operation)
function repeats.new(most, warn, clock)
  local seen = {} -- place and shape -> { n = how often, at = when last }
  return function(operation)
    if not reads[operation.name] or not operation.place then return end
    local shape, now = operation.place .. "\n" .. operation.query, clock()
    local one = seen[shape]
    if not one or now - one.at > QUIET then
      one = { n = 0, told = one and one.told }
      seen[shape] = one
    end
    one.n, one.at = one.n + 1, now
    if one.n > most and not one.told then
      one.told = true
      warn("repeated_query", operation.place, ("the same %s of '%s' was sent %d times from this "
        .. "line: fetch it at once, with one_of, in_bulk or select_related"):format(operation.name,
        tostring(operation.collection), one.n), { operation = operation })
    end
  end
end

return repeats
