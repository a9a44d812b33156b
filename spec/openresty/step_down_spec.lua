-- Requests to nginx while the primary of a replica set steps down: each is answered well, and each
-- write is done once.
local modm = require "modm"
local nginx = require "spec.support.nginx"
local replica_set = require "spec.support.replica_set"

local AT_ONCE, AFTER = 8, 10 -- AFTER: rounds once another is primary

if not os.getenv "MODM_MONGOD" then
  describe("a step-down in nginx", function() pending "needs a mongod of our own" end)
  return
end

describe("a step-down in nginx", function()
  local set, own, Counter

  setup(function()
    set = replica_set.start()
    assert(modm.connect(set:uri "step_down", { alias = "step_down" }))
    Counter = modm.MongoModel:extend("Counter", {
      name = modm.fields.CharField { primary_key = true },
      n = modm.fields.IntegerField { default = 0 },
      Meta = { connection_alias = "step_down", final = true },
    })
    assert(Counter { name = "requests" }:save())
    own = nginx.start {
      http = ([[
        init_worker_by_lua_block {
          modm, core = require "modm", require "modm.core"
          assert(modm.connect(%q))
          direct = assert(modm.connect("mongodb://%s/admin",
            { alias = "direct", directConnection = true }))
          Counter = modm.MongoModel:extend("Counter", {
            name = modm.fields.CharField { primary_key = true },
            n = modm.fields.IntegerField { default = 0 },
            Meta = { final = true },
          })
        }
      ]]):format(set:uri "step_down", set:primary().host),
      server = [[
        location /count { content_by_lua_block {
          local name = ngx.var.arg_name
          assert(assert(Counter.objects:get { name = "requests" }):inc { n = 1 })
          assert(Counter { name = name, n = 1 }:save())
          local counter = assert(Counter.objects:get { name = name })
          counter.n = 2
          assert(counter:save())
          ngx.say(assert(Counter.objects:get { name = name }).n)
        } }
        location /step_down { content_by_lua_block {
          assert(direct:run(core.command(direct.client, "read", nil, core.ordered {
            { "replSetStepDown", 60 }, { "secondaryCatchUpPeriodSecs", 10 } })))
          ngx.say "done"
        } }
      ]],
    }
  end)

  teardown(function()
    own:stop()
    modm.disconnect "step_down"
    set:stop()
  end)

  it("is seen by no request", function()
    local primary, n = set:primary(), 0
    local function round()
      local answers = {}
      for i = 1, AT_ONCE do
        n = n + 1
        answers[i] = own:send("/count?name=request" .. n)
      end
      for _, answer in ipairs(answers) do assert.same({ 200, "2\n" }, { answer:receive() }) end
    end
    for _ = 1, 3 do round() end
    local stepping = own:send "/step_down"
    for _ = 1, 3 do round() end
    assert.same({ 200, "done\n" }, { stepping:receive() })
    for _ = 1, AFTER do round() end
    assert.is_true(set:primary() ~= primary)
    assert.equal(n, Counter.objects:get { name = "requests" }.n)
    assert.equal(n, Counter.objects:filter { n = 2 }:count())
    for line in own:log():gmatch "[^\n]+" do assert.is_nil(line:find "%[error%]", line) end
  end)
end)
