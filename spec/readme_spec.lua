-- Runs the Lua blocks of README.md as one program, against the server.
local markdown = require "spec.support.markdown"
local server = require "spec.support.server"

describe("README.md", function()
  it("holds a program that runs", function()
    local text, blocks = markdown.program("README.md")
    assert.is_true(blocks > 5)
    assert.equal(1, markdown.run(text, "README.md", server.fresh("readme")))
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
