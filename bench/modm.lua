-- The works in modm: bench/modm.lua WORK N, with the same data and checksums as raw.c.
local modm = require "modm"
local core = require "modm.core"
local system = require "system"
local fields = modm.fields

local POOL, TAGS, BATCH = 1000, 5, 1000
local GROUP_WARM, GROUP_GONE = 1, 2

-- ---- models ----

local Address = modm.EmbeddedMongoModel:extend("Address", {
  street = fields.CharField {},
  city = fields.CharField {},
  zip = fields.CharField {},
})

local Person = modm.MongoModel:extend("Person", {
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
  Meta = { collection_name = "people" },
})

local Author = modm.MongoModel:extend("Author", {
  name = fields.CharField {},
  group = fields.IntegerField {},
  Meta = { collection_name = "authors" },
})

local Book = modm.MongoModel:extend("Book", {
  title = fields.CharField {},
  pages = fields.IntegerField {},
  author = fields.ReferenceField { Author, on_delete = modm.CASCADE },
  Meta = { collection_name = "books" },
})

-- ---- data, as in data.c ----

local function key_of(i)
  return modm.ObjectId(("6500000000000000%08x"):format(i))
end

local function make_people()
  local pool = {}
  for i = 0, POOL - 1 do
    local tags = {}
    for t = 0, TAGS - 1 do
      tags[t + 1] = "tag" .. (i + t) % 20
    end
    pool[i] = {
      name = ("Zoë Person %04d"):format(i),
      nick = "nick-" .. i,
      email = ("person%d@example.com"):format(i),
      age = 18 + i % 60,
      visits = 10000000000 + i * 7919,
      score = i * 0.5,
      active = i % 3 == 0,
      joined = 1500000000 + i * 86400,
      team = key_of(i % 10),
      street = i .. " Long Street",
      city = "City " .. i % 50,
      zip = ("%05d"):format(i),
      tags = tags,
      level = i % 7,
    }
  end
  return pool
end

local pool

-- A new instance of its own parts: the pool is data that came from elsewhere.
local function new_person(i)
  local p = pool[i % POOL]
  local t = p.tags
  return Person {
    name = p.name,
    nick = p.nick,
    email = p.email,
    age = p.age,
    visits = p.visits,
    score = p.score,
    active = p.active,
    joined = p.joined,
    team = p.team,
    address = Address { street = p.street, city = p.city, zip = p.zip },
    tags = { t[1], t[2], t[3], t[4], t[5] },
    level = p.level,
  }
end

-- ---- works: setup(from, count) is not measured; run(from, count) gives the checksum ----

local works = {}

works.read_all = {}
function works.read_all.run(_, count)
  local sum, team = 0, key_of(0)
  for p in Person.objects:all():limit(count):iter() do
    local a, t = p.address, p.tags
    sum = sum + #p.name + #p.nick + #p.email + p.age + p.visits + p.score
      + (p.active and 1 or 0) + p.joined:seconds() + (p.team == team and 1 or 0)
      + #a.street + #a.city + #a.zip
      + #t[1] + #t[2] + #t[3] + #t[4] + #t[5] + p.level
  end
  return sum
end

works.read_three = {}
function works.read_three.run(_, count)
  local sum = 0
  for p in Person.objects:all():limit(count):iter() do
    sum = sum + #p.name + p.age + (p.active and 1 or 0)
  end
  return sum
end

works.encode = {}
function works.encode.run(from, count)
  local sum = 0
  for i = from, from + count - 1 do
    local p = new_person(i)
    assert(p:full_clean())
    sum = sum + #assert(core.encode_document(p))
  end
  return sum
end

works.bulk_insert = {}
function works.bulk_insert.run(from, count)
  local done, list = 0, {}
  for i = from, from + count - 1 do
    list[#list + 1] = new_person(i)
    if #list == BATCH or i == from + count - 1 then
      done = done + #assert(Person.objects:bulk_create(list))
      list = {}
    end
  end
  return done
end

works.save_each = {}
function works.save_each.run(from, count)
  for i = from, from + count - 1 do
    assert(new_person(i):save())
  end
  return count
end

works.change_one = {}
function works.change_one.setup(from, count)
  works.change_one.people = {}
  for i = from, from + count - 1 do
    works.change_one.people[i] = assert(Person.objects:get { _id = key_of(i) })
  end
end
function works.change_one.run(from, count)
  local sum, people = 0, works.change_one.people
  for i = from, from + count - 1 do
    local p = people[i]
    p.age = p.age + 1
    assert(p:save())
    sum = sum + p.age
  end
  return sum
end

works.get_by_key = {}
function works.get_by_key.run(from, count)
  local sum = 0
  for i = from, from + count - 1 do
    local p = assert(Person.objects:get { _id = key_of(i) })
    sum = sum + #p.name + p.age + (p.active and 1 or 0)
  end
  return sum
end

works.references = {}
function works.references.run(_, count)
  local sum = 0
  for book in Book.objects:all():limit(count):select_related("author"):iter() do
    local author = book.author
    sum = sum + book.pages + #author.name + author.group
  end
  return sum
end

-- The keys of an author: _id, name, group, _cls.
local AUTHOR_KEYS = 3 + 4 + 5 + 4

works.check = {}
function works.check.run(_, count)
  local meta = require "modm.registry".meta(Author)
  local conn, collection = meta:place()
  local op = core.find(conn.client, conn.database, collection, {}, { limit = count })
  local read, invalid = 0, 0
  require "modm.cli.check".stream(conn, op, meta, function(n) read = n end,
    function() invalid = invalid + 1 end)
  return (read - invalid) * AUTHOR_KEYS
end

works.cascade_delete = {}
function works.cascade_delete.run(from)
  local group = from > 0 and GROUP_GONE or GROUP_WARM
  return assert(Author.objects:filter { group = group }:delete())
end

-- ---- running ----

local name, n = arg[1], tonumber(arg[2])
local work = works[name] or error("no such work: " .. tostring(name))
local warm = n < 10 and 1 or math.floor(n / 10)

assert(modm.connect(os.getenv("MODM_URI") or error("MODM_URI is not set")))
pool = make_people()
if work.setup then
  work.setup(0, warm)
end
work.run(0, warm)
if work.setup then
  work.setup(warm, n)
end
collectgarbage()
collectgarbage()

-- os.clock is the CPU time of the whole process, user and system.
local wall, cpu = system.monotime(), os.clock()
local sum = work.run(warm, n)
cpu = os.clock() - cpu
wall = system.monotime() - wall
print(("%s %d %.6f %.6f %.1f"):format(name, n, wall, cpu, sum))
