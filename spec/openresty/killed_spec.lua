-- Requests that are killed while they wait for the server: no client of the pool is lost by it, no
-- memory, and those that live see nothing of it.
local nginx = require "spec.support.nginx"
local server = require "spec.support.server"
local socket = require "socket"

describe("killed requests", function()
  local own

  setup(function()
    own = nginx.start {
      http = ([[
        lua_check_client_abort on;
        init_worker_by_lua_block {
          modm = require "modm"
          assert(modm.connect(%q))
          Note = modm.MongoModel:extend("Note", { text = modm.fields.CharField {} })
          for i = 1, 12 do assert(Note { text = "old" }:save()) end

          work = {}
          function work.save() assert(Note { text = "new" }:save()) end
          function work.read()
            local n = 0
            for _ in Note.objects:filter { text = "old" }:batch_size(3):iter() do n = n + 1 end
            assert(n == 12, n)
          end
          function work.transact()
            assert(modm.transaction(function()
              work.save()
              work.read()
              return true
            end))
          end
        }
      ]]):format((server.fresh "killed")),
      server = [[
        location /work { content_by_lua_block {
          work[ngx.var.arg_what]()
          ngx.say "done"
        } }
        location /left { content_by_lua_block {
          ngx.thread.spawn(work[ngx.var.arg_what])
          ngx.sleep(tonumber(ngx.var.arg_after))
          ngx.exit(200)
        } }
        location /aborted { content_by_lua_block {
          ngx.on_abort(function() ngx.exit(499) end)
          ngx.say "begun"
          ngx.flush(true)
          while true do work[ngx.var.arg_what]() end
        } }
        location /stats { content_by_lua_block {
          collectgarbage()
          collectgarbage()
          local stats = assert(modm.stats())
          ngx.say(stats.transport, " ", stats.in_use, " ", stats.waiting, " ", stats.running, " ",
            math.floor(collectgarbage "count"))
        } }
        location /memory { content_by_lua_block {
          for line in io.lines "/proc/self/status" do
            local kilobytes = line:match "VmRSS:%s*(%d+)"
            if kilobytes then ngx.say(kilobytes) end
          end
        } }
      ]],
    }
  end)

  teardown(function() own:stop() end)

  local kinds = { "save", "read", "transact" }

  -- Requests, twenty at a time, of which each tenth is killed one way or the other.
  local function round(n)
    for first = 1, n, 20 do
      local answers, endless = {}, nil
      for i = first, first + 19 do
        local what = kinds[i % 3 + 1]
        if i % 20 == 0 then
          endless = own:send("/aborted?what=" .. what)
        elseif i % 10 == 0 then
          answers[#answers + 1] = own:send(("/left?what=%s&after=%f"):format(what, i % 7 / 1000))
        else
          answers[#answers + 1] = own:send("/work?what=" .. what)
        end
      end
      for _, answer in ipairs(answers) do
        local status, body = answer:receive()
        assert.equal(200, status)
        assert.is_true(body == "done\n" or body == "", body)
      end
      endless:begin()
      endless:abort()
    end
  end

  -- What is in use, once all operations that were under way have ended.
  local function settled()
    local figures
    for _ = 1, 100 do
      local _, line = own:get "/stats"
      figures = { line:match "(%a+) (%d+) (%d+) (%d+) (%d+)" }
      if figures[2] == "0" and figures[4] == "0" then break end
      socket.sleep(0.05)
    end
    return figures
  end

  it("give back their clients and their memory", function()
    round(300)
    local before = settled()
    assert.same({ "pool", "0", "0", "0" }, { before[1], before[2], before[3], before[4] })
    local resident = tonumber(select(2, own:get "/memory"))
    round(1000)
    local after = settled()
    assert.same({ "pool", "0", "0", "0" }, { after[1], after[2], after[3], after[4] })
    assert.is_true(after[5] - before[5] < 200, after[5] - before[5] .. " KB of Lua more")
    resident = tonumber(select(2, own:get "/memory")) - resident
    assert.is_true(resident < 4096, resident .. " KB more")
    for line in own:log():gmatch "[^\n]+" do assert.is_nil(line:find "%[error%]", line) end
  end)
end)
