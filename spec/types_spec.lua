-- The stubs for editors and docs/fields.md: up to date, complete, naming nothing that is not there.
local core = require "modm.core"
local modm = require "modm"

local LIBRARY = "types/library/"
local FILES = {
  "modm.lua", "modm/document.lua", "modm/fields.lua", "modm/files.lua", "modm/model.lua",
  "modm/pipeline.lua", "modm/queryset.lua", "modm/values.lua",
}

local function contents(path)
  local file = assert(io.open(path, "rb"), path .. " is not there")
  local text = file:read("*a")
  file:close()
  return text
end

-- ---- reading stubs ----

local classes = {} -- name -> { fields =, methods =, operators = }, each a set

local readers = {
  { "^%-%-%-@class ([%w_.]+)", function(state, name)
    state.class = { fields = {}, methods = {}, operators = {} }
    classes[name] = state.class
  end },
  { "^%-%-%-@field ([%w_]+)", function(state, name) state.class.fields[name] = true end },
  { "^%-%-%-@operator (%w+)", function(state, name) state.class.operators[name] = true end },
  { "^local ([%w_]+) = {}", function(state, name) state.variables[name] = state.class end },
  { "^function ([%w_]+)[.:]([%w_]+)", function(state, variable, name)
    state.variables[variable].methods[name] = true
  end },
}

local function read_stub(path)
  local state = { variables = {} }
  for line in io.lines(path) do
    for _, reader in ipairs(readers) do
      local first, second = line:match(reader[1])
      if first then reader[2](state, first, second) end
    end
  end
end

