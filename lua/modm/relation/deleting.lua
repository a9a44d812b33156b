--- Deletes what a queryset finds, and does what the delete rules say for what refers to it.
--
-- First DENY is looked for in all that would go. Then the work is done from a stack of tasks, each a
-- small step: fetch some keys and delete their documents, follow the rules for some deleted keys. The last task
-- in is the first out, so that however much a delete takes along, a handful of keys is held for each
-- level. Documents go before their rules are followed, so cycles end.

local core = require "modm.core"
local errors = require "modm.errors"
local queryset = require "modm.queryset"
local rules = require "modm.relation.rules"

local deleting = {}

-- Keys that one command carries.
local KEYS = 1000
local ID = { "_id", 0 }

-- ---- where and what ----

local function open(meta)
  local conn, database, collection = meta:open()
  if not conn then return nil, database, collection end
  return { meta = meta, conn = conn, database = database, collection = collection }
end

local function shares_place(a, b)
  return a.collection_name == b.collection_name and a.connection_alias == b.connection_alias
end

-- What refers by a rule to the keys from <= index < to.
local function filter_of(rule, keys, from, to)
  local parts = { core.keys_filter(keys, from, to, rule.path) }
  if rule.except then
    parts[2] = core.encode { _cls = { ["$nin"] = core.array(rule.except) } }
  end
  return core.join(rule.owner.schema, parts)
end

local function failed(meta, message)
  return errors.failure(errors.new("OperationError", meta.name .. ": " .. message))
end

-- An operation that finds keys. Deletes must see what is there, so it reads from the primary.
local function find_keys(place, filter, limit)
  return core.query_find(place.conn.client, place.database, place.collection, filter,
    { projection = { _id = 1 }, batchSize = KEYS, limit = limit, collation = place.meta.collation },
    { mode = "primary" })
end

-- Adds the keys that an operation finds to a set, until it has `most` or there are no more. Returns whether
-- there are no more.
local function read_keys(conn, op, keys, most)
  local done = false
  while not done and #keys < most do
    local ok, message, err = conn:run(op)
    if not ok then return nil, message, err end
    done = core.keys_take(keys, op)
  end
  return done
end

local function run_write(place, op, why)
  if not op then return failed(place.meta, why) end
  local ok, message, err = place.conn:run(op)
  if not ok then return nil, message, err end
  return (core.write_result(op))
end

local function run_delete(place, filter)
  return run_write(place, core.delete(place.conn.client, place.database, place.collection, filter, nil,
    queryset.write_options(place.meta)))
end

-- Deletes the documents of a set of keys. Returns their number.
local function delete_keys(place, keys)
  local total, from = 0, 0
  while from < #keys do
    local to = core.keys_slice(keys, from, KEYS)
    local filter = core.join(place.meta.schema, { core.keys_filter(keys, from, to, ID) })
    local n, message, err = run_delete(place, filter)
    if not n then return nil, message, err end
    total, from = total + n, to
  end
  return total
end

-- ---- updates of what refers ----

-- The condition for what lies behind the step i of a path: a name and a value.
local function condition(path, i, values)
  local inner
  if path[i + 2] then
    local name, behind = condition(path, i + 2, values)
    inner = { [name] = behind }
  else
    inner = { ["$in"] = values }
  end
  for _ = 1, path[i + 1] do inner = { ["$elemMatch"] = inner } end
  return path[i], inner
end

-- The condition for an item of the list at step i, `left` lists above what they hold: { id = ... } or { "id.name" = ... }.
local function item_filter(path, i, left, id, values)
  if left == 0 and path[i + 2] then
    local name, behind = condition(path, i + 2, values)
    return { [id .. "." .. name] = behind }
  end
  local rest = { path[i], left }
  for k = i + 2, #path do rest[#rest + 1] = path[k] end
  local _, inner = condition(rest, 1, values)
  return { [id] = inner }
end

