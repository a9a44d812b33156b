-- Runs the example game under the Lua that runs this spec and looks at what it prints. How fast it
-- goes is not looked at: it ends with 2 where a tick was late and nothing was lost.
local flavour = os.getenv("MODM_FLAVOUR") or (jit and "luajit" or "lua5.4")

describe("examples/game", function()
  local text, status

  setup(function()
    -- bash leaks: only Lua gets the sanitizers, by lua-env.
    local command = "env -u LD_PRELOAD GAME_PLAYERS=300 GAME_SECONDS=2 GAME_TICK_MS=250 "
      .. "tools/lua-env %s %s examples/game/game.lua 2>&1; echo =$?="
    local pipe = assert(io.popen(command:format(flavour, (flavour:gsub("^asan%-", "")))))
    text = pipe:read("*a")
    pipe:close()
    status = text:match("=(%d+)=\n$")
  end)

  local function number(pattern)
    local found = text:match(pattern)
    assert.is_truthy(found, ("%q is not in\n%s"):format(pattern, text))
    return tonumber(found)
  end

  it("ends well", function()
    assert.is_true(status == "0" or status == "2", text)
  end)

  it("saves each player in each tick", function()
    assert.equal(8, number "(%d+) ticks of 250 ms")
    assert.equal(2400, number "late; (%d+) of 2400 states saved")
    local _, ticks = text:gsub("saved 300 in", "")
    assert.equal(8, ticks)
  end)

  it("sends only what changed", function()
    local names = text:match "only what changed: ([^\n]+)"
    assert.is_truthy(names:find "tick, x, y$")
    assert.is_nil(names:find "name")
  end)

  it("loses no gold where an admin comes between", function()
    assert.equal(160, number "(%d+) payments")
    assert.is_true(number "and (%d+) gifts" > 0)
    assert.is_true(number "gifts, (%d+) conflicts" > 0)
  end)

  it("has the leaderboard and all else in the database as it was played", function()
    assert.equal(15, number "leaderboard of (%d+) pages")
    number "every player, wallet and place is in the database as it was played()"
  end)

  it("draws no chart where no terminal is", function()
    assert.is_nil(text:find("\27", 1, true))
  end)
end)
