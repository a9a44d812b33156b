--- Which documents of a bulk write are gone, when it found fewer than it saved.

local base = require "modm.queryset.base"
local core = require "modm.core"
local operators = require "modm.operators"

local gone = {}

-- Keys in one $in.
local KEYS = 1000

-- The set of the keys, in BSON, that the server has.
local function keys_there(job, keys)
  local set = base.new(base.QuerySet, job.meta):filter { pk = operators.one_of(keys) }
  local session = job.set._how.session
  local found, message, err = base.step(set, { with_deleted = true, session = session })
    :only("pk"):values():list()
  if not found then return nil, message, err end
  local there = {}
  for _, row in ipairs(found) do there[core.encode { key = row._id }] = true end
  return there
end

--- Those of the tasks whose document the server no longer has.
---@param job modm.BulkJob
---@param tasks modm.BulkTask[]
---@return modm.BulkTask[]|nil gone, string? message, modm.Error? err
function gone.of(job, tasks)
  local missing = {}
  for first = 1, #tasks, KEYS do
    local keys, last = {}, math.min(first + KEYS - 1, #tasks)
    for i = first, last do keys[#keys + 1] = core.key(tasks[i].doc) end
    local there, message, err = keys_there(job, keys)
    if not there then return nil, message, err end
    for i = first, last do
      if not there[core.encode { key = core.key(tasks[i].doc) }] then
        missing[#missing + 1] = tasks[i]
      end
    end
  end
  return missing
end

return gone
