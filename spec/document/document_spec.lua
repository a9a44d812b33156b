-- Documents without a server: making them, reading and assigning, equality, text, iteration.
local core = require "modm.core"
local modm = require "modm"

local f = modm.fields

local Address = modm.EmbeddedMongoModel:extend("document.Address", {
  city = f.CharField {}, zip = f.IntegerField { mongo_name = "z" },
})
local User = modm.MongoModel:extend("document.User", {
  email = f.EmailField { primary_key = true },
  name = f.CharField { max_length = 10 },
  age = f.IntegerField { min_value = 0, mongo_name = "years" },
  tags = f.ListField { f.CharField {} },
  address = f.EmbeddedModelField { Address },
  data = f.DictField {},
  nick = f.CharField { default = "none" },
})
local Note = modm.MongoModel:extend("document.Note",
  { title = f.CharField {}, n = f.IntegerField {} })
-- The same with a field whose reading needs Lua, so that __index is a Lua function.
local Called = modm.MongoModel:extend("document.Called", {
  title = f.CharField {}, id = f.IntegerField { default = function() return 5 end },
})

-- The message that fn raises; it must have the position of this file.
local function raised(fn)
  local ok, err = pcall(fn)
  assert.is_false(ok)
  assert.matches("^%S*spec/document/document_spec.lua:%d+: ", tostring(err))
  return (tostring(err):gsub("^%S+:%d+: ", ""))
end

describe("making a document", function()
  it("takes names, positions, and a table with both", function()
    for _, user in ipairs {
      User { email = "a@b", name = "Ann", age = 5 }, User("a@b", "Ann", 5),
        User { "a@b", "Ann", 5 },
      User { "a@b", age = 5, name = "Ann" }, User { pk = "a@b", name = "Ann", age = "5" },
    } do
      assert.same({ "a@b", "Ann", 5 }, { user.email, user.name, user.age })
    end
    assert.same({ "x", 1 }, { Note("x", 1).title, Note("x", 1).n })
    assert.is_nil(User(nil, "Ann").email)
    assert.equal("Ann", User(nil, "Ann").name)
    assert.is_nil(next(Note():to_son(), "_cls"))
  end)

  it("takes names of any length", function()
    local long = ("a_long_name_"):rep(9)
    local model = modm.MongoModel:extend("document.Long", { [long] = f.IntegerField {} })
    assert.equal(7, model { [("a_long_name_"):rep(9)] = 7 } [long])
  end)

  it("refuses names, positions and keys that there are not", function()
    local cases = {
      { function() local _ = User { nme = "x" } end, "document.User has no field 'nme'" },
      { function() local _ = User { years = 5 } end, "document.User has no field 'years'" },
      { function() local _ = User { _id = 5 } end, "document.User has no field '_id'" },
      { function() local _ = User { save = 5 } end, "document.User has no field 'save'" },
      { function() local _ = User { [true] = 5 } end,
        "document.User: field names must be strings, got a boolean" },
      { function() local _ = User { [User] = 5 } end,
        "document.User: field names must be strings, got a table" },
      { function() local _ = User { [8] = "x" } end,
        "document.User: position 8 given, but it has 7 fields" },
      { function() local _ = User { [0] = "x" } end,
        "document.User: position 0 given, but it has 7 fields" },
      { function() local _ = User { [1.5] = "x" } end, "document.User: position " },
      { function() local _ = Note(1, 2, 3) end, "document.Note: got 3 values for only 2 fields" },
      { function() local _ = User { "a@b", email = "c@d" } end,
        "document.User: the field 'email' is given twice" },
      { function() local _ = User { pk = "a@b", email = "c@d" } end,
        "document.User: the field 'email' is given twice" },
    }
    for _, case in ipairs(cases) do assert.matches(case[2], raised(case[1]), 1, true) end
  end)

  it("ignores metatables of the tables that it takes", function()
    local function never() error "called" end
    local mt = { __index = never, __newindex = never, __pairs = never, __len = never,
      __metatable = 1 }
    local user = User(setmetatable({ name = "x", tags = setmetatable({ "y" }, mt),
      address = setmetatable({ city = "z" }, mt) }, mt))
    assert.is_true(user:is_valid { "email" })
    assert.same({ name = "x", tags = { "y" }, address = { city = "z", _cls = "document.Address" },
      nick = "none", _cls = "document.User" }, user:to_son())
  end)

  it("converts nothing yet, and reads what it was given", function()
    local prints = setmetatable({}, { __tostring = function() return "later" end })
    local user = User { name = prints, age = "5", tags = { 1 } }
    assert.equal("later", user.name)
    assert.equal(5, user.age)
    assert.same({ "1" }, user.tags)
  end)
end)

