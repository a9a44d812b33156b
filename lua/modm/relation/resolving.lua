--- Fetches what references point to: for one that is read, and for many documents at once.
--
-- C collects keys from documents and places what was found (csrc/relation); here are the queries,
-- since only Lua may wait.

local core = require "modm.core"
local errors = require "modm.errors"
local field = require "modm.fields".internal
local family = require "modm.relation.family"
local hooks = require "modm.hooks"
local misuse = require "modm.misuse"
local probe = require "modm.probe"
local registry = require "modm.registry"
local scoped = require "modm.model.scoped"
local options = require "modm.options"

local resolving = {}

-- A session that knows more keys than this forgets them, so that an iteration's memory stays
-- bounded.
local REMEMBERED = 10000
-- Keys of one query: bounded by their bytes alone (core.keys_slice).
local ANY = 2 ^ 31 - 1
local ID = { "_id", 0 }

--- What was found so far, for several calls of dereference that belong together and have the same
--- fields: what is known is not fetched again, and one key is one instance.
---@return table
function resolving.session() return { targets = {}, groups = {} } end

-- Puts a model that is referred to into the group that is fetched together: those of one collection
-- and one hierarchy, read as the model that they all extend.
local function join_group(session, target)
  local meta = registry.meta(target.model)
  local conn, database, collection = meta:open()
  if not conn then return nil, database, collection end
  local of_conn = session.groups[conn] or {}
  session.groups[conn] = of_conn
  local name = database .. "." .. collection .. "\n" .. family.root(meta).name
  local group = of_conn[name]
  if not group then
    group = { conn = conn, database = database, collection = collection, meta = meta,
      keys = target.keys, found = {}, done = 0 }
    of_conn[name] = group
  else
    core.keys_merge(group.keys, target.keys)
    while not family.is_within(meta, group.meta) do group.meta = group.meta.parent end
  end
  target.group, target.keys, target.found = group, group.keys, group.found
  return group
end

-- A document that cannot be read is an error of the query, not of the program.
local function reading_error(raised)
  if errors.is_error(raised) then return raised end
  return errors.new("OperationError", errors.plain(raised))
end

-- Tells development mode of the keys from place from + 1 to `to` that no document has.
local function tell_dangling(meta, keys, found, from, to)
  for i = from + 1, to do
    if not found[i] then
      local filter = core.decode(core.keys_filter(keys, i - 1, i, ID))
      probe.dangling(meta, filter._id["$in"][1])
    end
  end
end

-- Fetches the documents of the keys that were not asked for yet: in one query, unless their bytes
-- are too many for one.
local function fetch_group(group)
  local meta, keys = group.meta, group.keys
  while group.done < #keys do
    local from = group.done
    local to = core.keys_slice(keys, from, ANY)
    local op, why = core.query_find(group.conn.client, group.database, group.collection,
      core.keys_filter(keys, from, to, ID),
      { batchSize = to - from + 1,
        readConcern = options.wrapped(meta:option "read_concern", "level") },
      options.wrapped(meta:option "read_preference", "mode"))
    if not op then return errors.failure(errors.new("OperationError", meta.name .. ": " .. why)) end
    local done
    repeat
      local ran, message, err = group.conn:run(op)
      if not ran then return nil, message, err end
      local ok, result = pcall(core.keys_found, keys, op, meta.schema, group.found)
      if not ok then
        op:close()
        return errors.failure(reading_error(result))
      end
      done = result
    until done
    if probe.dangling then tell_dangling(meta, keys, group.found, from, to) end
    for _, doc in pairs(group.found) do scoped.note({ doc }, 1, 1) end
    local _, failed = hooks.loaded(meta, group.found, from, to)
    if failed then return errors.failure(failed) end
    group.done = to
  end
  return true
end

local function open_targets(session)
  for _, target in ipairs(session.targets) do
    if not target.group then
      local group, message, err = join_group(session, target)
      if not group then return nil, message, err end
    end
  end
  return true
end

-- Resolves the references of a level: a list of { docs =, plan = }.
local function resolve_level(level, session)
  for _, part in ipairs(level) do core.collect(part.docs, part.plan, session.targets) end
  local ok, message, err = open_targets(session)
  if not ok then return nil, message, err end
  for _, target in ipairs(session.targets) do
    ok, message, err = fetch_group(target.group)
    if not ok then return nil, message, err end
  end
  for _, part in ipairs(level) do
    local placed, raised = pcall(core.place, part.docs, part.plan, session.targets)
    if not placed then return errors.failure(reading_error(raised)) end
  end
  return true
