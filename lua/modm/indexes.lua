--- The indexes that models declare: made on the server, compared with what it has, put in order.

local comparing = require "modm.indexes.comparing"
local core = require "modm.core"
local definition = require "modm.indexes.definition"
local errors = require "modm.errors"
local registry = require "modm.registry"

local indexes = { check = definition.check }

---@class modm.IndexPlace
---@field conn table
---@field database string
---@field collection string

local function place_at(conn, collection)
  return { conn = conn, database = conn.database, collection = collection }
end

local function place_of(meta)
  local conn, collection, err = meta:place()
  if not conn then return nil, collection, err end
  return place_at(conn, collection)
end

local function command(place, list)
  return place.conn:run(core.command(place.conn.client, "write", place.database,
    core.ordered(list)))
end

-- ---- making ----

-- The error of an index that could not be made or changed, with the model's name and its own.
local function failed(index, what, err)
  err.model, err.index = index.model, index.name
  err.message = ("%s: the index '%s' cannot be %s: %s"):format(index.model, index.name, what,
    err.message)
  return errors.failure(err)
end

local function create(place, list)
  local documents = {}
  for i, index in ipairs(list) do documents[i] = index.document end
  return command(place, { { "createIndexes", place.collection },
    { "indexes", core.array(documents) } })
end

-- Makes them by one command. Where it is refused, one by one: the server does not say which it is.
local function create_all(place, list)
  if #list == 0 then return true end
  local ok, message, err = create(place, list)
  if ok or err.code == nil then return ok, message, err end
  for _, index in ipairs(list) do
    ok, message, err = create(place, { index })
    if not ok and err.code == nil then return nil, message, err end
    if not ok then return failed(index, "made", err) end
  end
  return true
end

--- Creates the indexes of a model; those that are there stay as they are.
---@param meta table
---@param conn table
---@param collection string
---@return true|nil, string?, modm.Error?
function indexes.ensure(meta, conn, collection)
  -- in no transaction: it would refuse them
  return create_all(place_at(conn:within(false), collection), definition.of(meta))
end

-- ---- comparing ----

