-- The tasks of the ODM benchmark, once each on few documents: modm stores what raw C does.
local core = require "modm.core"
local modm = require "modm"
local server = require "spec.support.server"

-- A folder of this run's own: others may run beside it, with other data.
local N, DATA = 3, os.tmpname() .. ".odm"

-- The build and the interpreter that run this spec. Only Lua gets the sanitizers.
local flavour = os.getenv "MODM_FLAVOUR" or (jit and "luajit" or "lua5.4")
local lua = ("tools/lua-env %s %s bench/odm/modm.lua"):format(flavour,
  (flavour:gsub("^asan%-", "")))

local function output_of(command)
  local pipe = assert(io.popen("env -u LD_PRELOAD " .. command .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

-- A document without what differs on purpose: keys that are made at random, and classes.
local function without_keys(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do
    if key ~= "_id" and key ~= "_cls" and key ~= "unique_id" and key ~= "field_fk" then
      copy[key] = without_keys(item)
    end
  end
  return copy
end

describe("the ODM benchmark", function()
  local tasks = {}
  for line in io.lines "bench/odm/tasks.txt" do
    local name = line:match "^([%l_]+)%s+[%l_]+%s+%d+"
    tasks[#tasks + 1] = name
  end
  local uri, conn

  setup(function()
    uri = server.fresh "odm"
    conn = assert(modm.connect(uri, { alias = "odm" }))
    assert.equal("", output_of "bench/build")
    assert.matches("^data: ", output_of("ODM_FOLDER=" .. DATA .. " bench/run-odm --data"))
  end)
  teardown(function()
    output_of("MODM_URI='" .. uri .. "' build/bench/odm-raw drop")
    modm.disconnect "odm"
    os.execute(("rm -rf %s %s"):format(DATA, DATA:match "^(.*)%.odm$"))
  end)

  local function ask(command)
    local op = core.command(conn.client, "read", conn.database, command)
    assert(conn:run(op))
    return op:reply()
  end

  -- What a program leaves of a task.
  local function left_by(program, task)
    local call = ("MODM_URI='%s' %s %s %d 0.001 %s"):format(uri, program, task, N, DATA)
    assert.matches("^%d+%.%d+\n", output_of(call))
    local stored = {}
    for _, name in ipairs { "small", "large", "nested", "key" } do
      stored[name] = without_keys(ask(core.ordered { { "find", name } }).cursor.firstBatch)
    end
    output_of("MODM_URI='" .. uri .. "' build/bench/odm-raw drop")
    return stored
  end

  it("has ten tasks", function() assert.equal(10, #tasks) end)

  for _, task in ipairs(tasks) do
    it(task .. " leaves the same in C and in modm", function()
      local stored = left_by(lua, task)
      assert.same(left_by("build/bench/odm-raw", task), stored)
      local kind = task:match "^%l+"
      assert.equal(task:find "create" and 0 or N, #stored[kind])
      assert.equal(task == "small_find_fk" and N or 0, #stored.key)
    end)
  end

  it("makes data of its own where the published are not at hand", function()
    local sizes = { output_of("ODM_DATA=/nonexistent ODM_FOLDER=" .. DATA
      .. " bench/run-odm --data")
      :match "^data: generated: small_doc (%d+), large_doc (%d+), large_doc_nested (%d+)\n$" }
    for i, size in ipairs { 252, 3226020, 7643 } do
      assert.is_true(math.abs(sizes[i] / size - 1) < 0.02, sizes[i])
    end
  end)
end)
