-- Twenty finds at once, each held for 200 ms by the server: lua held.lua nginx|cqueues|luv prints
-- how long all took, and how late a ticker was meanwhile at worst, and with nothing to do.
local core = require "modm.core"
local loops = require "spec.support.loops"
local modm = require "modm"
local socket = require "socket"
local support = require "bench.waiting.support"

local FINDS, HELD_MS = 20, 200
local conn = assert(modm.connect(support.uri "appName=holder", { transport = "blocking" }))
local Person = support.model()
assert(Person.objects:all():delete())
support.fill(Person, FINDS)

local function in_loop(name)
  local uri = support.uri "appName=held"
  local function idle()
    local loop = loops[name]()
    local ticker = support.ticker(loop.sleep)
    loop.spawn(ticker.run)
    loop.spawn(function()
      loop.sleep(0.25)
      ticker.stop()
    end)
    loop.run()
    return ticker.late
  end
  local function finds()
    local loop, left = loops[name](), FINDS
    local ticker, from, to = support.ticker(loop.sleep), core.now(), nil
    loop.spawn(ticker.run)
    for number = 1, FINDS do
      loop.spawn(function()
        assert(Person.objects:get { number = number })
        left = left - 1
        if left > 0 then return end
        to = core.now()
        ticker.stop()
      end)
    end
    loop.run()
    return (to - from) * 1000, ticker.late, ticker.held
  end
  assert(modm.connect(uri, { transport = "pool" }))
  finds() -- the connections
  local alone = idle()
  support.hold(conn, "held", HELD_MS)
  local total, late, held = finds()
  return { total_ms = total, late_ms = late, held_ms = held, alone_ms = alone }
end

local function in_nginx()
  local own = support.nginx(support.uri "appName=held", { ticker = true })
  local function finds()
    local from, answers = support.now(), {}
    for number = 1, FINDS do answers[number] = own:send("/get?n=" .. number) end
    for _, answer in ipairs(answers) do assert(answer:receive() == 200) end
    return (support.now() - from) * 1000
  end
  finds()
  finds()
  support.late_of(own)
  socket.sleep(0.25)
  local alone = support.late_of(own)
  support.hold(conn, "held", HELD_MS)
  local total = finds()
  local figures = { total_ms = total, alone_ms = alone }
  figures.late_ms, figures.held_ms = support.late_of(own)
  own:stop()
  return figures
end

local figures = arg[1] == "nginx" and in_nginx() or in_loop(arg[1])
support.failpoint(conn, "off")
support.say(figures)
