-- Child processes of a spec: none outlives the interpreter that started it.
local socket = require "socket"

local process = {}

local Process = {}
Process.__index = Process

-- Something that calls f when it is collected.
local function at_end(f)
  if not newproxy then return setmetatable({}, { __gc = f }) end
  local proxy = newproxy(true)
  getmetatable(proxy).__gc = f
  return proxy
end

-- Starts a program, its output in a log. `words` are for the shell as they are.
function process.start(words, log)
  -- The sanitizers' libraries are for the specs, not for what they talk to.
  local pipe = assert(io.popen("echo $$; exec env -u LD_PRELOAD setpriv --pdeathsig KILL "
    .. words .. " >>" .. log .. " 2>&1 </dev/null"))
  local new = setmetatable({ pid = assert(pipe:read "*l"), pipe = pipe, log = log }, Process)
  -- Younger than the pipe, so collected first: to close the pipe of one that runs waits for it.
  new.guard = at_end(function() new:stop() end)
  return new
end

-- Sends a signal by its name: "KILL", "STOP", "CONT".
function Process:signal(name)
  os.execute("kill -" .. name .. " " .. self.pid)
end

-- Kills it and waits until it is gone. Idempotent.
function Process:stop()
  if not self.pipe then return end
  self:signal "KILL"
  self.pipe:close()
  self.pipe = nil
end

-- Waits until f gives something true, and returns it; raises after `seconds`.
function process.wait_for(what, seconds, f)
  local deadline = socket.gettime() + seconds
  repeat
    local found = f()
    if found then return found end
    socket.sleep(0.02)
  until socket.gettime() > deadline
  error(("waited %d s for %s"):format(seconds, what), 2)
end

-- Whether somebody listens on a port of the loopback interface.
function process.listens(port)
  local connection = socket.connect("127.0.0.1", port)
  if connection then connection:close() end
  return connection ~= nil
end

-- A port that nobody listens on, below those that the system gives to clients.
function process.free_port()
  local port
  repeat
    local high, low = io.open("/dev/urandom", "rb"):read(2):byte(1, 2)
    port = 20000 + (high * 256 + low) % 12000
  until not process.listens(port)
  return port
end

-- A folder of this run, which is gone when the run is.
function process.folder(label)
  local name = os.tmpname()
  os.remove(name)
  local parent = os.getenv "MODM_TEST_FOLDER"
  if parent then name = parent .. "/" .. label .. name:match "[^/]+$" end
  assert(os.execute("mkdir -p " .. name))
  return name
end

return process
