-- What a scope of one coroutine has, however its function ends.
local scope = require "modm.scope"

describe("a scope", function()
  local own
  before_each(function() own = scope.new() end)

  it("holds while its function runs, and returns what that returns", function()
    assert.is_nil(own:get "a")
    local function results(...) return select("#", ...), ... end
    assert.same({ 3, 1, nil, 3 }, { results(own:run({ a = 1 }, function()
      return own:get "a", nil, 3
    end)) })
    assert.is_nil(own:get "a")
    assert.is_true(own:is_empty())
  end)

  it("nests, and gives back what was there", function()
    own:run({ a = 1, b = 1 }, function()
      own:run({ a = 2 }, function()
        assert.equal(2, own:get "a")
        assert.equal(1, own:get "b")
      end)
      assert.equal(1, own:get "a")
    end)
    assert.is_true(own:is_empty())
  end)

  it("that holds nothing takes nothing from what is around it", function()
    own:run({ a = 1 }, function()
      assert.equal(5, own:run({}, function() return 5 end))
      assert.equal(1, own:get "a")
      assert.is_false(own:is_empty())
    end)
    own:run({}, function()
      own:run({ a = 1 }, function() assert.equal(1, own:get "a") end)
      assert.is_true(own:is_empty())
    end)
    own:run({ a = 1 }, function() assert.equal(1, own:get "a") end)
    assert.is_true(own:is_empty())
  end)

  it("holds what nobody else does, whatever the collector does", function()
    for i = 1, 200 do
      own:run({ a = { i } }, function()
        own:run({ a = { -i }, b = { i } }, function()
          collectgarbage()
          assert.same({ -i }, own:get "a")
          assert.same({ i }, own:get "b")
        end)
        collectgarbage()
        assert.same({ i }, own:get "a")
        assert.is_nil(own:get "b")
      end)
    end
    assert.is_true(own:is_empty())
  end)

  it("ends when its function raises, and passes the very error on", function()
    local err = { "an error" }
    own:run({ a = 1 }, function()
      local ok, got = pcall(own.run, own, { a = 2 }, function() error(err) end)
      assert.is_false(ok)
      assert.equal(err, got)
      assert.equal(1, own:get "a")
    end)
    assert.is_false(own:is_active())
  end)

  it("is of one coroutine, across its yields", function()
    local function body(value)
      own:run({ a = value }, function()
        for _ = 1, 3 do
          assert.equal(value, own:get "a")
          coroutine.yield()
        end
      end)
      assert.is_nil(own:get "a")
    end
    local one, two = coroutine.create(body), coroutine.create(body)
    own:run({ a = 0 }, function()
      for _ = 1, 4 do
        assert(coroutine.resume(one, 1))
        assert(coroutine.resume(two, 2))
        assert.equal(0, own:get "a")
      end
    end)
    assert.equal("dead", coroutine.status(one))
    assert.is_true(own:is_empty())
  end)

  it("ends with a coroutine that dies", function()
    local thread = coroutine.create(function() own:run({ a = 1 }, function() error "dead" end) end)
    assert.is_false((coroutine.resume(thread)))
    assert.is_true(own:is_empty())
  end)

  it("is forgotten with a coroutine that is never resumed", function()
    do
      local thread = coroutine.create(function() own:run({ a = 1 }, coroutine.yield) end)
      assert(coroutine.resume(thread))
    end
    assert.is_false(own:is_active())
    collectgarbage()
    collectgarbage()
    assert.is_true(own:is_empty())
  end)
end)
