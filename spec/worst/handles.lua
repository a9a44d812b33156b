-- What states.c runs in a state that it closes with much alive: lua handles.lua URI NUMBER. The
-- number draws the transport, what there is, in which order it was made, who holds it, and what the
-- program's own finalizers do with it: some of them run after all of modm's objects were finalized.
local uri, number = ...
local cqueues = require "cqueues" -- first: LuaJIT unloads libraries in the order of finalizers
local seed = math.floor(number)

-- The program's own: math.random is one for all states of a process under LuaJIT.
local function draw(n)
  seed = (seed * 48271 + 11) % 2147483647
  return math.floor(seed / 7) % n + 1
end
for _ = 1, 3 do draw(1) end

local held = {} -- list of { kind, value... }

-- An object that calls f when it is collected.
local function finalizer(f)
  if newproxy then -- luacheck: ignore
    local proxy = newproxy(true) -- luacheck: ignore
    getmetatable(proxy).__gc = f
    return proxy
  end
  return setmetatable({}, { __gc = f })
end

local use
local function use_all()
  for i = 1, #held do use(held[i]) end
end

-- Made before modm, it is finalized after it.
_G.last = draw(2) == 1 and finalizer(use_all)
local modm = require "modm"
_G.first = draw(3) == 1 and finalizer(use_all)

local f = modm.fields
local alias = "handles"
local pooled = draw(2) == 1
assert(modm.connect(uri, { alias = alias, transport = pooled and "pool" or "blocking",
  threads = pooled and draw(4) or nil }))

local Owner = modm.MongoModel:extend("handles.Owner", {
  n = f.IntegerField { primary_key = true }, Meta = { connection_alias = alias },
})
local Item = modm.MongoModel:extend("handles.Item", {
  n = f.IntegerField { primary_key = true }, m = f.IntegerField {},
  owner = f.ReferenceField { Owner }, list = f.ListField { f.IntegerField {} },
  file = f.FileField { storage = modm.GridFSStorage { connection_alias = alias } },
  Meta = { connection_alias = alias },
})
local files = modm.GridFSStorage { connection_alias = alias, chunk_size = 16 }
local mine = Item.objects:filter { n = modm.lte(20) }

-- What coroutines wait for in a loop of their own, which goes with the state.
local loop

-- Runs a function in a coroutine, till it waits or ends.
local function suspended(fn)
  if pooled and draw(3) > 1 then
    loop = loop or cqueues.new()
    loop:wrap(fn)
    for _ = 1, draw(3) do loop:step(0.001 * draw(20)) end
    return loop
  end
  local co = coroutine.create(fn)
  assert(coroutine.resume(co))
  return co
end

-- In the middle of things; a controller hands a plain yield on to whoever called its step.
local function pause() return cqueues.running() and cqueues.sleep(60) or coroutine.yield() end

local kinds = {
  function()
    local iter = mine:order_by { "n" }:batch_size(2):iter()
    for _ = 1, draw(3) do assert(iter()) end
    return iter
  end,
  function()
    local session = assert(modm.session(alias))
    local iter = mine:session(session):batch_size(2):iter()
    assert(iter())
    return session, iter
  end,
  function()
    return suspended(function()
      modm.transaction(alias, function(session)
        held[#held + 1] = { session, mine:batch_size(2):iter() }
        assert(Item { n = number * 100 + #held }:save())
        pause()
      end)
    end)
  end,
  function()
    local stream = assert(Item.objects:all():watch { max_await_ms = 1 })
    if draw(2) == 1 then stream:next() end
    return stream
  end,
  function()
    local out = assert(files:create("of " .. number))
    assert(out:write(("x"):rep(draw(64))))
    if draw(2) == 1 then return out end
    local file = assert(files:open(assert(out:close())))
    assert(file:read(1))
    return file
  end,
  function()
    local item = assert(Item.objects:get { n = draw(20) })
    if draw(2) == 1 then item.list[1] = draw(9) end
    return item, mine, item.list
  end,
  function() -- one that goes on in its thread, where there are threads
    local slow = Item.objects:raw { ["$where"] = "sleep(2) || true" }
    if draw(2) == 1 then return select(2, modm.timeout(1, function() return slow:list() end)) end
    return suspended(function() slow:list() end)
  end,
  function()
    local canceller = modm.canceller()
    return canceller, suspended(function()
      canceller:run(function() return Item.objects:list() end)
    end)
  end,
  function()
    local item = Item { n = number * 100 + 50 + draw(40) }
    return item, suspended(function() item:save() end)
  end,
}

-- Lua 5.4 never finalizes what is made while a state is closed: there only what is, is used.
local may_make = newproxy ~= nil -- luacheck: ignore

-- Whatever comes of it, but a crash.
local function try(value, name, ...)
  local ok, method = pcall(function() return value[name] end)
  if ok and method then return pcall(method, value, ...) end
end

function use(handle)
  for i = 1, #handle do
    local value = handle[i]
    if type(value) == "function" then pcall(value) end
    if type(value) == "thread" and may_make then coroutine.resume(value) end
    if type(value) == "table" or type(value) == "userdata" then
      local way = draw(3)
      if way == 1 and (may_make or type(value) == "userdata") then
        try(value, "close")
      elseif way == 2 then
        try(value, "next")
        try(value, "read", 3)
        if may_make then
          try(value, "write", "more")
          try(value, "save")
          try(value, "run", function() return mine:list() end)
          try(value, "refresh_from_db")
        end
      end
      pcall(tostring, value)
    end
  end
  if may_make then pcall(mine.list, mine) end
end

if number % 50 == 1 then assert(Owner { n = 1 }:save()) end
for n = 1, 20 do assert(Item { n = n, owner = 1, m = 0 }:save()) end
for _ = 1, 6 do
  local handle = { kinds[draw(#kinds)]() }
  local way = draw(5)
  if way == 1 then
    held[#held + 1] = handle
  elseif way == 2 then
    debug.getregistry()[handle] = handle
  elseif way == 3 then
    _G[tostring(handle)] = finalizer(function() use(handle) end)
  elseif way == 4 then
    local co = coroutine.create(function(h)
      coroutine.yield()
      return h
    end)
    coroutine.resume(co, handle)
    _G[tostring(co)] = co
  end
  if draw(6) == 1 then collectgarbage() end
end
if draw(4) == 1 then modm.disconnect(alias) end
if draw(8) == 1 then loop = nil end
