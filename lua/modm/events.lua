-- Listeners to what modm says to servers: modm.on("command", f).
local events = {}

local unpack = table.unpack or unpack

local listeners = {} -- in the order in which they came
local clients = setmetatable({}, { __mode = "k" }) -- of all connections, also those just replaced

local function monitor(on)
  for client in pairs(clients) do
    -- LuaJIT shows clients that were collected already; they refuse
    pcall(client.monitor, client, on)
  end
end

--- Watches a new client as long as there is a listener.
function events.watch(client, alias)
  clients[client] = alias
  if #listeners > 0 then
    client:monitor(true)
  end
end

--- Calls the listeners with what the client has queued. A listener that raises is the program's own
--- mistake, and its error goes up.
function events.drain(client)
  if #listeners == 0 then
    return
  end
  for _, event in ipairs(client:events()) do
    event.alias = clients[client]
    for _, listener in ipairs({ unpack(listeners) }) do
      listener(event)
    end
  end
end

--- Calls `listener` for each command event from now on, with a table: phase ("started",
--- "succeeded", "failed"), name, alias, database, host, request_id, operation_id; command, or reply
--- and duration_ms;
--- message of a failure. Commands of authentication come without their content.
---@param what "command"
---@param listener fun(event: table)
---@return fun() off call it to end this
function events.on(what, listener)
  if what ~= "command" then
    error(("there are no '%s' events: say modm.on(\"command\", listener)"):format(tostring(what)),
      2)
  end
  if type(listener) ~= "function" then
    error("modm.on: the listener must be a function, got " .. type(listener), 2)
  end
  listeners[#listeners + 1] = listener
  if #listeners == 1 then
    monitor(true)
  end
  local on = true
  return function()
    for i = #listeners, 1, -1 do
      if on and listeners[i] == listener then
        table.remove(listeners, i)
        on = false
      end
    end
    if #listeners == 0 then
      monitor(false)
    end
  end
end

return events
