--- `modm diagram`: models and their references as a picture.

local core = require "modm.core"
local failure = require "modm.cli.failure"
local json = require "modm.cli.json"
local layout = require "modm.model.layout"
local models = require "modm.cli.models"
local references = require "modm.relation.references"
local registry = require "modm.registry"

---@type modm.cli.Command
local diagram = {
  name = "diagram",
  takes = { "MODELS.lua" },
  options = {
    { "svg", "FILE", "draws it with graphviz's dot" },
    { "model", "NAME", "only this model and what it leads to" },
  },
  text = [[
Prints or draws the models and how they refer to each other.

It is in the language of graphviz's dot: references are arrows with their delete rules, embedded
models have a diamond, inheritance is dashed.]],
}

local rules = { [0] = "DO_NOTHING", "NULLIFY", "CASCADE", "DENY", "PULL" }

-- What a field holds or refers to: its meta, or nil.
local function target_of(inner)
  local model = inner.options.model
  if model == nil then return nil end
  local ok, meta = pcall(registry.find, model)
  if not ok then failure.raise(failure.USAGE, tostring(meta)) end
  return meta
end

local add

local function add_field(graph, meta, node, item)
  local inner, depth = references.innermost(item)
  local target = target_of(inner)
  node.fields[#node.fields + 1] = { name = item.name, kind = item.kind }
  if not target then return end
  local kind = inner.kind == "ReferenceField" and "reference" or "embedded"
  graph.edges[#graph.edges + 1] = {
    from = meta.name, to = target.name, field = item.name, kind = kind, list = depth > 0,
    rule = kind == "reference" and rules[inner.options.on_delete or 0] or nil,
  }
  add(graph, target)
end

function add(graph, meta)
  if graph.seen[meta] then return end
  graph.seen[meta] = true
  local node = { name = meta.name, embedded = meta.embedded or false, fields = {} }
  graph.nodes[#graph.nodes + 1] = node
  if meta.parent then
    graph.edges[#graph.edges + 1] = { from = meta.name, to = meta.parent.name, kind = "extends" }
    add(graph, meta.parent)
  end
  for _, item in ipairs(layout.ordered(meta.fields)) do
    if not (meta.parent and meta.parent.fields[item.name] == meta.fields[item.name]) then
      add_field(graph, meta, node, item)
    end
  end
end

local function quoted(text) return '"' .. text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"' end

-- A text inside of a record's label.
local function escaped(text) return (text:gsub('[\\"{}|<>\n]', "\\%0")) end

local styles = {
  reference = "arrowhead=vee", embedded = "dir=both, arrowtail=diamond, arrowhead=none",
  extends = "style=dashed, arrowhead=empty",
}

local function to_dot(graph)
  local out = { "digraph models {", "  rankdir=LR;", "  node [shape=record, fontname=sans];",
    "  edge [fontname=sans, fontsize=10];" }
  for _, node in ipairs(graph.nodes) do
    local rows = {}
    for i, field in ipairs(node.fields) do
      rows[i] = escaped(field.name) .. ": " .. escaped((field.kind:gsub("Field$", ""))) .. "\\l"
    end
    out[#out + 1] = ('  %s [label="{%s|%s}"%s];'):format(quoted(node.name), escaped(node.name),
      table.concat(rows), node.embedded and ", style=rounded" or "")
  end
  for _, edge in ipairs(graph.edges) do
    local label = (edge.field or "") .. (edge.list and " *" or "")
    if edge.rule and edge.rule ~= "DO_NOTHING" then label = label .. "\n" .. edge.rule end
    out[#out + 1] = ("  %s -> %s [%s, label=%s];"):format(quoted(edge.from), quoted(edge.to),
      styles[edge.kind], quoted(label))
  end
  return table.concat(out, "\n") .. "\n}\n"
end

-- One argument of the shell's.
local function argument(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function draw(dot, path)
  local found = os.execute "command -v dot >/dev/null 2>&1"
  if found ~= true and found ~= 0 then
    failure.raise(failure.USAGE, "--svg needs graphviz's `dot`, which is not on the PATH")
  end
  local file, message = io.open(path, "wb") -- so that what is wrong with the path is said here
  if not file then failure.raise(failure.USAGE, message) end
  file:close()
  local pipe = assert(io.popen("dot -Tsvg -o " .. argument(path), "w"))
  pipe:write(dot)
  pipe:close()
  file = assert(io.open(path, "rb"))
  local drawn = file:read(1)
  file:close()
  if not drawn then failure.raise(failure.USAGE, "dot drew nothing") end
end

function diagram.run(given)
  local graph = { nodes = {}, edges = {}, seen = {} }
  for _, meta in ipairs(models.load(given["MODELS.lua"], given.model)) do add(graph, meta) end
  local dot = to_dot(graph)
  if given.svg then draw(dot, given.svg) end
  if given.json then
    print(json.encode { models = core.array(graph.nodes), edges = core.array(graph.edges) })
  elseif not given.svg then
    io.write(dot)
  end
  return 0
end

return diagram