describe("reading and assigning", function()
  it("raises for what is no field, at the line that does it", function()
    for _, doc in ipairs { Note {}, Called {} } do
      local name = tostring(core.model_of(doc))
      assert.equal(name .. " has no field 'nme'", raised(function() return doc.nme end))
      assert.equal(name .. " has no field 'nme'", raised(function() doc.nme = 1 end))
      assert.equal(name .. " has no field 'save'", raised(function() doc.save = 1 end))
      assert.equal(name .. ": field names are strings, got a number",
        raised(function() return doc[1] end))
      assert.equal(name .. ": field names are strings, got a boolean",
        raised(function() doc[true] = 1 end))
    end
  end)

  it("keeps a value that cannot be converted, which can be read and replaced", function()
    local user = User { age = "old", tags = 5 }
    assert.equal("old", user.age)
    assert.equal(5, user.tags)
    assert.is_false(user:is_valid())
    assert.equal("old", user.age)
    assert.same({ years = "old", tags = 5, nick = "none", _cls = "document.User" }, user:to_son())
    user.age = "7"
    assert.equal(7, user.age)
  end)

  it("gives the same list, dict or document each time, so that changes stay", function()
    local user = User { tags = { "a" }, address = { city = "Bonn" } }
    user.tags[2] = "b"
    user.address.city = "Köln"
    user.data.x = 1
    assert.same({ tags = { "a", "b" }, address = { city = "Köln", _cls = "document.Address" },
      data = { x = 1 }, _cls = "document.User" }, user:to_son())
  end)

  it("knows nil from null", function()
    local user = User { name = modm.null, age = 5 }
    assert.is_nil(user.name)
    user.age = nil
    assert.is_nil(user.age)
    assert.same({ name = modm.null, _cls = "document.User" }, user:to_son())
  end)

  it("hands out defaults, which count once they are something", function()
    local user = User {}
    assert.equal("none", user.nick)
    assert.equal("none", user:to_son().nick)
    user.nick = nil
    assert.equal("none", user.nick)
    local calls = 0
    local Model = modm.MongoModel:extend("document.Blank", {
      empty = f.CharField { default = function() calls = calls + 1 return "" end },
      none = f.CharField { default = function() calls = calls + 1 end },
    })
    local doc = Model {}
    assert.equal("", doc.empty)
    assert.equal("", doc.empty)
    assert.is_nil(doc.none)
    assert.is_nil(doc.none)
    assert.equal(2, calls)
    assert.is_true(doc:is_valid())
    assert.same({ _cls = "document.Blank" }, doc:to_son())
    assert.equal(2, calls)
    assert.is_true(Model {}:is_valid())
    assert.equal(4, calls)
  end)

  it("passes on what a default raises, and leaves the document as it was", function()
    local Model = modm.MongoModel:extend("document.Throws", {
      a = f.CharField { default = function() error("no default today", 0) end }, b = f.CharField {},
    })
    local doc = Model { b = "x" }
    for _ = 1, 2 do
      assert.error_matches(function() return doc.a end, "no default today")
      assert.error_matches(function() doc:full_clean() end, "no default today")
      assert.same({ b = "x", _cls = "document.Throws" }, doc:to_son())
    end
  end)
end)

