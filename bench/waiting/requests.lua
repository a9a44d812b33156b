-- Small finds at 16 connections, in turns by modm and by the prototype's pool of threads, which
-- gives no documents: lua requests.lua ROUNDS [PROTOTYPE], its folder, prints the medians of both.
local modm = require "modm"
local nginx = require "spec.support.nginx"
local support = require "bench.waiting.support"

local CONNECTIONS, SECONDS = 16, 2
local rounds, prototype = tonumber(arg[1]), arg[2]

assert(modm.connect(os.getenv "MODM_URI"))
local Person = support.model()
assert(Person.objects:all():delete())
support.fill(Person, 100)

local function start_prototype()
  local uri = support.uri "maxPoolSize=64"
  return nginx.start {
    http = ([[
      lua_max_running_timers 512;
      keepalive_requests 1000000;
      init_worker_by_lua_block {
        package.path = "%s/?.lua;" .. package.path
        package.cpath = "%s/?.so;" .. package.cpath
        require("pools").P.init("%s", 32)
      }
    ]]):format(prototype, prototype, uri),
    server = [[
      location /get { content_by_lua_block {
        local found, failed = require("pools").P.run("", "find", "modm_bench", "person",
          '{"_id":7}', '{"limit":1}')
        if not found or #found ~= 1 then ngx.status = 500 end
        ngx.say(found and #found or failed)
      } }
    ]],
  }
end

local function median(list)
  table.sort(list)
  return list[math.ceil(#list / 2)]
end

-- The worker's CPU, user and system, in ticks of 10 ms.
local function ticks(own)
  local pipe = io.popen(("cat /proc/%d/task/%d/children"):format(own.pid, own.pid))
  local worker = pipe:read "*n"
  pipe:close()
  local file = io.open(("/proc/%d/stat"):format(worker))
  local user, system = file:read "*a":match("%) " .. ("%S+ "):rep(11) .. "(%d+) (%d+)")
  file:close()
  return user + system
end

local function round(own, into)
  local before = ticks(own)
  local text = support.read(support.wrk(own,
    ("-c%d -d%ds --latency"):format(CONNECTIONS, SECONDS), "/get"))
  local report = support.report(text)
  assert(report.failures == 0, text)
  table.insert(into.requests, report.requests)
  local done = tonumber((text:match "(%d+) requests in"))
  table.insert(into.cpu_us, (ticks(own) - before) * 10000 / done)
end

local ours, theirs = { requests = {}, cpu_us = {} }, { requests = {}, cpu_us = {} }
local own, other = support.nginx(support.uri "maxPoolSize=64"), prototype and start_prototype()
for i = 0, rounds do -- the first warms up
  if i == 1 then ours, theirs = { requests = {}, cpu_us = {} }, { requests = {}, cpu_us = {} } end
  round(own, ours)
  if other then round(other, theirs) end
end
own:stop()
local figures = { requests_per_s = median(ours.requests), cpu_us = median(ours.cpu_us) }
if other then
  other:stop()
  figures.prototype_requests_per_s = median(theirs.requests)
  figures.prototype_cpu_us = median(theirs.cpu_us)
end
support.say(figures)
