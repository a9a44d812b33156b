-- Replays the holes of other mappers: each payload at every door of modm. Whatever comes, the
-- server is told no operator that an honest value would not bring, finds nothing that the attacker
-- may not have, and changes nothing.
local core = require "modm.core"
local help = require "spec.query.help"
local modm = require "modm"
local payloads = require "spec.injection.payloads"

local f = modm.fields
local alias = "injection"

local Owner = modm.MongoModel:extend("injection.Owner", {
  login = f.CharField { primary_key = true },
  Meta = { connection_alias = alias },
})
local Part = modm.EmbeddedMongoModel:extend("injection.Part", { name = f.CharField {} })

-- What a model of users has; two models of them have collections of their own.
local function definition()
  return {
    name = f.CharField {}, password = f.CharField {}, level = f.IntegerField {},
    big = f.BigIntegerField {}, ratio = f.FloatField {}, money = f.Decimal128Field {},
    active = f.BooleanField {}, born = f.DateTimeField {}, code = f.ObjectIdField {},
    email = f.EmailField {}, url = f.URLField {}, ip = f.GenericIPAddressField {},
    uuid = f.UUIDField {}, blob = f.BinaryField {}, at = f.PointField {},
    data = f.DictField {}, tags = f.ListField { f.CharField {} },
    numbers = f.ListField { f.IntegerField {} }, anything = f.ListField {},
    owner = f.ReferenceField { Owner }, part = f.EmbeddedModelField { Part },
    parts = f.EmbeddedModelListField { Part },
    Meta = { connection_alias = alias },
  }
end
local User = modm.MongoModel:extend("injection.User", definition())
local Sink = modm.MongoModel:extend("injection.Sink", definition())

-- Each door is tried with these, and two of them with the others.
local fields = { "name", "level", "data", "anything", "owner", "parts" }
local others = { "big", "ratio", "money", "active", "born", "code", "email", "url", "ip", "uuid",
  "blob", "at", "tags", "numbers", "part", "data.key", "part.name", "parts.name", "tags.0", "pk" }

local function victim(name, level)
  return User {
    name = name, password = "s3cret", level = level, big = level, ratio = level + 0.5,
    money = "1.5", born = 86400 * 365, code = modm.ObjectId(), email = "a@example.com",
    url = "http://example.com", ip = "10.0.0.1", uuid = "12345678-1234-1234-1234-123456789abc",
    blob = "bytes", at = { 7, 8 }, data = { key = "value", n = 1 }, tags = { "red", "blue" },
    numbers = { 41, 42 }, anything = { "thing" }, owner = Owner "jon", part = { name = "wheel" },
    parts = { { name = "a" }, { name = "b" } },
  }
end

