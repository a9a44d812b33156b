-- Sets of keys, on which references and delete rules stand: what they lack, they do not give.
local core = require "modm.core"

local function raises(message, fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  assert.matches(message, err, 1, true)
end

describe("a set of keys", function()
  local keys = core.keys()

  it("has none at first, also after itself was added", function()
    core.keys_merge(keys, keys)
    assert.equal(0, #keys)
    assert.same({}, core.keys_values(keys, 0, 0))
    assert.same({ a = { ["$in"] = {} } }, core.decode(core.keys_filter(keys, 0, 0, { "a", 0 })))
  end)

  it("gives no other keys than it has", function()
    for _, range in ipairs { { -1, 0 }, { 1, 0 }, { 0, 1 } } do
      raises("no such keys", core.keys_values, keys, range[1], range[2])
    end
    raises("no such keys", core.keys_filter, keys, 1, 0, { "a", 0 })
    raises("no such keys", core.keys_filter, keys, 0, 1, { "a", 0 })
    raises("no such number of keys", core.keys_truncate, keys, -1)
  end)

  it("looks as far into lists as documents may be deep", function()
    local inner = core.decode(core.keys_filter(keys, 0, 0, { "a", 150 })).a
    for _ = 1, 150 do inner = inner["$elemMatch"] end
    assert.same({ ["$in"] = {} }, inner)
    raises("too deep a path", core.keys_filter, keys, 0, 0, { "a", -1 })
    raises("too deep a path", core.keys_filter, keys, 0, 0, { "a", 400 })
    local path = {}
    for _ = 1, 4 do path[#path + 1], path[#path + 2] = "a", 100 end
    raises("too deep a path", core.keys_filter, keys, 0, 0, path)
  end)
end)
