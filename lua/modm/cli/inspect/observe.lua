--- What is seen of documents: which fields there are, how often, and of which types.

local core = require "modm.core"

local observe = {}

local SAMPLES = 20 -- keys kept of a field that may refer to something

---@class modm.cli.Node what was seen of one field, or of the items of a list
---@field seen integer how often it was there
---@field types table<string, integer> by the server's names of types; what other programs stored as
--- strings may be no text
---@field blanks table<string, integer> of empty texts and bytes
---@field objects table|nil of the documents in it, see observe.object
---@field items modm.cli.Node|nil of the arrays in it
---@field samples table<string, userdata> some ObjectIds, by their text
---@field sampled integer how many

local function new_node()
  return { seen = 0, types = {}, blanks = {}, samples = {}, sampled = 0 }
end

local function new_part() return { n = 0, fields = {}, order = {} } end

--- Of documents: `all` of them, by `_cls`, and without one; each with the number `n` and `fields`
--- in `order`.
function observe.object()
  return { all = new_part(), classes = {}, order = {}, unclassed = new_part() }
end

local add_document

local function add_value(node, type, value)
  if type == "string" and not core.is_utf8(value) then type = "string (not UTF-8)" end
  node.seen = node.seen + 1
  node.types[type] = (node.types[type] or 0) + 1
  if type == "object" then
    node.objects = node.objects or observe.object()
    add_document(node.objects, value)
  elseif type == "array" then
    node.items = node.items or new_node()
    for _, item in ipairs(value) do add_value(node.items, item[2], item[3]) end
  elseif value == "" or type == "binData" and value:data() == "" then
    node.blanks[type] = (node.blanks[type] or 0) + 1
  elseif type == "objectId" and node.sampled < SAMPLES and not node.samples[tostring(value)] then
    node.samples[tostring(value)] = value
    node.sampled = node.sampled + 1
  end
end

local function count_field(part, name)
  local node = part.fields[name]
  if not node then
    node = new_node()
    part.fields[name] = node
    part.order[#part.order + 1] = name
  end
  return node
end

-- How often fields are there, for a class.
local function class_part(object, elements)
  for _, element in ipairs(elements) do
    if element[1] == "_cls" and element[2] == "string" then
      local class = object.classes[element[3]]
      if not class then
        class = new_part()
        object.classes[element[3]] = class
        object.order[#object.order + 1] = element[3]
      end
      return class
    end
  end
  return object.unclassed
end

--- Takes note of a document.
---@param object table as observe.object gives it
---@param elements table[] as core.typed gives them
function add_document(object, elements)
  local class = class_part(object, elements)
  class.n = class.n + 1
  object.all.n = object.all.n + 1
  for _, element in ipairs(elements) do
    if element[1] ~= "_cls" then
      add_value(count_field(object.all, element[1]), element[2], element[3])
      local node = count_field(class, element[1])
      node.seen = node.seen + 1
    end
  end
end

observe.add = add_document

return observe
