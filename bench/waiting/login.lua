-- Eight thousand requests to nginx, whose pool speaks TLS and logs in by SCRAM: prints how many
-- connections and logins the server saw in them, after all clients had one.
local core = require "modm.core"
local modm = require "modm"
local support = require "bench.waiting.support"
local tls = require "spec.support.tls"

local REQUESTS, CONNECTIONS = 8000, 16
local server = assert(tls.start())
local asking = assert(core.client(server.scram "admin"))
local conn = assert(modm.connect(server.scram "modm_bench", { transport = "blocking" }))
support.fill(support.model(), 10)

local function seen()
  local op = core.command(asking, "read", "admin", core.ordered { { "serverStatus", 1 } })
  assert(op:run())
  local reply = op:reply()
  return reply.connections.totalCreated,
    reply.security.authentication.mechanisms["SCRAM-SHA-256"].authenticate.successful
end

local function run(own, n, path)
  local text = support.read(assert(io.popen(("ab -q -k -n %d -c %d http://127.0.0.1:%d%s 2>&1")
    :format(n, CONNECTIONS, own.port, path))))
  return tonumber((text:match "Failed requests:%s+(%d+)")) or error(text),
    tonumber(text:match "Non%-2xx responses:%s+(%d+)" or 0)
end

local own = support.nginx(server.scram "modm_bench" .. "&maxPoolSize=16&appName=held")
support.hold(conn, "held", 100) -- so that all clients are taken at once
run(own, 64, "/get")
support.failpoint(conn, "off")
run(own, 1000, "/get")
local connections, logins = seen()
local failed, bad = run(own, REQUESTS, "/get")
local connections_after, logins_after = seen()
own:stop()
asking:close()
server.stop()
support.say { requests = REQUESTS, failures = failed + bad,
  new_connections = connections_after - connections, new_logins = logins_after - logins }
