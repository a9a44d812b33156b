-- The works in lua-mongo, a driver: tables, without models and validation. in_lua_mongo.lua WORK N
local mongo = require "mongo"
local system = require "system"

local POOL, TAGS, BATCH = 1000, 5, 1000
local CLASS_BYTES = 17 + 18 -- of `_cls` in a person and its address

local client = mongo.Client(os.getenv "MODM_URI")
local database = client:getDefaultDatabase()
local collection = database:getCollection "people"

local function key_of(i) return mongo.ObjectID(("6500000000000000%08x"):format(i)) end

local pool = {}
for i = 0, POOL - 1 do
  local tags = {}
  for t = 0, TAGS - 1 do tags[t + 1] = "tag" .. (i + t) % 20 end
  pool[i] = {
    name = ("Zoë Person %04d"):format(i), nick = "nick-" .. i,
    email = ("person%d@example.com"):format(i), age = 18 + i % 60,
    visits = 10000000000 + i * 7919, score = i * 0.5, active = i % 3 == 0,
    joined = 1500000000 + i * 86400, team = key_of(i % 10), tags = tags, level = i % 7,
    street = i .. " Long Street", city = "City " .. i % 50, zip = ("%05d"):format(i),
  }
end

local function new_person(i)
  local p = pool[i % POOL]
  local t = p.tags
  return {
    name = p.name, nick = p.nick, email = p.email, age = mongo.Int32(p.age),
    visits = mongo.Int64(p.visits), score = mongo.Double(p.score), active = p.active,
    joined = mongo.DateTime(p.joined * 1000), team = p.team,
    address = { street = p.street, city = p.city, zip = p.zip },
    tags = { __array = true, t[1], t[2], t[3], t[4], t[5] }, level = mongo.Int32(p.level),
  }
end

local function sum_three(p) return #p.name + p.age + (p.active and 1 or 0) end

local function find(count) return collection:find({}, { limit = mongo.Int64(count) }):iterator() end

local works, setups = {}, {}

function works.read_all(_, count)
  local sum, team = 0, key_of(0)
  for p in find(count) do
    local a, t = p.address, p.tags
    sum = sum + #p.name + #p.nick + #p.email + p.age + p.visits + p.score + (p.active and 1 or 0)
      + p.joined:unpack() / 1000 + (p.team == team and 1 or 0) + #a.street + #a.city + #a.zip
      + #t[1] + #t[2] + #t[3] + #t[4] + #t[5] + p.level
  end
  return sum
end

function works.read_three(_, count)
  local sum = 0
  for p in find(count) do sum = sum + sum_three(p) end
  return sum
end

function works.encode(from, count)
  local sum = 0
  for i = from, from + count - 1 do sum = sum + #mongo.BSON(new_person(i)) + CLASS_BYTES end
  return sum
end

function works.bulk_insert(from, count)
  local done, bulk = 0, collection:createBulkOperation()
  for i = from, from + count - 1 do
    bulk:insert(new_person(i))
    if (i - from + 1) % BATCH == 0 or i == from + count - 1 then
      done = done + assert(bulk:execute()):find "nInserted"
      bulk = collection:createBulkOperation()
    end
  end
  return done
end

function works.save_each(from, count)
  for i = from, from + count - 1 do assert(collection:insert(new_person(i))) end
  return count
end

local function get(i) return collection:findOne({ _id = key_of(i) }):value() end

function setups.change_one(from, count)
  local list = {}
  for i = from, from + count - 1 do list[#list + 1] = get(i) end
  return list
end

function works.change_one(_, _, loaded)
  local sum = 0
  for _, p in ipairs(loaded) do
    p.age = p.age + 1
    assert(collection:updateOne({ _id = p._id }, { ["$set"] = { age = mongo.Int32(p.age) } }))
    sum = sum + p.age
  end
  return sum
end

function works.get_by_key(from, count)
  local sum = 0
  for i = from, from + count - 1 do sum = sum + sum_three(get(i)) end
  return sum
end

local name, n = arg[1], tonumber(arg[2])
local warm = math.max(math.floor(n / 10), 1)
local function ready(...) return setups[name] and setups[name](...) end

works[name](0, warm, ready(0, warm))
local loaded = ready(warm, n)
collectgarbage()
collectgarbage()
local wall, cpu = system.monotime(), os.clock()
local sum = works[name](warm, n, loaded)
cpu = os.clock() - cpu
wall = system.monotime() - wall
print(("%s %d %.6f %.6f %.1f"):format(name, n, wall, cpu, sum))
