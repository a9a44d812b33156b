-- bulk_create validates and encodes in one walk: what it stores is what save stores.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"

local f = modm.fields

help.connect "encoding"

local Place = modm.EmbeddedMongoModel:extend("encoding.Place", {
  street = f.CharField { required = true },
  floor = f.IntegerField { default = 1 },
  opened = f.DateTimeField {},
})
local Shop = Place:extend("encoding.Shop", { goods = f.ListField { f.CharField {} } })
local Entry = modm.MongoModel:extend("encoding.Entry", {
  name = f.CharField { mongo_name = "n" },
  count = f.IntegerField { min_value = 0 },
  share = f.FloatField {},
  at = f.DateTimeField {},
  open = f.BooleanField {},
  kind = f.CharField { choices = { "a", "b" } },
  price = f.Decimal128Field {},
  odd = f.IntegerField { validators = { function(n) return n % 2 == 1 end } },
  made = f.CharField { default = function() return "made" end },
  tags = f.ListField { f.CharField {} },
  times = f.ListField { f.DateTimeField {} },
  place = f.EmbeddedDocumentField { Place },
  places = f.EmbeddedDocumentListField { Place },
  more = f.DictField {},
  other = f.ReferenceField { "encoding.Entry" },
  Meta = { connection_alias = "encoding" },
})
-- The same without what Lua has to call.
local Plain = modm.MongoModel:extend("encoding.Plain", {
  name = f.CharField {},
  code = f.CharField { min_length = 2, max_length = 3 },
  mail = f.EmailField {},
  count = f.IntegerField { min_value = 0 },
  share = f.FloatField {},
  at = f.DateTimeField {},
  kind = f.CharField { choices = { "a", "b" } },
  level = f.IntegerField { default = 3 },
  key = f.ObjectIdField {},
  tags = f.ListField { f.CharField {} },
  times = f.ListField { f.DateTimeField {} },
  place = f.EmbeddedDocumentField { Place },
  places = f.EmbeddedDocumentListField { Place },
  more = f.DictField {},
  Meta = { connection_alias = "encoding" },
})

local KEY = modm.ObjectId("650000000000000000000001")

-- What the server has of a document that a function stores.
local function stored(Model, values, store)
  local doc = Model(values())
  doc._id = KEY
  assert(store(doc))
  local bytes = assert(core.encode_document(assert(Model.objects:get { pk = KEY })))
  assert(Model.objects:all():delete())
  return bytes
end

local cases = {
  { "nothing", function() return {} end },
  { "what fits", function()
    return { name = "Zoë", count = 3, share = 1.5, at = modm.DateTime(0), kind = "a",
      tags = { "x", "y" }, place = Place { street = "s", floor = 2 } }
  end },
  { "what is converted", function()
    return { name = 12, count = "7", share = 2, at = 1500000000.25, tags = { 1, "b" },
      times = { 5, "2020-01-01T00:00:00Z", modm.DateTime(7) } }
  end },
  { "dates of all forms", function()
    return { at = { year = 2020, month = 2, day = 3 }, times = { 0, 1.5 },
      place = Place { street = "s", opened = 86400 } }
  end },
  { "texts of all lengths", function()
    return { name = ("ä€"):rep(300), tags = { "a", "ä", ("x"):rep(7), ("x"):rep(8), "nul\0nul" } }
  end },
  { "tables for documents", function()
    return { place = { street = "s", opened = "2020-01-01T00:00:00Z" },
      places = { { street = "a" }, Place { street = "b" }, Shop { street = "c", goods = { "d" } } },
    }
  end },
  { "a model that extends the embedded one", function()
    return { place = Shop { street = "s", goods = { "a", "b" } } }
  end },
  { "what is empty", function() return { tags = {}, times = {}, more = {}, places = {} } end },
  { "dicts", function() return { more = { a = { 1, 2, { b = modm.null } } } } end },
}

