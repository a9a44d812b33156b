--- Meta.indexes: read, checked and put as the server takes them.

local core = require "modm.core"
local errors = require "modm.errors"
local family = require "modm.relation.family"
local invalid = require "modm.model.invalid"
local options = require "modm.options"

local definition = {}

-- The server's options of an index, by its names, and their types.
local known = {
  name = "string", unique = "boolean", sparse = "boolean", hidden = "boolean",
  background = "boolean", prepareUnique = "boolean", v = "integer", storageEngine = "table",
  expireAfterSeconds = "integer", partialFilterExpression = "table", collation = "table",
  wildcardProjection = "table",
  weights = "table", default_language = "string", language_override = "string",
  textIndexVersion = "integer",
  ["2dsphereIndexVersion"] = "integer", bits = "integer", min = "number", max = "number",
}

-- Options that make sense for one kind of key only.
local kind_of_option = {
  weights = "text", default_language = "text", language_override = "text",
  textIndexVersion = "text", ["2dsphereIndexVersion"] = "2dsphere",
  bits = "2d", min = "2d", max = "2d", wildcardProjection = "$**",
}

local directions = {
  [1] = 1, [-1] = -1, text = "text", hashed = "hashed", ["2d"] = "2d", ["2dsphere"] = "2dsphere",
}

---@class modm.Index an index as a model declares it
---@field model string
---@field name string
---@field keys table[] stored name and direction of each, in order
---@field kinds table<string, boolean> which of text, hashed, 2d, 2dsphere and $** it is
---@field options table<string, any> with stored names, as the server has them
---@field document table what createIndexes takes

-- ---- names ----

-- The parts of GeoJSON, which an index may name.
local geojson = { coordinates = true, type = true, geometries = true }

local function is_geojson(field)
  return field and (field.kind:find "Point" or field.kind:find "Polygon"
    or field.kind:find "LineString" or field.kind:find "Geometry")
end

