-- Every function and method of the C module with what it does not expect: no value, another
-- class's, one that is closed; and finalizers called by hand. An error is fine, a crash is not.
local core = require "modm.core"
local modm = require "modm"
local registry = require "modm.registry"
local server = require "spec.support.server"
local B = require "spec.bson.bytes"

local unpack = table.unpack or unpack -- luacheck: ignore

local Part = modm.EmbeddedMongoModel:extend("worst.Part", { a = modm.fields.CharField {} })
local Model = modm.MongoModel:extend("worst.Self", {
  a = modm.fields.CharField {}, part = modm.fields.EmbeddedModelField { Part },
  list = modm.fields.ListField {},
})

-- One value of each class, made anew each time.
local function instances()
  local uri = server.uri "worst"
  local client = assert(core.client(uri, {}))
  local closed = assert(core.client(uri, {}))
  local schema = registry.meta(Model).schema
  local list = {
    client = client, closed_client = closed, schema = schema,
    op = core.command(client, "read", nil, { ping = 1 }),
    find = core.query_find(client, "worst", "x", core.encode { a = 1 }, {}, nil),
    session = core.session(client), document = Model { a = "x" }, part = Part { a = "x" },
    set = Model.objects:all(), model = Model, manager = Model.objects,
    objectid = modm.ObjectId(), datetime = modm.DateTime(0), decimal = modm.Decimal128 "1",
    int64 = modm.Int64 "5", binary = modm.Binary "x", uuid = modm.UUID(("0"):rep(32)),
    regex = modm.Regex("a", ""), code = modm.JavaScript "1", timestamp = modm.Timestamp(1, 1),
    minkey = modm.MinKey, maxkey = modm.MaxKey, dbref = modm.DBRef("a", 1), operator = modm.gt(1),
  }
  local every = core.decode(B.every_type())
  for _, name in ipairs { "undefined", "pointer", "symbol", "scoped" } do
    list[name] = every[name]
  end
  local closed_op = core.command(closed, "read", nil, { ping = 1 })
  closed_op:close()
  list.closed_op = closed_op
  closed:close()
  return list
end

-- Values of Lua's own, and all of the instances.
local function strangers()
  local list = { true, 5, -1, 0 / 0, 2 ^ 60, "text", "", "\0", {}, { 1, 2 }, { a = {} }, print,
    coroutine.create(print), io.stdout, core.null, core.encode { a = 1 },
    setmetatable({}, { __index = function() error "called" end }) }
  local mine = instances()
  for _, name in ipairs { "client", "closed_client", "schema", "op", "find", "closed_op", "session",
    "document", "part", "set", "model", "objectid", "datetime", "decimal", "int64", "binary",
    "regex", "code", "timestamp", "minkey", "operator", "undefined", "pointer", "symbol" } do
    list[#list + 1] = mine[name]
  end
  return list
end

-- The classes of the C module: list of { name, metatable }.
local function classes()
  local list, seen = {}, {}
  local function add(metatable)
    local name = type(metatable) == "table" and rawget(metatable, "__name")
    if type(name) == "string" and name:find "^modm%." and not seen[metatable] then
      seen[metatable] = true
      list[#list + 1] = { name = name, metatable = metatable }
    end
  end
  for _, value in pairs(debug.getregistry()) do add(value) end
  for _, value in pairs(instances()) do add(debug.getmetatable(value)) end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

local function functions_of(class)
  local list = {}
  local function add(t)
    for name, value in next, t do
      if type(value) == "function" then list[#list + 1] = { name = name, fn = value } end
    end
  end
  add(class.metatable)
  if type(class.metatable.__index) == "table" then add(class.metatable.__index) end
  return list
end

-- They wait for what nobody sends, hold for the whole process, or mark the table they are given.
local left_out = { wait = true, listen = true, log = true, array = true, object = true }

describe("what is not expected", function()
  it("ends every method of every class with an error", function()
    local all, n = strangers(), 0
    for _, class in ipairs(classes()) do
      for _, method in ipairs(functions_of(class)) do
        pcall(method.fn)
        for i = 1, #all do
          local other = debug.getmetatable(all[i])
          if other ~= class.metatable then
            local ok = pcall(method.fn, all[i])
            pcall(method.fn, all[i], all[i])
            pcall(method.fn, all[i], all[#all - i + 1], all[i])
            n = n + 3
            local silent = method.name:find "^__" or type(all[i]) == "table"
            assert(silent or not ok, ("%s.%s took a %s"):format(class.name, method.name,
              type(all[i])))
          end
        end
      end
    end
    print(("\nworst: %d calls of methods on wrong values"):format(n))
  end)

  it("ends every function of the module with an error or a result", function()
    local chance, names, n = B.chance(77), {}, 0
    for name, fn in pairs(core) do
      if type(fn) == "function" and not left_out[name] then names[#names + 1] = name end
    end
    table.sort(names)
    for _, name in ipairs(names) do
      local all = strangers()
      pcall(core[name])
      for i = 1, #all do pcall(core[name], all[i]) end
      for _ = 1, 150 do
        local given, count = {}, chance(7)
        for i = 1, count do given[i] = all[chance(#all)] end
        pcall(core[name], unpack(given, 1, count))
        n = n + 1
      end
    end
    collectgarbage()
    print(("worst: %d calls of functions with values by chance"):format(n))
    assert.equal("x", Model { a = "x" }.a)
  end)

  it("is no entry of a transaction's log, nor what a server has", function()
    local document = Model { a = "x" }
    for _, entry in ipairs { {}, { true }, { io.stdout, nil, nil, io.stdout }, { document } } do
      assert.is_false(pcall(core.undo_restore, document, entry))
      pcall(core.undo_save, document, entry)
    end
    assert.is_false(pcall(core.refresh, document, Model {}))
    assert.equal("x", document.a)
  end)

  it("ends methods of what was finalized by hand, once and twice", function()
    for name, value in pairs(instances()) do
      local metatable = debug.getmetatable(value)
      local gc = type(metatable) == "table" and rawget(metatable, "__gc")
      if gc then
        gc(value)
        gc(value)
        for _, method in ipairs(functions_of { metatable = metatable }) do
          local ok = pcall(method.fn, value)
          assert(method.name:find "^__" or not ok, name .. ":" .. tostring(method.name))
          pcall(method.fn, value, value)
        end
        gc(value)
      end
    end
    collectgarbage()
  end)

  it("is no way to a finalizer without the debug library", function()
    for _, value in pairs(instances()) do
      local metatable = getmetatable(value)
      assert.is_true(type(value) == "table" or type(metatable) == "string")
    end
  end)
end)
