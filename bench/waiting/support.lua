-- What the programs of bench/waiting share: documents, tickers, a private nginx, what they print.
local core = require "modm.core"
local nginx = require "spec.support.nginx"
local socket = require "socket"

local support = {}

-- A model of full documents; nginx reads this text, and so do the programs.
support.MODEL = [[
  local fields = require("modm").fields
  return require("modm").MongoModel:extend("Person", {
    number = fields.IntegerField { primary_key = true },
    name = fields.CharField { required = true, max_length = 60 },
    email = fields.EmailField {},
    age = fields.IntegerField { min_value = 0, max_value = 150 },
    score = fields.FloatField {},
    active = fields.BooleanField { default = true },
    joined = fields.DateTimeField {},
    city = fields.CharField { max_length = 60 },
    tags = fields.ListField { fields.CharField { max_length = 20 } },
  })
]]

function support.fill(Person, n)
  for number = 1, n do
    assert(Person { number = number, name = "Person " .. number, age = number % 100,
      email = ("person%d@example.org"):format(number), score = number / 7, joined = os.time(),
      city = "Reykjavík", tags = { "one", "two", "three" } }:save())
  end
end

function support.model()
  return assert((loadstring or load)(support.MODEL))() -- luacheck: ignore
end

-- For how many ms the process's first thread, that of the loop, was ready and got no processor.
function support.starved()
  local file = assert(io.open "/proc/self/schedstat")
  local _, waited = file:read("*n", "*n")
  file:close()
  return waited / 1e6
end

-- Notes how late a sleep of 5 ms ends at worst, in ms, and how late but for the time in which the
-- loop got no processor: run() in a coroutine until stop().
function support.ticker(sleep)
  local own = { late = 0, held = 0 }
  function own.run()
    while not own.stopped do
      local from, starved = core.now(), support.starved()
      sleep(0.005)
      local late = (core.now() - from) * 1000 - 5
      own.late = math.max(own.late, late)
      own.held = math.max(own.held, late - (support.starved() - starved))
    end
  end
  function own.stop() own.stopped = true end
  return own
end

-- An nginx with the model and the locations /get?n= and /work?n= (saves, reads), /slow
-- (a held find), /ping, /late (the worst of options.ticker since it was asked before, of both
-- kinds); options.aborts: it sees clients that go away.
function support.nginx(uri, options)
  options = options or {}
  return nginx.start {
    main = options.main,
    http = ([[
      keepalive_requests 1000000;
      lua_check_client_abort %s;
      init_worker_by_lua_block {
        modm, core = require "modm", require "modm.core"
        assert(modm.connect(%q))
        Person = (function() %s end)()
        ticker = require("bench.waiting.support").ticker(ngx.sleep)
        if %s then ngx.timer.at(0, ticker.run) end
      }
    ]]):format(options.aborts and "on" or "off", uri, support.MODEL, not not options.ticker),
    server = [[
      location /get { content_by_lua_block {
        local person = assert(Person.objects:get { number = tonumber(ngx.var.arg_n or 7) })
        assert(person:full_clean())
        ngx.say(person.name, " ", person.email, " ", person.age)
      } }
      location /work { content_by_lua_block {
        local n = math.random(1000000, 1000000000)
        assert(Person { number = n, name = "new" }:save())
        assert(Person.objects:get { number = n })
        ngx.say "done"
      } }
      location /left { content_by_lua_block {
        ngx.thread.spawn(function() Person.objects:get { number = 7 } end)
        ngx.sleep(0.001)
        ngx.exit(200)
      } }
      location /aborted { content_by_lua_block {
        ngx.on_abort(function() ngx.exit(499) end)
        ngx.say "begun"
        ngx.flush(true)
        while true do assert(Person.objects:get { number = 7 }) end
      } }
      location /ping { content_by_lua_block { ngx.say "pong" } }
      location /late { content_by_lua_block {
        ngx.print(ticker.late, " ", ticker.held)
        ticker.late, ticker.held = 0, 0
      } }
      location /stats { content_by_lua_block {
        collectgarbage()
        collectgarbage()
        local resident
        for line in io.lines "/proc/self/status" do
          resident = resident or line:match "VmRSS:%s*(%d+)"
        end
        local stats = modm.stats()
        ngx.print(stats.in_use + stats.running, " ", collectgarbage "count", " ", resident)
      } }
    ]],
  }
end

-- What /late says.
function support.late_of(own)
  local _, text = own:get "/late"
  local late, held = text:match "(%S+) (%S+)"
  return tonumber(late), tonumber(held)
end

-- Runs wrk against a location; gives what it printed.
function support.wrk(own, arguments, path)
  return assert(io.popen(("wrk -t1 %s http://127.0.0.1:%d%s"):format(arguments, own.port, path)))
end

function support.read(pipe)
  local text = pipe:read "*a"
  pipe:close()
  return text
end

-- Of wrk's report: requests a second, the 99th percentile in ms, failures.
function support.report(text)
  local number, unit = text:match "99%%%s+([%d.]+)(%a+)"
  local failures = tonumber(text:match "Non%-2xx or 3xx responses: (%d+)" or 0)
  for kind in ("connect read write timeout"):gmatch "%a+" do
    failures = failures + tonumber(text:match(kind .. " (%d+)") or 0)
  end
  return {
    requests = tonumber((assert(text:match "Requests/sec:%s+([%d.]+)", text))),
    p99 = number and tonumber(number) * ({ us = 0.001, ms = 1, s = 1000 })[unit],
    failures = failures,
  }
end

function support.failpoint(conn, mode, data)
  assert(conn:run(core.command(conn.client, "write", "admin", core.ordered {
    { "configureFailPoint", "failCommand" }, { "mode", mode }, { "data", data or {} } })))
end

-- Holds finds of connections with this name for so many ms.
function support.hold(conn, name, ms)
  support.failpoint(conn, "alwaysOn", { failCommands = core.array { "find" }, appName = name,
    blockConnection = true, blockTimeMS = ms })
end

function support.now() return socket.gettime() end

-- Prints figures as the runner reads them: "name value" a line.
function support.say(figures)
  for name, value in pairs(figures) do print(name, value) end
end

-- The bench's URI with more options.
function support.uri(more)
  local uri = assert(os.getenv "MODM_URI", "MODM_URI is not set")
  return uri .. (uri:find("?", 1, true) and "&" or "?") .. more
end

return support
