-- Runs the Lua blocks of README.md as one program, against the server.
local server = require "spec.support.server"

local URI = "mongodb://localhost:27017/blog"

-- The blocks, each line where it stands in README.md, so that an error names its line there.
local function program()
  local lines, blocks, inside = {}, 0, false
  for line in io.lines("README.md") do
    local fence = line:match("^```(.*)$")
    if fence then
      inside = fence == "lua"
      blocks = blocks + (inside and 1 or 0)
      line = ""
    end
    lines[#lines + 1] = inside and line or ""
  end
  return table.concat(lines, "\n"), blocks
end

describe("README.md", function()
  it("holds a program that runs", function()
    local text, blocks = program()
    assert.is_true(blocks > 5)
    local found
    text, found = text:gsub(URI:gsub("%p", "%%%0"), (server.fresh("readme"):gsub("%%", "%%%%")))
    assert.equal(1, found)
    local run = assert((loadstring or load)(text, "@README.md"))
    run()
  end)

  it("links to files that are there", function()
    for line in io.lines("README.md") do
      for link in line:gmatch("%]%(([%w_/.-]+)%)") do
        local file = io.open(link, "rb")
        assert.is_truthy(file, link .. " is not there")
        file:close()
      end
    end
  end)
end)