local function add_declared(declared, meta)
  for _, index in ipairs(definition.of(meta)) do
    local other = declared[index.name]
    if not other then
      declared[index.name], declared[#declared + 1] = index, index
    elseif not definition.same(other, index) then
      return errors.failure(errors.new("OperationError",
        ("the index '%s' is declared by %s and by %s, and not alike"):format(index.name,
          other.model, index.model), { model = index.model, index = index.name }))
    end
  end
  return true
end

-- The indexes of all models whose documents are in a collection, also by name.
local function declared_in(place, meta)
  local declared = {}
  local ok, message, err = add_declared(declared, meta)
  for _, other in ipairs(registry.all()) do
    local there = ok and not other.embedded and place_of(other)
    if there and there.conn == place.conn and there.collection == place.collection then
      ok, message, err = add_declared(declared, other)
    end
  end
  if not ok then return nil, message, err end
  return declared
end

local function is_of_id(listed)
  return listed.name == "_id_" or listed.clustered ~= nil
end

-- What the server has, by name too, without the index of _id; and that one's collation, which is
-- the collection's.
local function listed_in(place)
  local op = core.indexes(place.conn.client, place.database, place.collection)
  local list, collation = {}, nil
  while not op:done() do
    local ok, message, err = place.conn:run(op)
    if not ok then return nil, message, err end
    for listed in op.next_table, op do
      if is_of_id(listed) then
        collation = listed.collation
      else
        list[#list + 1], list[listed.name] = listed, listed
      end
    end
  end
  return list, collation
end

-- A model's collation as the server fills it in, which depends on the locale: asked from it.
local function filled_in(place, collation)
  local op = core.command(place.conn.client, "read", place.database, core.ordered {
    { "explain", core.ordered { { "find", place.collection }, { "collation", collation } } },
    { "verbosity", "queryPlanner" },
  })
  local ok, message, err = place.conn:run(op)
  if not ok then return nil, message, err end
  return op:reply().queryPlanner.collation or collation
end

-- The collation of an index: false where it has none.
local function collation_of(place, index, default)
  local own = index.options.collation
  if not own then return default or false end
  if own.locale == "simple" then return false end
  return filled_in(place, own)
end

-- One that the server keeps under another name, and that stands in the way of this one.
local function same_under_other_name(index, listed, declared, taken)
  for _, one in ipairs(listed) do
    if not declared[one.name] and not taken[one]
      and (comparing.same_keys(index, one) or (index.kinds.text and one.key._fts ~= nil)) then
      return one
    end
  end
end

-- Adds to what is missing or changed.
local function compare(place, index, found, default, diff)
  if not found then
    diff.missing[#diff.missing + 1] = index
    return true
  end
  local collation, message, err = collation_of(place, index, default)
  if collation == nil then return nil, message, err end
  local differs = comparing.differences(index, found, collation or nil)
  if found.name ~= index.name then differs[#differs + 1] = "name" end
  if #differs > 0 then
    diff.changed[#diff.changed + 1] = { index = index, listed = found, differs = differs }
  end
  return true
end

-- What a collection lacks, what it has beside the models' indexes, and what differs.
local function compare_all(place, meta)
  local declared, message, err = declared_in(place, meta)
  if not declared then return nil, message, err end
  local listed, default, failure = listed_in(place)
  if not listed then return nil, default, failure end
  local diff, taken = { missing = {}, extra = {}, changed = {} }, {}
  for _, index in ipairs(declared) do
    local found = listed[index.name] or same_under_other_name(index, listed, declared, taken)
    if found then taken[found] = true end
    local ok
    ok, message, err = compare(place, index, found, default, diff)
    if not ok then return nil, message, err end
  end
  for _, one in ipairs(listed) do
    if not taken[one] then diff.extra[#diff.extra + 1] = one end
  end
  return diff
end

local function report_changed(list)
  local out = {}
  for i, one in ipairs(list) do
    out[i] = { name = one.index.name, differs = one.differs, model = one.index.document,
      server = one.listed }
  end
  return out
end

--- Compares what the models of a collection declare with what the server has.
---@param meta table
---@return table|nil diff { missing =, extra =, changed = }, string? message, modm.Error? err
function indexes.diff(meta)
  local place, message, err = place_of(meta)
  if not place then return nil, message, err end
  local diff
  diff, message, err = compare_all(place, meta)
  if not diff then return nil, message, err end
  for i, index in ipairs(diff.missing) do diff.missing[i] = index.document end
  diff.changed = report_changed(diff.changed)
  return diff
end

-- ---- putting in order ----

-- What the server changes in an index that stands, by collMod; nil where it has to be built anew.
local function change_in_place(one)
  local change = { { "name", one.listed.name } }
  for _, name in ipairs(one.differs) do
    local value = one.index.options[name]
    if name == "hidden" then value = value or false end
    if (name ~= "hidden" and name ~= "expireAfterSeconds") or value == nil then return nil end
    change[#change + 1] = { name, value }
  end
  return core.ordered(change)
end

local function drop(place, name)
  return command(place, { { "dropIndexes", place.collection }, { "index", name } })
end

local function change(place, one, done)
  local in_place = change_in_place(one)
  local into = in_place and done.modified or done.rebuilt
  if in_place then
    local ok, _, err = command(place, { { "collMod", place.collection }, { "index", in_place } })
    if not ok then return failed(one.index, "changed", err) end
  else
    local ok, message, err = drop(place, one.listed.name)
    if ok then ok, message, err = create_all(place, { one.index }) end
    if not ok then return nil, message, err end
  end
  into[#into + 1] = one.index.name
  return true
end

-- The missing first and the extra last: where a build fails, nothing was lost for it but the index
-- that it takes the place of.
local function put_in_order(place, diff, done, with_drop)
  local ok, message, err = create_all(place, diff.missing)
  if not ok then return nil, message, err end
  for i, index in ipairs(diff.missing) do done.created[i] = index.name end
  if not with_drop then
    done.extra, done.changed = diff.extra, report_changed(diff.changed)
    return done
  end
  for _, one in ipairs(diff.changed) do
    ok, message, err = change(place, one, done)
    if not ok then return nil, message, err end
  end
  for _, listed in ipairs(diff.extra) do
    ok, message, err = drop(place, listed.name)
    if not ok then return nil, message, err end
    done.dropped[#done.dropped + 1] = listed.name
  end
  return done
end

--- Makes what is missing; with `with_drop`, drops what is extra and changes what differs.
---@param meta table
---@param with_drop boolean
---@return table|nil done, string? message, modm.Error? err err.done: what was done before it
function indexes.sync(meta, with_drop)
  local place, message, err = place_of(meta)
  if not place then return nil, message, err end
  local diff, done
  diff, message, err = compare_all(place, meta)
  if not diff then return nil, message, err end
  done = { created = {}, modified = {}, rebuilt = {}, dropped = {}, extra = {}, changed = {} }
  local ok
  ok, message, err = put_in_order(place, diff, done, with_drop)
  if not ok then err.done = done end
  return ok, message, err
end

return indexes
