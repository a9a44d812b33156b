--- Deletes what a queryset finds, and does what the delete rules say for what refers to it.
--
-- DENY is looked for first. Then the work is done from a stack of tasks, each a small step: fetch
-- some keys and delete their documents; follow the rules for some deleted keys. The last task in is
-- the first out, so that however much a delete takes along, some keys are held for each level and
-- no more. Documents go before their rules are followed, so cycles end.

local core = require "modm.core"
local denying = require "modm.relation.denying"
local detaching = require "modm.relation.detaching"
local keys = require "modm.relation.keys"
local opening = require "modm.queryset.opening"
local rules = require "modm.relation.rules"

local deleting = {}

local follow

-- Takes some keys of what an operation finds, deletes the documents, and leaves their rules on the
-- stack. Like every task it returns the number of documents that count.
local function take(task, stack)
  local set, place = core.keys(), task.place
  local done, message, err = keys.read(place.conn, task.op, set, 1)
  if done == nil then return nil, message, err end
  if not done then stack[#stack + 1] = task end
  local n
  n, message, err = keys.delete(place, set)
  if not n then return nil, message, err end
  stack[#stack + 1] = { run = follow, place = place, keys = set, at = 0, hard = task.hard }
  return task.counts and n or 0
end

-- CASCADE: what has no rules of its own goes at once, other documents become a task.
local function cascade(place, rule, filter, stack, hard)
  if #rules.of(rule.owner) == 0 then return keys.delete_filter(place, filter) end
  local op, why = keys.find(place, filter)
  if not op then return keys.failed(rule.owner, why) end
  stack[#stack + 1] = { run = take, place = place, op = op, hard = hard }
  return true
end

-- What is only marked as deleted can still be referred to, so NULLIFY and PULL leave it.
local function apply(rule, task, from, stack)
  local set, to, hard = task.keys, task.at, task.hard
  if task.place.soft and rule.rule ~= rules.CASCADE then return true end
  local place, message, err = keys.open(rule.owner, hard)
  if not place then return nil, message, err end
  if rule.rule == rules.CASCADE then
    return cascade(place, rule, keys.filter(rule, set, from, to, hard), stack, hard)
  end
  return detaching.run(place, rule, set, from, to)
end

-- Follows the rules of some deleted keys: first those that change documents, then CASCADE.
function follow(task, stack)
  local from, set = task.at, task.keys
  if from >= #set then return 0 end
  task.at = core.keys_slice(set, from, keys.MOST)
  if task.at < #set then stack[#stack + 1] = task end
  for _, deletes in ipairs { false, true } do
    for _, rule in ipairs(rules.of(task.place.meta)) do
      if rule.rule ~= rules.DENY and (rule.rule == rules.CASCADE) == deletes then
        local ok, message, err = apply(rule, task, from, stack)
        if not ok then return nil, message, err end
      end
    end
  end
  return 0
end

-- Runs tasks until there are none. Returns the number of documents that count.
local function run(...)
  local stack, total = { ... }, 0
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

-- Where a delete may be denied, or come back to its own collection, all its keys are known before
-- the first document goes.
local function delete_known(place, op, denied, hard)
  local set = core.keys()
  local done, message, err = keys.read(place.conn, op, set, math.huge)
  if done == nil then return nil, message, err end
  local ok = true
  if denied then ok, message, err = denying.check(place.meta, set, hard) end
  if not ok then return nil, message, err end
  local n
  n, message, err = keys.delete(place, set)
  if not n then return nil, message, err end
  ok, message, err = run { run = follow, place = place, keys = set, at = 0, hard = hard }
  if not ok then return nil, message, err end
  return n
end

--- Deletes what a queryset finds, with the delete rules of what refers to it.
---@param set modm.QuerySet
---@param hard boolean whether what is only marked without it goes as well
---@return integer|nil deleted documents of the queryset, without those that went with them
---@return string? message
---@return modm.Error? err OperationError when a rule denies it: then nothing was deleted
function deleting.delete(set, hard)
  local found = set:values():project { _id = 1 }:batch_size(keys.MOST)
  local source, message, err = opening.source(found)
  if not source then return nil, message, err end
  if set._empty then return 0 end
  local place
  place, message, err = keys.open(set._meta, hard)
  if not place then return nil, message, err end
  place.settings = opening.write_settings(set)
  local denied, cycles = denying.look_ahead(set._meta)
  if denied or cycles then return delete_known(place, source.op, denied, hard) end
  return run { run = take, place = place, op = source.op, counts = true, hard = hard }
end

return deleting
