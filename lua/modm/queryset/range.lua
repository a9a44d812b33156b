--- The steps of querysets that put documents in order and take a part: order_by, limit, slice, ...

local base = require "modm.queryset.base"
local misuse = require "modm.misuse"
local order = require "modm.queryset.order"

---@class modm.QuerySet
local QuerySet = base.QuerySet

--- Sorts: "name", "-name", { "name", 1 }, or lists of them. Replaces an earlier order.
---@param ... string|table
---@return modm.QuerySet
function QuerySet:order_by(...)
  local list = order.pairs_of(self._meta.name, function(name)
    return base.stored_names(self, name)[1]
  end, ...)
  return base.step(self, { order = #list > 0 and list })
end

--- The other way round; without an order nothing changes.
---@return modm.QuerySet
function QuerySet:reverse()
  local list = {}
  for i, item in ipairs(self._how.order or {}) do
    list[i] = { item[1], type(item[2]) == "number" and -item[2] or item[2] }
  end
  return base.step(self, { order = #list > 0 and list })
end

--- At most n documents; 0 takes the limit away.
---@param n integer
---@return modm.QuerySet
function QuerySet:limit(n)
  return base.step(self, { limit = base.check_count(self, "limit", n) > 0 and n })
end

--- Leaves out the first n.
---@param n integer
---@return modm.QuerySet
function QuerySet:skip(n) return base.step(self, { skip = base.check_count(self, "skip", n) }) end

--- The documents from the place `from` to the place `to`, counted from 1, both included, of what
--- this queryset gives; to the end without `to`. Empty when `to` lies before `from`.
---@param from integer
---@param to integer|nil
---@return modm.QuerySet
function QuerySet:slice(from, to)
  if base.check_count(self, "slice", from) < 1 then
    misuse("%s: a slice begins at 1", self._meta.name)
  end
  local length = to and base.check_count(self, "slice", to) - from + 1
  local left = self._how.limit and self._how.limit - (from - 1)
  if left and (not length or left < length) then length = left end
  if length and length < 1 then return base.step(self, { empty = true }) end
  return base.step(self, { skip = self._how.skip + from - 1, limit = length or false })
end

return QuerySet
