-- Runs the Lua blocks of each page in docs/ as one program, against the server, and looks at links.
-- A block that is not to be run is fenced as `text`.
local markdown = require "spec.support.markdown"
local server = require "spec.support.server"

local function pages()
  local pipe = assert(io.popen("ls docs/*.md"))
  local list = {}
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

local function readable(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

-- The headings of a page, as the names that links give them.
local function anchors(path)
  local set = {}
  for line in io.lines(path) do
    local heading = line:match("^#+ (.*)$")
    if heading then
      heading = heading:lower():gsub("[^%w_ -]", ""):gsub(" ", "-")
      set[heading] = true
    end
  end
  return set
end

describe("docs", function()
  local running = 0

  for _, path in ipairs(pages()) do
    local text, blocks = markdown.program(path)

    if blocks > 0 then
      running = running + 1
      it(path .. " runs", function()
        markdown.run(text, path, server.fresh("docs"))
        require("modm").disconnect()
      end)
    end

    it(path .. " links to what is there", function()
      for line in io.lines(path) do
        for link in line:gmatch("%]%(([^)]+)%)") do
          local file, anchor = link:match("^([^#]*)#?(.*)$")
          if not link:find("^%a+:") then
            local target = file == "" and path or "docs/" .. file
            assert(readable(target), link .. " is not there")
            assert(anchor == "" or anchors(target)[anchor], link .. " has no such heading")
          end
        end
      end
    end)
  end

  it("have pages that run", function() assert.is_true(running >= 5) end)
end)
