-- A process that forks after its pool was used: the child has threads and clients of its own, and
-- the parent goes on with its.
local cqueues = require "cqueues"
local fork = require "spec.support.fork"
local loops = require "spec.support.loops"
local modm = require "modm"
local server = require "spec.support.server"

local ALIAS = "pool_fork"

-- With the specs over the pool, in a loop of cqueues, a child would go on in that of its parent.
local here = cqueues.running() and pending or it

describe("a pool at a fork", function()
  local Item

  setup(function()
    assert(modm.connect((server.fresh "pool_fork"), { alias = ALIAS, transport = "pool" }))
    Item = modm.MongoModel:extend("ForkItem", {
      n = modm.fields.IntegerField { primary_key = true }, Meta = { connection_alias = ALIAS },
    })
    for n = 1, 20 do assert(Item { n = n }:save()) end
  end)

  teardown(function() modm.disconnect(ALIAS) end)

  -- Finds side by side, each with a result of its own.
  local function finds()
    local loop, sum = loops.cqueues(), 0
    for n = 1, 20 do
      loop.spawn(function()
        local found = assert(Item.objects:get { n = n }).n
        sum = sum + found
      end)
    end
    loop.run()
    assert(sum == 210, sum)
    return true
  end

  here("is made anew by the child, and again by its child", function()
    finds()
    assert.is_true(fork.child(function()
      assert(modm.stats(ALIAS).done == 0)
      finds()
      assert(modm.stats(ALIAS).done == 20)
      return fork.child(finds) and finds()
    end))
    finds()
  end)

  here("lets the parent's operations under way be", function()
    local loop, results = loops.cqueues(), {}
    for n = 1, 5 do
      loop.spawn(function() results[n] = Item.objects:get { n = n }.n end)
    end
    loop.spawn(function() assert(fork.child(finds)) end)
    loop.run()
    assert.same({ 1, 2, 3, 4, 5 }, results)
    finds()
  end)

  here("leaves a cursor to the parent", function()
    local seen = 0
    for item in Item.objects:order_by { "n" }:batch_size(5):iter() do
      seen = seen + 1
      assert.equal(seen, item.n)
      if seen == 2 then
        assert.is_true(fork.child(function()
          collectgarbage()
          return finds()
        end))
      end
    end
    assert.equal(20, seen)
  end)

  here("can be left by a child that closes its state", function()
    finds()
    assert.is_true(fork.child(function()
      modm.disconnect(ALIAS)
      collectgarbage()
      collectgarbage()
      return true
    end))
    finds()
  end)
end)
