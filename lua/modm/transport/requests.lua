--- What a fiber can want of its event loop, made of five functions for sockets.
---
--- Sockets, `modm.transport.sockets.NAME`, are a table of functions:
---   connect(host, port, seconds) -> socket | nil, reason
---   send(socket, data, seconds)  -> true | nil, "timeout" or another reason
---   receive(socket, max, seconds) -> some bytes, `max` at most | nil, "timeout" or another reason
---   close(socket)                never waits
---   sleep(seconds)
--- Seconds may be nil: no limit.

local requests = {}

-- While several sockets are waited for, each is for so long in its turn, in seconds.
local FIRST, LONGEST, CHUNK = 0.001, 0.008, 16384

local function status_of(reason) return reason == "timeout" and "timeout" or "failed" end

-- Several sockets in slices: no library of sockets has to be able to wait for them at once.
local function poll(sockets, receive, seconds, ids)
  local slice, left = FIRST, seconds
  repeat
    for _, id in ipairs(ids) do
      local data, reason = nil, "closed"
      if sockets[id] then data, reason = receive(sockets[id], CHUNK, slice) end
      if data then return "ok", data, id end
      if reason ~= "timeout" then return "failed", nil, id end
      left = left and left - slice
    end
    slice = math.min(slice * 2, LONGEST)
  until left and left <= 0
  return "timeout"
end

--- Functions by the names of what a fiber wants. Each takes the fiber's sockets by number, seconds,
--- and what belongs to it; and gives "ok", "timeout" or "failed", bytes, and the socket's number.
---@param library table
---@return table<string, function>
function requests.new(library)
  local calls = {}

  function calls.connect(sockets, seconds, id, host, port)
    local socket, reason = library.connect(host, port, seconds)
    if not socket then return status_of(reason), tostring(reason) end
    sockets[id] = socket
    return "ok"
  end

  function calls.send(sockets, seconds, id, data)
    if not sockets[id] then return "failed" end
    local ok, reason = library.send(sockets[id], data, seconds)
    return ok and "ok" or status_of(reason)
  end

  function calls.receive(sockets, seconds, id, max)
    if not sockets[id] then return "failed" end
    local data, reason = library.receive(sockets[id], max, seconds)
    if data then return "ok", data, id end
    return status_of(reason)
  end

  function calls.poll(sockets, seconds, ids)
    if ids[2] then return poll(sockets, library.receive, seconds, ids) end
    local status, data = calls.receive(sockets, seconds, ids[1], CHUNK)
    return status, data, ids[1]
  end

  function calls.close(sockets, _, id)
    local socket = sockets[id]
    sockets[id] = nil
    if socket then library.close(socket) end
    return "ok"
  end

  function calls.sleep(_, seconds)
    library.sleep(seconds)
    return "ok"
  end

  return calls
end

return requests
