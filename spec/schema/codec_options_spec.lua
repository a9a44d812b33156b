-- Meta.codec_options: what UUIDFields are stored as, and which options there are.
local modm = require "modm"

local f = modm.fields

local text = "00112233-4455-6677-8899-aabbccddeeff"

local function subtype_of(model, name)
  local doc = model { [name] = text }
  assert(doc:full_clean())
  return doc[name]:subtype()
end

local function define(options, fields)
  fields.Meta = { codec_options = options }
  return modm.MongoModel:extend("codec_options.Model", fields)
end

local function fields()
  return { id = f.UUIDField {}, own = f.UUIDField { subtype = 3 },
    list = f.ListField { f.ListField { f.UUIDField {} } } }
end

describe("codec_options", function()
  it("say what UUIDs are stored as, in lists too, but not where the field says it", function()
    for name, subtype in pairs { standard = 4, pythonLegacy = 3 } do
      local Model = define({ uuid_representation = name }, fields())
      assert.equal(subtype, subtype_of(Model, "id"))
      assert.equal(3, subtype_of(Model, "own"))
      local doc = Model { list = { { text } } }
      assert(doc:full_clean())
      assert.equal(subtype, doc.list[1][1]:subtype())
    end
    assert.equal(3, subtype_of(define(nil, fields()), "id"))
  end)

  it("are inherited, and leave the parent's fields alone", function()
    local Parent = define({ uuid_representation = "standard" }, fields())
    local Child = Parent:extend("codec_options.Child", { more = f.UUIDField {} })
    assert.equal(4, subtype_of(Child, "id"))
    assert.equal(4, subtype_of(Child, "more"))
    local Old = Parent:extend("codec_options.Old", {
      Meta = { codec_options = { uuid_representation = "pythonLegacy" } } })
    assert.equal(3, subtype_of(Old, "id"))
    assert.equal(4, subtype_of(Parent, "id"))
  end)

  it("of an embedded model are its own", function()
    local Inside = modm.EmbeddedMongoModel:extend("codec_options.Inside", { id = f.UUIDField {},
      Meta = { codec_options = { uuid_representation = "standard" } } })
    assert.equal(4, subtype_of(Inside, "id"))
  end)

  it("that there are not are an error", function()
    for message, options in pairs {
      ["codec_options.tz_aware has no meaning in Lua"] = { tz_aware = true },
      ["codec_options.document_class has no meaning"] = { document_class = {} },
      ["codec_options has no option 'colour'"] = { colour = 1 },
      ["must be 'standard' or 'pythonLegacy', not 'javaLegacy'"] =
        { uuid_representation = "javaLegacy" },
    } do
      local ok, err = pcall(define, options, fields())
      assert.is_false(ok)
      assert.equal("InvalidModel", err.kind)
      assert.matches(message, tostring(err), 1, true)
      assert.matches("codec_options.Model.Meta", tostring(err), 1, true)
    end
  end)
end)
