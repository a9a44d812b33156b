-- How long /ping takes while fifty slow finds run: prints its 99th percentile in ms, and that
-- without them.
local modm = require "modm"
local support = require "bench.waiting.support"

local SLOW, SECONDS = 50, 4
local conn = assert(modm.connect(support.uri "appName=holder", { transport = "blocking" }))
local Person = support.model()
assert(Person.objects:all():delete())
support.fill(Person, 10)

local own = support.nginx(support.uri "appName=held")
local function ping()
  local text = support.read(support.wrk(own, ("-c1 -d%ds --latency"):format(SECONDS), "/ping"))
  return support.report(text).p99
end
local alone = ping()
support.hold(conn, "held", 200)
local slow = support.wrk(own, ("-c%d -d%ds --timeout 30s"):format(SLOW, SECONDS + 2), "/get")
local p99 = ping()
local report = support.report(support.read(slow))
support.failpoint(conn, "off")
own:stop()
support.say { p99_ms = p99, alone_ms = alone, slow_failures = report.failures }
