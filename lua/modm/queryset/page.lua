--- Pages by the keys of their ends: QuerySet:page.

local base = require "modm.queryset.base"
local core = require "modm.core"
local errors = require "modm.errors"
local keyset = require "modm.queryset.keyset"
local misuse = require "modm.misuse"

---@class modm.QuerySet
local QuerySet = base.QuerySet

local known_options = { size = "integer", after = "string", before = "string", key = "string" }

---@class modm.Page a list of documents
---@field next string|nil the token of the page after it
---@field previous string|nil the token of the page before it

-- The order of a queryset, which the key makes one without ties.
local function order_of(self)
  local order, has_key = {}, false
  for i, pair in ipairs(self._how.order or {}) do
    if type(pair[2]) ~= "number" then
      misuse("%s: page cannot follow an order by %s, which is no field", self._meta.name, pair[1])
    end
    order[i], has_key = pair, has_key or pair[1] == "_id"
  end
  if not has_key then order[#order + 1] = { "_id", 1 } end
  return order
end

local function described(order)
  local list = {}
  for i, pair in ipairs(order) do list[i] = (pair[2] == 1 and "" or "-") .. pair[1] end
  return table.concat(list, ",")
end

local function reversed(order)
  local list = {}
  for i, pair in ipairs(order) do list[i] = { pair[1], -pair[2] } end
  return list
end

local function failure(self, text)
  return errors.failure(errors.new("TokenError", self._meta.name .. ": " .. text,
    { model = self._meta.name }))
end

-- ---- tokens ----

-- What a document has at a path, a table under stored names.
local function value_at(stored, path)
  for step in path:gmatch "[^.]+" do
    if type(stored) ~= "table" then return core.null end
    if core.type(stored) == "array" then return stored end
    stored = stored[step]
  end
  if stored == nil then return core.null end
  return stored
end

local function stored_form(doc)
  if not core.model_of(doc) then return doc end
  return core.decode((core.encode_document(doc)))
end

-- The token of the place that a document has in an order.
local function token_of(self, doc, order, key)
  local stored, values = stored_form(doc), {}
  for i, pair in ipairs(order) do
    values[i] = value_at(stored, pair[1])
    local rank = keyset.rank(values[i])
    if not rank or core.type(values[i]) == "array" then
      return failure(self, ("page cannot go by '%s' where it holds a list, a pattern or code")
        :format(pair[1]))
    end
  end
  return core.token(core.encode(core.ordered { { "o", described(order) },
    { "v", core.array(values) } }), key)
end

local function values_of(self, token, order, key)
  local bytes = core.token_bytes(token, key)
  local ok, found = pcall(core.decode, bytes or "")
  if not ok or type(found.o) ~= "string" or type(found.v) ~= "table" then
    return failure(self, "this is no token of a page" .. (key and ", or the key did not sign it"
      or ""))
  end
  if found.o ~= described(order) or #found.v ~= #order then
    return failure(self, "the token is of a page in another order")
  end
  for _, value in ipairs(found.v) do
    if not keyset.rank(value) then return failure(self, "this is no token of a page") end
  end
  return found.v
end

-- ---- the page ----

-- With the fields that it is ordered by among those that are fetched.
local function with_keys(self, order)
  if not self._how.projection then return self end
  local kind, there, list = self._how.projection_kind, {}, {}
  if kind == "project" then
    misuse("%s: page cannot know what project leaves of its order: use only or exclude",
      self._meta.name)
  end
  for i, pair in ipairs(self._how.projection) do there[pair[1]], list[i] = true, pair end
  for _, pair in ipairs(order) do
    local name = pair[1]
    if kind == "exclude" and (there[name] or there[name:match "^[^.]*"]) then
      misuse("%s: page needs '%s', which is excluded", self._meta.name, name)
    elseif kind == "only" and not there[name] then
      list[#list + 1] = { name, 1 }
    end
  end
  return base.step(self, { projection = list })
end

local function check(self, given)
  base.check_options("page", given, known_options)
  if type(given) ~= "table" or not given.size or given.size < 1 then
    misuse("%s: page takes a size, { size = 20 }", self._meta.name)
  elseif given.after and given.before then
    misuse("%s: a page is after one token or before one, not both", self._meta.name)
  elseif self._how.limit or self._how.skip > 0 or self._how.empty then
    misuse("%s: a page has a size, not a limit, skip or slice", self._meta.name)
  elseif given.key == "" then
    misuse("%s: the key that signs tokens is empty", self._meta.name)
  end
end

-- Takes away the document that only says that there are more.
local function cut(found, size)
  local more = #found > size
  found[size + 1] = nil
  return more
end

local function turned(list)
  for i = 1, math.floor(#list / 2) do
    list[i], list[#list + 1 - i] = list[#list + 1 - i], list[i]
  end
end

--- One page of the documents, in the queryset's order (by the key without one, and the key breaks
--- ties). Pages are told apart by the values of their ends, not by counting: none is shown twice or
--- left out when others insert and delete meanwhile. Tokens are text for URLs; with a key they are
--- signed, and one that was tampered with is a TokenError.
---@param given { size: integer, after: string?, before: string?, key: string? } size: documents on
--- a page; after, before: the next or previous of another page; key: what signs tokens
---@return modm.Page|nil page a list of documents, with next and previous
---@return string? message
---@return modm.Error? err
function QuerySet:page(given)
  check(self, given)
  local order, backwards = order_of(self), given.before ~= nil
  local set, token = with_keys(self, order), given.after or given.before
  local way = backwards and reversed(order) or order
  if token then
    local values, message, err = values_of(self, token, order, given.key)
    if not values then return nil, message, err end
    set = set:raw(keyset.after(way, values))
  end
  local found, message, err = base.step(set, { order = way, limit = given.size + 1 }):list()
  if not found then return nil, message, err end
  local more = cut(found, given.size)
  if backwards then turned(found) end
  local first, last = found[1], found[#found]
  local has_next = backwards or more
  local has_previous = token ~= nil
  if backwards then has_previous = more end
  if first and has_next then
    found.next, message, err = token_of(self, last, order, given.key)
    if not found.next then return nil, message, err end
  end
  if first and has_previous then
    found.previous, message, err = token_of(self, first, order, given.key)
    if not found.previous then return nil, message, err end
  end
  return found
end

return QuerySet
