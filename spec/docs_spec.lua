-- Runs the Lua blocks of each page in docs/ as one program, against the server, and looks at links.
-- A block that is not to be run is fenced as `text`.
local server = require "spec.support.server"

local URI = "mongodb://localhost:27017/blog"

local function pages()
  local pipe = assert(io.popen("ls docs/*.md"))
  local list = {}
  for path in pipe:lines() do list[#list + 1] = path end
  pipe:close()
  return list
end

-- The blocks, each line where it stands in the page, so that an error names its line there.
local function program(path)
  local lines, blocks, inside = {}, 0, false
  for line in io.lines(path) do
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
    local text, blocks = program(path)

    if blocks > 0 then
      running = running + 1
      it(path .. " runs", function()
        local own = server.fresh("docs"):gsub("%%", "%%%%")
        local source = text:gsub(URI:gsub("%p", "%%%0"), own)
        assert((loadstring or load)(source, "@" .. path))()
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