-- A path for an update, through lists by identifiers with a filter each. The innermost `open` lists are left open.
local function update_path(path, open_lists, values)
  local text, filters = {}, {}
  for i = 1, #path, 2 do
    text[#text + 1] = path[i]
    local depth = path[i + 1]
    for level = 1, path[i + 2] and depth or depth - open_lists do
      local id = "x" .. #filters + 1
      text[#text + 1] = "$[" .. id .. "]"
      filters[#filters + 1] = item_filter(path, i, depth - level, id, values)
    end
  end
  return table.concat(text, "."), #filters > 0 and core.array(filters) or nil
end

-- NULLIFY and PULL. A reference goes away; of a list, those of its items that refer to what was deleted.
local function detach(place, rule, keys, from, to)
  local values = core.keys_values(keys, from, to)
  local in_list = rule.depth > 0
  local path, filters = update_path(rule.path, in_list and 1 or 0, values)
  local update = in_list and { ["$pull"] = { [path] = { ["$in"] = values } } } or { ["$unset"] = { [path] = "" } }
  return run_write(place, core.update(place.conn.client, place.database, place.collection,
    filter_of(rule, keys, from, to), update, { multi = true, arrayFilters = filters },
    queryset.write_options(place.meta)))
end

-- ---- what lies ahead ----

-- Looks through all models that a delete can reach: whether a rule denies somewhere, and whether it comes back to
-- the collection that it began with.
local function look_ahead(origin)
  local seen, ahead = {}, { denied = false, cycles = false }
  local function visit(meta)
    if seen[meta] then return end
    seen[meta] = true
    for _, rule in ipairs(rules.of(meta)) do
      if rule.rule == rules.DENY then
        ahead.denied = true
      elseif rule.rule == rules.CASCADE then
        ahead.cycles = ahead.cycles or shares_place(rule.owner, origin)
        visit(rule.owner)
      end
    end
  end
  visit(origin)
  return ahead
end

-- ---- DENY ----

local function short(meta) return meta.name:match "[^.]+$" end

-- An error when something refers to keys by a rule that denies.
local function check_rule(rule, meta, keys, from, to)
  local place, message, err = open(rule.owner)
  if not place then return nil, message, err end
  local op, why = find_keys(place, filter_of(rule, keys, from, to), 1)
  if not op then return failed(rule.owner, why) end
  local found = core.keys()
  local done
  done, message, err = read_keys(place.conn, op, found, 1)
  if done == nil then return nil, message, err end
  op:close()
  if #found == 0 then return true end
  return errors.failure(errors.new("OperationError",
    ("Cannot delete a %s object while a %s object refers to it through its \"%s\" field."):format(short(meta),
      short(rule.owner), rule.name), { model = meta.name }))
end

-- Adds the keys of what a rule takes along.
local function gather(rule, keys, from, to, into)
  local place, message, err = open(rule.owner)
  if not place then return nil, message, err end
  local op, why = find_keys(place, filter_of(rule, keys, from, to))
  if not op then return failed(rule.owner, why) end
  local done
  done, message, err = read_keys(place.conn, op, into, math.huge)
  if done == nil then return nil, message, err end
  return true
end

-- Checks the rules of some keys, and adds what goes with them to `reached`, a list that is also indexed by model.
local function check_slice(item, from, to, reached)
  for _, rule in ipairs(rules.of(item.meta)) do
    local ok, message, err = true, nil, nil
    if rule.rule == rules.DENY then
      ok, message, err = check_rule(rule, item.meta, item.keys, from, to)
    elseif rule.rule == rules.CASCADE and look_ahead(rule.owner).denied then
      local next_item = reached[rule.owner]
      if not next_item then
        next_item = { meta = rule.owner, keys = core.keys(), at = 0 }
        reached[rule.owner], reached[#reached + 1] = next_item, next_item
      end
      ok, message, err = gather(rule, item.keys, from, to, next_item.keys)
    end
    if not ok then return nil, message, err end
  end
  return true
end

-- Looks for a rule that denies in all that a delete of these keys takes along. A key that was reached once is
-- not followed again.
local function check_denied(meta, keys)
  local first = { meta = meta, keys = core.keys(), at = 0 }
  core.keys_merge(first.keys, keys)
  local reached = { first, [meta] = first }
  local i = 1
  while reached[i] do
    local item = reached[i]
    if item.at < #item.keys then
      local from = item.at
      item.at = core.keys_slice(item.keys, from, KEYS)
      local ok, message, err = check_slice(item, from, item.at, reached)
      if not ok then return nil, message, err end
      i = 1
    else
      i = i + 1
    end
  end
  return true
end

-- ---- tasks ----

local follow

-- Takes some keys of what an operation finds, deletes the documents, and leaves their rules on the stack.
local function take(task, stack)
  local keys = core.keys()
  local done, message, err = read_keys(task.place.conn, task.op, keys, 1)
  if done == nil then return nil, message, err end
  if not done then stack[#stack + 1] = task end
  local n
  n, message, err = delete_keys(task.place, keys)
  if not n then return nil, message, err end
  stack[#stack + 1] = { run = follow, meta = task.place.meta, keys = keys, at = 0 }
  return task.counts and n or 0
end

-- CASCADE: what has no rules of its own goes at once, other documents become a task.
local function cascade(place, rule, filter, stack)
  if #rules.of(rule.owner) == 0 then return run_delete(place, filter) end
  local op, why = find_keys(place, filter)
  if not op then return failed(rule.owner, why) end
  stack[#stack + 1] = { run = take, place = place, op = op }
  return true
end

-- Follows the rules of some deleted keys: first those that change documents, then those that delete them.
function follow(task, stack)
  local from, keys = task.at, task.keys
  if from >= #keys then return 0 end
  task.at = core.keys_slice(keys, from, KEYS)
  if task.at < #keys then stack[#stack + 1] = task end
  for _, deletes in ipairs { false, true } do
    for _, rule in ipairs(rules.of(task.meta)) do
      if rule.rule ~= rules.DENY and (rule.rule == rules.CASCADE) == deletes then
        local place, message, err = open(rule.owner)
        if not place then return nil, message, err end
        local ok
        if deletes then
          ok, message, err = cascade(place, rule, filter_of(rule, keys, from, task.at), stack)
        else
          ok, message, err = detach(place, rule, keys, from, task.at)
        end
        if not ok then return nil, message, err end
      end
    end
  end
  return 0
end

local function run_tasks(stack)
  local total = 0
  while #stack > 0 do
    local task = table.remove(stack)
    local n, message, err = task.run(task, stack)
    if not n then
      for _, left in ipairs(stack) do
        if left.op then left.op:close() end
      end
      return nil, message, err
    end
    total = total + n
  end
  return total
end

-- Where a delete may be denied, or come back to its own collection, all its keys are known before the first
-- document goes.
local function delete_known(place, source, ahead)
  local keys = core.keys()
  local done, message, err = read_keys(source.conn, source.op, keys, math.huge)
  if done == nil then return nil, message, err end
  if ahead.denied then
    local ok
    ok, message, err = check_denied(place.meta, keys)
    if not ok then return nil, message, err end
  end
  local n
  n, message, err = delete_keys(place, keys)
  if not n then return nil, message, err end
  local ok
  ok, message, err = run_tasks { { run = follow, meta = place.meta, keys = keys, at = 0 } }
  if not ok then return nil, message, err end
  return n
end

--- Deletes what a queryset finds, with the delete rules of what refers to it.
---@param set modm.QuerySet
---@return integer|nil deleted documents of the queryset, without those that went with them
---@return string? message
---@return modm.Error? err OperationError when a rule denies it: then nothing was deleted
function deleting.delete(set)
  local found = set:values():project { _id = 1 }:batch_size(KEYS)
  local source, message, err = queryset.source(found)
  if not source then return nil, message, err end
  if set._empty then return 0 end
  local place
  place, message, err = open(set._meta)
  if not place then return nil, message, err end
  local ahead = look_ahead(set._meta)
  if ahead.denied or ahead.cycles then return delete_known(place, source, ahead) end
  return run_tasks { { run = take, place = place, op = source.op, counts = true } }
end

return deleting