end

-- The documents that the next level begins with.
local function next_level(level)
  local out = {}
  for _, part in ipairs(level) do
    if part.plan then core.follow(part.docs, part.plan, out) end
  end
  return out
end

local function resolve(docs, plan, session)
  local level = { { docs = docs, plan = plan } }
  while #level > 0 do
    local ok, message, err = resolve_level(level, session)
    if not ok then return nil, message, err end
    level = next_level(level)
  end
  return true
end

-- ---- plans ----

-- The definition of a field in one of the models, or in what extends them.
local function find_field(metas, name)
  for _, meta in ipairs(metas) do
    if meta.fields[name] then return meta.fields[name] end
    for _, child in ipairs(meta.children) do
      if child.fields[name] then return child.fields[name] end
    end
  end
  misuse("%s has no field '%s'", metas[1].name, name)
end

local function add_path(plan, path, metas)
  if type(path) ~= "string" then
    misuse("the names of references to fetch are strings, not a %s", type(path))
  end
  for name in (path .. "."):gmatch "([^.]*)%." do
    local definition = field.innermost(find_field(metas, name))
    if definition.kind ~= "ReferenceField" and not definition.kind:find "^Embedded" then
      misuse("%s.%s is a %s: it refers to nothing", metas[1].name, name, definition.kind)
    end
    plan[name] = plan[name] or {}
    plan = plan[name]
    metas = { registry.find(definition.options.model) }
  end
  if metas[1].embedded then plan[true] = true end -- all that the embedded document refers to
end

-- Paths as a tree, or nil for all references of the documents.
local function plan_of(fields, docs)
  if fields == nil then return nil end
  if type(fields) ~= "table" then
    misuse("dereference takes a list of names, not a %s", type(fields))
  end
  if next(fields) == nil then return nil end
  local metas, seen = {}, {}
  for _, doc in ipairs(docs) do
    local meta = core.meta_of(doc)
    if not seen[meta] then metas[#metas + 1], seen[meta] = meta, true end
  end
  local plan = {}
  for _, path in ipairs(fields) do add_path(plan, path, metas) end
  return plan
end

local function check_documents(docs)
  if core.model_of(docs) then return { docs } end
  if type(docs) ~= "table" then misuse("dereference takes a document or a list of them") end
  for i, doc in ipairs(docs) do
    if not core.model_of(doc) then misuse("dereference: item %d of the list is no document", i) end
  end
  return docs
end

--- Fetches what many documents refer to: one query for each collection and level, unless the
--- keys are more than 4 MiB. A document that several refer to is one instance.
---@param docs modm.Document|modm.Document[]
---@param fields string[]|nil names, dotted into embedded documents and on through references
--- ("author.company"); without, all references of the documents and of those embedded in them
---@param session table|nil of relation.session
---@return modm.Document|modm.Document[]|nil docs what was given
---@return string? message
---@return modm.Error? err
function resolving.dereference(docs, fields, session)
  local known = session and session.checked
  local list = known and docs or check_documents(docs)
  if list[1] == nil then return docs end
  local plan
  if known then
    plan = session.plan
  else
    plan = plan_of(fields, list)
  end
  session = session or resolving.session()
  session.checked, session.plan = true, plan
  local ok, message, err = resolve(list, plan, session)
  if not ok then return nil, message, err end
  local remembered = 0
  for _, target in ipairs(session.targets) do remembered = remembered + #target.keys end
  if remembered > REMEMBERED then session.targets, session.groups = {}, {} end
  return docs
end

local function primary_name(meta)
  for name, definition in pairs(meta.fields) do
    if definition.options.primary_key then return name end
  end
end

--- Resolves one field of a document. Raises error objects.
---@param doc modm.Document
---@param name string
---@return modm.Document|nil target of a reference; nil when it points nowhere
function resolving.fetch(doc, name)
  local session = resolving.session()
  if name == "pk" then name = primary_name(core.meta_of(doc)) end
  local ok, _, err = resolve_level({ { docs = { doc }, plan = { [name] = {} } } }, session)
  if not ok then error(err, 0) end
  local target = session.targets[1]
  return target and target.found[1]
end

return resolving