local function sorted(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

-- The names of a table that are public, as a set; only functions with `functions`.
local function public(object, functions)
  local set = {}
  for name, value in pairs(object) do
    local is_public = type(name) == "string" and name:sub(1, 1) ~= "_"
    if is_public and (not functions or type(value) == "function") then set[name] = true end
  end
  return set
end

local function same_names(real, stubbed) assert.same(sorted(real), sorted(stubbed)) end

local function union(a, b)
  local set = {}
  for name in pairs(a) do set[name] = true end
  for name in pairs(b) do set[name] = true end
  return set
end

for _, name in ipairs(FILES) do read_stub(LIBRARY .. name) end

-- The names of options that modm's sources check, wherever the table stands that has this one, or
-- these two: `local ... = { cascade = "boolean", ... }`.
local function options_with(name, another)
  local pipe = assert(io.popen("find lua/modm -name '*.lua' | sort"))
  for path in pipe:lines() do
    for text in contents(path):gmatch("\nlocal [%w_]+ = (%b{})") do
      local chunk = (loadstring or load)("return " .. text)
      local ok, options = pcall(chunk or error)
      if ok and type(options[name]) == "string" and (not another or options[another]) then
        pipe:close()
        return options
      end
    end
  end
  error("no table of options has " .. name)
end

describe("types", function()
  it("are what tools/generate-types writes, and so is docs/fields.md", function()
    local folder = os.tmpname()
    os.remove(folder)
    assert(loadfile("tools/generate-types"))(folder)
    for _, path in ipairs { LIBRARY .. "modm/fields.lua", "docs/fields.md" } do
      local same = contents(path) == contents(folder .. "/" .. path)
      assert(same, path .. " is stale: run `make types`")
    end
    os.execute("rm -rf " .. folder)
  end)

  it("are Lua", function()
    for _, name in ipairs(FILES) do assert(loadfile(LIBRARY .. name)) end
  end)

  it("are an addon: a description beside the library", function()
    local config = contents("types/config.json")
    local word = assert(config:match('"words": %["(.-)"%]\n?,?\n')):gsub('\\"', '"')
    assert.is_truthy(('local modm = require "modm"'):find(word))
    assert.is_truthy(("local m = require('modm')"):find(word))
    assert.is_nil(('require "modmuss"'):find(word))
  end)

  it("have each kind of field, with its options and its line in the documentation", function()
    local docs, names = contents("docs/fields.md"), {}
    for _, row in ipairs(core.kinds()) do
      names[row.name] = true
      if row.older_name then names[row.older_name] = true end
      assert.is_truthy(docs:find("\n| `" .. row.name .. "`", 1, true), row.name .. " has no line")
      local options = classes["modm." .. row.name .. "Options"]
      assert.is_truthy(options, row.name .. " has no options")
      for _, option in ipairs(row.options) do
        assert.is_true(options.fields[option.name], row.name .. "." .. option.name)
      end
    end
    same_names(names, classes["modm.fields"].methods)
    same_names(public(modm.fields), classes["modm.fields"].methods)
  end)

  it("have the options that every field takes", function()
    local options = classes["modm.CharFieldOptions"].fields
    local all = union(classes["modm.FieldOptions"].fields, options)
    all.min_length, all.max_length = nil, nil
    same_names(options_with("verbose_name"), all)
  end)
end)

describe("stubs name what is there, and all of it:", function()
  it("the table of the module", function()
    local stub = classes.modm
    local stubbed = union(stub.fields, stub.methods)
    stubbed._VERSION = nil
    same_names(public(modm), stubbed)
    for name in pairs(stub.methods) do assert.equal("function", type(modm[name]), name) end
  end)

  it("querysets, managers and rows", function()
    same_names(public(modm.QuerySet, true), classes["modm.QuerySet"].methods)
    same_names(public(modm.Manager, true), classes["modm.Manager"].methods)
    same_names(public(require "modm.watching"), classes["modm.ChangeStream"].methods)
    same_names(public(require "modm.bulk"), classes["modm.Bulk"].methods)
    local rows = require("modm.rows").new(function() end)
    same_names(public(getmetatable(rows).__index), classes["modm.Rows"].methods)
  end)

  it("documents", function()
    local document = require "modm.document"
    same_names(public(document.embedded_methods), classes["modm.EmbeddedDocument"].methods)
    same_names(public(document.methods),
      union(classes["modm.Document"].methods, classes["modm.EmbeddedDocument"].methods))
  end)

  it("models", function()
    local Probe = modm.MongoModel:extend("types.Probe", { name = modm.fields.CharField {} })
    local index, statics = debug.getmetatable(Probe).__index, nil
    for i = 1, 10 do
      local name, value = debug.getupvalue(index, i)
      if name == "statics" then statics = value end
    end
    local stub = classes["modm.Model"]
    same_names(public(statics), union(stub.methods, classes["modm.BaseModel"].methods))
    same_names(public(Probe), stub.fields)
    assert.equal("function", type(modm.MongoModel.extend))
  end)

  describe("files:", function()
    local class = { waiting = getmetatable(modm.ContentFile "x"),
      storage = getmetatable(modm.GridFSStorage()),
      reader = require "modm.gridfs.reader", writer = require "modm.gridfs.writer" }

    -- The keys of a table in a source file, by its name.
    local function listed(path, name)
      local set = {}
      for key in contents(path):match("\nlocal " .. name .. " = (%b{})"):gmatch "([%w_]+) =" do
        set[key] = true
      end
      return set
    end

    -- The names in a source file's own annotations of a class.
    local function annotated(path, name)
      local block = contents(path):match("%-%-%-@class " .. name .. "[^\n]*\n(.-)\nlocal ")
      local set = {}
      for key in block:gmatch "%-%-%-@field ([%a][%w_]*)" do set[key] = true end
      return set
    end

    it("storages, uploads and downloads", function()
      same_names(public(class.storage, true), classes["modm.GridFSStorage"].methods)
      same_names(public(class.writer, true), union(classes["modm.GridIn"].methods, { new = true }))
      same_names(public(class.reader, true),
        union(classes["modm.GridOut"].methods, { new = true, of_bytes = true }))
      local path = "lua/modm/gridfs.lua"
      same_names(listed(path, "storage_options"), classes["modm.GridFSOptions"].fields)
      same_names(listed(path, "file_options"), classes["modm.NewFileOptions"].fields)
      same_names(annotated("lua/modm/gridfs/writer.lua", "modm.GridIn"),
        classes["modm.GridIn"].fields)
      same_names(annotated("lua/modm/gridfs/reader.lua", "modm.GridOut"),
        classes["modm.GridOut"].fields)
    end)

    it("those that wait", function()
      local stub = classes["modm.File"]
      same_names(annotated("lua/modm/file.lua", "modm.File"), stub.fields)
      for name in pairs(stub.methods) do assert.equal("function", type(class.waiting[name])) end
      same_names(listed("lua/modm/file.lua", "file_options"), classes["modm.FileOptions"].fields)
    end)

    it("those of fields", function()
      local path, own = "lua/modm/field_file.lua", { file_id = true, storage = true }
      local stub, image = classes["modm.FieldFile"], classes["modm.ImageFieldFile"]
      same_names(union(listed(path, "delegated"), own), stub.fields)
      same_names(listed(path, "of_images"), image.fields)
      local methods = {}
      for name in contents(path):gmatch "\nfunction FieldFile:(%a[%w_]*)" do
        methods[name] = true
      end
      for name in contents(path):match "\nfor _, method in ipairs (%b{})":gmatch '"(%a+)"' do
        methods[name] = true
      end
      same_names(methods, stub.methods)
    end)
  end)

  it("errors and their kinds", function()
    local errors = require "modm.errors"
    local err = errors.new(errors.kind("User", "DoesNotExist"), "gone")
    same_names(public(getmetatable(err).__index, true), classes["modm.Error"].methods)
    for name in pairs(public(errors.kind("User", "DoesNotExist"))) do
      assert.is_true(classes["modm.Kind"].fields[name], name)
    end
  end)

  it("the options of Meta", function()
    same_names(options_with("codec_options"), classes["modm.Meta"].fields)
  end)

  it("the options of save, bulk_create, update and watch", function()
    same_names(options_with("force_insert"), classes["modm.SaveOptions"].fields)
    same_names(options_with("retrieve"), classes["modm.BulkCreateOptions"].fields)
    same_names(options_with("let", "upsert"), classes["modm.UpdateOptions"].fields)
    same_names(options_with("full_document"), classes["modm.WatchOptions"].fields)
    same_names(options_with("before"), classes["modm.PageOptions"].fields)
    same_names(options_with("scan_from"), classes["modm.DevelopOptions"].fields)
  end)
end)

describe("stubs of values", function()
  local values = {
    ObjectId = modm.ObjectId(), DateTime = modm.DateTime(0), Decimal128 = modm.Decimal128(1),
    Binary = modm.Binary("x"), Regex = modm.Regex("x"), JavaScript = modm.JavaScript("x"),
    Timestamp = modm.Timestamp(1, 1), MinKey = modm.MinKey, MaxKey = modm.MaxKey,
    Int64 = modm.Int64(1),
  }
  -- What LuaLS can declare; comparisons it takes for granted.
  local operators = { "add", "sub", "mul", "div", "idiv", "mod", "unm", "len", "call" }

  for name, value in pairs(values) do
    it("have the methods and operators of " .. name, function()
      local metatable, stub = debug.getmetatable(value), classes["modm." .. name]
      same_names(public(metatable.__index or {}), stub.methods)
      local real = {}
      for _, operator in ipairs(operators) do
        if metatable["__" .. operator] then real[operator] = true end
      end
      same_names(real, stub.operators)
    end)
  end

  it("have the constructors, with what stands in them", function()
    for name in pairs(union(values, { UUID = true, DBRef = true })) do
      if type(modm[name]) == "table" then
        same_names(public(modm[name]), classes["modm." .. name .. "Constructor"].methods)
      end
    end
  end)
end)