describe("documents", function()
  it("are equal by model and key", function()
    local a, b = User { email = "a@b", name = "x" }, User { email = "a@b" }
    assert.is_true(a == b)
    assert.is_false(a == User { email = "c@d" })
    assert.is_true(a == a)
    assert.is_false(User {} == User {})
    local key = "0123456789abcdef01234567"
    assert.is_false(Note { pk = key } == User { email = key })
    assert.is_true(Note { pk = "0123456789abcdef01234567" }
      == Note { pk = modm.ObjectId "0123456789abcdef01234567" })
    local Sub = User:extend("document.SubUser", {})
    assert.is_true(a == Sub { email = "a@b" })
    assert.is_false(a == "a@b")
  end)

  it("that are embedded are equal by what they hold", function()
    assert.is_true(Address { city = "x", zip = 1 } == Address { zip = "1", city = "x" })
    assert.is_false(Address { city = "x" } == Address { city = "y" })
    assert.is_false(Address { city = "x" } == Address { city = "x", zip = 1 })
    assert.is_true(Address {} == Address {})
    assert.is_false(Address { city = print } == Address { city = print })
    assert.is_false(Address {} == Note {})
  end)

  it("print the fields that are set", function()
    assert.equal("document.Note()", tostring(Note {}))
    assert.equal(
      "document.User(email='a@b', age=5, tags=a table, address=document.Address(...), nick='x')",
      tostring(User { nick = "x", email = "a@b", age = 5, tags = { 1 }, address = Address {} }))
    assert.equal("document.User(name=null, age='old')",
      tostring(User { name = modm.null, age = "old" }))
    assert.matches("^document.Note%(title='x+%.%.%.'%)$",
      tostring(Note { title = ("x"):rep(1000) }))
    assert.equal("document.Note(title=a string that is not UTF-8)",
      tostring(Note { title = "\255" }))
    assert.equal("document.Note(title=a function)", tostring(Note { title = print }))
    local user = User {}
    user.data.x = 1
    assert.equal("document.User(data=a table)", tostring(user))
  end)

  it("iterate over the fields that are set, in order", function()
    local user = User { nick = "n", age = "5", email = "a@b" }
    local seen = {}
    for name, value in user:pairs() do seen[#seen + 1] = name .. "=" .. tostring(value) end
    assert.same({ "email=a@b", "age=5", "nick=n" }, seen)
    user.tags[1] = "x"
    seen = {}
    for name in user:pairs() do seen[#seen + 1] = name end
    assert.same({ "email", "age", "tags", "nick" }, seen)
    for _ in Note {}:pairs() do error "nothing is set" end
    assert.error_matches(function() core.document_next(user, "nme") end, "has no field 'nme'")
  end)

  it("become tables under stored names, and documents again", function()
    local user = User { email = "a@b", age = "5", address = { z = "1" }, tags = { 2 } }
    local son = assert(user:to_son())
    assert.same({ _id = "a@b", years = 5, address = { z = 1, _cls = "document.Address" },
      tags = { "2" },
      _cls = "document.User" }, son)
    local copy = User:from_document(son)
    assert.is_true(copy == user)
    assert.same(son, copy:to_son())
    assert.equal(1, copy.address.zip)
  end)

  it("are refused as tables where names are not stored", function()
    assert.equal("document.User: there is no field stored as 'age'",
      raised(function() local _ = User:from_document { age = 5 } end))
    assert.equal("document.User: a document's table has a key of type number",
      raised(function() local _ = User:from_document { 5 } end))
    assert.equal("document.User: from_document takes a table, not a string",
      raised(function() local _ = User:from_document "x" end))
    assert.matches("from_document is called on a model, with a colon",
      raised(function() local _ = User.from_document { name = "x" } end), 1, true)
  end)

  it("say why they have no stored form", function()
    local user = User { data = { a = { 1, print } } }
    local son, message, err = user:to_son()
    assert.is_nil(son)
    assert.equal("document.User.data.a.2: a function cannot be stored", message)
    assert.equal("ValidationError", err.kind)
  end)

  it("refuse bytes that are none", function()
    local schema = core.schema_of(Note {})
    for _, bytes in ipairs { "", "\5", "\5\0\0\0\1", "\6\0\0\0\0",
      core.encode { title = "x" } .. "x" } do
      assert.error(function() core.from_bytes(schema, bytes) end)
    end
    local bytes = core.encode { title = "x" }
    for i = 1, #bytes - 1 do assert.error(function() core.from_bytes(schema,
      bytes:sub(1, i)) end) end
  end)

  it("with fields that nobody declared are refused, or keep them", function()
    local bytes = core.encode(core.ordered { { "title", "x" }, { "more", { 1 } },
      { "_cls", "document.Note" } })
    assert.error_matches(function() core.from_bytes(core.schema_of(Note {}), bytes) end,
      "document.Note: a stored document has the field 'more', which the model does not declare")
    local Loose = modm.MongoModel:extend("document.Loose", {
      title = f.CharField {}, Meta = { ignore_unknown_fields = true },
    })
    bytes = core.encode(core.ordered { { "title", "x" }, { "more", { 1 } },
      { "_cls", "document.Loose" } })
    local doc = core.from_bytes(core.schema_of(Loose {}), bytes)
    doc.title = "y"
    assert.is_true(doc:is_valid())
    local after = core.encode_document(doc)
    assert.same({ 1 }, core.decode(after).more)
    assert.same({ ["$set"] = { title = "y" } }, core.diff(core.schema_of(doc), bytes, after))
    assert.equal("x", Loose:from_document { title = "x", more = 5 }.title)
  end)
end)

