--- Queries that read a whole collection, found by asking the server to explain each shape once.

local connection = require "modm.connection"
local core = require "modm.core"
local telemetry = require "modm.telemetry"

local scans = {}

local explained = { find = true, aggregate = true, count = true, distinct = true, update = true,
  delete = true, findAndModify = true }
-- What the command looks for; nil where it takes everything.
local function conditions_of(command, name)
  local first = (command.updates or command.deletes or {})[1] or {}
  local stage = (command.pipeline or {})[1] or {}
  local filter = command.filter or command.query or first.q or stage["$match"]
  if name == "aggregate" and not stage["$match"] then return nil end
  for key in pairs(filter or {}) do
    if key ~= "_cls" then return filter end
  end
  return nil
end

-- The command as explain takes it.
local function copy_of(command)
  local copy = telemetry.bare(command)
  copy.maxTimeMS = nil
  for _, key in ipairs { "updates", "deletes" } do
    if copy[key] then copy[key] = core.array { copy[key][1] } end
  end
  if copy.pipeline then copy.cursor = core.object {} end
  return copy
end

local function has_scan(plan)
  if type(plan) ~= "table" then return false end
  if plan.stage == "COLLSCAN" then return true end
  for _, inner in pairs(plan) do
    if has_scan(inner) then return true end
  end
  return false
end

-- What a command gives, outside of any session; nil when it fails.
local function ask(conn, database, command)
  local op = core.command(conn.client, "read", database, command)
  return conn:within(false):run(op) and op:reply() or nil
end

-- The plans that won; the others do not matter.
local function winning(reply)
  local list = { reply.queryPlanner and reply.queryPlanner.winningPlan }
  for _, stage in ipairs(reply.stages or {}) do
    local inner = stage["$cursor"]
    list[#list + 1] = inner and inner.queryPlanner and inner.queryPlanner.winningPlan
  end
  return list
end

local function is_scan(conn, operation)
  local reply = ask(conn, operation.database, core.ordered {
    { "explain", copy_of(operation.command) }, { "verbosity", "queryPlanner" } })
  return reply and has_scan(winning(reply)) or false
end

local function size_of(conn, operation)
  local reply = ask(conn, operation.database, { count = operation.collection })
  return reply and reply.n or 0
end

--- Makes what looks at operations.
---@param least integer documents that a collection has before a scan matters
---@param warn fun(kind: string, place: string?, text: string, more: table)
---@return fun(operation: modm.Operation) look
---@return fun(): boolean is_asking whether an operation is one of ours
function scans.new(least, warn)
  local known, asking = {}, false -- shape -> true
  local function look(operation)
    if not explained[operation.name] or not operation.ok or not operation.collection
      or not conditions_of(operation.command, operation.name) then
      return
    end
    local shape = operation.database .. "." .. operation.query
    if known[shape] then return end
    local conn = connection.get(operation.alias)
    if not conn then return end
    asking = true
    local ok, found = pcall(function()
      return size_of(conn, operation) >= least and (is_scan(conn, operation) and "scan" or "index")
    end)
    asking = false
    if not ok then error(found, 0) end
    known[shape] = found and true -- a collection that is small yet is looked at again
    if found == "scan" then
      warn("no_index", operation.place, ("no index answers %s: the server reads the whole of '%s'")
        :format(operation.query, operation.collection), { operation = operation })
    end
  end
  return look, function() return asking end
end

return scans
