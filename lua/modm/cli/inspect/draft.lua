--- A draft of models, as Lua, from what was seen of a collection.

local kinds = require "modm.cli.inspect.kinds"
local names = require "modm.cli.inspect.names"

local draft = {}

-- A document with more names than this, each seldom, is a map: its names are data.
local MANY_NAMES, SELDOM = 60, 0.2

local function percent(n, of) return ("%.4g%%"):format(100 * n / math.max(of, 1)) end

-- "string 80%, null 20%"
local function shares(node)
  local list = {}
  for type, n in pairs(node.types) do list[#list + 1] = { type, n } end
  table.sort(list, function(a, b) return a[2] > b[2] or a[2] == b[2] and a[1] < b[1] end)
  for i, one in ipairs(list) do
    list[i] = #list == 1 and one[1] or one[1] .. " " .. percent(one[2], node.seen)
  end
  return table.concat(list, ", ")
end

local function is_map(part)
  if #part.order < MANY_NAMES then return false end
  local seen = 0
  for _, node in pairs(part.fields) do seen = seen + node.seen end
  return seen / #part.order < SELDOM * part.n
end

-- Whether all keys, at any depth, are such as a DictField takes.
local function keys_fit(node)
  if node.items and not keys_fit(node.items) then return false end
  for key, inner in pairs(node.objects and node.objects.all.fields or {}) do
    if key:find "^%$" or key:find "[.%z]" or not keys_fit(inner) then return false end
  end
  return true
end

local add_object

local function options_text(list)
  return #list > 0 and " { " .. table.concat(list, ", ") .. " }" or " {}"
end

local function reference_of(self, node, comment)
  local guess = self.guess(node)
  if not guess then return nil end
  comment[#comment + 1] = ("a guess: %d of %d keys looked at are an _id of %s"):format(guess.hits,
    guess.tried, names.quoted(guess.collection))
  return names.quoted(self:target(guess.collection))
end

-- The constructor of a field, without `required`: its kind and the list of its options; nil when no
-- kind takes what was seen. Its place: "key", "field" or "item", of a list.
local function declare(self, node, name, comment, place)
  local choice = kinds.choose(node, place == "item")
  local kind, options = choice.kind, {}
  if not kind then return nil end
  if choice.mixed then comment[#comment + 1] = "mixed: a save makes one type of them" end
  if kind == "EmbeddedModelField" then
    local part = node.objects.all
    if is_map(part) or #part.order == 0 and #node.objects.order == 0 then
      if not keys_fit(node) then return nil end
      kind = "DictField"
    else
      options[1] = add_object(self, node.objects, name, true)
    end
  elseif kind == "ObjectIdField" and place ~= "key" then
    local target = reference_of(self, node, comment)
    if target then kind, options = "ReferenceField", { target } end
  elseif kind == "ListField" and node.items.seen > 0 then
    comment[#comment + 1] = "of " .. shares(node.items)
    local inner, inner_options = declare(self, node.items, name, comment, "item")
    if inner then options[1] = "fields." .. inner .. options_text(inner_options) end
  end
  if choice.blank then options[#options + 1] = "blank = true" end
  return kind, options
end

-- The lines of fields: key -> { lua name, kind, options, comment }; and whether some were left out.
local function declare_all(self, part, name)
  local lines, loose = {}, {}
  for _, key in ipairs(part.order) do
    local node, comment = part.fields[key], {}
    if node.seen < part.n then comment[1] = "in " .. percent(node.seen, part.n) end
    comment[#comment + 1] = shares(node)
    local kind, options
    if names.is_storable(key) and not (key == "_id" and node.seen < part.n) then
      kind, options = declare(self, node, name .. names.model(key), comment,
        key == "_id" and "key" or "field")
    end
    if not kind then
      loose[#loose + 1] = ("%s: %s"):format(names.quoted(key), table.concat(comment, "; "))
    else
      lines[key] = { name = names.field(key, part.fields), kind = kind, options = options,
        comment = table.concat(comment, "; ") }
    end
  end
  return lines, loose
end

local function field_text(key, line, required)
  local options = {}
  for i, option in ipairs(line.options) do options[i] = option end
  if key == "_id" then
    options[#options + 1] = "primary_key = true"
  elseif required then
    options[#options + 1] = "required = true"
  end
  if line.name ~= key then options[#options + 1] = "mongo_name = " .. names.quoted(key) end
  return ("  %s = fields.%s%s, -- %s"):format(names.key(line.name), line.kind,
    options_text(options), line.comment)
end

-- An _id that needs no word: an ObjectId, in a model with a collection.
local function is_implicit(key, line, embedded)
  return key == "_id" and not embedded and line.kind == "ObjectIdField" and #line.options == 0
end

-- Writes one model. `wanted(key)` says whether it has the field, and whether that is required.
local function emit(self, variable, parent, full_name, given)
  local out = self.out
  out[#out + 1] = ("local %s = %s:extend(%s, {"):format(variable, parent, names.quoted(full_name))
  for _, key in ipairs(given.order) do
    local line = given.lines[key]
    local wanted, required = given.wanted(key)
    if wanted and line and not is_implicit(key, line, given.embedded) then
      out[#out + 1] = field_text(key, line, required)
    end
  end
  for _, text in ipairs(given.loose or {}) do
    out[#out + 1] = "  -- left out, since no kind of field takes it: " .. text
  end
  if #given.meta > 0 then
    out[#out + 1] = "  Meta = { " .. table.concat(given.meta, ", ") .. " },"
  end
  out[#out + 1] = "})"
  out[#out + 1] = ""
end

-- A model's full name for a stored _cls, and what Meta says when that is not its name.
local function name_for(self, cls)
  local fits = cls ~= "" and not cls:find "%z" and not ("." .. cls .. "."):find("..", 1, true)
  local name = names.unique(fits and cls or "Model", self.full_names)
  return name, name ~= cls and "cls = " .. names.quoted(cls) or nil
end

local function emit_children(self, object, base, given)
  for _, cls in ipairs(object.order) do
    local part = object.classes[cls]
    local full_name, meta = name_for(self, cls)
    emit(self, names.unique(names.model(cls:match "[^.]*$"), self.variables), base, full_name, {
      order = object.all.order, lines = given.lines, embedded = given.embedded, meta = { meta },
      wanted = function(key)
        local node = part.fields[key]
        return node and not given.common(key), node and node.seen == part.n
      end,
    })
  end
end

-- Whether all classes have a field, or documents without a class.
local function common_to(object)
  return function(key)
    if object.unclassed.fields[key] then return true end
    for _, cls in ipairs(object.order) do
      if not object.classes[cls].fields[key] then return false end
    end
    return true
  end
end

--- Writes the models of documents and returns the variable of the one at the top.
function add_object(self, object, name, embedded, meta)
  local all = object.all
  local lines, loose = declare_all(self, all, name)
  local single = #object.order == 1 and object.order[1]
  local variable = names.unique(names.model(single and single:match "[^.]*$" or name),
    self.variables)
  local full_name, cls
  if single then
    full_name, cls = name_for(self, single)
  else
    full_name = names.unique(name, self.full_names)
  end
  meta = meta or {}
  meta[#meta + 1] = cls
  if #object.order == 0 then
    meta[#meta + 1] = "final = true"
  elseif object.unclassed.n > 0 and not embedded then
    meta[#meta + 1] = "cls_optional = true"
  end
  if #loose > 0 then meta[#meta + 1] = "ignore_unknown_fields = true" end
  local common = #object.order > 1 and common_to(object) or function() return true end
  emit(self, variable, embedded and "modm.EmbeddedMongoModel" or "modm.MongoModel", full_name, {
    order = all.order, lines = lines, loose = loose, embedded = embedded, meta = meta,
    wanted = function(key) return common(key), all.fields[key].seen == all.n end,
  })
  if #object.order > 1 then
    emit_children(self, object, variable, { lines = lines, embedded = embedded, common = common })
  end
  return variable
end

-- The model of another collection that a field refers to.
local function target(self, collection)
  if collection == self.collection then return self.main end
  local known = self.stubs[collection]
  if not known then
    known = names.unique(names.model(collection), self.variables)
    self.full_names[known] = true
    self.stubs[collection] = known
    table.insert(self.out, ("-- Stands for what is in %s, as far as references need it."):format(
      names.quoted(collection)))
    table.insert(self.out, ("modm.MongoModel:extend(%s, {\n  Meta = { collection_name = %s, "
      .. "final = true, ignore_unknown_fields = true },\n})\n"):format(names.quoted(known),
      names.quoted(collection)))
  end
  return known
end

--- The draft.
---@param object table what observe saw
---@param collection string
---@param name string|nil of the model
---@param guess fun(node: modm.cli.Node): table|nil the collection that its ObjectIds are keys of
---@return string
function draft.write(object, collection, name, guess)
  local self = { out = {}, variables = { modm = true, fields = true }, full_names = {}, stubs = {},
    collection = collection, guess = guess, target = target }
  local main = name or names.model(collection)
  self.main = #object.order == 1 and object.order[1] or main
  local variable = add_object(self, object, main, false,
    { "collection_name = " .. names.quoted(collection) })
  return ('local modm = require "modm"\nlocal fields = modm.fields\n\n%s\nreturn %s\n'):format(
    table.concat(self.out, "\n"), variable)
end

return draft
