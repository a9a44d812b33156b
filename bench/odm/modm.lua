-- The ODM benchmark in modm: bench/odm/modm.lua TASK OPERATIONS SECONDS FOLDER, with the documents
-- of FOLDER. Prints the wall time of each iteration.
local modm = require "modm"
local core = require "modm.core"
local registry = require "modm.registry"
local system = require "system"
local fields = modm.fields

local ITERATIONS = 10
local task_name, operations, seconds, folder = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]

-- ---- models ----

-- The fields field1, field2 and so on: texts, and after them numbers.
local function numbered(texts, numbers)
  local definition = {}
  for i = 1, texts + numbers do
    definition["field" .. i] = i <= texts and fields.CharField { max_length = 100 }
      or fields.IntegerField {}
  end
  return definition
end

local Key = modm.MongoModel:extend("Key", { name = fields.CharField {} })

local small = numbered(7, 6)
small.field_fk = fields.ReferenceField { Key }
small.Meta = { indexes = { { "field_fk" } }, auto_index = false }
local Small = modm.MongoModel:extend("Small", small)

local large = numbered(125, 125)
large.image_field = fields.BinaryField {}
local Large = modm.MongoModel:extend("Large", large)

local texts = numbered(15, 0)
texts.unique_id = fields.ObjectIdField {}
local Texts = modm.EmbeddedMongoModel:extend("Texts", texts)
local Numbers = modm.EmbeddedMongoModel:extend("Numbers", numbered(0, 15))

local nested = {}
for i = 1, 5 do nested["embedded_str_doc_" .. i] = fields.EmbeddedModelField { Texts } end
nested.embedded_str_doc_array = fields.EmbeddedModelListField { Texts }
for i = 8, 14 do nested["embedded_int_doc_" .. i] = fields.EmbeddedModelField { Numbers } end
nested.Meta = { auto_index = false, indexes = {
  { "embedded_str_doc_1.unique_id" }, { "embedded_str_doc_array.unique_id" },
} }
local Nested = modm.MongoModel:extend("Nested", nested)

-- ---- documents of the data: instances that are not saved ----

local function load_data(name)
  return dofile(folder .. "/" .. name .. ".lua")
end

local function new_texts(values)
  local part = Texts(values)
  part.unique_id = modm.ObjectId()
  return part
end

local new = {}

function new.small_doc(data) return Small(data) end

function new.large_doc(data) return Large(data) end

function new.large_doc_nested(data)
  local doc = Nested {}
  for name, values in pairs(data) do
    if name == "embedded_str_doc_array" then
      doc[name] = { new_texts(values[1]), new_texts(values[2]) }
    else
      doc[name] = name:find "_str_" and new_texts(values) or Numbers(values)
    end
  end
  return doc
end

-- Saves one document for each operation, and gives a list of what `take` gives of each.
local function save_all(name, take)
  local data, list = load_data(name), {}
  for i = 1, operations do list[i] = take(assert(new[name](data):save())) end
  return list
end

-- ---- tasks: each gives the work of one iteration, and what follows each ----

local function drop(model)
  local conn, collection = registry.meta(model):place()
  assert(conn:run(core.command(conn.client, "write", conn.database, { drop = collection })))
end

local function create(name, model)
  local data = load_data(name)
  return function()
    for _ = 1, operations do assert(new[name](data):save()) end
  end, function() drop(model) end
end

-- Each iteration has a value of its own, since a value that does not change is not sent.
local function update(name, change)
  local list, round = save_all(name, function(doc) return doc end), 0
  return function()
    round = round + 1
    local value = "updated_value" .. round
    for _, doc in ipairs(list) do
      change(doc, value)
      assert(doc:save())
    end
  end
end

local function set_first(doc, value) doc.field1 = value end

local function find(model, field, keys)
  assert(model:ensure_indexes())
  return function()
    for _, key in ipairs(keys) do assert(model.objects:get { [field] = key }) end
  end
end

local function key_of(doc) return doc._id end

local tasks = {}

function tasks.small_create() return create("small_doc", Small) end
function tasks.small_update() return update("small_doc", set_first) end
function tasks.small_find() return find(Small, "_id", save_all("small_doc", key_of)) end
function tasks.small_find_fk()
  return find(Small, "field_fk", save_all("small_doc", function(doc)
    doc.field_fk = assert(Key { name = "key" }:save())
    assert(doc:save())
    return doc.field_fk._id
  end))
end
function tasks.large_create() return create("large_doc", Large) end
function tasks.large_update() return update("large_doc", set_first) end
function tasks.nested_create() return create("large_doc_nested", Nested) end
function tasks.nested_update()
  return update("large_doc_nested", function(doc, value) doc.embedded_str_doc_1.field1 = value end)
end
function tasks.nested_find()
  return find(Nested, "embedded_str_doc_1.unique_id", save_all("large_doc_nested", function(doc)
    return doc.embedded_str_doc_1.unique_id
  end))
end
function tasks.nested_find_array()
  return find(Nested, "embedded_str_doc_array.unique_id", save_all("large_doc_nested",
    function(doc) return doc.embedded_str_doc_array[1].unique_id end))
end

-- ---- running ----

assert(modm.connect(os.getenv "MODM_URI" or error "MODM_URI is not set"))
local work, after = assert(tasks[task_name], "no such task")()
local total, count = 0, 0
repeat
  collectgarbage()
  local wall = system.monotime()
  work()
  wall = system.monotime() - wall
  print(("%.6f"):format(wall))
  total, count = total + wall, count + 1
  if after then after() end
until total >= seconds and (count >= ITERATIONS or total >= 2 * seconds)
