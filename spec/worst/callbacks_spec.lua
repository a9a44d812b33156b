-- The program's own functions at their worst: validators, hooks, defaults and metamethods that
-- raise, yield, save again, delete the document or close the connection while they are called.
local core = require "modm.core"
local modm = require "modm"
local server = require "spec.support.server"

local f = modm.fields
local alias = "worst"
local uri = server.fresh "worst"

local act = {} -- what is called, by event

-- Calls what a spec has put under an event, once.
local function play(event, ...)
  local fn = act[event]
  act[event] = nil
  if fn then return fn(...) end
  return true
end

local Thing = modm.MongoModel:extend("worst.Thing", {
  n = f.IntegerField { validators = { function(...) return play("validator", ...) end } },
  d = f.IntegerField { default = function() return play "default" ~= nil and 5 or nil end },
  data = f.DictField {},
  list = f.ListField {},
  Meta = { connection_alias = alias },
})
local by_event = { "before validate", "after validate", "before save", "after save",
  "before insert", "after insert", "before update", "after update", "before delete",
  "after delete", "after load" }
for _, event in ipairs(by_event) do
  local when, what = event:match "(%a+) (%a+)"
  Thing[when](Thing, what, function(...) return play(event, ...) end)
end
function Thing.clean(doc) return play("clean", doc) end

local events = { "validator", "default", "clean", "before validate", "after validate",
  "before save", "after save", "before insert", "after insert" }

-- Whether all still works: a document goes there and back.
local function works()
  act = {}
  assert(modm.connect(uri, { alias = alias }))
  local doc = assert(Thing { n = 1, data = { a = 1 } }:save())
  assert.equal(1, assert(Thing.objects:get { pk = doc.pk }).n)
  doc.n = 2
  assert(doc:save())
  assert(doc:delete())
  collectgarbage()
end

-- Calls fn with something that happens at an event, on a new document; what came of it.
local function during(event, what, fn)
  local doc = Thing { n = 1, data = { a = 1 } }
  act[event] = function() return what(doc) end
  local result = { pcall(fn or doc.save, doc) }
  assert.is_nil(act[event], event .. " was not reached")
  return doc, result
end