describe("What bulk_create stores", function()
  for name, Model in pairs { Plain = Plain, Entry = Entry } do
    for _, case in ipairs(cases) do
      it(("is what save stores: %s (%s)"):format(case[1], name), function()
        local saved = stored(Model, case[2], function(d) return d:save { force_insert = true } end)
        local bulk = stored(Model, case[2], function(d) return Model.objects:bulk_create { d } end)
        assert.equal(saved, bulk)
      end)
    end
  end

  it("is what was valid, where some documents need another look than others", function()
    local docs = {}
    for i = 1, 9 do
      docs[i] = Plain { name = "d" .. i, kind = i % 3 == 0 and "a" or nil, count = i }
    end
    docs[5].places = { { street = "s" } }
    assert.equal(9, #assert(Plain.objects:bulk_create(docs)))
    for i, doc in ipairs(docs) do
      local found = assert(Plain.objects:get { pk = doc._id })
      assert.same({ "d" .. i, i, 3 }, { found.name, found.count, found.level })
    end
    assert(Plain.objects:all():delete())
  end)

  it("is nothing where one is not valid, and each that is not is named", function()
    local docs = { Plain { count = 1 }, Plain { count = -1 }, Plain { tags = { {} } },
      Plain { place = Place {} }, Plain { count = 2 }, Plain { kind = "c" } }
    local keys, message, err = Plain.objects:bulk_create(docs)
    assert.is_nil(keys)
    assert.truthy(message:find("4 of 6 documents were not inserted; number 2", 1, true))
    local numbers = {}
    for i, failure in ipairs(err.failures) do numbers[i] = failure.index end
    assert.same({ 2, 3, 4, 6 }, numbers)
    assert.equal(0, Plain.objects:count())
    docs[2].count, docs[3].tags, docs[4].place.street, docs[6].kind = 1, { "t" }, "s", "b"
    assert.equal(6, #assert(Plain.objects:bulk_create(docs)))
    assert(Plain.objects:all():delete())
  end)

  it("is no text that its field refuses", function()
    local good = { { code = "äöü" }, { code = 12 }, { mail = "ä@b.c" } }
    local docs = {}
    for i, values in ipairs(good) do docs[i] = Plain(values) end
    assert.equal(3, #assert(Plain.objects:bulk_create(docs)))
    assert.equal("12", assert(Plain.objects:get { pk = docs[2]._id }).code)
    for _, values in ipairs { { code = "ä" }, { code = "abcd" }, { code = "" }, { code = 1234 },
      { name = "\xC0\x80" }, { name = "" }, { mail = "a@b@c" }, { mail = "\xFF@b.c" }, { mail = 5 },
      { tags = { "a", "\xFF" } }, { place = Place { street = "\xFF" } } } do
      local saved = { Plain(values):full_clean() }
      local keys, _, err = Plain.objects:bulk_create { Plain(values) }
      assert.is_nil(keys)
      assert.same(saved[3].errors, err.failures[1].errors)
    end
    assert.equal(3, assert(Plain.objects:all():delete()))
  end)

  it("leaves to the program the lists that it gave", function()
    local tags, place = { "a" }, Place { street = "s" }
    local docs = { Plain { tags = tags, place = place }, Plain { tags = tags } }
    assert(Plain.objects:bulk_create(docs))
    tags[2] = "b"
    assert.same({ "a" }, docs[1].tags)
    assert.equal(place, docs[1].place)
    assert.equal(0, #help.sent(function() assert(docs[1]:save()) end))
    docs[2].tags[2] = "c"
    place.street = "t"
    assert(docs[1]:save())
    assert(docs[2]:save())
    assert.equal("t", assert(Plain.objects:get { pk = docs[1]._id }).place.street)
    assert.same({ "a", "c" }, assert(Plain.objects:get { pk = docs[2]._id }).tags)
    assert(Plain.objects:all():delete())
  end)

  it("is in the documents, each of which is saved alone afterwards", function()
    local docs = {}
    for i = 1, 100 do docs[i] = Plain { name = ("x"):rep(i * 3), count = i, at = i } end
    local keys = assert(Plain.objects:bulk_create(docs))
    local last = docs[100]
    docs = { docs[50], last }
    collectgarbage()
    assert.equal(("x"):rep(150), docs[1].name)
    assert.equal(modm.DateTime(100), last.at)
    assert.equal(keys[100], last._id)
    last.count = 0
    assert(last:save())
    local found = assert(Plain.objects:get { pk = keys[100] })
    assert.same({ 0, ("x"):rep(300) }, { found.count, found.name })
    assert(Plain.objects:all():delete())
  end)
end)
