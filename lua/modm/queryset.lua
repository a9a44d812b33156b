--- Querysets: what to find of a model's documents. A queryset never changes; each step gives a new one, and only
-- the ends (list, get, count, delete, ...) and iteration ask the server.
--
-- Steps cannot fail for data: a value that its field refuses is kept, and the end returns it as a ValidationError.
-- What is the program's mistake (an unknown field, a condition that is nil) raises at once.

local core = require "modm.core"
local errors = require "modm.errors"
local misuse = require "modm.misuse"
local registry = require "modm.registry"
local rows = require "modm.rows"

local unpack = table.unpack or unpack -- luacheck: ignore

local queryset = {}

---@class modm.QuerySet
local QuerySet = {}

local metatables = {} -- class -> metatable of its querysets

local function at(self, index)
  if index < 1 or index % 1 ~= 0 then misuse("%s: an index is a whole number from 1 on", self._meta.name) end
  local doc, _, err = self:slice(index, index):first()
  if not doc then error(err, 0) end
  return doc
end

local function describe(self)
  local parts = { #self._parts .. (#self._parts == 1 and " condition" or " conditions") }
  if self._skip > 0 then parts[#parts + 1] = "skip " .. self._skip end
  if self._limit then parts[#parts + 1] = "limit " .. self._limit end
  return ("modm.QuerySet of %s (%s)"):format(self._meta.name, table.concat(parts, ", "))
end

local function metatable_of(class)
  local metatable = metatables[class]
  if metatable then return metatable end
  metatable = {
    __name = "modm.QuerySet",
    __index = function(self, key)
      if type(key) == "number" then return at(self, key) end
      return class[key]
    end,
    __newindex = function() misuse("a queryset does not change: its methods give new ones") end,
    __tostring = describe,
  }
  metatables[class] = metatable
  return metatable
end

--- A queryset of all documents of a model.
---@param class table QuerySet or what extends it
---@param meta table
---@return modm.QuerySet
function queryset.new(class, meta)
  return setmetatable({ _class = class, _meta = meta, _parts = {}, _skip = 0 }, metatable_of(class))
end

---@param value any
---@return boolean
function queryset.is_class(value)
  while type(value) == "table" and value ~= QuerySet do
    local metatable = getmetatable(value)
    value = metatable and metatable.__index
  end
  return value == QuerySet
end

--- Makes a class of querysets with methods of one's own, for Manager.from_queryset.
---@param methods table<string, function>
---@return table class
function QuerySet:extend(methods)
  if type(methods) ~= "table" then misuse("QuerySet:extend: a table of methods expected") end
  local class = {}
  for name, method in pairs(methods) do class[name] = method end
  return setmetatable(class, { __index = self })
end

-- A copy with changes; a false value takes the key away.
local function step(self, changes)
  local copy = {}
  for key, value in next, self do copy[key] = value end
  for key, value in next, changes do copy[key] = value or nil end
  return setmetatable(copy, metatable_of(self._class))
end

-- Names ("a", "b") or one list of them.
local function names_of(self, what, ...)
  local first = ...
  local names = type(first) == "table" and first or { ... }
  for i = 1, type(first) == "table" and #first or select("#", ...) do
    if type(names[i]) ~= "string" then
      misuse("%s: %s takes names of fields, not a %s", self._meta.name, what, type(names[i]))
    end
  end
  return names
end

local function count_option(self, what, n)
  if type(n) ~= "number" or n < 0 or n % 1 ~= 0 then
    misuse("%s: %s takes a whole number that is not negative", self._meta.name, what)
  end
  return n
end

-- ---- conditions ----

-- With one condition more, in BSON; or with the error of the first that could not be.
local function narrowed(self, bytes, message, path, is_misuse)
  local name = self._meta.name
  if not bytes then
    local where = path ~= "" and name .. "." .. path or name
    if is_misuse then misuse("%s", message:find(name, 1, true) == 1 and message or where .. ": " .. message) end
    local err = errors.new("ValidationError", where .. ": " .. message,
      { model = name, errors = path ~= "" and { [path] = { message } } or {} })
    return step(self, { _error = self._error or err })
  end
  local parts = { unpack(self._parts) }
  parts[#parts + 1] = bytes
  return step(self, { _parts = parts })
end

--- Says that all documents are meant, which update and delete of everything ask for.
---@return modm.QuerySet
function QuerySet:all() return step(self, { _all = true }) end

--- Documents that fit all the conditions: names of fields (dotted into embedded documents, lists and dicts) with
--- values or operators, and modm.any_of, all_of, none_of as items. Raises for an unknown field and for a filter
--- without a condition; a value that its field refuses becomes the error of the queryset's end.
---@param conditions table
---@return modm.QuerySet
function QuerySet:filter(conditions)
  if type(conditions) ~= "table" then
    misuse("%s: filter takes a table of names and values", self._meta.name)
  end
  return narrowed(self, core.filter(self._meta.schema, conditions))
end

--- The same in MongoDB's own words, as PyMongo has them: stored names, operators, values as they are. Never give it
--- a table that came from outside.
---@param query table
---@return modm.QuerySet
function QuerySet:raw(query)
  if type(query) ~= "table" then misuse("%s: raw takes a table", self._meta.name) end
  if next(query) == nil then
    misuse("%s: raw{} matches everything (a nil in a table leaves nothing behind): say all()", self._meta.name)
  end
  return narrowed(self, core.raw_filter(query))
end

local operators = require "modm.operators"

-- What where() calls the operators, besides their names.
local signs = {
  ["="] = "eq", ["=="] = "eq", ["!="] = "ne", ["~="] = "ne", [">"] = "gt", [">="] = "gte", ["<"] = "lt",
  ["<="] = "lte", ["in"] = "one_of", ["not in"] = "not_in",
}

--- One condition: where("age", 5), where("age", ">=", 5), where("tags", "in", {...}). A nil raises.
---@param name string a field, dotted
---@param ... any a value or operator; or an operator's sign or name, and its value
---@return modm.QuerySet
function QuerySet:where(name, ...)
  local n, value, operand = select("#", ...), ...
  if type(name) ~= "string" then misuse("%s: where takes the name of a field", self._meta.name) end
  if n ~= 1 and n ~= 2 then misuse("%s: where takes a name, perhaps an operator, and a value", self._meta.name) end
  local last = operand
  if n == 1 then last = value end
  if last == nil then
    misuse("%s: where(\"%s\") got nil; modm.null is the database's null", self._meta.name, name)
  end
  if n == 2 then
    local make = operators[signs[value] or value]
    if not make then misuse("%s: where knows no operator '%s'", self._meta.name, tostring(value)) end
    local ok, made = pcall(make, operand)
    if not ok then misuse("%s: %s", self._meta.name, made) end
    value = made
  end
  return narrowed(self, core.filter(self._meta.schema, { [name] = value }))
end

-- ---- order and range ----

-- The stored name of a field, or a misuse; and the places of _cls on the way.
local function stored_name(self, name)
  local found = { core.stored_name(self._meta.schema, name) }
  if not found[1] then misuse("%s", found[2]) end
  return unpack(found)
end

local function add_order(self, list, item)
  local name, direction = item, 1
  if type(item) == "table" and type(item[1]) == "string" and item[2] ~= nil and type(item[2]) ~= "string" then
    name, direction = item[1], item[2]
  elseif type(item) == "table" then
    for _, one in ipairs(item) do add_order(self, list, one) end
    return
  elseif type(item) == "string" and item:sub(1, 1) == "-" then
    name, direction = item:sub(2), -1
  end
  if type(name) ~= "string" then
    misuse("%s: an order is \"name\", \"-name\" or { \"name\", 1 or -1 }", self._meta.name)
  end
  if type(direction) == "table" then -- {["$meta"] = "textScore"}: no field
    list[#list + 1] = { name, direction }
  elseif direction == 1 or direction == -1 then
    list[#list + 1] = { (stored_name(self, name)), direction }
  else
    misuse("%s: the direction of '%s' must be 1 or -1", self._meta.name, name)
  end
end

--- Sorts: "name", "-name", { "name", 1 }, or lists of them. Replaces an earlier order.
---@param ... string|table
---@return modm.QuerySet
function QuerySet:order_by(...)
  local list = {}
  for i = 1, select("#", ...) do add_order(self, list, (select(i, ...))) end
  return step(self, { _order = #list > 0 and list })
end

--- The other way round; without an order nothing changes.
---@return modm.QuerySet
function QuerySet:reverse()
  local list = {}
  for i, item in ipairs(self._order or {}) do
    list[i] = { item[1], type(item[2]) == "number" and -item[2] or item[2] }
  end
  return step(self, { _order = #list > 0 and list })
end

--- At most n documents; 0 takes the limit away.
---@param n integer
---@return modm.QuerySet
function QuerySet:limit(n)
  return step(self, { _limit = count_option(self, "limit", n) > 0 and n })
end

--- Leaves out the first n.
---@param n integer
---@return modm.QuerySet
function QuerySet:skip(n) return step(self, { _skip = count_option(self, "skip", n) }) end

--- The documents from the place `from` to the place `to`, counted from 1, both included, of what this queryset gives;
--- to the end without `to`. Empty when `to` lies before `from`.
---@param from integer
---@param to integer|nil
---@return modm.QuerySet
function QuerySet:slice(from, to)
  if count_option(self, "slice", from) < 1 then misuse("%s: a slice begins at 1", self._meta.name) end
  local length = to and count_option(self, "slice", to) - from + 1
  local left = self._limit and self._limit - (from - 1)
  if left and (not length or left < length) then length = left end
  if length and length < 1 then return step(self, { _empty = true }) end
  return step(self, { _skip = self._skip + from - 1, _limit = length or false })
end

-- ---- what is fetched, and how ----

-- With pairs of stored name and 1 or 0 added to its projection.
local function projected(self, kind, list)
  local all, there = {}, {}
  if self._projection and self._projection_kind ~= kind then
    misuse("%s: %s cannot be joined with %s", self._meta.name, kind, self._projection_kind)
  end
  for _, pairs_of in ipairs { self._projection or {}, list } do
    for _, pair in ipairs(pairs_of) do
      if not there[pair[1]] then all[#all + 1], there[pair[1]] = pair, true end
    end
  end
  return step(self, { _projection = all, _projection_kind = kind })
end

--- Fetches only these fields, and the key and the class always. What was not fetched cannot be read, and saving does
--- not touch it.
---@param ... string
---@return modm.QuerySet
function QuerySet:only(...)
  local list = { { "_id", 1 } }
  if core.class_name(self._meta.schema) then list[2] = { "_cls", 1 } end
  for _, name in ipairs(names_of(self, "only", ...)) do
    for _, stored in ipairs { stored_name(self, name) } do list[#list + 1] = { stored, 1 } end
  end
  return projected(self, "only", list)
end

--- Fetches all but these fields. The key is always there.
---@param ... string
---@return modm.QuerySet
function QuerySet:exclude(...)
  local list = {}
  for _, name in ipairs(names_of(self, "exclude", ...)) do
    local stored = stored_name(self, name)
    if stored ~= "_id" then list[#list + 1] = { stored, 0 } end
  end
  return projected(self, "exclude", list)
end

--- A projection in MongoDB's own words, with stored names. Replaces an earlier one.
---@param spec table
---@return modm.QuerySet
function QuerySet:project(spec)
  if type(spec) ~= "table" or next(spec) == nil then
    misuse("%s: project takes a table, { name = 1 or 0, ... }", self._meta.name)
  end
  return step(self, { _projection = core.decode(core.encode(spec)), _projection_kind = "project" })
end

--- Gives tables under stored names instead of instances.
---@return modm.QuerySet
function QuerySet:values() return step(self, { _values = true }) end

--- Fetches what the documents refer to along with them, one query for each collection and level of a batch.
---@param ... string names, dotted; all references without
---@return modm.QuerySet
function QuerySet:select_related(...)
  return step(self, { _related = names_of(self, "select_related", ...) })
end

---@param collation table|string { locale = "de", ... }, or a locale
---@return modm.QuerySet
function QuerySet:collation(collation)
  if type(collation) == "string" then collation = { locale = collation } end
  if type(collation) ~= "table" then misuse("%s: a collation is a table or a locale", self._meta.name) end
  return step(self, { _collation = collation })
end

--- The index to use: its name, or its keys as order_by takes them in a table.
---@param index string|table
---@return modm.QuerySet
function QuerySet:hint(index)
  if type(index) ~= "table" then
    if type(index) ~= "string" then misuse("%s: a hint is the name of an index, or its keys", self._meta.name) end
    return step(self, { _hint = index })
  end
  local list = {}
  add_order(self, list, index)
  return step(self, { _hint = core.ordered(list) })
end

--- How many documents the server sends at once.
---@param n integer
---@return modm.QuerySet
function QuerySet:batch_size(n)
  return step(self, { _batch_size = count_option(self, "batch_size", n) > 0 and n })
end

-- ---- opening ----

-- The projection as a table for the server, without what a named parent already takes in.
local function projection_of(self)
  local list = self._projection
  if not list or self._projection_kind == "project" then return list end
  local there, kept = {}, {}
  for _, pair in ipairs(list) do there[pair[1]] = true end
  for _, pair in ipairs(list) do
    local inside = false
    for dot in pair[1]:gmatch "()%." do inside = inside or there[pair[1]:sub(1, dot - 1)] end
    if not inside then kept[#kept + 1] = pair end
  end
  return #kept > 0 and core.ordered(kept) or nil
end

local function wrapped(value, key)
  if value == nil or type(value) == "table" then return value end
  return { [key] = value }
end

-- Options that all that reads has.
local function read_options(self)
  return {
    collation = self._collation or self._meta.collation,
    hint = self._hint,
    batchSize = self._batch_size,
    readConcern = wrapped(self._meta.read_concern, "level"),
  }
end

--- The options of a write of this model, for the driver.
---@param meta table
---@return table|nil
function queryset.write_options(meta)
  local concern = wrapped(meta.write_concern, "w")
  return concern and { writeConcern = concern }
end

--- The connection, database and collection, after a look for an error that a step has kept.
---@param self modm.QuerySet
---@return table|nil connection
---@return string database or the message
---@return string|modm.Error collection or the error
function queryset.open(self)
  if self._error then return errors.failure(self._error) end
  return self._meta:open()
end

--- All conditions, with the class filter, in BSON.
---@param self modm.QuerySet
---@return string
function queryset.conditions(self) return core.join(self._meta.schema, self._parts) end

--- The operation that finds the documents.
---@param self modm.QuerySet
---@param limit integer|nil instead of the queryset's own
---@return modm.Source|nil, string?, modm.Error?
function queryset.source(self, limit)
  local conn, database, collection = queryset.open(self)
  if not conn then return nil, database, collection end
  local options = read_options(self)
  local projection = projection_of(self)
  options.projection = projection
  options.sort = self._order and core.ordered(self._order)
  options.skip = self._skip > 0 and self._skip or nil
  options.limit = limit or self._limit
  local op, message = core.query_find(conn.client, database, collection, queryset.conditions(self), options,
    wrapped(self._meta.read_preference, "mode"))
  if not op then
    return errors.failure(errors.new("OperationError", self._meta.name .. ": " .. message))
  end
  return {
    name = self._meta.name, conn = conn, op = op, schema = not self._values and self._meta.schema or nil,
    projection = projection and not self._values and core.encode(projection) or nil,
    related = not self._values and self._related or nil,
  }
end

local function nothing() end

-- ---- ends ----

--- Iterates: `for post in Post.objects:all():iter() do`. The documents come in batches, so that memory stays small
--- however many there are. Raises error objects, as it cannot return them.
---@return fun(): modm.Document|table|nil
function QuerySet:iter()
  if self._empty and not self._error then return nothing end
  local source, _, err = queryset.source(self)
  if not source then error(err, 0) end
  return rows.iterate(source)
end

local function list(self, limit)
  if self._empty and not self._error then return {} end
  local source, message, err = queryset.source(self, limit)
  if not source then return nil, message, err end
  return rows.list(source)
end

--- All documents, as a list.
---@return modm.Document[]|table[]|nil, string? message, modm.Error? err
function QuerySet:list() return list(self) end

local function none(self)
  return errors.failure(errors.new(self._meta.DoesNotExist, self._meta.name .. ": there is no such document"))
end

--- The first document. DoesNotExist when there is none.
---@return modm.Document|table|nil, string? message, modm.Error? err
function QuerySet:first()
  local found, message, err = list(self, 1)
  if not found then return nil, message, err end
  if not found[1] then return none(self) end
  return found[1]
end

--- The one document. DoesNotExist when there is none, MultipleObjectsReturned when there are several.
---@param conditions table|nil as filter takes them; :raw(query):get() takes MongoDB's own words
---@return modm.Document|table|nil, string? message, modm.Error? err
function QuerySet:get(conditions)
  if conditions ~= nil then self = self:filter(conditions) end
  local found, message, err = list(self, self._limit and math.min(self._limit, 2) or 2)
  if not found then return nil, message, err end
  if not found[1] then return none(self) end
  if found[2] then
    return errors.failure(errors.new(self._meta.MultipleObjectsReturned,
      self._meta.name .. ": there are several such documents"))
  end
  return found[1]
end

-- A source of rows: the queryset's own part as stages, then those given.
local function pipeline(self, stages, options, projection)
  local conn, database, collection = queryset.open(self)
  if not conn then return nil, database, collection end
  local all = {}
  if self._empty then all[1] = { ["$match"] = { _id = { ["$in"] = core.array {} } } } end
  if self._order then all[#all + 1] = { ["$sort"] = core.ordered(self._order) } end
  if self._skip > 0 then all[#all + 1] = { ["$skip"] = self._skip } end
  if self._limit then all[#all + 1] = { ["$limit"] = self._limit } end
  if projection then all[#all + 1] = { ["$project"] = projection } end
  for _, stage in ipairs(stages) do all[#all + 1] = stage end
  local merged = read_options(self)
  for name, value in pairs(options or {}) do merged[name] = value end
  local filter = (#self._parts > 0 or core.class_name(self._meta.schema)) and queryset.conditions(self) or nil
  local op, message = core.query_aggregate(conn.client, database, collection, filter, all, merged,
    wrapped(self._meta.read_preference, "mode"))
  if not op then
    return errors.failure(errors.new("OperationError", self._meta.name .. ": " .. message))
  end
  return { name = self._meta.name, conn = conn, op = op }
end

--- How many documents there are, within limit and skip.
---@return integer|nil, string? message, modm.Error? err
function QuerySet:count()
  if self._empty and not self._error then return 0 end
  local bare = step(self, { _order = false, _batch_size = false })
  local source, message, err = pipeline(bare, { { ["$group"] = { _id = 1, n = { ["$sum"] = 1 } } } })
  if not source then return nil, message, err end
  local found
  found, message, err = rows.list(source)
  if not found then return nil, message, err end
  return found[1] and found[1].n or 0
end

local function is_stage(value)
  local key = type(value) == "table" and next(value)
  return type(key) == "string" and key:sub(1, 1) == "$" and next(value, key) == nil
end

--- Runs stages over what the queryset finds: its conditions, order, range and projection come first.
---@param ... table stages, as in PyMongo; a last table without $ holds options (allowDiskUse, batchSize, ...)
---@return modm.Rows tables: :iter(), :list(), :first()
function QuerySet:aggregate(...)
  local stages, options = { ... }, nil
  local last = stages[#stages]
  if #stages ~= select("#", ...) then misuse("%s: a stage of the aggregation is nil", self._meta.name) end
  if type(last) == "table" and not is_stage(last) and last[1] == nil then
    options = last
    stages[#stages] = nil
  end
  for i, stage in ipairs(stages) do
    if not is_stage(stage) then
      misuse("%s: stage %d of the aggregation must be a table with one key, { [\"$...\"] = ... }",
        self._meta.name, i)
    end
  end
  return rows.new(function() return pipeline(self, stages, options, projection_of(self)) end)
end

--- Makes a document and saves it.
---@param values table
---@return modm.Document|nil, string? message, modm.Error? err
function QuerySet:create(values)
  local ok, doc = pcall(self._meta.model, values)
  if not ok then
    if type(doc) ~= "string" then error(doc, 0) end
    misuse("%s", (doc:gsub("^[^\n:]+:%d+: ", "")))
  end
  return doc:save()
end

local function saving() return require "modm.saving" end

--- Inserts many documents. Returns their keys in order, or with `retrieve` the instances, which have them too. When
--- some fail, err.failures lists them: { index, message, code, document }.
---@param documents modm.Document[]|modm.Document
---@param options { retrieve: boolean?, full_clean: boolean?, ordered: boolean? }|nil full_clean (true): validate all
--- before anything is sent; ordered (true): stop at the first that fails
---@return any[]|nil, string? message, modm.Error? err
function QuerySet:bulk_create(documents, options) return saving().bulk_create(self, documents, options) end

--- Changes all documents of the queryset. Everything needs all() before it.
---@param update table in MongoDB's own words: { ["$set"] = {...} }, or a list of stages
---@param options { upsert: boolean?, array_filters: table[]? }|nil
---@return integer|nil modified, string? message, modm.Error? err
function QuerySet:update(update, options) return saving().update(self, update, options) end

--- Deletes all documents of the queryset, with the delete rules of the models that refer to them. Everything needs
--- all() before it.
---@return integer|nil deleted, string? message, modm.Error? err
function QuerySet:delete() return saving().delete(self) end

--- Whether a document is of a model, or of one that extends it.
---@param value any
---@param meta table
---@return boolean
function queryset.is_instance(value, meta)
  local found = registry.meta(core.model_of(value))
  while found and found ~= meta do found = found.parent end
  return found ~= nil
end

queryset.QuerySet = QuerySet

return queryset
