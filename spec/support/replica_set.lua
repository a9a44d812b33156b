-- A replica set of a spec's own, whose servers can be killed, stopped and asked to step down.
--
--   local set = replica_set.start()      -- nil where there is no mongod of our own
--   modm.connect(set:uri "name")
--   set:step_down()  set:kill(set:primary())  set:restart(node)  set:pause(node)  set:resume(node)
--   teardown(function() set:stop() end)  -- at the latest it ends with this process
local core = require "modm.core"
local process = require "spec.support.process"

local replica_set = {}

local Set = {}
Set.__index = Set

-- Elections within a second or so: a primary that does not answer for this long is replaced.
local ELECTION_MS, HEARTBEAT_MS, TIMEOUT_S = 1000, 200, 1

local ARGUMENTS = "--bind_ip 127.0.0.1 --nounixsocket --oplogSize 16 --wiredTigerCacheSizeGB 0.25"
  .. " --setParameter enableTestCommands=1 --setParameter diagnosticDataCollectionEnabled=false"
  .. " --setParameter ttlMonitorEnabled=false --setParameter logicalSessionRefreshMillis=600000"

local function launch(set, node)
  node.process = process.start(("%s --replSet %s --port %d --dbpath %s %s"):format(
    os.getenv "MODM_MONGOD", set.name, node.port, node.folder, ARGUMENTS), node.folder .. ".log")
  node.alive = true
end

local function new_node(set)
  local port = process.free_port()
  local node = { port = port, host = "127.0.0.1:" .. port, folder = set.folder .. "/" .. port }
  assert(os.execute("mkdir " .. node.folder))
  launch(set, node)
  return node
end

-- A command to one server alone: its reply, or nil and the error.
function Set:command(node, command, database)
  local client = assert(core.client("mongodb://" .. node.host .. "/admin", {
    directConnection = true, serverSelectionTimeoutMS = 2000, socketTimeoutMS = 20000 }))
  local op = core.command(client, "read", database or "admin", core.ordered(command))
  local reply, err = nil, nil
  if op:run() then reply = op:reply() else err = op:error() end
  client:close()
  return reply, err
end

local function initiate(set)
  local members = {}
  for i, node in ipairs(set.nodes) do members[i] = { _id = i - 1, host = node.host } end
  local reply, err = set:command(set.nodes[1], { { "replSetInitiate", {
    _id = set.name, members = core.array(members),
    settings = { electionTimeoutMillis = ELECTION_MS, heartbeatIntervalMillis = HEARTBEAT_MS,
      heartbeatTimeoutSecs = TIMEOUT_S },
  } } })
  return reply or error(err.message)
end

-- Starts n servers (3) and waits for a primary and its secondaries. nil where there is no binary.
function replica_set.start(n)
  if not os.getenv "MODM_MONGOD" then return nil, "no mongod of our own with MONGODB_URI" end
  local folder = process.folder "set"
  local set = setmetatable({ name = folder:match "[^/]+$", folder = folder, nodes = {} }, Set)
  local ok, message = pcall(function()
    for i = 1, n or 3 do set.nodes[i] = new_node(set) end
    for _, node in ipairs(set.nodes) do set:wait_until_up(node) end
    initiate(set)
    set:settle()
  end)
  if not ok then
    set:stop()
    error(message, 2)
  end
  return set
end

-- The URI of a database, with more options: { socketTimeoutMS = 500 }.
function Set:uri(database, options)
  local hosts = {}
  for i, node in ipairs(self.nodes) do hosts[i] = node.host end
  local text = ("mongodb://%s/%s?replicaSet=%s"):format(table.concat(hosts, ","), database,
    self.name)
  for name, value in pairs(options or {}) do
    text = text .. "&" .. name .. "=" .. tostring(value)
  end
  return text
end

-- Waits until the server answers.
function Set:wait_until_up(node)
  process.wait_for("mongod " .. node.host, 30, function() return process.listens(node.port) end)
end

-- What the server says of itself, or nil.
function Set:hello(node)
  return node.alive and not node.paused and self:command(node, { { "hello", 1 } }) or nil
end

-- The server that is primary now; waits for one. `but`: another than that.
function Set:primary(but)
  return process.wait_for("a primary", 30, function()
    for _, node in ipairs(self.nodes) do
      local hello = node ~= but and self:hello(node)
      if hello and hello.isWritablePrimary then return node end
    end
  end)
end

-- The servers that are secondaries now.
function Set:secondaries()
  local list = {}
  for _, node in ipairs(self.nodes) do
    local hello = self:hello(node)
    if hello and hello.secondary then list[#list + 1] = node end
  end
  return list
end

-- Waits until one is primary and all others that run are its secondaries.
function Set:settle()
  process.wait_for("the set to settle", 60, function()
    local primaries, running = 0, 0
    for _, node in ipairs(self.nodes) do
      if node.alive and not node.paused then running = running + 1 end
      local hello = self:hello(node)
      if hello and hello.isWritablePrimary then primaries = primaries + 1 end
    end
    return primaries == 1 and #self:secondaries() == running - 1
  end)
end

-- Has the primary step down; another is elected, at the latest after the election's timeout.
function Set:step_down(seconds)
  local reply, err = self:command(self:primary(),
    { { "replSetStepDown", seconds or 5 }, { "secondaryCatchUpPeriodSecs", 5 } })
  return reply or error(err.message, 2)
end

-- Kills a server outright: what it had not written to its journal is lost.
function Set:kill(node)
  node.process:stop()
  node.alive, node.paused = false, false
end

-- Starts a server again that was killed. It has its data.
function Set:restart(node)
  launch(self, node)
  self:wait_until_up(node)
end

-- Hangs a server: it keeps its connections and answers nothing.
function Set.pause(_, node)
  node.process:signal "STOP"
  node.paused = true
end

function Set.resume(_, node)
  node.process:signal "CONT"
  node.paused = false
end

-- Sets a fail point on one server: set:fail(node, { times = 1 }, { failCommands = {...}, ... }).
function Set:fail(node, mode, data)
  local reply, err = self:command(node,
    { { "configureFailPoint", "failCommand" }, { "mode", mode }, { "data", data } })
  return reply or error(err.message, 2)
end

-- Ends all servers and takes their data away. Idempotent.
function Set:stop()
  for _, node in ipairs(self.nodes) do node.process:stop() end
  os.execute("rm -rf " .. self.folder)
  self.nodes = {}
end

return replica_set