-- What a name is stored as. A wildcard and _cls are no fields, and a model that keeps unknown
-- fields may index one.
local function stored_name(meta, where, name)
  if name == "$**" or name == "_cls" then return name end
  for _, tail in ipairs { ".$**", "._cls" } do
    if name:sub(-#tail) == tail then
      return stored_name(meta, where, name:sub(1, -#tail - 1)) .. tail
    end
  end
  local stored, message = core.stored_name(meta.schema, name)
  if stored then return stored end
  local head, part = name:match "^([^.]+)%.(%a+)$"
  if geojson[part] and is_geojson(meta.fields[head]) then
    return stored_name(meta, where, head) .. "." .. part
  end
  if meta.ignore_unknown_fields and not core.stored_name(meta.schema, name:match "^[^.]*") then
    return name
  end
  return invalid("%s: %s", where, message)
end

-- A table by names of fields, such as weights, by stored names.
local function by_stored_name(meta, where, given)
  local out = {}
  for name, value in pairs(given) do
    if type(name) ~= "string" then invalid("%s: a table by names of fields expected", where) end
    out[stored_name(meta, where, name)] = value
  end
  return out
end

-- ---- keys ----

-- { "author", 1 } or "author" or "-author" -> stored name, direction
local function key_of(meta, where, part)
  local name, direction = part, 1
  if type(part) == "table" then
    name, direction = part[1], part[2]
    if direction == nil then direction = 1 end
  elseif type(part) == "string" and part:sub(1, 1) == "-" then
    name, direction = part:sub(2), -1
  end
  if type(name) ~= "string" then
    invalid("%s: a key is a name or { name, direction }, not a %s", where, type(name))
  end
  local known_direction = directions[direction]
  if not known_direction then
    invalid("%s: '%s' has the direction %s; it can be 1, -1, 'text', 'hashed', '2d' or '2dsphere'",
      where, name, tostring(direction))
  end
  return stored_name(meta, where, name), known_direction
end

local function keys_of(meta, where, given)
  local keys, kinds, seen = {}, {}, {}
  for i, part in ipairs(given) do
    local name, direction = key_of(meta, where, part)
    if seen[name] then invalid("%s: '%s' comes twice", where, name) end
    seen[name] = true
    keys[i] = { name, direction }
    kinds[direction] = true
    if name:sub(-3) == "$**" then kinds["$**"] = true end
  end
  if #keys == 0 then invalid("%s has no keys", where) end
  if #keys == 1 and keys[1][1] == "_id" and type(keys[1][2]) == "number" then
    invalid("%s: the server makes the index of _id itself", where)
  end
  return keys, kinds
end

-- The name that drivers give an index: author_1_revised_on_-1.
local function default_name(keys)
  local parts = {}
  for i, key in ipairs(keys) do parts[i] = key[1] .. "_" .. key[2] end
  return table.concat(parts, "_")
end

-- ---- options ----

-- A filter as MongoDB has it, but for names of fields, and values that stand for themselves or are
-- modm's operators: those are converted by their field.
local function partial_filter(meta, where, given)
  local out = {}
  for name, value in pairs(given) do
    if type(name) ~= "string" then invalid("%s: a filter by names expected", where) end
    if name:sub(1, 1) == "$" then
      if type(value) ~= "table" then invalid("%s: %s takes a list of filters", where, name) end
      local list = {}
      for i, one in ipairs(value) do list[i] = partial_filter(meta, where, one) end
      out[name] = core.array(list)
    elseif type(value) == "table" or name == "_cls" then
      out[stored_name(meta, where, name)] = value
    else
      local stored = stored_name(meta, where, name)
      local bytes, message = core.filter(meta.schema, { [name] = value })
      if not bytes then invalid("%s: %s: %s", where, name, message) end
      out[stored] = core.decode(bytes)[stored]
    end
  end
  return out
end

-- Options whose values hold names of fields.
local translated = {
  weights = by_stored_name, wildcardProjection = by_stored_name,
  partialFilterExpression = partial_filter,
}

local function check_weights(where, weights)
  for name, weight in pairs(weights or {}) do
    if type(weight) ~= "number" or weight % 1 ~= 0 or weight < 1 or weight > 99999 then
      invalid("%s: the weight of '%s' must be an integer from 1 to 99999", where, name)
    end
  end
end

-- What the server would refuse, said where it is written.
local function check_options(where, keys, kinds, given)
  for option, kind in pairs(kind_of_option) do
    if given[option] ~= nil and not kinds[kind] then
      invalid("%s: '%s' is for indexes of the kind %s", where, option, kind)
    end
  end
  local name, seconds = given.name, given.expireAfterSeconds
  if name and (name == "" or name == "*" or name == "_id_" or name:find "%z"
    or not core.is_utf8(name)) then
    invalid("%s: an index cannot be called so", where)
  elseif given.unique and (kinds.hashed or kinds["$**"] and not kinds.text) then
    invalid("%s: a hashed or wildcard index cannot be unique", where)
  elseif given.sparse and given.partialFilterExpression then
    invalid("%s: it is either sparse or has a partialFilterExpression", where)
  elseif seconds and #keys > 1 then
    invalid("%s: expireAfterSeconds is for indexes of one key", where)
  elseif seconds and (seconds < 0 or seconds > 2147483647) then
    invalid("%s: expireAfterSeconds must be from 0 to 2147483647", where)
  elseif given.collation and type(given.collation.locale) ~= "string" then
    invalid("%s: a collation needs a locale", where)
  end
  check_weights(where, given.weights)
end

local function options_of(meta, where, given)
  local own, out = {}, {}
  for name, value in pairs(given) do
    if type(name) ~= "number" or name % 1 ~= 0 or name < 1 or name > #given then
      own[name] = value
    end
  end
  local ok, message = pcall(options.check, where, own, known, 0)
  if not ok then invalid("%s", message) end
  for name, value in pairs(own) do
    if name ~= "name" then
      local translate = translated[name]
      out[name] = translate and translate(meta, where .. ", " .. name, value) or value
    end
  end
  return own, out
end

-- What createIndexes takes; the same bytes each time.
local function document_of(index)
  local names, list = {}, { { "key", core.ordered(index.keys) }, { "name", index.name } }
  for name in pairs(index.options) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do list[#list + 1] = { name, index.options[name] } end
  return core.ordered(list)
end

-- A document that is marked as deleted keeps no value from another one.
local function leave_out_deleted(meta, index)
  local name, given = meta.stored_names[meta.mark], index.options.partialFilterExpression
  local living = { [name] = core.null }
  index.options.partialFilterExpression = given and { ["$and"] = core.array { given, living } }
    or living
  index.options.sparse = nil
end

local function read(meta, position, given)
  local where = ("%s.Meta: index %d"):format(meta.name, position)
  if type(given) ~= "table" then
    invalid("%s: a table of keys and options expected, not a %s", where, type(given))
  end
  if type(given.name) == "string" then
    where = ("%s.Meta: index '%s'"):format(meta.name, given.name)
  end
  local keys, kinds = keys_of(meta, where, given)
  local own, translated_options = options_of(meta, where, given)
  check_options(where, keys, kinds, own)
  local index = { model = meta.name, name = given.name or default_name(keys), keys = keys,
    kinds = kinds, options = translated_options }
  if meta.mark and given.unique then leave_out_deleted(meta, index) end
  local ok, made = pcall(document_of, index)
  if not ok then invalid("%s: %s", where, made) end
  index.document = made
  return index
end

-- ---- the indexes of a model ----

--- Whether two indexes are declared alike.
---@param a modm.Index
---@param b modm.Index
---@return boolean
function definition.same(a, b) return core.encode(a.document) == core.encode(b.document) end

-- Adds an index to a list, unless it is there; raises when the two cannot stand together.
local function add(list, meta, index, inherited)
  for _, other in ipairs(list) do
    if other.name == index.name then
      if definition.same(other, index) and (inherited or other.model ~= index.model) then return end
      invalid("%s.Meta: there are two indexes called '%s'", meta.name, index.name)
    elseif other.kinds.text and index.kinds.text then
      invalid("%s.Meta: '%s' and '%s' are both text indexes, of which a collection has one",
        meta.name, other.name, index.name)
    end
  end
  list[#list + 1] = index
end

-- The model's indexes and those of what it extends in the same collection: its documents lie among
-- theirs, so that theirs hold for it, too.
local function collect(meta)
  local list, parent = {}, meta.parent
  if meta.embedded and meta.indexes then
    invalid("%s.Meta: an embedded model has no collection to index", meta.name)
  end
  if parent and family.shares_place(meta, parent) then
    for _, index in ipairs(definition.of(parent)) do list[#list + 1] = index end
  end
  local inherited = parent and meta.indexes == parent.indexes
  for position, given in ipairs(meta.indexes or {}) do
    add(list, meta, read(meta, position, given), inherited)
  end
  return list
end

--- The indexes that a model declares.
---@param meta table
---@return modm.Index[]
function definition.of(meta)
  if not meta.index_list then meta.index_list = collect(meta) end
  return meta.index_list
end

--- Checks the indexes of a model that is being defined. Raises InvalidModel. Where one leads into a
--- model that comes later, this waits until they are needed.
---@param meta table
function definition.check(meta)
  local ok, raised = pcall(definition.of, meta)
  if not ok and not (errors.is_error(raised) and raised:is "ModelDoesNotExist") then
    error(raised, 0)
  end
end

return definition
