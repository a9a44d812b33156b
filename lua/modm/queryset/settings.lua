--- The steps of querysets that say how the server is to do what an end asks: hint, collation,
-- comment, max_time, timeout, batch_size, session. They hold for every end that sends a command
-- which takes them.

local base = require "modm.queryset.base"
local core = require "modm.core"
local misuse = require "modm.misuse"
local session = require "modm.session"

---@class modm.QuerySet
local QuerySet = base.QuerySet

--- The index to use: its name, or its keys as order_by takes them in a table.
---@param index string|table
---@return modm.QuerySet
function QuerySet:hint(index)
  if type(index) == "string" then return base.step(self, { hint = index }) end
  if type(index) ~= "table" or #index == 0 then
    misuse("%s: a hint is the name of an index, or its keys", self._meta.name)
  end
  return base.step(self, { hint = core.ordered(self:order_by(index)._how.order) })
end

--- How texts are compared and put in order.
---@param collation table|string { locale = "de", ... }, or a locale
---@return modm.QuerySet
function QuerySet:collation(collation)
  if type(collation) == "string" then collation = { locale = collation } end
  if type(collation) ~= "table" then
    misuse("%s: a collation is a table or a locale", self._meta.name)
  end
  return base.step(self, { collation = collation })
end

--- What the server writes beside the operation into its log, its profile and currentOp.
---@param text string
---@return modm.QuerySet
function QuerySet:comment(text)
  if type(text) ~= "string" then misuse("%s: a comment is a text", self._meta.name) end
  return base.step(self, { comment = text })
end

--- How long one command may take on the server, in milliseconds; 0 takes the limit away. What takes
--- longer is a ServerError with the code 50, MaxTimeMSExpired.
---@param ms integer
---@return modm.QuerySet
function QuerySet:max_time(ms)
  return base.step(self, { max_time = base.check_count(self, "max_time", ms) > 0 and ms })
end

--- How long each of its operations may take, in milliseconds; 0 takes the limit away. With the pool
--- transport the caller gets a TimeoutError then; with any other the server is told the limit, and
--- what takes longer there is a ServerError with the code 50.
---@param ms integer
---@return modm.QuerySet
function QuerySet:timeout(ms)
  return base.step(self, { timeout = base.check_count(self, "timeout", ms) > 0 and ms })
end

--- How many documents the server sends at once.
---@param n integer
---@return modm.QuerySet
function QuerySet:batch_size(n)
  return base.step(self, { batch_size = base.check_count(self, "batch_size", n) > 0 and n })
end

--- What the queryset asks is part of this session; with false of none, also in a transaction.
---@param value modm.Session|false
---@return modm.QuerySet
function QuerySet:session(value)
  value = session.check(self._meta, value)
  return base.step(self, { session = value or "none" })
end

return QuerySet
