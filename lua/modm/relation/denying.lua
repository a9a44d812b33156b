--- DENY: looks through all that a delete would take along, before anything is deleted.

local core = require "modm.core"
local errors = require "modm.errors"
local family = require "modm.relation.family"
local keys = require "modm.relation.keys"
local progress = require "modm.relation.progress"
local rules = require "modm.relation.rules"

local denying = {}

--- Looks through the models that a delete can reach.
---@param origin table
---@return boolean denied whether a rule may deny it
---@return boolean cycles whether it can come back to the collection that it began with
function denying.look_ahead(origin)
  local seen, denied, cycles = {}, false, false
  local function visit(meta)
    if seen[meta] then return end
    seen[meta] = true
    for _, rule in ipairs(rules.of(meta)) do
      if rule.rule == rules.DENY then
        denied = true
      elseif rule.rule == rules.CASCADE then
        cycles = cycles or family.shares_place(rule.owner, origin)
        visit(rule.owner)
      end
    end
  end
  visit(origin)
  return denied, cycles
end

local function short(meta) return meta.name:match "[^.]+$" end

-- Adds to `into` the keys of what refers by a rule, or of the first `limit`.
local function gather(rule, item, from, into, hard, limit)
  local place, message, err = keys.open(rule.owner)
  if not place then return nil, message, err end
  local op, why = keys.find(place, keys.filter(rule, item.keys, from, item.at, hard), limit)
  if not op then return keys.failed(rule.owner, why) end
  local done
  done, message, err = keys.read(place.conn, op, into, math.huge)
  if done == nil then return nil, message, err end
  return true
end

-- The keys of what may refer by a rule to an item all the same: what the delete begins with is
-- gone before what it takes along, as in PyMODM, but denies the deletion of itself.
local function allowed(rule, item, origin)
  if item ~= origin and family.shares_place(rule.owner, origin.meta) then return origin.keys end
  return core.keys()
end

-- An error when something refers to keys by a rule that denies.
local function check_rule(rule, item, from, origin, hard)
  local found = allowed(rule, item, origin)
  local most = #found
  local ok, message, err = gather(rule, item, from, found, hard, most + 1)
  if not ok then return nil, message, err end
  if #found == most then return true end
  err = errors.new("OperationError",
    ('Cannot delete a %s object while a %s object refers to it through its "%s" field.'):format(
      short(item.meta), short(rule.owner), rule.name), { model = item.meta.name })
  err.deleted, err.updated = {}, {}
  err.rule, err.referrer = progress.names_of(rule)
  return errors.failure(err)
end

-- The keys of a model that were reached, in a list that is indexed by model, too.
local function item_of(reached, meta)
  if not reached[meta] then
    local item = { meta = meta, keys = core.keys(), at = 0 }
    reached[meta], reached[#reached + 1] = item, item
  end
  return reached[meta]
end

-- Checks the rules of the next keys of an item, and adds what goes with them to what is reached.
local function check_slice(item, reached)
  local from = item.at
  item.at = core.keys_slice(item.keys, from, keys.MOST)
  for _, rule in ipairs(rules.of(item.meta)) do
    local ok, message, err = true, nil, nil
    if rule.rule == rules.DENY then
      ok, message, err = check_rule(rule, item, from, reached[1], reached.hard)
    elseif rule.rule == rules.CASCADE and denying.look_ahead(rule.owner) then
      ok, message, err = gather(rule, item, from, item_of(reached, rule.owner).keys,
        reached.hard)
    end
    if not ok then return nil, message, err end
  end
  return true
end

local function next_item(reached)
  for _, item in ipairs(reached) do
    if item.at < #item.keys then return item end
  end
end

--- Whether documents can go. Of what goes with them only keys are held, and a key that was
--- reached once is not followed again.
---@param meta table
---@param set userdata their keys
---@param hard boolean|nil whether what is marked as deleted counts, too
---@return true|nil ok, string? message, modm.Error? err OperationError: something refers to them
function denying.check(meta, set, hard)
  local reached = { hard = hard }
  core.keys_merge(item_of(reached, meta).keys, set)
  local item = next_item(reached)
  while item do
    local ok, message, err = check_slice(item, reached)
    if not ok then return nil, message, err end
    item = next_item(reached)
  end
  return true
end

return denying