-- All that is in the database, the sink aside, as text.
local function everything()
  local list = {}
  for _, Model in ipairs { User, Owner } do
    local rows = Model.objects:order_by("pk"):values()
    for row in rows:iter() do list[#list + 1] = core.encode(row) end
  end
  return table.concat(list)
end

-- ---- the doors ----

-- Those that take one value for a field. Each gives the number of documents that it reached.
local function found(list) return list and #list or 0 end
local function number(n) return n or 0 end
local function one(doc) return doc and 1 or 0 end

local function set_of(name, value) return User.objects:filter { [name] = value } end

local doors = {
  filter = function(name, value) return found(set_of(name, value):list()) end,
  where = function(name, value) return found(User.objects:where(name, value):list()) end,
  where_eq = function(name, value) return found(User.objects:where(name, "=", value):list()) end,
  one_of = function(name, value)
    return found(User.objects:filter { [name] = modm.one_of { value } }:list())
  end,
  any_of = function(name, value)
    return found(User.objects:filter { modm.any_of { { [name] = value } } }:list())
  end,
  get = function(name, value) return one((User.objects:get { [name] = value })) end,
  first = function(name, value) return one((set_of(name, value):first())) end,
  count = function(name, value) return number((set_of(name, value):count())) end,
  exists = function(name, value) return set_of(name, value):exists() and 1 or 0 end,
  distinct = function(name, value) return found(set_of(name, value):distinct "password") end,
  explain = function(name, value)
    set_of(name, value):explain()
    return 0
  end,
  update = function(name, value)
    return number((set_of(name, value):update { ["$set"] = { password = "owned" } }))
  end,
  change = function(name, value)
    return number((set_of(name, value):change { set = { password = "owned" } }))
  end,
  delete = function(name, value) return number((set_of(name, value):delete())) end,
  find_one_and_update = function(name, value)
    return one((set_of(name, value):find_one_and_update { set = { password = "owned" } }))
  end,
  find_one_and_delete = function(name, value)
    return one((set_of(name, value):find_one_and_delete()))
  end,
  aggregate = function(name, value)
    return found(set_of(name, value):aggregate({ ["$limit"] = 5 }):list())
  end,
  match = function(name, value)
    return found(User.objects:pipeline():match { [name] = value }:list())
  end,
  match_of_made_names = function(_, value)
    return found(User.objects:pipeline():add_fields { made = "$name" }:match { made = value }
      :list())
  end,
  lookup = function(name, value)
    local rows = Owner.objects:pipeline():lookup(set_of(name, value),
      { as = "found", local_field = "pk", foreign_field = "owner" }):list()
    return rows and #rows[1].found or 0
  end,
  bulk_update = function(name, value)
    local result = User.objects:bulk():update({ [name] = value }, { set = { password = "owned" } })
      :run()
    return result and result.matched or 0
  end,
  bulk_delete = function(name, value)
    local result = User.objects:bulk():delete({ [name] = value }):run()
    return result and result.deleted or 0
  end,
}

-- Those that store what they are given, in a collection of their own.
local stores = {
  save = function(name, value) return (Sink { [name] = value }:save()) end,
  create = function(name, value) return (Sink.objects:create { [name] = value }) end,
  from_input = function(name, value)
    local nested = (name == "part" or name == "parts") and { [name] = { "name" } } or { name }
    return (Sink:from_input({ [name] = value }, nested):save())
  end,
  set = function(name, value) return (Sink():save()):set { [name] = value } end,
  push = function(name, value) return (Sink():save()):push { [name] = value } end,
  bulk_create = function(name, value)
    return Sink.objects:bulk_create { Sink { [name] = value } }
  end,
  get_or_create = function(name, value) return (Sink.objects:get_or_create { [name] = value }) end,
  update_or_create = function(name, value)
    return (Sink.objects:update_or_create({ [name] = value }, { level = 1 }))
  end,
}

-- Those that take a whole body, as conditions or as fields.
local bodies = {
  filter = function(body) return found(User.objects:filter(body):list()) end,
  get = function(body) return one((User.objects:get(body))) end,
  count = function(body) return number((User.objects:filter(body):count())) end,
  any_of = function(body) return found(User.objects:filter { modm.any_of { body } }:list()) end,
  none_of = function(body) return found(User.objects:filter { modm.none_of { body } }:list()) end,
  elem_match = function(body)
    return found(User.objects:filter { parts = modm.elem_match(body) }:list())
  end,
  match = function(body) return found(User.objects:pipeline():match(body):list()) end,
  update = function(body)
    return number((User.objects:filter(body):change { set = { password = "owned" } }))
  end,
  delete = function(body) return number((User.objects:filter(body):delete())) end,
  find_one_and_delete = function(body)
    return one((User.objects:filter(body):find_one_and_delete()))
  end,
  bulk_update = function(body)
    local result = User.objects:bulk():update(body, { set = { password = "owned" } }):run()
    return result and result.matched or 0
  end,
  bulk_delete = function(body)
    local result = User.objects:bulk():delete(body):run()
    return result and result.deleted or 0
  end,
  get_or_create = function(body)
    local _, created = Sink.objects:get_or_create(body)
    return created == false and 1 or 0
  end,
  update_or_create = function(body)
    local _, created = Sink.objects:update_or_create({ name = "nobody" }, body)
    return created == false and 1 or 0
  end,
  new = function(body) return (Sink(body):save()) end,
  from_document = function(body) return (Sink:from_document(body):save()) end,
  from_input = function(body) return (Sink:from_input(body, { "name", "data" }):save()) end,
  set = function(body) return (Sink():save()):set(body) end,
  change = function(body) return (Sink():save()):change(body) end,
  unset = function(body) return (Sink():save()):unset(body) end,
  rename = function(body) return (Sink():save()):rename(body) end,
  pull = function(body) return (Sink():save()):pull { parts = body } end,
  array_filters = function(body)
    return (Sink { parts = { { name = "a" } } }:save()):change(
      { set = { ["parts.$[x].name"] = "owned" } }, { array_filters = { x = body } })
  end,
  order_by = function(body) return User.objects:order_by(body):list() and 0 end,
  only = function(body) return User.objects:only(body):list() and 0 end,
  lookup = function(body)
    return User.objects:pipeline():lookup(body, { as = "x", local_field = "pk" }):list() and 0
  end,
}

-- Those that take a name: each has to refuse all that is none.
local named = {
  filter = function(name) return User.objects:filter { [name] = "x" }:list() end,
  where = function(name) return User.objects:where(name, "x"):list() end,
  order_by = function(name) return User.objects:order_by(name):list() end,
  sort = function(name) return User.objects:pipeline():sort(name):list() end,
  only = function(name) return User.objects:only(name):list() end,
  exclude = function(name) return User.objects:exclude(name):list() end,
  distinct = function(name) return User.objects:distinct(name) end,
  select_related = function(name) return User.objects:select_related(name):list() end,
  dereference = function(name) return User.objects:first():dereference { name } end,
  id_of = function(name) return User.objects:first():id_of(name) end,
  set = function(name) return (Sink():save()):set { [name] = "x" } end,
  unset = function(name) return (Sink():save()):unset { name } end,
  rename = function(name) return (Sink():save()):rename { name = name } end,
  assign = function(name) (Sink())[name] = "x" end,
  new = function(name) return Sink { [name] = "x" } end,
  from_input = function(name) return Sink:from_input({ [name] = "x" }, { name }) end,
  unwind = function(name) return User.objects:pipeline():unwind(name):list() end,
  lookup = function(name)
    return User.objects:pipeline():lookup(Owner, { as = "x", local_field = name }):list()
  end,
}

-- ---- what is watched ----

-- Adds the keys that begin with $ to a set, those at any depth.
local function dollars(value, set)
  if type(value) == "table" then
    for key, inner in next, value do
      if type(key) == "string" and key:sub(1, 1) == "$" then set[key] = true end
      dollars(inner, set)
    end
  end
  return set
end

-- Where a command has operators: the documents of an insert are data, whatever their keys.
local parts = { "filter", "pipeline", "query", "updates", "deletes", "update", "fields",
  "explain" }

-- Calls a door with the events on. Gives how many documents it reached (0 when it raised or
-- refused), whether anything was sent, and the operators in it.
local function call(door, name, value)
  local set, sent, reached = {}, false, 0
  local events = help.sent(function()
    local ok, n = pcall(door, name, value)
    reached = ok and n or 0
  end)
  for _, event in ipairs(events) do
    sent = true
    for _, part in ipairs(parts) do
      dollars(event.command[part], set)
    end
  end
  return reached, sent, set
end

-- What an honest text or number brings at a door, for a field.
local honest = {}
local function allowed(door_name, door, name)
  if name == "active" then name = "level" end -- any value is a boolean
  local key = door_name .. " " .. name
  if not honest[key] then
    -- the keys of a reference of the old kind are data to the server
    local set = { ["$ref"] = true, ["$id"] = true, ["$db"] = true }
    for _, value in ipairs { modm.null, "zzz", 77, true, "5f5f5f5f5f5f5f5f5f5f5f5f",
      "z@example.com", { 1, 2 }, modm.array { "zzz" }, modm.array { 77 }, { key = "zzz" },
      { name = "zzz" }, modm.array { { name = "zzz" } } } do
      local _, _, seen = call(door, name, value)
      for operator in pairs(seen) do set[operator] = true end
    end
    honest[key] = set
  end
  return honest[key]
end

local function check(door_name, door, name, value)
  if name == "active" and type(value) ~= "table" then return end -- an honest boolean finds
  local most = allowed(door_name, door, name)
  local reached, _, set = call(door, name, value)
  local where = ("%s of %s"):format(door_name, name)
  for operator in pairs(set) do
    assert(most[operator], where .. ": the server was told " .. operator)
  end
  if type(reached) == "number" then
    assert(reached == 0, where .. ": found " .. reached)
  end
end

describe("the holes of other mappers", function()
  local before

  setup(function()
    help.connect(alias)
    assert(Owner "jon":save { force_insert = true })
    assert(victim("admin", 5):save())
    assert(victim("root", 6):save())
    before = everything()
    assert(doors.filter("name", "admin") == 1 and doors.count("level", 6) == 1)
  end)

  it("are many", function()
    assert.is_true(#payloads.values + #payloads.bodies + #payloads.names >= 150)
    local n = 0
    for _, all in ipairs { doors, stores, bodies, named } do
      for _ in pairs(all) do n = n + 1 end
    end
    print(("\ninjection: %d values, %d bodies and %d names at %d doors"):format(#payloads.values,
      #payloads.bodies, #payloads.names, n))
  end)

  for _, payload in ipairs(payloads.values) do
    it("as a value: " .. payload.name, function()
      for _, name in ipairs(fields) do
        for door_name, door in pairs(doors) do check(door_name, door, name, payload.value) end
        for door_name, door in pairs(stores) do check(door_name, door, name, payload.value) end
      end
      for _, name in ipairs(others) do
        check("filter", doors.filter, name, payload.value)
        check("from_input", stores.from_input, name, payload.value)
      end
      assert.is_true(before == everything(), "the canary has changed")
    end)
  end

  -- What an honest body brings at the doors of bodies.
  local usual = { ["$and"] = true, ["$or"] = true, ["$nor"] = true, ["$elemMatch"] = true,
    ["$match"] = true, ["$limit"] = true, ["$group"] = true, ["$sum"] = true, ["$set"] = true,
    ["$unset"] = true, ["$rename"] = true, ["$pull"] = true }

  for _, payload in ipairs(payloads.bodies) do
    it("as a body: " .. payload.name, function()
      for door_name, door in pairs(bodies) do
        local reached, _, set = call(function() return door(payload.value) end)
        for operator in pairs(set) do
          assert(usual[operator], door_name .. ": the server was told " .. operator)
        end
        local none = type(reached) ~= "number" or reached == 0
        assert(none, door_name .. ": found " .. tostring(reached))
      end
      assert.is_true(before == everything(), "the canary has changed")
    end)
  end

  for _, name in ipairs(payloads.names) do
    it("as a name: " .. name:sub(1, 30):gsub("%z", "\\0"), function()
      for door_name, door in pairs(named) do
        local events = help.sent(function()
          local ok, result, message = pcall(door, name)
          assert(not ok or result == nil and message ~= nil, door_name .. " took it")
        end)
        for _, event in ipairs(events) do
          assert((event.command.insert or event.command.find) and not event.command.projection
            and not event.command.sort, door_name .. " has sent " .. event.name)
          for operator in pairs(dollars(event.command.filter, {})) do
            error(door_name .. ": the server was told " .. operator)
          end
        end
      end
      assert.is_true(before == everything(), "the canary has changed")
    end)
  end

  it("reach raw, which is not for what comes from outside, without JavaScript", function()
    local n = 0
    for _, payload in ipairs(payloads.bodies) do
      local name = next(payload.value)
      if name == "$where" or name == "$function" or name == "$accumulator" then
        n = n + 1
        for _, wrapped in ipairs { payload.value, { name = payload.value },
          { ["$or"] = modm.array { payload.value } } } do
          local list, _, err = User.objects:raw(wrapped):list()
          assert.is_nil(list)
          assert.matches("JavaScript", tostring(err), 1, true)
        end
      end
    end
    assert.is_true(n >= 6)
  end)

  it("are refused as names of databases, collections and fields, and in texts that end with NUL",
    function()
      for _, bad in ipairs { "a\0b", "a$b", "", "\0" } do
        assert.is_false(pcall(modm.MongoModel.extend, modm.MongoModel, "injection.Bad",
          { Meta = { collection_name = bad } }))
      end
      for _, bad in ipairs { "a\0", "$a", "a.b", "\255" } do
        assert.is_false(pcall(modm.MongoModel.extend, modm.MongoModel, "injection.Bad",
          { x = f.CharField { mongo_name = bad } }))
      end
      assert.is_false(pcall(modm.Regex, "a\0b", ""))
      assert.is_false(pcall(modm.Regex, "a", "i\0"))
      assert.is_false(pcall(modm.regex, "a\0b"))
    end)
end)
