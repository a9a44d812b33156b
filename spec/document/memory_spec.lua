-- What documents cost that a program holds: a measure of bytes, which is the same on each machine.
local server = require "spec.support.server"
local modm = require "modm"
local core = require "modm.core"
local fields = modm.fields

local N = 2000

local Address = modm.EmbeddedMongoModel:extend("document_memory.Address", {
  street = fields.CharField {},
  city = fields.CharField {},
  zip = fields.CharField {},
})

-- The person of the bench: some 380 bytes of BSON.
local Person = modm.MongoModel:extend("document_memory.Person", {
  name = fields.CharField { required = true },
  nick = fields.CharField { max_length = 30 },
  email = fields.EmailField {},
  age = fields.IntegerField { min_value = 0 },
  visits = fields.BigIntegerField {},
  score = fields.FloatField {},
  active = fields.BooleanField {},
  joined = fields.DateTimeField {},
  team = fields.ObjectIdField {},
  address = fields.EmbeddedDocumentField { Address },
  tags = fields.ListField { fields.CharField {} },
  level = fields.IntegerField {},
  Meta = { connection_alias = "document_memory", collection_name = "people", cls = "Person" },
})

local function person(i)
  return Person {
    name = ("Zoë Person %04d"):format(i), nick = "nick-" .. i, age = i % 60,
    email = ("person%d@example.com"):format(i), visits = 10000000000 + i, score = i * 0.5,
    active = i % 3 == 0, joined = 1500000000 + i, team = modm.ObjectId(), level = i % 7,
    address = Address { street = i .. " Long Street", city = "City " .. i % 50, zip = "00000" },
    tags = { "tag1", "tag2", "tag3", "tag4", "tag5" },
  }
end

local function used()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count" * 1024
end

describe("documents that are held", function()
  setup(function()
    assert(modm.connect(server.fresh "document_memory", { alias = "document_memory" }))
    local list = {}
    for i = 1, N do list[i] = person(i) end
    assert(Person.objects:bulk_create(list))
  end)

  it("take at most half as much again as their BSON", function()
    local function read() return assert(Person.objects:all():list()) end
    read() -- what is made once: strings, traces, the connection
    local before = used()
    local held = read()
    local after = used()
    assert.equal(N, #held)
    local stored = 0
    for _, document in ipairs(held) do stored = stored + #core.encode_document(document) end
    assert.is_true(stored / N > 300, stored / N)
    local ratio = (after - before) / stored
    assert.is_true(ratio > 1 and ratio < 1.5, ratio)
  end)
end)
