-- modm's side of each step: peer.lua STEP DATABASE CASES [CHANGES]; peer.py is PyMODM's side.
-- What a step prints must be the same on both sides; what it writes is compared by interop/run.
local core = require "modm.core"
local modm = require "modm"
local models = require "interop.models"
local registry = require "modm.registry"
local server = require "spec.support.server"
local view = require "interop.view"

local step, database, source, changes = ...
local unpack = table.unpack or unpack -- luacheck: ignore
modm.connect(server.uri(database))
modm.connect(server.uri(source), { alias = "cases" })

-- The cases of a sort, in order, as they were read: their tables keep the order of keys.
local function cases(name)
  local Case = modm.MongoModel:extend("Cases" .. name, {
    _id = modm.fields.IntegerField { primary_key = true },
    case = modm.fields.DictField {},
    Meta = { connection_alias = "cases", collection_name = name, final = true },
  })
  local list = {}
  for row in Case.objects:order_by("_id"):values():iter() do
    list[#list + 1] = row.case
  end
  return list
end

local build

-- A table is left alone unless something inside it is built, so that it keeps its mark.
local function build_list(list, saved)
  local built, changed = {}, false
  for n, item in ipairs(list) do
    built[n] = build(item, saved)
    changed = changed or built[n] ~= item
  end
  return changed and built or list
end

-- A value of the cases, with what its markers stand for.
function build(value, saved)
  if type(value) ~= "table" then
    return value
  elseif value["@saved"] then
    return saved[value["@saved"]]
  elseif value["@date"] then
    local year, month, day, hour, min, sec = unpack(value["@date"])
    return { year = year, month = month, day = day, hour = hour, min = min, sec = sec }
  elseif value["@embedded"] then
    local given = {}
    for name, item in pairs(value) do
      given[name] = build(item, saved)
    end
    given["@embedded"] = nil
    return models[value["@embedded"]](given)
  end
  return build_list(value, saved)
end

-- A raw query; one without conditions has to be said.
local function matching_of(Model, query)
  return next(query) and Model.objects:raw(query) or Model.objects:all()
end

local steps = {}

function steps.write()
  local saved = {}
  for _, case in ipairs(cases "documents") do
    local Model, values = models[case.model], {}
    for name, value in pairs(case.values) do
      values[name] = build(value, saved)
    end
    -- a position is the field of its number
    for n, value in ipairs(case.positions or {}) do
      values[n] = value
    end
    local document, message = Model(values):save()
    saved[case.label] = document
    if not document then
      print(case.label, "is refused:", message)
    end
  end
end

-- All documents, each model's own.
local function everything(f)
  local names = {}
  for name, Model in pairs(models) do
    names[#names + 1] = Model.objects and name or nil
  end
  table.sort(names)
  for _, name in ipairs(names) do
    local own = name ~= "Setting" and { _cls = "models." .. name } or {}
    for document in matching_of(models[name], own):order_by("_id"):iter() do
      f(document)
    end
  end
end

function steps.view()
  everything(function(document)
    assert(document:full_clean())
    view.show(document)
  end)
end

-- What did not change sends nothing; then each is made anew from its stored form, and replaced.
function steps.resave()
  local sent = 0
  local list = {}
  everything(function(document) list[#list + 1] = document end)
  local stop = modm.on("command", function() sent = sent + 1 end)
  for _, document in ipairs(list) do
    assert(document:save())
    assert(sent == 0, "a document that did not change was sent")
  end
  stop()
  for _, document in ipairs(list) do
    local Model = registry.meta(core.model_of(document)).model
    assert(Model:from_document(assert(document:to_son())):save())
  end
end

local function found(case)
  return assert(models[case.model].objects:raw({ _id = case.pk }):get())
end

-- The value that a dotted path leads to, and its last part; lists count from 0 there.
local function target_of(value, path)
  local last
  for part in path:gmatch "[^.]+" do
    if last then
      value = value[last]
    end
    last = tonumber(part) and tonumber(part) + 1 or part
  end
  return value, last
end

function steps.change()
  for _, case in ipairs(cases(changes or "changes")) do
    local document = found(case)
    for path, value in pairs(case.set or {}) do
      local target, last = target_of(document, path)
      target[last] = build(value, {})
    end
    for path, value in pairs(case.push or {}) do
      local target, last = target_of(document, path)
      table.insert(target[last], build(value, {}))
    end
    for _, name in ipairs(case.unset or {}) do
      document[name] = nil
    end
    assert(document:save())
  end
end

function steps.delete()
  for _, case in ipairs(cases "deletes") do
    local ok, _, err = found(case):delete()
    assert(ok or err.kind == "OperationError")
    print(case.model, case.pk, ok and "deleted" or "denied")
  end
end

function steps.query()
  for n, case in ipairs(cases "queries") do
    local matching = matching_of(models[case.model], case.raw)
    if case.order_by then
      matching = matching:order_by(case.order_by)
    end
    for _, name in ipairs { "skip", "limit" } do
      matching = case[name] and matching[name](matching, case[name]) or matching
    end
    for _, name in ipairs { "only", "exclude" } do
      matching = case[name] and matching[name](matching, unpack(case[name])) or matching
    end
    print("query", n - 1, case.model, "counts", assert(matching:count()))
    if case.aggregate then
      for _, document in ipairs(assert(matching:aggregate(unpack(case.aggregate)):list())) do
        view.show_value("", document)
      end
    elseif case.values then
      for document in matching:values():iter() do
        view.show_value("", document)
      end
    else
      for document in matching:iter() do
        view.show(document)
      end
    end
  end
end

function steps.index()
  assert(models.Indexed.objects:count())
end

function steps.probe()
  local values = cases "values"
  for name, field in pairs(models.probes) do
    local Probe = modm.MongoModel:extend("Probe", {
      key = modm.fields.CharField { primary_key = true },
      x = field,
      Meta = { final = true, collection_name = "probe" },
    })
    for _, case in ipairs(values) do
      local key = name .. " <- " .. case.name
      local ok, _, err = Probe { key = key, x = build(case.value, {}) }:save()
      assert(ok or err.kind == "ValidationError")
    end
  end
end

function steps.generate()
  for n = 0, 4 do
    assert(models.Note { text = "modm " .. n, count = n }:save())
  end
  local notes = {}
  for n = 0, 4 do
    notes[n + 1] = models.Note { text = "many", count = n }
  end
  assert(models.Note.objects:bulk_create(notes))
end

-- The size of chunks is the storage's, so such a file is put there and the field takes its id.
local function file_of(case, content)
  if case.chunk_size then
    return assert(modm.GridFSStorage():save(case.name, content, case.metadata,
      { chunk_size = case.chunk_size }))
  end
  return modm.ContentFile(content, { name = case.name, metadata = case.metadata,
    content_type = case.content_type })
end

function steps.store()
  for _, case in ipairs(cases "files") do
    local file = file_of(case, case.bytes:data():rep(case.times))
    assert(models.Folder { name = case.name, [case.field] = file }:save())
  end
end

function steps.refile()
  for _, case in ipairs(cases "file_changes") do
    local folder = assert(models.Folder.objects:raw({ _id = case.name }):get())
    assert(folder[case.field]:delete())
    folder[case.field] = case.bytes and file_of(case, case.bytes:data()) or nil
    assert(folder:save())
  end
end

-- Adler-32, the checksum of zlib.
local function adler32(bytes)
  local a, b = 1, 0
  for n = 1, #bytes do
    a = (a + bytes:byte(n)) % 65521
    b = (b + a) % 65521
  end
  return ("%.0f"):format(b * 65536 + a)
end

function steps.files()
  for folder in models.Folder.objects:order_by("_id"):iter() do
    assert(folder:full_clean())
    for _, name in ipairs { "file", "image" } do
      local file = folder[name]
      if file then
        local content = assert(file:read "a")
        print(name, view.text(file.filename), file.length, file.chunk_size,
          file.content_type or "None", #content, adler32(content))
        view.show_value("metadata", file.metadata)
        if name == "image" then
          print(file.format, file.width, file.height)
        end
      end
    end
  end
end

-- As Python prints, with a space between.
function print(...) -- luacheck: ignore
  local parts = { ... }
  for n, part in ipairs(parts) do
    parts[n] = tostring(part)
  end
  io.write(table.concat(parts, " "), "\n")
end

steps[step]()
