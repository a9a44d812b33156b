-- Iteration over many documents: memory stays small, and cursors are closed.
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "streaming"

local Row = modm.MongoModel:extend("streaming.Row", {
  n = f.IntegerField {}, text = f.CharField {},
  Meta = { connection_alias = "streaming", final = true },
})

local function commands(sent, name)
  local found = 0
  for _, event in ipairs(sent) do
    if event.name == name then found = found + 1 end
  end
  return found
end

local function memory()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count"
end

describe("iteration", function()
  local N = 100000
  setup(function()
    for first = 1, N, 10000 do
      local docs = {}
      for i = first, first + 9999 do docs[#docs + 1] = Row { n = i, text = ("x"):rep(100) } end
      assert(Row.objects:bulk_create(docs, { full_clean = false }))
    end
  end)

  it("over 100,000 documents keeps memory small", function()
    local before, most, sum, i = memory(), 0, 0, 0
    for row in Row.objects:iter() do
      sum, i = sum + row.n, i + 1
      if i % 10000 == 0 then most = math.max(most, memory() - before) end
    end
    assert.equal(N, i)
    assert.equal(N * (N + 1) / 2, sum)
    assert.truthy(most < 1024, most .. " KiB more")
  end)

  it("over rows of an aggregation keeps memory small", function()
    local before, most, i = memory(), 0, 0
    for _ in Row.objects:aggregate({ ["$project"] = { n = 1 } }):iter() do
      i = i + 1
      if i % 10000 == 0 then most = math.max(most, memory() - before) end
    end
    assert.equal(N, i)
    assert.truthy(most < 1024, most .. " KiB more")
  end)

  it("fetches batches as it goes", function()
    local sent = help.sent(function()
      local i = 0
      for _ in Row.objects:batch_size(50):iter() do
        i = i + 1
        if i == 120 then break end
      end
      collectgarbage()
      collectgarbage()
      assert(Row.objects:get { n = 1 })
    end)
    assert.equal(2, commands(sent, "getMore"))
  end)

  local function break_early()
    for row in Row.objects:batch_size(10):iter() do
      if row then break end
    end
  end

  -- What has no other effect than that the events of what was closed are handed out.
  local function look() assert(Row.objects:get { n = 1 }) end

  it("closes its cursor when a loop ends early", function()
    if _VERSION ~= "Lua 5.4" then return end
    collectgarbage "stop"
    local sent = help.sent(function()
      break_early()
      look()
      pcall(function()
        for _ in Row.objects:batch_size(10):iter() do error "stop" end
      end)
      look()
    end)
    collectgarbage "restart"
    assert.equal(2, commands(sent, "killCursors"))
  end)

  it("closes its cursor when it is collected", function()
    local sent = help.sent(function()
      local step = Row.objects:batch_size(10):iter()
      step()
      step = nil -- luacheck: ignore
      collectgarbage()
      collectgarbage()
      look()
    end)
    assert.equal(1, commands(sent, "killCursors"))
  end)

  it("kills no cursor that came to its end", function()
    local sent = help.sent(function()
      for _ in Row.objects:limit(250):iter() do end -- luacheck: ignore
      look()
    end)
    assert.equal(0, commands(sent, "killCursors"))
  end)

  it("ends for good", function()
    local step = Row.objects:limit(2):iter()
    assert.truthy(step())
    assert.truthy(step())
    assert.is_nil(step())
    assert.is_nil(step())
  end)

  it("raises error objects", function()
    local ok, err = pcall(function()
      for _ in Row.objects:raw { ["$nonsense"] = 1 }:iter() do end -- luacheck: ignore
    end)
    assert.is_false(ok)
    assert.equal("ServerError", err.kind)
    assert.truthy(err.code)
  end)

  it("may be nested and left at any place", function()
    local seen = 0
    for outer in Row.objects:order_by "n":limit(3):iter() do
      for inner in Row.objects:filter { n = modm.gte(outer.n) }:order_by "n":iter() do
        seen = seen + 1
        if inner.n == outer.n then break end
      end
    end
    assert.equal(3, seen)
  end)
end)
