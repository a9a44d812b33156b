--- The blocks of a page of Markdown: its Lua as one program, its commands with their output.
local markdown = {}

markdown.URI = "mongodb://localhost:27017/blog"

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

---@class markdown.Command
---@field line integer in the page
---@field command string
---@field output string what the page says that it prints

--- The commands of the blocks fenced as `console`: each follows `$ `, and its output follows it.
---@param path string
---@return markdown.Command[]
function markdown.commands(path)
  local list, inside, number = {}, false, 0
  for line in io.lines(path) do
    number = number + 1
    local fence = line:match("^```(.*)$")
    local command = line:match("^%$ (.*)$")
    if fence then
      inside = fence == "console"
    elseif inside and command then
      list[#list + 1] = { line = number, command = command, output = "" }
    elseif inside then
      list[#list].output = list[#list].output .. line .. "\n"
    end
  end
  return list
end

--- The block fenced as `lua` that begins with a comment of this name.
---@param path string
---@param name string
---@return string
function markdown.file(path, name)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  for block in text:gmatch("\n```lua\n(.-\n)```\n") do
    if block:sub(1, #name + 4) == "-- " .. name .. "\n" then return block end
  end
  error(path .. " has no block " .. name)
end

--- Runs a program of blocks with the URI that pages name replaced by a server's.
---@param text string
---@param path string
---@param uri string
---@return integer replaced
function markdown.run(text, path, uri)
  local source, replaced = text:gsub(markdown.URI:gsub("%p", "%%%0"), (uri:gsub("%%", "%%%%")))
  assert((loadstring or load)(source, "@" .. path))()
  return replaced
end

return markdown
