-- Listeners to what modm says to servers and what is logged: modm.on("command", f),
-- modm.on("operation", f), modm.on("log", f).
local core = require "modm.core"
local telemetry = require "modm.telemetry"

local events = {}

local unpack = table.unpack or unpack

local listeners = { command = {}, operation = {}, log = {} } -- each in the order in which they came
local clients = setmetatable({}, { __mode = "k" }) -- of all connections, also those just replaced

local quiet = true -- nobody listens to anything
local heard = 0 -- the number of the last line of the log that the listeners have

-- Whether clients have to keep their commands for a listener.
local function anybody() return #listeners.command + #listeners.operation > 0 end

local function monitor(on)
  for client in pairs(clients) do
    -- LuaJIT shows clients that were collected already; they refuse
    pcall(client.monitor, client, on)
  end
end

--- Watches a new client as long as there is a listener.
function events.watch(client, alias)
  clients[client] = alias
  if anybody() then
    client:monitor(true)
  end
end

local function tell(list, what)
  for _, listener in ipairs({ unpack(list) }) do
    listener(what)
  end
end

--- Calls the listeners with what libmongoc has logged since they were told last.
function events.hear()
  if #listeners.log == 0 then
    return
  end
  local lines
  lines, heard = core.log(heard)
  if lines.lost then
    tell(listeners.log, { level = "warning", domain = "modm",
      message = ("%d older lines of the log were lost"):format(lines.lost) })
  end
  for _, line in ipairs(lines) do
    tell(listeners.log, line)
  end
end

--- A warning of modm's own. Nothing else says it, so that without a listener it goes to stderr.
function events.warn(message)
  if #listeners.log == 0 then
    io.stderr:write("modm: warning: ", message, "\n")
  end
  tell(listeners.log, { level = "warning", domain = "modm", message = message })
end

local function tell_all(client, queued)
  for _, event in ipairs(queued) do
    event.alias = clients[client]
    tell(listeners.command, event)
    local operation = #listeners.operation > 0 and telemetry.operation(client, event)
    if operation then
      tell(listeners.operation, operation)
    end
  end
end

--- Calls the listeners with what the client has queued: in a pool an operation
--- has its own. A listener that raises is the program's own mistake, and its error goes up.
---@param client userdata
---@param op userdata|nil that has just ended
function events.drain(client, op)
  if quiet then return end
  events.hear()
  if not anybody() then
    return
  end
  tell_all(client, client:events())
  if op then tell_all(client, op:events()) end
end

-- A listener for the operations that take longer.
local function only_slow(listener, ms)
  return function(operation)
    if operation.duration_ms > ms then
      listener(operation)
    end
  end
end

local function check(what, listener, options)
  if not listeners[what] then
    error(("there are no '%s' events: say modm.on(\"command\", f), modm.on(\"operation\", f) or "
      .. "modm.on(\"log\", f)"):format(tostring(what)), 3)
  elseif type(listener) ~= "function" then
    error("modm.on: the listener must be a function, got " .. type(listener), 3)
  end
  local ms = options and options.slower_than_ms
  for name in pairs(options or {}) do
    if name ~= "slower_than_ms" or what ~= "operation" then
      error(("modm.on: %s has no option '%s'"):format(what, tostring(name)), 3)
    end
  end
  if ms ~= nil and type(ms) ~= "number" then
    error("modm.on: slower_than_ms must be a number, got " .. type(ms), 3)
  end
  return ms
end

--- Calls `listener` for each command event from now on, with a table: phase ("started",
--- "succeeded", "failed"), name, alias, database, host, request_id, operation_id; command, or reply
--- and duration_ms; message of a failure. Commands of authentication come without their content.
---
--- With "operation" it is called once for each command that has ended, with a modm.Operation: the
--- command without its values, its duration, the line of the program that it comes from, and
--- OpenTelemetry's attributes. `slower_than_ms` makes it a log of slow queries.
---
--- With "log" it gets what libmongoc logs in this process, and modm's own warnings, without
--- passwords: level ("error", "critical", "warning", "message", "info", "debug", "trace"), domain
--- (the part of libmongoc, or "modm"), message. It is called by the next call of a server, never in
--- between. Without such a listener libmongoc's lines are dropped, and modm's own go to stderr.
---@param what "command"|"operation"|"log"
---@param listener fun(event: table)
---@param options { slower_than_ms: number? }|nil
---@return fun() off call it to end this
function events.on(what, listener, options)
  local ms = check(what, listener, options)
  if ms then
    listener = only_slow(listener, ms)
  end
  local was_unheard, list = not anybody(), listeners[what]
  if what == "log" and #list == 0 then
    heard = select(2, core.log())
  end
  list[#list + 1] = listener
  quiet = false
  if was_unheard and anybody() then
    monitor(true)
  end
  local on = true
  return function()
    for i = #list, 1, -1 do
      if on and list[i] == listener then
        table.remove(list, i)
        on = false
      end
    end
    quiet = not anybody() and #listeners.log == 0
    if not anybody() then
      monitor(false)
    end
  end
end

return events
