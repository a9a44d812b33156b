--- A file of models: loaded, and connected to the server that the command names.

local failure = require "modm.cli.failure"
local family = require "modm.relation.family"
local registry = require "modm.registry"
local server = require "modm.cli.server"

local models = {}

-- What a program raises may be any value.
local function text_of(raised)
  local ok, text = pcall(tostring, raised)
  return ok and text or "an error without a text"
end

-- The models among what the file returned, or nil.
local function returned(value)
  if registry.meta(value) then return { registry.meta(value) } end
  if type(value) ~= "table" then return nil end
  local list = {}
  for _, one in pairs(value) do
    local meta = registry.meta(one)
    if meta then list[#list + 1] = meta end
  end
  return #list > 0 and list or nil
end

local function picked(list, name)
  if not name then return list end
  local ok, meta = pcall(registry.find, name)
  if not ok then failure.raise(failure.USAGE, text_of(meta)) end
  return { meta }
end

-- Those with a collection; by name.
local function stored(list)
  local found = {}
  for _, meta in ipairs(list) do
    if not meta.embedded then found[#found + 1] = meta end
  end
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

--- Runs the file, and gives the models that it returns, else those that it makes.
---@param path string
---@param name string|nil of the one that is wanted
---@return table[] metas with a collection, by name
function models.load(path, name)
  local chunk, message = loadfile(path)
  if not chunk then failure.raise(failure.USAGE, message) end
  local before = {}
  for _, meta in ipairs(registry.all()) do before[meta] = true end
  local ok, value = xpcall(chunk, function(raised) return text_of(raised) end)
  if not ok then failure.raise(failure.USAGE, value) end
  local made = {}
  for _, meta in ipairs(registry.all()) do
    if not before[meta] then made[#made + 1] = meta end
  end
  local list = stored(picked(returned(value) or made, name))
  if #list == 0 then failure.raise(failure.USAGE, path .. " makes no model with a collection") end
  return list
end

--- Connects each alias that the models name to the server, in place of what their file says.
---@param uri string
---@param list table[] metas
function models.connect_all(uri, list)
  local known = {}
  for _, meta in ipairs(list) do
    if not known[meta.connection_alias] then
      known[meta.connection_alias] = server.connect(uri, meta.connection_alias)
    end
  end
  server.ping((select(2, next(known))))
end

--- One model for each family in a collection: the one that the others extend.
---@param list table[] metas
---@return table[]
function models.roots(list)
  local inside, roots = {}, {}
  for _, meta in ipairs(list) do inside[meta] = true end
  for _, meta in ipairs(list) do
    local parent, covered = meta.parent, false
    while parent and not covered do
      covered = inside[parent] and family.shares_place(parent, meta)
      parent = parent.parent
    end
    if not covered then roots[#roots + 1] = meta end
  end
  return roots
end

return models
