-- Everything that documents do without a server.
local core = require "modm.core"
local modm = require "modm"

local f = modm.fields

local Address = modm.EmbeddedMongoModel:extend("oom.Address", {
  city = f.CharField { required = true }, zip = f.IntegerField { mongo_name = "z" },
})
local function define()
  return modm.MongoModel:extend("oom.User", {
    email = f.EmailField { primary_key = true },
    name = f.CharField { max_length = 50, choices = { "Ann", "Bob" } },
    born = f.DateTimeField { default = modm.DateTime.now },
    tags = f.ListField { f.CharField {} },
    address = f.EmbeddedModelField { Address },
    others = f.EmbeddedModelListField { Address },
    data = f.DictField {},
    friend = f.ReferenceField { "oom.User" },
    clean = function() end,
  })
end
local User = define()

local function values()
  return { email = "a@b", name = "Ann", born = 0, tags = { "x", 5, "y" }, friend = "c@d",
    address = { city = "Bonn", z = "53111" }, others = { { city = "a" }, { city = "b" } },
    data = { a = { 1, 2, { b = "c" } }, when = modm.DateTime(0) } }
end

local kept = User(values())
assert(kept:full_clean())
local bytes = assert(core.encode_document(kept))
local schema = core.schema_of(kept)
local assigned = User(values())

-- The encoding, or an error.
local function encode(doc)
  local encoded, message = core.encode_document(doc)
  if not encoded then error(message, 0) end
  return encoded
end

local large = User { data = { x = ("x"):rep(1100 * 1024) } } -- more than the scratch buffer keeps

local function work()
  define()
  assert(#encode(large) > 1100 * 1024)
  local user = User(values())
  assert(user:full_clean())
  assert(user:to_son())
  assert(tostring(user) and user == kept)
  assert(user:id_of "friend" == "c@d")
  local loaded = core.from_bytes(schema, bytes)
  assert(loaded.address.zip == 53111 and loaded.others[2].city == "b" and loaded.tags[2] == "5")
  loaded.tags[4], loaded.address.city, loaded.name = "z", "Köln", nil
  assert(core.diff(schema, bytes, encode(loaded)))
  core.refresh(loaded, core.from_bytes(schema, bytes))
  core.refresh(loaded, core.from_bytes(schema, bytes), { name = true })
  assert(not core.diff(schema, bytes, encode(loaded))) -- in another order
  assert(not User { name = "Eve", data = { ["a.b"] = 1 }, others = { {} } }:full_clean())
  assert(assigned:full_clean())
  for name, value in kept.address:pairs() do assert(name and value) end
end

local function check()
  assert(core.encode_document(kept) == bytes, "a document is not as it was")
  assert(assigned:full_clean())
  assert(core.encode_document(assigned) == bytes, "an assigned document is not as it was")
end

return { work = work, after = check }
