-- The tables and the plot of README.md and docs/performance.md are those of the kept results.
local function contents(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- The sanitizers' libraries are for the module.
local function output_of(command)
  local pipe = assert(io.popen("env -u LD_PRELOAD " .. command .. " 2>&1"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

describe("the results of benches", function()
  local seen = {}

  for _, page in ipairs { "README.md", "docs/performance.md" } do
    for command in contents(page):gmatch "<!%-%- (bench/%S+ %-%-table) %-%->\n" do
      seen[command] = true
      it(("of %s are in %s"):format(command, page), function()
        local text = contents(page)
        local _, from = text:find("<!-- " .. command .. " -->\n", 1, true)
        local to = text:find("<!-- end of " .. command .. " -->", 1, true)
        local printed = output_of(command)
        assert.matches("\n| ", printed, 1, true)
        assert.equal(printed, text:sub(from + 1, to - 1))
      end)
    end
  end

  it("are told of each bench", function()
    for name in ("run run-peers run-odm run-profile run-waiting"):gmatch "%S+" do
      assert.is_true(seen["bench/" .. name .. " --table"], name)
    end
  end)

  it("are drawn", function()
    assert.equal(contents "docs/performance.svg", output_of "bench/plot")
  end)
end)