describe("methods and metamethods", function()
  local strange = { 42, "x", true, {}, print, io.stdout, coroutine.create(print), modm.ObjectId(),
    modm.null, modm.Int64(5), core.schema_of(Note {}) }

  it("refuse to work on anything else, at the line that calls them", function()
    local names = { "full_clean", "is_valid", "to_son", "id_of", "pairs", "save", "delete",
      "refresh_from_db",
      "dereference" }
    for _, name in ipairs(names) do
      for _, value in ipairs(strange) do
        local message = raised(function()
          local result = User[name](value)
          return result
        end)
        assert.matches(name .. " is called on a document, with a colon, not on a " .. type(value),
          message, 1, true)
      end
      assert.error(function() User[name]() end)
    end
    assert.matches("an embedded document has no save",
      raised(function() local ok = modm.MongoModel.save(Address {}) return ok end), 1, true)
    assert.error_matches(function() return Address {}:save() end, "has no field 'save'")
  end)

  it("of the metatable survive wrong arguments", function()
    for _, Model in ipairs { User, Called } do
      local mt = debug.getmetatable(Model {})
      for _, name in ipairs { "__index", "__newindex", "__tostring" } do
        assert.error(function() mt[name]() end)
        for _, value in ipairs(strange) do
          assert.error(function() mt[name](value, "title", 1) end)
          assert.error(function() mt[name](value) end)
        end
      end
      assert.is_false(mt.__eq())
      for _, value in ipairs(strange) do
        assert.is_false(mt.__eq(value, Model {}))
        assert.is_false(mt.__eq(Model {}, value))
        assert.is_false(mt.__eq(value, value))
      end
      assert.error(function() mt.__index(Model {}) end)
      assert.error(function() mt.__newindex(Model {}) end)
      pcall(mt.__index, Note {}, "email") -- another model's document: anything but a crash
      pcall(mt.__newindex, Note {}, "nick", 5)
      assert.is_string(tostring(Note {}))
    end
  end)

  it("hide the metatable", function()
    assert.equal("modm.Document", getmetatable(Note {}))
    assert.error(function() setmetatable(Note {}, {}) end)
  end)

  it("of the core refuse other values", function()
    local functions = { "validate", "convert", "default", "set_default", "encode_document", "key",
      "id_of",
      "schema_of", "document_next", "refresh", "from_bytes", "from_table",
        "constructor", "diff",
      "document_class", "schema_clean" }
    for _, name in ipairs(functions) do
      assert.is_function(core[name])
      for _, value in ipairs(strange) do
        if name ~= "schema_clean" or type(value) ~= "userdata" then
          if value ~= strange[#strange] then assert.error(function() core[name](value, "x",
            "x") end) end
        end
      end
      assert.error(function() core[name]() end)
    end
    assert.is_nil(core.model_of(42))
  end)

  it("check their own arguments", function()
    local user = User { email = "a@b" }
    assert.matches("save has no option 'force'",
      raised(function() local ok = user:save { force = true } return ok end),
      1, true)
    assert.matches("option 'cascade' must be a boolean",
      raised(function() local ok = user:save { cascade = 1 } return ok end), 1, true)
    assert.matches("a list of field names expected",
      raised(function() local ok = user:full_clean "name" return ok end), 1, true)
    assert.matches("a list of field names expected",
      raised(function() local ok = user:is_valid "name" return ok end), 1, true)
    assert.matches("is no reference", raised(function() local _ = user:id_of "name" end), 1, true)
  end)
end)
