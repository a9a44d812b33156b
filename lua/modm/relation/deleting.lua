--- Deletes what a queryset finds, and does what the delete rules say for what refers to it.
--
-- DENY is looked for first. Then what refers to a document is dealt with before the document goes,
-- so that wherever the work ends, no key points nowhere, and a second delete finds what is left.
--
-- The work is done from a stack of tasks, each a small step, of which the last one in is the first
-- out: take some keys; follow the rules for a slice of them; remove the documents of the slice.
-- Each collection has one set with the keys of the tasks on the stack. It grows and shrinks with
-- the stack, so that however much a delete takes along, some keys are held for each level and no
-- more; and a key that is in it is not taken again, so cycles end.

local core = require "modm.core"
local denying = require "modm.relation.denying"
local detaching = require "modm.relation.detaching"
local keys = require "modm.relation.keys"
local opening = require "modm.queryset.opening"
local progress = require "modm.relation.progress"
local rules = require "modm.relation.rules"
local scoped = require "modm.model.scoped"

local deleting = {}

---@class modm.DeleteJob: modm.DeleteProgress
---@field stack table[] tasks
---@field sets table<string, userdata> collection -> keys
---@field counted integer documents of the queryset that are gone
---@field hard boolean whether what is only marked without it goes as well

---@class modm.DeleteTask
---@field run fun(task: modm.DeleteTask, job: modm.DeleteJob): true|nil, string?, modm.Error?
---@field place modm.Place
---@field rule modm.DeleteRule|nil by which it came to this, nil for the queryset's own documents
---@field op userdata|nil of a task that takes keys
---@field set userdata|nil of one that has taken them, which are those from <= index < to
---@field from integer|nil
---@field to integer|nil
---@field at integer|nil of one that follows rules: how far it has come

local function push(job, task) job.stack[#job.stack + 1] = task end

-- The set of the keys that are held of a collection.
local function set_of(job, place)
  local alias, collection = scoped.place(place.meta)
  local name = alias .. "\n" .. collection
  job.sets[name] = job.sets[name] or core.keys()
  return job.sets[name]
end

-- Deletes the documents of a slice, what refers to them being dealt with.
local function remove(task, job)
  local place = task.place
  local n, message, err = keys.delete(place, task.set, task.from, task.to)
  if not n then return nil, message, err end
  if n == 0 and place.guard then return place.guard.explain() end
  progress.add(job.deleted, place.meta, n)
  if not task.rule then job.counted = job.counted + n end
  return true
end

-- Takes some keys of what an operation finds, for which rules are to be followed next.
local function take(task, job)
  local set = set_of(job, task.place)
  local from = #set
  local done, message, err = keys.read(task.place.conn, task.op, set, from + 1)
  if done == nil then return nil, message, err end
  if not done then push(job, task) end
  push(job, { run = deleting.follow, place = task.place, rule = task.rule, set = set, from = from,
    to = #set, at = from })
  return true
end

-- CASCADE: what has no rules of its own goes at once, other documents become a task.
local function cascade(job, place, rule, filter)
  if #rules.of(rule.owner) == 0 then
    local n, message, err = keys.delete_filter(place, filter)
    if not n then return nil, message, err end
    progress.add(job.deleted, rule.owner, n)
    return true
  end
  local op, why = keys.find(place, filter)
  if not op then return keys.failed(rule.owner, why) end
  push(job, { run = take, place = place, rule = rule, op = op })
  return true
end

-- What is only marked as deleted can still be referred to, so NULLIFY and PULL leave it.
local function apply(job, rule, task, from)
  if task.place.soft and rule.rule ~= rules.CASCADE then return true end
  local place, message, err = keys.open(rule.owner, job.hard)
  if not place then return nil, message, err end
  if rule.rule == rules.CASCADE then
    return cascade(job, place, rule, keys.filter(rule, task.set, from, task.at, job.hard))
  end
  local n
  n, message, err = detaching.run(place, rule, task.set, from, task.at)
  if not n then return nil, message, err end
  progress.add(job.updated, rule.owner, n)
  return true
end

-- Follows the rules for the next slice of keys: first those that change documents, since the server
-- may refuse a change, then CASCADE.
function deleting.follow(task, job)
  local set, from = task.set, task.at
  if from == task.to then
    core.keys_truncate(set, task.from)
    return true
  end
  task.at = core.keys_slice(set, from, keys.MOST)
  push(job, task)
  push(job, { run = remove, place = task.place, rule = task.rule, set = set, from = from,
    to = task.at })
  for _, deletes in ipairs { false, true } do
    for _, rule in ipairs(rules.of(task.place.meta)) do
      if rule.rule ~= rules.DENY and (rule.rule == rules.CASCADE) == deletes then
        local ok, _, err = apply(job, rule, task, from)
        if not ok then return progress.failure(job, rule, err) end
      end
    end
  end
  return true
end

-- Runs tasks until there are none. Returns the number of the queryset's documents that are gone.
local function run(job)
  while #job.stack > 0 do
    local task = table.remove(job.stack)
    local ok, message, err = task.run(task, job)
    if not ok then
      for _, left in ipairs(job.stack) do
        if left.op then left.op:close() end
      end
      if err.deleted then return nil, message, err end
      return progress.failure(job, task.rule, err)
    end
  end
  return job.counted
end

-- Where a delete may be denied, or come back to its own collection, all its keys are known before
-- the first document goes.
local function take_all(job, place, op, denied)
  local set = set_of(job, place)
  local done, _, err = keys.read(place.conn, op, set, math.huge)
  if done == nil then return progress.failure(job, nil, err) end
  local ok = true
  if denied then ok, _, err = denying.check(place.meta, set, job.hard) end
  if not ok and err.rule then return nil, err.message, err end
  if not ok then return progress.failure(job, nil, err) end
  push(job, { run = deleting.follow, place = place, set = set, from = 0, to = #set, at = 0 })
  return true
end

--- Deletes what a queryset finds, with the delete rules of what refers to it.
---@param queryset modm.QuerySet
---@param hard boolean whether what is only marked without it goes as well
---@param atomic boolean whether a failure undoes all
---@return integer|nil deleted documents of the queryset, without those that went with them
---@return string? message
---@return modm.Error? err with `deleted` and `updated`, what was done before; an OperationError
---when a rule denies it: then nothing was
function deleting.delete(queryset, hard, atomic)
  local found = queryset:values():project { _id = 1 }:batch_size(keys.MOST)
  local source, message, err = opening.source(found)
  if not source then return nil, message, err end
  if queryset._how.empty then return 0 end
  local place
  place, message, err = keys.open(queryset._meta, hard)
  if not place then return nil, message, err end
  place.settings, place.guard = opening.write_settings(queryset), queryset._how.guard
  local job = progress.new(queryset._meta, atomic)
  job.stack, job.sets, job.counted, job.hard = {}, {}, 0, hard
  local denied, cycles = denying.look_ahead(queryset._meta)
  if denied or cycles then
    local ok
    ok, message, err = take_all(job, place, source.op, denied)
    if not ok then return nil, message, err end
  else
    push(job, { run = take, place = place, op = source.op })
  end
  return run(job)
end

return deleting
