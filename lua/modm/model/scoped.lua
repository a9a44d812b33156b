--- What a program changes of a model for a while, in the running coroutine alone: its connection,
--- its collection, its options. And where a document lies that is not in its model's own place.

local collection_name = require "modm.collection_name"
local core = require "modm.core"
local misuse = require "modm.misuse"
local options = require "modm.options"
local registry = require "modm.registry"
local scope = require "modm.scope"

local scoped = {}

-- meta -> what is set for it, by the names of Meta's options
local held = scope.new()

-- documents that came from, or went to, a place that a scope had set -> that place
local places = setmetatable({}, { __mode = "k" })

--- What an option of Meta is now. As with Meta itself, a model that does not name one has that of
--- the model it extends.
---@param meta table
---@param name string
---@return any
function scoped.option(meta, name)
  if held.runs == 0 then return meta[name] end
  local ancestor = meta
  while ancestor do
    local set = held:get(ancestor)
    if set and set[name] ~= nil then return set[name] end
    if ancestor.given[name] ~= nil then break end
    ancestor = ancestor.parent
  end
  return meta[name]
end

--- Whether anything is set for the running coroutine.
---@return boolean
function scoped.active() return held:is_active() end

--- Where documents of a model are now: the alias of the connection, and the collection.
---@param meta table
---@return string alias, string collection
function scoped.place(meta)
  if held.runs == 0 then return meta.connection_alias, meta.collection_name end
  return scoped.option(meta, "connection_alias"), scoped.option(meta, "collection_name")
end

-- The place as one text, or nil when it is the one that Meta names.
local function place_name(meta)
  if held.runs == 0 then return nil end
  local alias, collection = scoped.place(meta)
  if alias == meta.connection_alias and collection == meta.collection_name then return nil end
  return alias .. "\n" .. collection
end

--- Takes note that a document is where its model's documents are now.
---@param doc modm.Document
---@param meta table of its model
function scoped.note_one(doc, meta)
  if held.runs > 0 or next(places) then places[doc] = place_name(meta) end
end

--- Takes note that documents are where their models' documents are now.
---@param docs modm.Document[]
---@param first integer
---@param last integer
function scoped.note(docs, first, last)
  if held.runs == 0 and next(places) == nil then return end
  for i = first, last do
    places[docs[i]] = place_name(core.meta_of(docs[i]))
  end
end

--- Whether a document came from elsewhere than where its model's documents are now.
---@param doc modm.Document
---@param meta table of its model
---@return boolean
function scoped.is_elsewhere(doc, meta)
  if held.runs == 0 then return places[doc] ~= nil end
  return places[doc] ~= place_name(meta)
end

-- ---- what programs call ----

local function check(what, model, fn)
  local meta = registry.meta(model)
  if not meta or meta.abstract or meta.embedded then
    misuse("%s: a model with a collection expected", what)
  end
  if type(fn) ~= "function" then misuse("%s: a function expected, got a %s", what, type(fn)) end
  return meta
end

local function run(meta, changes, fn)
  local set = {}
  for name, value in pairs(held:get(meta) or {}) do set[name] = value end
  for name, value in pairs(changes) do set[name] = value end
  return held:run({ [meta] = set }, fn)
end

local function check_name(what, meta, name)
  if type(name) ~= "string" or name == "" then
    misuse("%s: %s: a name expected, got a %s", what, meta.name, type(name))
  end
end

--- Calls fn and returns what it returns. Meanwhile the documents of the model, and of those that
--- extend it without a connection of their own, are read and written over another connection, for
--- the running coroutine alone. It ends however fn ends.
---@param model modm.Model
---@param alias string one that is not connected is a ConfigurationError of the operation
---@param fn fun(): ...
---@return ...
function scoped.switch_connection(model, alias, fn)
  local meta = check("switch_connection", model, fn)
  check_name("switch_connection", meta, alias)
  return run(meta, { connection_alias = alias }, fn)
end

--- The same for the collection.
---@param model modm.Model
---@param name string
---@param fn fun(): ...
---@return ...
function scoped.switch_collection(model, name, fn)
  local meta = check("switch_collection", model, fn)
  check_name("switch_collection", meta, name)
  local problem = collection_name.problem(name)
  if problem then
    misuse("switch_collection: %s: '%s' cannot be the name of a collection: %s", meta.name, name,
      problem)
  end
  return run(meta, { collection_name = name }, fn)
end

local known_options = {
  read_preference = "table|string", read_concern = "table|string",
  write_concern = "table|number|string",
}

--- The same for options, as Meta has them. Those that are not given stay as they are.
---@param model modm.Model
---@param given { read_preference: table|string?, read_concern: table|string?, write_concern:
--- table|number|string? }
---@param fn fun(): ...
---@return ...
function scoped.collection_options(model, given, fn)
  local meta = check("collection_options", model, fn)
  if type(given) == "table" and given.codec_options ~= nil then
    misuse("collection_options: %s: codec_options belong to a model's definition", meta.name)
  end
  options.check("collection_options: " .. meta.name, given or 0, known_options)
  return run(meta, given, fn)
end

return scoped
