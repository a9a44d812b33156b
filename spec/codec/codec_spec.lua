-- Documents to BSON and back: lossless, within limits, and compared.
local core = require "modm.core"
local modm = require "modm"

local f = modm.fields

local Part = modm.EmbeddedMongoModel:extend("codec.Part", {
  a = f.IntegerField {}, b = f.CharField {}, list = f.ListField { f.IntegerField {} },
  inner = f.EmbeddedModelField { "codec.Part" }, Meta = { final = true },
})
local Sub = modm.EmbeddedMongoModel:extend("codec.Base", { a = f.IntegerField {} })
local SubPart = Sub:extend("codec.SubPart", { b = f.IntegerField {} })
local Whole = modm.MongoModel:extend("codec.Whole", {
  text = f.CharField {}, n = f.IntegerField {}, big = f.BigIntegerField {}, x = f.FloatField {},
  ok = f.BooleanField {}, at = f.DateTimeField {}, list = f.ListField {}, data = f.DictField {},
  numbers = f.ListField { f.IntegerField {} }, part = f.EmbeddedModelField { Part },
  parts = f.EmbeddedModelListField { Part }, base = f.EmbeddedModelField { Sub },
  Meta = { final = true },
})
local schema = core.schema_of(Whole {})

local function ordered(...) return core.encode(core.ordered { ... }) end
local function load(bytes) return core.from_bytes(schema, bytes) end

-- The document with all its fields read, and changed by fn, encoded again.
local function read_all(bytes, fn)
  local doc = load(bytes)
  for name in doc:pairs() do local _ = doc[name] end
  if fn then fn(doc) end
  return assert(core.encode_document(doc))
end

