-- The server that specs talk to: its URI, a database for each spec, and servers of one's own.
local process = require "spec.support.process"

local server = {}

-- The URI that tools/with-mongod gave. Without it a spec cannot run, and says so.
function server.uri(database)
  local uri = os.getenv("MODM_TEST_URI")
  if not uri then
    error("MODM_TEST_URI is not set: run the specs with `make test` or tools/with-mongod", 2)
  end
  if not database then
    return uri
  end
  local hosts, options = uri:match("^(mongodb[^:]*://[^/?]+)/?[^?]*(.*)$")
  return hosts .. "/" .. database .. options
end

local count = 0
local seed = (io.open("/dev/urandom", "rb"):read(4):gsub(".", function(c)
  return ("%02x"):format(c:byte())
end))

-- A database name that nobody else uses; `label` tells whose it is.
function server.database(label)
  count = count + 1
  return ("modm_%s_%s_%d"):format(label or "spec", seed, count)
end

-- The URI of a database that nobody else uses, and its name.
function server.fresh(label)
  local name = server.database(label)
  return server.uri(name), name
end

-- Starts a mongod of the caller's own with more arguments, and gives { uri, port, pid, stop = f };
-- nil where there is no binary (MONGODB_URI was given). It ends with this process at the latest.
function server.start(arguments)
  local binary = os.getenv("MODM_MONGOD")
  if not binary then
    return nil, "no mongod of our own with MONGODB_URI"
  end
  local folder, port = process.folder "server", process.free_port()
  local child = process.start(table.concat({
    binary, "--dbpath", folder, "--port", port,
    "--bind_ip 127.0.0.1 --nounixsocket --wiredTigerCacheSizeGB 0.25",
    "--setParameter enableTestCommands=1", arguments,
  }, " "), folder .. "/log")
  pcall(process.wait_for, "mongod", 30, function() return process.listens(port) end)
  local own = { pid = tonumber(child.pid), port = port, uri = "mongodb://127.0.0.1:" .. port }
  function own.stop()
    child:stop()
    os.execute("rm -rf " .. folder)
  end
  return own
end

return server
