--- Sessions: calls that see what the ones before them did, or one state of the data.

local connection = require "modm.connection"
local core = require "modm.core"
local misuse = require "modm.misuse"
local options = require "modm.options"
local running = require "modm.session.running"

local session = {}

---@class modm.Session
---@field alias string
---@field connection modm.Connection
---@field handle userdata a modm.Session of the C module
---@field transaction table|nil the one under way
local Session = {}
Session.__index = Session
Session.__name = "modm.Session"

function Session:__tostring()
  return ("modm.Session of '%s'"):format(self.alias)
end

--- Calls fn and returns what it returns. Meanwhile what the coroutine asks of the session's
--- connection is part of the session.
---@param fn fun(session: modm.Session): ...
---@return ...
function Session:run(fn)
  if type(fn) ~= "function" then misuse("session:run takes a function, not a %s", type(fn)) end
  return running.run(self, function() return fn(self) end)
end

--- Whether a transaction is under way in it.
---@return boolean
function Session:in_transaction() return self.handle:in_transaction() end

--- Ends the session, and with it a transaction that was not committed. The collector does so, too.
function Session:close() self.handle:close() end

Session.__close = Session.close

---@param value any
---@return boolean
function session.is_session(value) return getmetatable(value) == Session end

--- Makes a session of a connection.
---@param conn modm.Connection
---@param causal boolean|nil
---@param snapshot boolean|nil
---@return modm.Session
function session.new(conn, causal, snapshot)
  return setmetatable({ alias = conn.alias, connection = conn,
    handle = core.session(conn.client, causal, snapshot) }, Session)
end

--- Raises for what is neither a session of the model's connection nor false.
---@param meta table of the model
---@param value any
---@return modm.Session|false
function session.check(meta, value)
  if value == false then return false end
  if not session.is_session(value) then
    misuse("%s: 'session' must be a session, or false for none", meta.name)
  end
  local conn = meta:place()
  if conn and value.connection ~= conn then
    misuse("%s: the session is of the connection '%s', which is not, or no longer, the model's",
      meta.name, value.alias)
  end
  return value
end

local known = { causal_consistency = "boolean", snapshot = "boolean" }

--- Begins a session: reads in it see what was read and written in it before (causal consistency),
--- or with `snapshot` all see the state that the first one saw.
---@param alias string|nil of the connection ("default")
---@param given { causal_consistency: boolean?, snapshot: boolean? }|nil
---@return modm.Session|nil session, string? message, modm.Error? err
function session.begin(alias, given)
  if type(alias) == "table" then alias, given = nil, alias end
  options.check("session", given, known)
  given = given or {}
  if given.causal_consistency and given.snapshot then
    misuse "session: it is causally consistent or a snapshot, not both"
  end
  local conn, message, err = connection.get(alias)
  if not conn then return nil, message, err end
  return session.new(conn, given.causal_consistency, given.snapshot)
end

return session
