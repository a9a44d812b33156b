--- What was asked of the server, as whole operations: modm.on("operation", f).

local caller = require "modm.caller"
local core = require "modm.core"

local telemetry = {}

-- What a driver adds to a command, and what is said elsewhere.
local left_out = { "lsid", "$clusterTime", "$db", "$readPreference", "txnNumber", "autocommit",
  "startTransaction", "readConcern", "writeConcern" }

-- client -> request id -> the event that began it
local begun = setmetatable({}, { __mode = "k" })

---@class modm.Operation
---@field name string of the command: "find", "update", ...
---@field alias string the connection's
---@field database string
---@field collection string|nil
---@field host string
---@field duration_ms number
---@field ok boolean
---@field message string|nil of a failure
---@field code integer|nil of a failure
---@field query string the command as JSON, with "?" for each value
---@field command table the command itself, its values in it
---@field place string|nil the line of the program that it comes from, "file:line"
---@field attributes table<string, any> by OpenTelemetry's names for databases
local Operation = {}

-- Host and port; an IPv6 address stands in brackets.
local function split(host)
  local name, port = host:match "^%[(.-)%]:(%d+)$"
  if not name then name, port = host:match "^(.-):(%d+)$" end
  return name or host, tonumber(port)
end

local function attributes_of(self)
  local address, port = split(self.host)
  local status = self.code and tostring(self.code)
  local summary = self.collection and self.name .. " " .. self.collection or self.name
  return {
    ["db.system.name"] = "mongodb", ["db.namespace"] = self.database,
    ["db.collection.name"] = self.collection, ["db.operation.name"] = self.name,
    ["db.query.text"] = self.query, ["db.query.summary"] = summary,
    ["db.response.status_code"] = status,
    ["error.type"] = not self.ok and (status or "_OTHER") or nil,
    ["server.address"] = address, ["server.port"] = port,
  }
end

--- A copy of a command without what belongs to its session.
---@param command table
---@return table
function telemetry.bare(command)
  local copy = core.decode(core.encode(command))
  for _, name in ipairs(left_out) do copy[name] = nil end
  return copy
end

-- What costs something is made when it is first read.
local lazy = {
  query = function(self) return core.redacted(telemetry.bare(self.command)) end,
  attributes = attributes_of,
}

function Operation:__index(key)
  local make = lazy[key]
  local value = make and make(self)
  if value ~= nil then rawset(self, key, value) end
  return value
end

local function collection_of(command, name)
  local value = command[name == "getMore" and "collection" or name]
  return type(value) == "string" and value or nil
end

local function finished(start, event)
  local reply = event.reply or {}
  local command = start.command or {}
  return setmetatable({
    name = event.name, alias = event.alias, database = start.database, host = event.host,
    collection = collection_of(command, event.name), duration_ms = event.duration_ms,
    ok = event.phase == "succeeded", message = event.message,
    code = event.phase == "failed" and reply.code or nil,
    command = command, place = caller.place(),
  }, Operation)
end

--- The operation that an event ends, or nil.
---@param client userdata
---@param event table
---@return modm.Operation|nil
function telemetry.operation(client, event)
  local own = begun[client]
  if not own then
    own = {}
    begun[client] = own
  end
  local id = event.request_id
  if event.phase == "started" then
    own[id] = event
    return nil
  end
  local start = own[id]
  own[id] = nil
  return start and finished(start, event)
end

return telemetry
