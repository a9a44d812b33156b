-- Runs the example blog under the Lua that runs this spec and looks at what it prints.
local flavour = os.getenv("MODM_FLAVOUR") or (jit and "luajit" or "lua5.4")

describe("examples/blog", function()
  local text, ok, seconds

  setup(function()
    local from = os.time()
    -- bash leaks: only Lua gets the sanitizers, by lua-env.
    local command = "env -u LD_PRELOAD tools/lua-env %s %s examples/blog/blog.lua 2>&1; echo =$?="
    local pipe = assert(io.popen(command:format(flavour, (flavour:gsub("^asan%-", "")))))
    text = pipe:read("*a")
    pipe:close()
    ok = text:match("=(%d+)=\n$") == "0"
    seconds = os.time() - from
  end)

  local function has(line)
    assert.is_truthy(text:find(line, 1, true), ("%q is not in\n%s"):format(line, text))
  end

  it("runs to its end, in under ten seconds", function()
    assert.is_true(ok, text)
    assert.is_true(seconds < 10)
  end)

  it("is no longer than a person wants to read", function()
    local _, lines = text:gsub("\n", "\n")
    assert.is_true(lines <= 120)
  end)

  it("shows the messages of invalid input", function()
    has "User.email: not a valid e-mail address"
    has "value exceeds the maximum length of 30."
    has "must not shout."
    has "field is required."
  end)

  it("shows the commands of references and of a change", function()
    has "0 commands: Jon"
    has "2 commands: Sam"
    has "update { $set = { likes = 1 } }"
  end)

  it("shows each delete rule", function()
    for _, rule in ipairs { "DENY", "PULL", "NULLIFY", "DO_NOTHING", "CASCADE" } do
      has(rule .. ":")
    end
  end)
end)
