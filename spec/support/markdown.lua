--- The Lua blocks of a page of Markdown as one program.
local markdown = {}

local URI = "mongodb://localhost:27017/blog"

--- The blocks fenced as `lua`, each line where it stands in the page, so that an error names its
--- line there.
---@param path string
---@return string text
---@return integer blocks
function markdown.program(path)
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

--- Runs a program of blocks with the URI that pages name replaced by a server's.
---@param text string
---@param path string
---@param uri string
---@return integer replaced
function markdown.run(text, path, uri)
  local source, replaced = text:gsub(URI:gsub("%p", "%%%0"), (uri:gsub("%%", "%%%%")))
  assert((loadstring or load)(source, "@" .. path))()
  return replaced
end

return markdown
