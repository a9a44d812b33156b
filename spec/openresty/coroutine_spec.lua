-- The coroutine transport in nginx: owners of fibers serve all requests by their own cosockets, and
-- outlive those that are killed.
local core = require "modm.core"
local nginx = require "spec.support.nginx"
local server = require "spec.support.server"
local socket = require "socket"

describe("the coroutine transport in nginx", function()
  if not core.can_suspend() then
    return it("needs a newer libmongoc", function() pending(select(2, core.can_suspend())) end)
  end

  local own

  setup(function()
    own = nginx.start {
      http = ([[
        init_worker_by_lua_block {
          modm = require "modm"
          assert(modm.connect(%q, { transport = "coroutine", maxPoolSize = 8 }))
          Note = modm.MongoModel:extend("Note", { text = modm.fields.CharField {} })
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
          function work.slow()
            assert(Note.objects:raw({ ["$where"] = "sleep(300) || true" }, { javascript = true })
              :first())
          end
        }
      ]]):format((server.fresh "coroutine_nginx")),
      server = [[
        location /fill { content_by_lua_block {
          for i = 1, 12 do assert(Note { text = "old" }:save()) end
          ngx.say "done"
        } }
        location /work { content_by_lua_block {
          work[ngx.var.arg_what]()
          ngx.say "done"
        } }
        location /left { content_by_lua_block {
          ngx.thread.spawn(work[ngx.var.arg_what])
          ngx.sleep(tonumber(ngx.var.arg_after))
          ngx.exit(200)
        } }
        location /ping { content_by_lua_block { ngx.say "pong" } }
        location /stats { content_by_lua_block {
          collectgarbage()
          collectgarbage()
          local stats = assert(modm.stats())
          ngx.say(stats.transport, " ", stats.in_use, " ", stats.waiting, " ", stats.running)
        } }
      ]],
    }
    assert.same({ 200, "done\n" }, { own:get "/fill" })
  end)

  teardown(function() own:stop() end)

  it("serves requests side by side, by as many fibers as there may be", function()
    local answers, kinds = {}, { "save", "read", "transact" }
    for i = 1, 30 do answers[i] = own:send("/work?what=" .. kinds[i % 3 + 1]) end
    for i = 1, 30 do assert.same({ 200, "done\n" }, { answers[i]:receive() }) end
  end)

  it("answers others while the server works", function()
    local slow = own:send "/work?what=slow"
    local pings = 0
    local till = socket.gettime() + 0.25
    while socket.gettime() < till do
      assert.equal(200, (own:get "/ping"))
      pings = pings + 1
    end
    assert.is_true(pings > 3, pings)
    assert.equal(200, (slow:receive()))
  end)

  it("loses no fiber with requests that are killed", function()
    for i = 1, 20 do
      own:get(("/left?what=%s&after=%f"):format(i % 2 == 0 and "transact" or "read", i / 4000))
    end
    local stats
    for _ = 1, 100 do
      stats = select(2, own:get "/stats")
      if stats == "coroutine 0 0 0\n" then break end
      socket.sleep(0.05)
    end
    assert.equal("coroutine 0 0 0\n", stats)
    assert.same({ 200, "done\n" }, { own:get "/work?what=read" })
  end)

  it("answers what was begun when a worker has to end", function()
    local slow = own:send "/work?what=slow"
    socket.sleep(0.05)
    own:signal "HUP"
    assert.equal(200, (slow:receive()))
    assert.is_nil(own:log():match "%[error%][^\n]*")
  end)
end)
