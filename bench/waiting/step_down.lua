-- A primary that steps down under eight coroutines, or connections, that save and read:
-- lua step_down.lua nginx|cqueues|luv prints the errors, how many rounds were done, how long the
-- longest took, and how late a ticker was at worst, all in all and but for the time in which the
-- loop got no processor, and one in a process that does nothing else.
local core = require "modm.core"
local loops = require "spec.support.loops"
local modm = require "modm"
local replica_set = require "spec.support.replica_set"
local socket = require "socket"
local support = require "bench.waiting.support"

local WORKERS, SECONDS = 8, 5
local set = replica_set.start()

-- In a process of its own, a second after this.
local function step_down(primary)
  local program = ([[
    local modm, core = require "modm", require "modm.core"
    require "socket".sleep(1)
    local conn = modm.connect("mongodb://%s/admin", { directConnection = true })
    assert(conn:run(core.command(conn.client, "read", nil, core.ordered {
      { "replSetStepDown", 60 }, { "secondaryCatchUpPeriodSecs", 10 } })))
  ]]):format(primary.host)
  return assert(io.popen(("%s -e '%s'"):format(jit and "luajit" or "lua5.4", program)))
end

local function other_ticker()
  local program = ([[
    local socket, late = require "socket", 0
    local until_then = socket.gettime() + %d
    repeat
      local from = socket.gettime()
      socket.sleep(0.005)
      late = math.max(late, (socket.gettime() - from) * 1000 - 5)
    until socket.gettime() > until_then
    print(late)
  ]]):format(SECONDS)
  return assert(io.popen(("%s -e '%s'"):format(jit and "luajit" or "lua5.4", program)))
end

local function in_loop(name)
  assert(modm.connect(set:uri "waiting", { transport = "pool" }))
  local Person = support.model()
  local loop = loops[name]()
  local figures = { errors = 0, done = 0, longest_ms = 0 }
  local ticker, working = support.ticker(loop.sleep), WORKERS
  local until_then = core.now() + SECONDS
  local function round(number)
    local from = core.now()
    local ok = Person { number = number, name = "new" }:save()
      and Person.objects:get { number = number }
    figures[ok and "done" or "errors"] = figures[ok and "done" or "errors"] + 1
    figures.longest_ms = math.max(figures.longest_ms, (core.now() - from) * 1000)
  end
  loop.spawn(ticker.run)
  for worker = 1, WORKERS do
    loop.spawn(function()
      local n = 0
      while core.now() < until_then do
        n = n + 1
        round(n * WORKERS + worker)
      end
      working = working - 1
      if working == 0 then ticker.stop() end
    end)
  end
  loop.run()
  figures.late_ms, figures.held_ms = ticker.late, ticker.held
  return figures
end

local function in_nginx()
  local own = support.nginx(set:uri "waiting", { ticker = true })
  for _ = 1, 20 do assert(own:get "/work" == 200) end
  own:get "/late"
  local text = support.read(support.wrk(own,
    ("-c%d -d%ds --timeout 30s --latency"):format(WORKERS, SECONDS), "/work"))
  local report = support.report(text)
  local longest, unit = text:match "Latency%s+%S+%s+%S+%s+([%d.]+)(%a+)"
  local figures = {
    errors = report.failures, done = tonumber((text:match "(%d+) requests in")),
    longest_ms = longest * ({ us = 0.001, ms = 1, s = 1000 })[unit],
  }
  figures.late_ms, figures.held_ms = support.late_of(own)
  own:stop()
  return figures
end

local primary = set:primary()
local stepping, other = step_down(primary), other_ticker()
local figures = arg[1] == "nginx" and in_nginx() or in_loop(arg[1])
stepping:close()
figures.alone_ms = other:read "*n"
other:close()
assert(set:primary() ~= primary, "it did not step down")
socket.sleep(0.1)
set:stop()
support.say(figures)
