-- Defining models: fields and their order, keys, names, Meta, inheritance.
local core = require "modm.core"
local modm = require "modm"
local registry = require "modm.registry"

local f = modm.fields

local count = 0
local function define(definition, parent)
  count = count + 1
  return (parent or modm.MongoModel):extend("schema.Model" .. count, definition)
end

-- The names of the fields that are set, in order.
local function order_of(Model, values)
  local names = {}
  for name in Model(values):pairs() do names[#names + 1] = name end
  return table.concat(names, " ")
end

-- What a definition raises: the error, and whether it has the line of this file.
local function refused(definition, parent)
  local ok, err = pcall(function()
    local Model = define(definition, parent)
    return Model
  end)
  assert.is_false(ok)
  assert.matches("^%S*spec/schema/model_spec.lua:%d+: ", tostring(err))
  return tostring(err):gsub("^%S+:%d+: ", ""), err
end

describe("the fields of a model", function()
  it("keep the order in which they were written", function()
    local Model = define { z = f.BooleanField {}, a = f.BooleanField {}, m = f.BooleanField {} }
    assert.equal("z a m _id", order_of(Model, { a = true, m = true, z = true,
      _id = modm.ObjectId() }))
    assert.same({ true, nil, false }, { Model(true, nil, false).z, nil, Model(true, nil, false).m })
  end)

  it("are inherited, those of the parent first, overridden at their new place", function()
    local Base = define { a = f.BooleanField {}, b = f.BooleanField {} }
    local Sub = define({ c = f.BooleanField {}, a = f.CharField {} }, Base)
    assert.equal("b _id c a",
      order_of(Sub, { a = "x", b = true, c = true, pk = modm.ObjectId() }))
    assert.equal("5", Sub { a = 5 }.a)
    assert.equal(true, Base { a = 5 }.a)
  end)

  it("may share a definition", function()
    local field = f.CharField { max_length = 1 }
    local One, Two = define { a = field }, define { b = field }
    assert.is_false(One { a = "xx" }:is_valid())
    assert.is_true(Two { b = "x" }:is_valid())
  end)

  it("may be none", function()
    local Model = modm.EmbeddedMongoModel:extend("schema.Empty", { Meta = { final = true } })
    assert.same({}, Model {}:to_son())
    assert.error_matches(function() Model "x" end, "got 1 values for only 0 fields")
  end)
end)

describe("primary keys", function()
  it("are an ObjectId that nobody declared, or none in embedded models", function()
    local id = modm.ObjectId()
    local Model = define { a = f.CharField {} }
    assert.equal(id, Model { _id = tostring(id) }.pk)
    assert.equal(id, Model { pk = id }._id)
    local Part = modm.EmbeddedMongoModel:extend("schema.Part", { a = f.CharField {} })
    assert.error_matches(function() return Part {}.pk end, "schema.Part has no field 'pk'")
  end)

  it("are stored as _id, required, and read by their name and pk", function()
    local User = define { email = f.EmailField { primary_key = true }, name = f.CharField {} }
    local user = User { pk = "a@b", name = "x" }
    assert.equal("a@b", user.email)
    user.pk = "c@d"
    assert.equal("c@d", user.email)
    assert.same({ _id = "c@d", name = "x", _cls = tostring(User) }, user:to_son())
    assert.error_matches(function() return user._id end, "has no field '_id'")
    local _, _, err = User {}:full_clean()
    assert.same({ email = { "field is required." } }, err.errors)
    assert.error_matches(function() return User { pk = "a", email = "b" } end, "given twice")
  end)

  it("are inherited, and may take the place of the one nobody declared", function()
    local Base = define { a = f.CharField {} }
    local Sub = define({ code = f.IntegerField { primary_key = true } }, Base)
    assert.equal(5, Sub { code = 5 }.pk)
    assert.same({ _id = 5, _cls = tostring(Sub) }, Sub { code = 5 }:to_son())
    local Deeper = define({ b = f.CharField {} }, Sub)
    assert.equal(5, Deeper { pk = 5 }.code)
    local Loose = define({ code = f.IntegerField {} }, Sub)
    assert.is_nil(Loose { code = 5 }.pk)
  end)

  it("may be called _id", function()
    local Model = define { _id = f.IntegerField { primary_key = true } }
    assert.equal(5, Model { 5 }.pk)
  end)

  it("are refused where they are wrong", function()
    local cases = {
      { { a = f.CharField { primary_key = true }, b = f.CharField { primary_key = true } },
        "has two primary keys: 'a' and 'b'" },
      { { _id = f.CharField { primary_key = true }, b = f.CharField { primary_key = true } },
        "has two primary keys: '_id' and 'b'" },
      { { a = f.CharField { primary_key = true, mongo_name = "a" } },
        ".a: the mongo_name of a primary key must be '_id'" },
      { { _id = f.CharField {} }, "._id: only the primary key is stored as '_id'" },
      { { a = f.CharField { mongo_name = "_id" } }, ".a: only the primary key is stored as '_id'" },
      { { pk = f.CharField {} }, ".pk: a method has this name" },
    }
    for _, case in ipairs(cases) do
      local message, err = refused(case[1])
      assert.matches(case[2], message, 1, true)
      assert.equal("InvalidModel", err.kind)
    end
    local Keyed = define { _id = f.IntegerField { primary_key = true } }
    assert.matches("has two primary keys", refused({ b = f.CharField { primary_key = true } },
      Keyed), 1, true)
  end)
end)

describe("stored names", function()
  it("may be any but those that mean something else", function()
    local cases = {
      { { a = f.CharField { mongo_name = "$a" } }, ".a: a mongo_name cannot start with '$': '$a'" },
      { { a = f.CharField { mongo_name = "a.b" } },
        ".a: a mongo_name cannot contain a dot: 'a.b'" },
      { { a = f.CharField { mongo_name = "a\0b" } }, ".a: a mongo_name cannot contain NUL" },
      { { a = f.CharField { mongo_name = "\255" } }, ".a: a mongo_name must be UTF-8" },
      { { a = f.CharField { mongo_name = "_cls" } }, ".a: '_cls' is kept for the model's name" },
      { { ["a.b"] = f.CharField {} }, "a mongo_name cannot contain a dot" },
      { { ["$a"] = f.CharField {} }, "a mongo_name cannot start with '$'" },
      { { ["a\0b"] = f.CharField {} }, "a mongo_name cannot contain NUL" },
      { { _cls = f.CharField {} }, "'_cls' is kept" },
      { { a = f.CharField { mongo_name = "x" }, b = f.CharField { mongo_name = "x" } },
        "cannot have the same mongo_name of existing field" },
      { { a = f.CharField { mongo_name = "b" }, b = f.CharField {} },
        ".b is the mongo_name of the field 'a'" },
      { { a = f.CharField { mongo_name = "b" }, b = f.CharField { mongo_name = "c" } },
        ".b is the mongo_name of the field 'a'" },
    }
    for _, case in ipairs(cases) do
      local message, err = refused(case[1])
      assert.matches(case[2], message, 1, true)
      assert.equal("InvalidModel", err.kind)
    end
    local Model = define { a = f.CharField { mongo_name = "ä b" },
      b = f.CharField { mongo_name = "" } }
    assert.same({ ["ä b"] = "x", [""] = "y", _cls = tostring(Model) },
      Model { a = "x", b = "y" }:to_son())
  end)

  it("are compared with those that are inherited", function()
    local Base = define { a = f.CharField { mongo_name = "x" } }
    assert.matches("'b' cannot have the same mongo_name of existing field 'a'",
      refused({ b = f.CharField { mongo_name = "x" } }, Base), 1, true)
    local Sub = define({ a = f.CharField { mongo_name = "y" },
      b = f.CharField { mongo_name = "x" } }, Base)
    assert.same({ y = "1", x = "2", _cls = tostring(Sub) }, Sub { a = 1, b = 2 }:to_son())
  end)
end)

describe("methods", function()
  it("are called on documents, and inherited", function()
    local Base = define { a = f.CharField {}, shout = function(self) return self.a:upper() end }
    local Sub = define({ twice = function(self) return self:shout() .. self:shout() end }, Base)
    assert.equal("X", Base { a = "x" }:shout())
    assert.equal("XX", Sub { a = "x" }:twice())
    function Base:whisper() return self.a:lower() end
    assert.equal("x", Sub { a = "X" }:whisper())
    assert.error_matches(function() return Base {}:twice() end, "has no field 'twice'")
  end)

  it("override those that all models have, which the base classes show", function()
    local Model = define { a = f.CharField {}, to_son = function(self)
      local son = modm.MongoModel.to_son(self)
      son.more = true
      return son
    end }
    assert.same({ a = "x", more = true, _cls = tostring(Model) }, Model { a = "x" }:to_son())
  end)

  it("cannot have the name of a field", function()
    assert.matches(
      ".save: a method has this name; call the field otherwise and set mongo_name = 'save'",
      refused { save = f.CharField {} }, 1, true)
    local Base = define { a = f.CharField {}, hello = function() end }
    assert.matches(".hello: a method has this name", refused({ hello = f.CharField {} }, Base), 1,
      true)
    assert.matches(".a: a method has this name", refused({ a = function() end }, Base), 1, true)
    local Sub = define({ b = f.CharField {} }, Base)
    assert.error_matches(function() Base.a = function() end end, " is a field")
    assert.error_matches(function() Base.b = function() end end, tostring(Sub) .. ".b is a field")
    assert.error_matches(function() Base.c = 5 end, "only methods can be added to a model")
    assert.error_matches(function() modm.MongoModel.c = print end, "methods are added to models")
  end)
end)

describe("a definition", function()
  it("holds fields, methods, managers and Meta, and nothing else", function()
    local cases = {
      { { 5 }, "the definition has a key of type number" },
      { { a = "x" }, ".a: a field, a method or a manager expected, got a string" },
      { { a = f.CharField }, nil },
      { { a = {} }, ".a: a field, a method or a manager expected, got a table" },
      { { Meta = 5 }, ": Meta must be a table" },
      { { clean = true }, ".clean: a field, a method or a manager expected" },
    }
    for _, case in ipairs(cases) do
      if case[2] then assert.matches(case[2], (refused(case[1])), 1, true) end
    end
    for _, name in ipairs { "", "a.", ".a", "a..b", "a\0b", "a\255" } do
      assert.error_matches(function() return modm.MongoModel:extend(name, {}) end,
        "cannot be the name of a model")
    end
    assert.error_matches(function() return modm.MongoModel:extend(5, {}) end,
      "must be a string, got a number")
    assert.error_matches(function() return modm.MongoModel:extend("schema.X") end,
      "a definition, a table, expected")
    assert.error_matches(function() return modm.MongoModel.extend("schema.X", {}) end,
      "called on a model, with a colon")
  end)

  it("that fails leaves nothing behind", function()
    local Base = define { a = f.CharField {} }
    local meta = registry.meta(Base)
    local bad = { { a = f.CharField { mongo_name = "$" } },
      { b = f.CharField { mongo_name = "a" } },
      { l = f.ReferenceField { Base, on_delete = 99 } },
        { l = f.ReferenceField { Base, on_delete = modm.PULL } } }
    for _, definition in ipairs(bad) do
      assert.error(function() Base:extend("schema.Broken", definition) end)
    end
    assert.same({}, meta.children)
    assert.error(function() registry.find "schema.Broken" end)
    assert.error_matches(function() return Base:from_document { _cls = "schema.Broken" } end,
      "neither")
  end)

  it("makes what can be called but not assigned through", function()
    local Model = define { a = f.CharField {} }
    assert.equal("schema.Model" .. count, tostring(Model))
    assert.is_nil(Model.unknown)
    assert.error_matches(function() return modm.MongoModel {} end,
      "MongoModel is extended, not instantiated")
    assert.error_matches(function() return modm.EmbeddedMongoModel() end,
      "EmbeddedMongoModel is extended")
  end)
end)

describe("lists of lists", function()
  local function nested(levels)
    local field = f.IntegerField {}
    for _ = 1, levels do field = f.ListField { field } end
    return { deep = field }
  end

  it("are as deep as a document may be, and no deeper", function()
    local Model = define(nested(178))
    local list = 5
    for _ = 1, 178 do list = { list } end
    local doc = Model { deep = list }
    assert(doc:full_clean())
    local found = doc.deep
    for _ = 1, 178 do found = found[1] end
    assert.equal(5, found)
    for _, levels in ipairs { 181, 100000 } do
      assert.error_matches(function() define(nested(levels)) end,
        "%.deep: lists nested deeper than 180 levels")
    end
  end)
end)

describe("Meta", function()
  it("refuses what it does not know, and wrong types", function()
    for _, case in ipairs {
      { { colour = "red" }, ".Meta has no option 'colour'" },
      { { "final" }, ".Meta has no option '1'" },
      { { final = "yes" }, ".Meta: option 'final' must be a boolean, got a string" },
      { { collection_name = 5 }, "option 'collection_name' must be a string" },
      { { indexes = "a" }, "option 'indexes' must be a table" },
      { { read_preference = 5 }, "option 'read_preference' must be a table or a string" },
      { { cls_aliases = "a" }, "option 'cls_aliases' must be a table" },
      { { cls_aliases = { 5 } }, "cls_aliases is a list of strings" },
      { { cls_aliases = { "\255" } }, "a _cls must be UTF-8" },
      { { cls = "a\255" }, "a _cls must be UTF-8" },
      { { cls = "a\0b" }, "a _cls must be UTF-8" },
    } do
      assert.matches(case[2], (refused { Meta = case[1] }), 1, true)
    end
  end)

  it("is inherited, but for what belongs to one model", function()
    local Base = define { Meta = { connection_alias = "x", cascade = true,
      collection_name = "things",
      ignore_unknown_fields = true, cls = "Base" } }
    local Sub = define({ Meta = { cascade = false } }, Base)
    local meta = registry.meta(Sub)
    assert.same({ "x", false, "things", true, tostring(Sub) },
      { meta.connection_alias, meta.cascade,
      meta.collection_name, meta.ignore_unknown_fields, meta.cls })
    local Elsewhere = define({ Meta = { collection_name = "others" } }, Base)
    assert.equal("others", registry.meta(Elsewhere).collection_name)
    assert.equal("default", registry.meta(define {}).connection_alias)
  end)

  it("names collections after the last part of the model's name", function()
    for name, collection in pairs {
      User = "user", BlogPost = "blog_post", HTTPServer = "http_server",
        MyHTTPServer2 = "my_http_server2",
      IPAddress = "ip_address", getURL = "get_url", Post2d = "post2d", X_Y = "x_y",
      HTTPServerLog = "http_server_log", A = "a", aB = "a_b", already_snake = "already_snake",
        A1B = "a1_b",
    } do
      local Model = modm.MongoModel:extend("schema.names." .. name, {})
      assert.equal(collection, registry.meta(Model).collection_name)
    end
  end)

  it("may make a model final", function()
    local Final = define { a = f.CharField {}, Meta = { final = true } }
    assert.same({ a = "x" }, Final { a = "x" }:to_son())
    assert.matches(
      "Cannot extend class " .. tostring(Final) .. ", because it has been declared final.",
      refused({}, Final), 1, true)
    local Base = define { a = f.CharField {} }
    local Sub = define({ Meta = { final = true } },
      Base) -- shares the collection, so it keeps its _cls
    assert.same({ a = "x", _cls = tostring(Sub) }, Sub { a = "x" }:to_son())
    assert.equal("x", Base:from_document(Sub { a = "x" }:to_son()).a)
  end)
end)

describe("_cls", function()
  it("gives each document the model that it names", function()
    local Base = define { a = f.CharField {} }
    local Sub = define({ b = f.CharField {} }, Base)
    local Deeper = define({ c = f.CharField {} }, Sub)
    local function model_of(Model, cls) return core.model_of(Model:from_document { _cls = cls }) end
    assert.equal(Base, model_of(Base, nil))
    assert.equal(Base, model_of(Base, tostring(Base)))
    assert.equal(Sub, model_of(Base, tostring(Sub)))
    assert.equal(Deeper, model_of(Base, tostring(Deeper)))
    assert.equal("x", Base:from_document { _cls = tostring(Deeper), c = "x" }.c)
    assert.error_matches(function() return model_of(Sub, tostring(Base)) end,
      "which is neither " .. tostring(Sub) .. " nor a model that extends it")
    assert.error_matches(function() return model_of(Base, "nobody") end, "_cls is 'nobody'")
    local bytes = core.encode { _cls = 5 }
    assert.error_matches(function() return core.from_bytes(core.schema_of(Base {}), bytes) end,
      "no string")
  end)

  it("is what Meta.cls says, and may have been others", function()
    local Base = define { a = f.CharField {}, Meta = { cls = "app.Base",
      cls_aliases = { "old.Base" } } }
    local Sub = define({ Meta = { cls = "app.Sub", cls_aliases = { "old.Sub", "older.Sub" } } },
      Base)
    assert.same({ _cls = "app.Sub", a = "x" }, Sub { a = "x" }:to_son())
    for cls, Model in pairs { ["app.Base"] = Base, ["old.Base"] = Base, ["old.Sub"] = Sub,
      ["older.Sub"] = Sub } do
      assert.equal(Model, core.model_of(Base:from_document { _cls = cls }))
    end
    assert.error(function() return Base:from_document { _cls = tostring(Base) } end)
  end)

  it("is read under an alias and stays as it is stored", function()
    local Model = define { a = f.CharField {}, Meta = { cls = "app.Thing",
      cls_aliases = { "old.Thing" } } }
    local schema = core.schema_of(Model {})
    for _, cls in ipairs { "app.Thing", "old.Thing" } do
      local bytes = core.encode(core.ordered { { "a", "x" }, { "_cls", cls } })
      local doc = core.from_bytes(schema, bytes)
      doc.a = "y"
      assert.same({ ["$set"] = { a = "y" } }, core.diff(schema, bytes, core.encode_document(doc)))
    end
  end)

  it("cannot be that of another model of the family", function()
    local Base = define { Meta = { cls = "family.Base" } }
    define({ Meta = { cls = "family.A", cls_aliases = { "family.a" } } }, Base)
    for _, meta in ipairs { { cls = "family.A" }, { cls = "family.Base" },
      { cls_aliases = { "family.a" } } } do
      assert.matches("are stored with the _cls 'family", (refused({ Meta = meta }, Base)), 1, true)
    end
  end)

  it("ends every document, embedded ones too", function()
    local Part = modm.EmbeddedMongoModel:extend("schema.cls.Part", { a = f.CharField {} })
    local Model = define { part = f.EmbeddedModelField { Part } }
    local bytes = core.encode_document(Model { part = Part { a = "x" } })
    assert.equal(core.encode(core.ordered {
      { "part", core.ordered { { "a", "x" }, { "_cls", "schema.cls.Part" } } },
        { "_cls", tostring(Model) },
    }), bytes)
  end)
end)

describe("the registry", function()
  it("finds models by their full name, or by the last part when that is unique", function()
    local One = modm.MongoModel:extend("registry.one.Unique", {})
    assert.equal(One, registry.find("registry.one.Unique").model)
    assert.equal(One, registry.find("Unique").model)
    assert.equal(One, registry.find(One).model)
    modm.MongoModel:extend("registry.a.Double", {})
    modm.MongoModel:extend("registry.b.Double", {})
    for _, name in ipairs { "Double", "Nobody", "one.Unique", "", "MongoModel" } do
      local ok, err = pcall(registry.find, name)
      assert.is_false(ok)
      assert.equal("ModelDoesNotExist", err.kind)
    end
  end)

  it("replaces a model of the same name", function()
    modm.MongoModel:extend("registry.Again", { a = f.CharField {} })
    local Second = modm.MongoModel:extend("registry.Again", { b = f.CharField {} })
    assert.equal(Second, registry.find("registry.Again").model)
    local Base = define { a = f.CharField {} }
    Base:extend("registry.Child", {})
    local Child = Base:extend("registry.Child", { b = f.CharField {} })
    assert.equal(Child, core.model_of(Base:from_document { _cls = "registry.Child", b = "x" }))
  end)

  it("lets models name each other and themselves before they are there", function()
    local Left = modm.MongoModel:extend("registry.Left",
      { right = f.ReferenceField { "registry.Right" },
      left = f.ReferenceField { "registry.Left" } })
    local Right = modm.MongoModel:extend("registry.Right", { left = f.ReferenceField { Left } })
    local id = modm.ObjectId()
    local left = Left { right = Right { pk = id }, left = tostring(id) }
    assert.is_true(left:is_valid())
    assert.equal(id, left:id_of "right")
    assert.equal(id, left:id_of "left")
    local Tree = modm.EmbeddedMongoModel:extend("registry.Tree", {
      name = f.CharField {}, children = f.EmbeddedModelListField { "registry.Tree" },
    })
    local tree = Tree { name = "a", children = { { name = "b", children = { { name = "c" } } } } }
    assert.is_true(tree:is_valid())
    assert.equal("c", tree.children[1].children[1].name)
  end)
end)
