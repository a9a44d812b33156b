-- Connections by alias: a client, its database, and the one way to the server.
local core = require "modm.core"
local errors = require "modm.errors"
local events = require "modm.events"
local limits = require "modm.limits"
local running = require "modm.session.running"
local transport = require "modm.transport"

local connection = {}

---@class modm.Connection
---@field alias string
---@field database string
---@field client userdata
---@field transport table
---@field seconds number|nil that an operation has, and...
---@field limit_ms integer|nil of a view that limited() gives: so many milliseconds instead
---@field session modm.Session|false|nil of a view that within() gives
---@field origin modm.Connection the connection itself, of itself and of its views
local Connection = {}
Connection.__index = Connection
Connection.__name = "modm.Connection"

function Connection:__tostring()
  return ("modm.Connection '%s': %s"):format(self.alias, tostring(self.client))
end

local ILLEGAL_OPERATION = 20 -- the server's code

-- A server that stands alone speaks of transaction numbers, which is no help.
local function explain(failed)
  if failed.code == ILLEGAL_OPERATION and failed.message:find("Transaction numbers", 1, true) then
    failed.message = "a transaction needs a replica set or a sharded cluster, and this server is "
      .. "neither (a replica set of one will do)"
  end
end

-- The seconds that an operation has, and who may cancel it; or the error that it is too late.
local function limits_of(conn, op)
  local deadline, canceller = limits.current()
  local seconds, reason = conn.seconds, canceller and limits.reason(canceller)
  if reason then return nil, nil, limits.stopped(reason) end
  if conn.limit_ms then op:limit(conn.limit_ms) end
  if not deadline then return seconds, canceller end
  local left = deadline - core.now()
  if left <= 0 then return nil, nil, limits.over() end
  if not seconds or left < seconds then
    seconds = left
    op:limit(math.ceil(left * 1000))
  end
  return seconds, canceller
end

--- Runs an operation by the connection's transport, in the session of the running coroutine. Every
--- call of a server goes through here.
---@param op userdata a modm.Op
---@return true|nil ok, string|nil message, modm.Error|nil err
function Connection:run(op)
  local session = self.session
  if session == nil then session = running.session(self.origin) end
  if session then op:join(session.handle) end
  local seconds, canceller, over = limits_of(self, op)
  if over then return errors.failure(over) end
  local ok = self.transport.run(op, seconds, canceller)
  events.drain(self.client, op)
  if ok then
    return true
  end
  local failed = op:error()
  local transaction = session and session.transaction
  if transaction then explain(failed) end
  local err = errors.new(failed.kind, failed.message, failed)
  -- what the server never saw leaves the transaction as it is
  if transaction and err.kind ~= "OperationError" then
    transaction.failure = transaction.failure or err
  end
  return errors.failure(err)
end

--- The connection for calls that are part of a session, or of none, whatever the coroutine is in.
---@param session modm.Session|false
---@return modm.Connection
function Connection:within(session)
  return setmetatable({ session = session }, { __index = self, __name = "modm.Connection" })
end

--- The connection for operations of which each has a time of its own.
---@param ms integer
---@return modm.Connection
function Connection:limited(ms)
  return setmetatable({ seconds = ms / 1000, limit_ms = ms },
    { __index = self, __name = "modm.Connection" })
end

local connections = {}

-- What options that weaken TLS come to; nothing else would say that they were left in.
local weaknesses = {
  tlsInsecure = "any certificate is accepted, so that whoever stands in between can read and "
    .. "change what is sent",
  tlsAllowInvalidHostnames = "the certificate of any other host is accepted, so that who has one "
    .. "can read and change what is sent",
  tlsDisableCertificateRevocationCheck = "a certificate that was revoked is accepted",
}
weaknesses.tlsAllowInvalidCertificates = weaknesses.tlsInsecure
weaknesses.tlsDisableOCSPEndpointCheck = weaknesses.tlsDisableCertificateRevocationCheck

local function warn_of_weak_tls(client, alias)
  for _, option in ipairs(client:weakened()) do
    events.warn(("connection '%s': with %s, %s"):format(alias, option, weaknesses[option]))
  end
end

--- Registers a client under an alias; nothing is sent before the first use. An alias that is there
--- already is replaced, and its client closed once nobody uses it.
---@param uri string it must name a database: mongodb://host/DATABASE
---@param options table|nil alias ("default"), timeout_ms, those of the transport (modm.transport),
---  and options that replace the URI's
---@return modm.Connection|nil connection, string|nil message, modm.Error|nil err
function connection.connect(uri, options)
  if type(uri) ~= "string" then
    error("connect: the URI must be a string, got " .. type(uri), 2)
  end
  local alias, rest = "default", options
  if type(options) == "table" then
    rest = {}
    for name, value in pairs(options) do
      rest[name] = value
    end
    alias, rest.alias = options.alias or alias, nil
  elseif options == nil then
    rest = {}
  end
  if type(alias) ~= "string" then
    error("connect: the alias must be a string, got " .. type(alias), 2)
  end
  local way, wrong = transport.choose(rest)
  if not way then
    return errors.failure(errors.new("ConfigurationError", wrong))
  end
  local client, message, kind = core.client(uri, rest, way.threads, way.max_queue, way.suspends)
  events.hear()
  if not client then
    return errors.failure(errors.new(kind, message))
  end
  warn_of_weak_tls(client, alias)
  events.watch(client, alias)
  local new = setmetatable({
    alias = alias,
    client = client,
    database = client:database(),
    transport = way.suspends and way.transport.open(client) or way.transport,
    seconds = client:timeout(),
  }, Connection)
  new.origin = new
  connections[alias] = new
  return new
end

--- Closes the connection of an alias, or all of them. What still uses one gets an error.
---@param alias string|nil
---@return boolean found whether there was such a connection
function connection.disconnect(alias)
  local found = false
  for name, open in pairs(connections) do
    if alias == nil or name == alias then
      connections[name] = nil
      open.client:close()
      if open.transport.close then open.transport.close() end
      events.drain(open.client)
      found = true
    end
  end
  return found
end

--- What a connection has done, and does. Of a pool: in_use (clients taken from it), waiting and
--- running (operations), threads, done, failed, dropped (their callers did not wait for the end),
--- refused (the queue was full), waited_ms and ran_ms (sums).
---@param alias string|nil
---@return table|nil figures, string? message, modm.Error? err
function connection.stats(alias)
  local found, message, err = connection.get(alias)
  if not found then return nil, message, err end
  local figures = core.stats(found.client)
  figures.transport = found.transport.name
  return figures
end

--- The connection of an alias.
---@param alias string|nil
---@return modm.Connection|nil connection, string|nil message, modm.Error|nil err
function connection.get(alias)
  alias = alias or "default"
  local found = connections[alias]
  if found then
    return found
  end
  local text = alias == "default" and "no connection 'default': call modm.connect(uri) first"
    or "no connection '%s': call modm.connect(uri, { alias = \"%s\" }) first"
  return errors.failure(errors.new("ConfigurationError", text:format(alias, alias)))
end

return connection