describe("the program's own functions", function()
  before_each(function() assert(modm.connect(uri, { alias = alias })) end)
  after_each(works)

  for _, event in ipairs(events) do
    it("may raise: " .. event, function()
      for _, raised in ipairs { "a text", { a = "table" }, true, 5, print, core.null,
        setmetatable({}, { __tostring = function() error "again" end }) } do
        during(event, function() error(raised, 0) end)
      end
      during(event, function() error() end)
      if event ~= "default" then during(event, function() return nil, { {} }, print end) end
    end)

    it("may yield: " .. event, function()
      local seen, doc, result = {}, nil, nil
      local co = coroutine.create(function()
        doc, result = during(event, function()
          seen[#seen + 1] = coroutine.yield "first"
          seen[#seen + 1] = coroutine.yield "second"
          return true
        end)
      end)
      assert.same({ true, "first" }, { coroutine.resume(co) })
      works()
      assert.same({ true, "second" }, { coroutine.resume(co, 1) })
      assert.is_true(coroutine.resume(co, 2))
      assert.same({ 1, 2 }, seen)
      assert.is_true(result[1] and result[2] == doc, tostring(result[3] or result[2]))
    end)

    it("may yield and never be resumed: " .. event, function()
      for _ = 1, 20 do
        local co = coroutine.create(function()
          during(event, function() coroutine.yield() end)
        end)
        assert.is_true(coroutine.resume(co))
      end
      collectgarbage()
      collectgarbage()
    end)

    it("may save the document again: " .. event, function()
      local doc, result = during(event, function(doc)
        local ok, saved, message = pcall(doc.save, doc)
        return ok and (saved ~= nil or message ~= nil)
      end)
      assert.equal("boolean", type(result[1]))
      assert.is_true(Thing.objects:filter { pk = doc.pk or modm.ObjectId() }:count() <= 1)
    end)

    it("may delete the document, change it and read it anew: " .. event, function()
      during(event, function(doc)
        pcall(doc.delete, doc)
        pcall(doc.refresh_from_db, doc)
        doc.n, doc.list, doc.data = 7, { 1 }, nil
        doc.data = { b = doc.list }
        pcall(doc.inc, doc, { n = 1 })
        return true
      end)
    end)

    it("may close the connection: " .. event, function()
      during(event, function()
        modm.disconnect(alias)
        collectgarbage()
        return true
      end)
    end)

    it("may use up the stack: " .. event, function()
      local function deep() return 1 + deep() end
      during(event, deep)
    end)
  end

  it("may yield, raise and close the connection while documents are iterated", function()
    for i = 1, 10 do assert(Thing { n = 100 + i }:save()) end
    local set = Thing.objects:filter { n = modm.gt(100) }:batch_size(2)
    for _, what in ipairs { function() error "in the middle" end,
      function() modm.disconnect(alias) end, function() coroutine.yield() end } do
      assert(modm.connect(uri, { alias = alias }))
      local co = coroutine.create(function()
        for doc in set:iter() do
          if doc.n == 103 then what() end
        end
      end)
      coroutine.resume(co)
      collectgarbage()
      act["after load"] = what
      coroutine.resume(coroutine.create(function() set:list() end))
      act = {}
    end
    assert(modm.connect(uri, { alias = alias }))
    assert(set:delete())
  end)
end)

describe("tables that change while they are read", function()
  local function tables(make)
    local list = {}
    local function add(metatable)
      local t = make()
      list[#list + 1] = setmetatable(t, metatable(t))
    end
    local function changing(t)
      return function()
        for k in next, t do rawset(t, k, nil) end
        for i = 1, 50 do rawset(t, "k" .. i, { i }) end
        collectgarbage()
        return next, t
      end
    end
    add(function()
      return { __index = error, __pairs = error, __len = error, __newindex = error }
    end)
    add(function(t)
      local change = changing(t)
      local function once() change() end
      return { __index = once, __len = change, __pairs = change }
    end)
    add(function(t) return { __pairs = changing(t), __mode = "kv" } end)
    add(function() return { __len = function() return 1e9 end } end)
    add(function() return { __len = function() return -1 end } end)
    add(function() return { __name = 5, __tostring = function() return {} end } end)
    add(function() return { __metatable = false } end)
    add(function() return { __gc = function() error "collected" end } end)
    return list
  end

  it("are read raw, or end with an error", function()
    assert(modm.connect(uri, { alias = alias }))
    local doc = assert(Thing { n = 1 }:save())
    for _, t in ipairs(tables(function() return { a = 1, b = { 2 } } end)) do
      for _, fn in ipairs {
        function() return Thing { data = t }:save() end,
        function() return Thing { data = { x = t }, list = { t } }:save() end,
        function() return Thing(t) end,
        function() return Thing:from_input({ data = t }, { "data" }):save() end,
        function() return Thing:from_document(t) end,
        function() return Thing.objects:filter(t):list() end,
        function() return Thing.objects:filter { data = t }:list() end,
        function() return Thing.objects:raw(t):list() end,
        function() return Thing.objects:filter { n = -1 }:update { ["$set"] = t } end,
        function() return Thing.objects:pipeline():match(t):list() end,
        function() return Thing.objects:aggregate(t):list() end,
        function() return doc:set(t) end,
        function() return doc:set { data = t } end,
        function() return doc:push { list = modm.each(t) } end,
        function() return core.encode(t) end,
        function() return modm.ordered(t) end,
        function() return doc:save(t) end,
        function() return modm.connect(uri, t) end,
      } do
        pcall(fn)
      end
    end
    for _, t in ipairs(tables(function() return { 1, 2, { 3 } } end)) do
      for _, fn in ipairs {
        function() return Thing { list = t }:save() end,
        function() return Thing.objects:filter { n = modm.one_of(t) }:list() end,
        function() return Thing.objects:in_bulk(t) end,
        function() return Thing.objects:bulk_create(t) end,
        function() return Thing.objects:order_by(t):list() end,
        function() return Thing.objects:only(t):list() end,
        function() return doc:dereference(t) end,
        function() return doc:refresh_from_db(t) end,
        function() return doc:full_clean(t) end,
        function() return modm.ordered(t) end,
        function() return core.encode { v = t } end,
      } do
        pcall(fn)
      end
    end
    works()
  end)
end)

describe("the collector", function()
  local function scenario()
    assert(modm.connect(uri, { alias = alias }))
    for i = 1, 30 do
      local doc = assert(Thing { n = i, data = { a = { i } }, list = { i, { i } } }:save())
      doc.list[3] = { "x" }
      assert(doc:save())
      local list = assert(Thing.objects:filter { n = i }:list())
      assert.equal("x", list[#list].list[3][1])
    end
    Thing.objects:all():batch_size(3):iter()() -- and no further
    assert(Thing.objects:all():delete())
  end

  local function restored(fn)
    local ok, err = pcall(fn)
    collectgarbage "restart"
    if jit then collectgarbage("setpause", 200) else collectgarbage("incremental", 200, 100) end
    collectgarbage()
    assert(ok, err)
  end

  it("may be stopped", function()
    restored(function()
      collectgarbage "stop"
      scenario()
    end)
  end)

  it("may never pause", function()
    restored(function()
      if jit then collectgarbage("setpause", 0) else collectgarbage("incremental", 1, 1000) end
      collectgarbage("setstepmul", 1000)
      scenario()
    end)
    if jit then collectgarbage("setstepmul", 200) end
  end)

  it("may be generational", function()
    if jit then return end
    restored(function()
      collectgarbage "generational"
      scenario()
    end)
  end)
end)
