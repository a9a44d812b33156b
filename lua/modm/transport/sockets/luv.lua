--- Sockets of libuv.

local loop = require "modm.loop.luv"
local uv = require "luv"

local sockets = {}

local LONG = 24 * 3600 -- for who waits without a limit

-- Begins something that calls done(failed, result) later, and waits for that.
local function await(seconds, begin)
  local waiter, answered, failed, result = loop.waiter(), false, nil, nil
  local ok, reason = begin(function(why, what)
    answered, failed, result = true, why, what
    loop.wake(waiter)
  end)
  if not ok then return nil, reason end
  if not answered then loop.wait(waiter, seconds or LONG) end
  if not answered then return nil, "timeout" end
  if failed then return nil, failed end
  return result or true
end

function sockets.connect(host, port, seconds)
  local found, reason = await(seconds, function(done)
    return uv.getaddrinfo(host, nil, { socktype = "stream" }, done)
  end)
  if not found then return nil, reason end
  if not found[1] then return nil, "the name has no address" end
  local handle = uv.new_tcp()
  handle:nodelay(true)
  local ok
  ok, reason = await(seconds, function(done)
    return handle:connect(found[1].addr, port, done)
  end)
  if ok then return { handle = handle, chunks = {} } end
  handle:close()
  return nil, reason
end

function sockets.send(one, data, seconds)
  return await(seconds, function(done) return one.handle:write(data, done) end)
end

-- Reads on no longer than somebody waits: it would keep the program from its end.
function sockets.receive(one, _, seconds)
  if not one.chunks[1] and not one.failed then
    await(seconds, function(done)
      return one.handle:read_start(function(failed, data)
        if data then one.chunks[#one.chunks + 1] = data else one.failed = failed or "closed" end
        done()
      end)
    end)
    if not one.handle:is_closing() then one.handle:read_stop() end
  end
  if one.chunks[1] then return table.remove(one.chunks, 1) end
  return nil, one.failed or "timeout"
end

-- Outside of the loop it is left to the collector: a luv whose state ends before the loop has seen
-- a close ends the process.
function sockets.close(one)
  if loop.is_running() and not one.handle:is_closing() then one.handle:close() end
end

function sockets.sleep(seconds) loop.wait(loop.waiter(), seconds) end

return sockets