describe("encoding", function()
  it("gives the bytes that were read, whatever was looked at", function()
    local id = modm.ObjectId()
    local bytes = ordered(
      { "parts", { core.ordered { { "b", "x" }, { "a", 1 } }, core.ordered {} } },
      { "data", core.ordered { { "z", modm.Int64(1) }, { "a", modm.Decimal128 "1.50" },
        { "m", modm.null },
        { "bin", modm.Binary("\0\1", 5) }, { "re", modm.Regex("a+", "i") }, { "d", 2.0 },
        { "e", modm.array {} }, { "o", modm.object {} }, { "t", modm.Timestamp(1, 2) } } },
      { "list", modm.array { 1, modm.Int64(2), 3.0, "x", { 1 }, modm.null } },
      { "text", "x\0y" }, { "_id", id }, { "ok", false }, { "at", modm.DateTime(0) }, { "n", 5 },
      { "big", modm.Int64 "9007199254740993" }, { "x", 1.5 })
    assert.equal(bytes, core.encode_document(load(bytes)))
    assert.is_nil(core.diff(schema, bytes, read_all(bytes)))
    local doc = load(bytes)
    assert.is_true(doc:is_valid())
    assert.is_nil(core.diff(schema, bytes, (core.encode_document(doc))))
  end)

  it("keeps values that are of no field's type", function()
    local bytes = ordered({ "text", 5 }, { "n", "x" }, { "x", true }, { "ok", "yes" }, { "at", 5 },
      { "list", "no list" }, { "data", { 1, 2 } }, { "numbers", { a = 1 } }, { "part", 5 },
      { "parts", { "x", 5 } })
    assert.equal(bytes, read_all(bytes))
  end)

  it("puts fields in their order, whatever they were assigned in", function()
    local doc = Whole { n = 1, text = "x", data = { b = 1, a = 2 } }
    assert.equal(ordered({ "text", "x" }, { "n", 1 },
      { "data", core.ordered { { "a", 2 }, { "b", 1 } } }),
      core.encode_document(doc))
  end)

  it("refuses invalid text, holes and functions anywhere, with the path", function()
    local cases = {
      { { text = "\255" }, "text: not valid UTF-8" },
      { { list = { 1, { "\255" } } }, "list.2.1: not valid UTF-8" },
      { { data = { a = { b = print } } }, "data.a.b: a function cannot be stored" },
      { { parts = { Part { b = "x" }, Part { inner = Part { b = "\255" } } } },
        "parts.2.inner.b: not valid UTF-8" },
      { { numbers = { 1, [3] = 2 } }, "numbers: a list with a hole at 2 (use modm.null)" },
      { { list = { [2] = 2 } }, "list: " },
      { { part = Part { list = { 1, x = 2 } } }, "part.list: not a list: it has the key 'x'" },
    }
    for _, case in ipairs(cases) do
      local bytes, message = core.encode_document(Whole(case[1]))
      assert.is_nil(bytes)
      assert.equal(case[2], message:sub(1, #case[2]))
    end
  end)

  it("stops at what is nested too deep, in dicts, lists and documents", function()
    local function nest(depth, make)
      local value = make(nil)
      for _ = 2, depth do value = make(value) end
      return value
    end
    local kinds = {
      data = function(inner) return { x = inner or 1 } end,
      list = function(inner) return { inner or 1 } end,
      part = function(inner) return Part { inner = inner } end,
    }
    for name, make in pairs(kinds) do
      local doc = Whole { [name] = nest(170, make) }
      local bytes = assert(core.encode_document(doc))
      assert.equal(bytes, read_all(bytes))
      local bad = Whole { [name] = nest(200, make) }
      local none, message = core.encode_document(bad)
      assert.is_nil(none)
      assert.matches("nested deeper than 180 levels", message, 1, true)
      assert.is_nil((bad:to_son()))
    end
  end)

  it("refuses a document over 16 MiB, when it is saved", function()
    local help = require "spec.query.help"
    help.connect "codec"
    local Large = modm.MongoModel:extend("codec.Large",
      { text = f.CharField {}, tags = f.ListField {},
      Meta = { connection_alias = "codec" } })
    local large = Large { text = ("x"):rep(16 * 1024 * 1024) }
    local ok, message, err = large:save()
    assert.is_nil(ok)
    assert.matches("codec.Large: a document of %d+ bytes is larger than the 16777216 bytes",
      message)
    assert.equal("ValidationError", err.kind)
    large.text = ("x"):rep(15 * 1024 * 1024)
    assert(large:save())
    large.tags[1] = ("y"):rep(2 * 1024 * 1024) -- it grew
    ok, message = large:save()
    assert.is_nil(ok)
    assert.matches("is larger than the 16777216 bytes", message)
    assert(large:refresh_from_db())
    assert.same({}, large.tags)
  end)
end)

describe("the update between two encodings", function()
  local before = ordered({ "text", "x" }, { "n", 1 }, { "list", modm.array { 1, 2 } },
    { "data", { a = 1 } }, { "numbers", modm.array { modm.Int64(1), 2 } },
    { "part", core.ordered { { "a", 1 }, { "list", modm.array { 1 } },
      { "inner", core.ordered { { "b", "x" } } } } },
    { "base", core.ordered { { "a", 1 }, { "_cls", "codec.Base" } } })

  local function update(change) return core.diff(schema, before, read_all(before, change)) end

  it("names what changed, dotted into embedded documents", function()
    local cases = {
      { function() end, nil },
      { function(d) d.text = "y" end, { ["$set"] = { text = "y" } } },
      { function(d) d.x = 1 end, { ["$set"] = { x = 1.0 } } },
      { function(d) d.text = nil d.n = nil end, { ["$unset"] = { text = "", n = "" } } },
      { function(d) d.text = modm.null end, { ["$set"] = { text = modm.null } } },
      { function(d) d.list[3] = 3 end, { ["$push"] = { list = { ["$each"] = { 3 } } } } },
      { function(d) d.list[2] = nil end, { ["$set"] = { list = { 1 } } } },
      { function(d) d.list[2] = 3 end, { ["$set"] = { list = { 1, 3 } } } },
      { function(d) d.list = { 1, 2, 3, { 4 } } end,
        { ["$push"] = { list = { ["$each"] = { 3, { 4 } } } } } },
      { function(d) d.data.b = 2 end, { ["$set"] = { data = { a = 1, b = 2 } } } },
      { function(d) d.data.a = nil end, { ["$set"] = { data = {} } } },
      { function(d) d.part.a = 2 end, { ["$set"] = { ["part.a"] = 2 } } },
      { function(d) d.part.a = nil end, { ["$unset"] = { ["part.a"] = "" } } },
      { function(d) d.part.list[2] = 2 end,
        { ["$push"] = { ["part.list"] = { ["$each"] = { 2 } } } } },
      { function(d) d.part.inner.b = "y" d.part.inner.a = 5 end,
        { ["$set"] = { ["part.inner.b"] = "y", ["part.inner.a"] = 5 } } },
      { function(d) d.part.inner = nil end, { ["$unset"] = { ["part.inner"] = "" } } },
      { function(d) d.part.inner.b = nil end, { ["$set"] = { ["part.inner"] = {} } } },
      { function(d) d.part = nil end, { ["$unset"] = { part = "" } } },
      { function(d) d.base = SubPart { a = 1, b = 2 } end,
        { ["$set"] = { base = { a = 1, b = 2, _cls = "codec.SubPart" } } } },
      { function(d) d.parts[1] = Part { a = 1 } end, { ["$set"] = { parts = { { a = 1 } } } } },
    }
    for i, case in ipairs(cases) do assert.same(case[2], (update(case[1])), "case " .. i) end
  end)

  it("is nothing for numbers of the same value in a field of numbers", function()
    assert.is_nil(update(function(d) d.n = 1.0 d.numbers = { 1, 2 } end))
    assert.is_nil(core.diff(schema, ordered { "n", modm.Int64(5) }, ordered { "n", 5 }))
    assert.is_nil(core.diff(schema, ordered { "n", 5.0 }, ordered { "n", 5 }))
    assert.truthy(core.diff(schema, ordered { "n", 5.5 }, ordered { "n", 5 }))
    assert.truthy(core.diff(schema, ordered { "n", modm.Int64 "9007199254740993" },
      ordered { "n", 2 ^ 53 }))
    -- what has no field is compared by its bytes
    assert.truthy(core.diff(schema, ordered { "data", { a = modm.Int64(5) } },
      ordered { "data", { a = 5 } }))
  end)

  it("does not look at the order of fields", function()
    local one = ordered({ "text", "x" }, { "n", 1 },
      { "part", core.ordered { { "a", 1 }, { "b", "x" } } },
      { "parts", { core.ordered { { "a", 1 }, { "b", "x" } } } })
    local other = ordered({ "parts", { core.ordered { { "b", "x" }, { "a", 1 } } } },
      { "part", core.ordered { { "b", "x" }, { "a", 1 } } }, { "n", 1 }, { "text", "x" })
    assert.is_nil(core.diff(schema, one, other))
    assert.is_nil(core.diff(schema, other, one))
    local dict = { ordered { "data", core.ordered { { "a", 1 }, { "b", 2 } } },
      ordered { "data", core.ordered { { "b", 2 }, { "a", 1 } } } }
    assert.same({ ["$set"] = { data = { a = 1, b = 2 } } }, core.diff(schema, dict[1], dict[2]))
  end)

  it("leads from the one to the other, on a server", function()
    local help = require "spec.query.help"
    help.connect "diff"
    local Doc = modm.MongoModel:extend("codec.Doc", {
      a = f.ListField {}, b = f.ListField { f.ListField { f.IntegerField {} } }, c = f.DictField {},
      d = f.EmbeddedModelField { Part }, e = f.EmbeddedModelListField { Part }, g = f.CharField {},
      Meta = { connection_alias = "diff" },
    })
    local random = 12345
    local function pick(n)
      random = (random * 1103515245 + 12345) % 2147483648
      return math.floor(random / 65536) % n
    end
    local makers = {
      a = function() local t = {} for i = 1, pick(4) do t[i] = pick(3) end return t end,
      b = function() local t = {} for i = 1, pick(3) do t[i] = { i, pick(2) } end return t end,
      c = function() return { x = pick(2), y = { pick(2) } } end,
      d = function() return Part { a = pick(3), list = { pick(2), pick(2) },
        inner = pick(2) == 0 and
        Part { a = pick(2) } or nil } end,
      e = function() local t = {} for i = 1,
        pick(4) do t[i] = Part { a = pick(2) } end return t end,
      g = function() return "t" .. pick(3) end,
    }
    local doc = assert(Doc {}:save())
    for _ = 1, 200 do
      for name, make in pairs(makers) do
        local what = pick(6)
        if what == 0 then doc[name] = nil end
        if what == 1 then doc[name] = make() end
        if what == 2 and (name == "a" or name == "e") then
          doc[name][#doc[name] + 1] = name == "a" and pick(9) or Part { b = "p" }
        end
        if what == 3 and name == "d" and doc.d then doc.d.a = pick(5) doc.d.list[3] = pick(2) end
      end
      assert(doc:save())
      local stored = Doc.objects:get { pk = doc.pk }
      assert.is_nil(core.diff(core.schema_of(doc), core.encode_document(stored),
        core.encode_document(doc)))
      assert.same(stored:to_son(), doc:to_son())
    end
  end)
end)
