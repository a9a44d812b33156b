-- Renders templates/*.html with Penlight's pl.template: lines that begin with # are Lua, and $(...)
-- gives a value, escaped.
local template = require "pl.template"
local escape_text = require "pl.xml".xml_escape

local view = {}

local Html = {} -- the metatable of text that is HTML already

local function escape(value)
  if getmetatable(value) == Html then return value.text end
  return escape_text(tostring(value))
end

local function compile(source)
  local compiled = assert(template.compile(source))
  compiled.env.__tostring = escape -- what pl.template calls for each $(...)
  return compiled
end

-- Should another version of Penlight do this otherwise, nothing is shown at all.
assert(compile("$(text)!"):render { text = "<" } == "&lt;!", "templates do not escape")

local function read(name)
  local file = assert(io.open(ngx.config.prefix() .. "templates/" .. name .. ".html"))
  local source = file:read "*a"
  file:close()
  return source
end

-- Rendering puts the values into the compiled template. Where it waits, for a reference that is
-- fetched, another request may render too: each takes a template that nobody else has.
local idle = {}

local helpers = {}

-- A template as text that is HTML.
function view.render(name, values)
  idle[name] = idle[name] or {}
  local compiled = table.remove(idle[name]) or compile(read(name))
  local text = assert(compiled:render(setmetatable(values, { __index = helpers })))
  table.insert(idle[name], compiled)
  return setmetatable({ text = text }, Html)
end

-- ---- what templates may call ----

helpers.ipairs, helpers.render = ipairs, view.render

-- All messages of a part of a ValidationError's tree: a field's own, and those of what it holds.
function helpers.messages(node)
  local list = {}
  local function gather(inner)
    for _, value in pairs(inner) do
      if type(value) == "table" then gather(value) else list[#list + 1] = value end
    end
  end
  gather(node or {})
  return view.render("messages", { list = list })
end

-- One thing, two things.
function helpers.count(n, word) return ("%d %s%s"):format(n, word, n == 1 and "" or "s") end

-- How long ago a DateTime was.
function helpers.ago(date)
  local minutes = math.floor((ngx.now() - date:seconds()) / 60)
  if minutes < 1 then return "just now" end
  if minutes < 60 then return helpers.count(minutes, "minute") .. " ago" end
  if minutes < 24 * 60 then return helpers.count(math.floor(minutes / 60), "hour") .. " ago" end
  return os.date("!%d %B %Y", date:seconds())
end

return view
