-- Programs that end with operations under way, cursors open and sessions in transactions, whatever
-- goes first: each ends at once, well, and says nothing.
local help = require "spec.relation.help"
local modm = require "modm"
local server = require "spec.support.server"

local ALIAS, SEEDS = "closing", 6

describe("a program that ends with much under way", function()
  local conn, uri

  setup(function()
    uri = server.fresh "closing"
    conn = assert(modm.connect(uri, { alias = ALIAS }))
    local Item = modm.MongoModel:extend("ClosingItem", {
      n = modm.fields.IntegerField { primary_key = true },
      Meta = { connection_alias = ALIAS, collection_name = "items", final = true },
    })
    for n = 1, 20 do assert(Item { n = n }:save()) end
  end)

  teardown(function()
    help.failpoint(conn, "off")
    modm.disconnect(ALIAS)
  end)

  -- Its status and all that it says, programs side by side.
  local function check(ending, held_ms)
    help.failpoint(conn, "alwaysOn", { failCommands = { "find" }, appName = "closing",
      blockConnection = true, blockTimeMS = held_ms })
    local flavour = os.getenv "MODM_FLAVOUR" or (jit and "luajit" or "lua5.4")
    local interpreter = flavour:gsub("^.*%-", "")
    -- Under the thread sanitizer what a spec starts has to be told again; see over_pool.lua.
    if flavour:find "^tsan" then
      interpreter = ("tools/lua-env %s %s"):format(flavour, interpreter)
    end
    -- A state that is not closed keeps all it has, where the leak check does not see LuaJIT's heap.
    local options = ending == "exit" and 'ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" ' or ""
    local command = options .. ("timeout 60 %s spec/transport/closing.lua '%s&appName=closing' "
      .. "%%d %s 2>&1; echo status $?"):format(interpreter, uri, ending)
    local pipes = {}
    for seed = 1, SEEDS do pipes[seed] = assert(io.popen(command:format(seed))) end
    for seed, pipe in ipairs(pipes) do
      local said = pipe:read "*a"
      pipe:close()
      assert.equal("status 0\n", said, "seed " .. seed)
    end
  end

  for _, ending in ipairs { "return", "close", "exit" } do
    it("ends well: " .. ending, function() check(ending, 300) end)
  end

  it("does not wait for a server that does not answer", function() check("return", 20000) end)
end)
