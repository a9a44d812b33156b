-- Validation of whole documents: the tree of errors, its text, exclude, validators, clean.
local modm = require "modm"

local f = modm.fields

local function positive(n) return n > 0, "must be positive" end

local Line = modm.EmbeddedMongoModel:extend("validation.Line", {
  text = f.CharField { required = true, mongo_name = "t" },
  count = f.IntegerField { validators = { positive } },
  clean = function(self)
    if self.text == "bad" then error("a bad line", 0) end
  end,
})
local Page = modm.EmbeddedMongoModel:extend("validation.Page", {
  title = f.CharField { max_length = 3 },
  lines = f.EmbeddedModelListField { Line },
  main = f.EmbeddedModelField { Line },
})
local Book = modm.MongoModel:extend("validation.Book", {
  name = f.CharField { required = true },
  pages = f.EmbeddedModelListField { Page },
  grid = f.ListField { f.ListField { f.IntegerField { validators = { positive } } } },
})

-- The tree, the text and the error of an invalid document.
local function invalid(doc, exclude)
  local ok, message, err = doc:full_clean(exclude)
  assert.is_nil(ok)
  assert.equal("ValidationError", err.kind)
  assert.equal(message, err.message)
  assert.is_false(doc:is_valid(exclude))
  return err.errors, message, err
end

describe("the tree of errors", function()
  it("mirrors the document, with positions in lists, and has all errors", function()
    local book = Book { pages = {
      { title = "one", lines = { { t = "x" }, { count = 0 }, { t = "y", count = -1 } } },
      { title = "four", main = { t = "bad" } },
      "x",
    }, grid = { { 1, -2 }, { "x", 3 } } }
    local tree, message = invalid(book)
    assert.same({
      name = { "field is required." },
      pages = {
        { lines = { [2] = { text = { "field is required." }, count = { "must be positive" } },
          [3] = { count = { "must be positive" } } } },
        { title = { "value exceeds the maximum length of 3." }, main = { "a bad line" } },
        { "value must be an instance of validation.Page." },
      },
      grid = { { [2] = { "must be positive" } }, { { "not an integer of 64 bits: 'x'" } } },
    }, tree)
    assert.equal(table.concat({
      "validation.Book.grid.1.2: must be positive",
      "validation.Book.grid.2.1: not an integer of 64 bits: 'x'",
      "validation.Book.name: field is required.",
      "validation.Book.pages.1.lines.2.count: must be positive",
      "validation.Book.pages.1.lines.2.text: field is required.",
      "validation.Book.pages.1.lines.3.count: must be positive",
      "validation.Book.pages.2.main: a bad line",
      "validation.Book.pages.2.title: value exceeds the maximum length of 3.",
      "validation.Book.pages.3: value must be an instance of validation.Page.",
    }, "; "), message)
  end)

  it("has the form of README for one error", function()
    local User = modm.MongoModel:extend("User", { email = f.EmailField { primary_key = true } })
    local _, message, err = invalid(User { email = "nobody" })
    assert.equal("User.email: not a valid e-mail address", message)
    assert.equal("not a valid e-mail address", err.errors.email[1])
    assert.equal("User", err.model)
    assert.equal(message, tostring(err))
  end)

  it("leaves out what is excluded", function()
    local book = Book { grid = { { -1 } } }
    assert.same({ "field is required." }, invalid(book, { "grid" }).name)
    assert.is_nil(invalid(book, { "grid", "nobody" }).grid)
    assert.is_true(book:full_clean { "grid", "name" })
    assert.is_true(book:is_valid { "grid", "name" })
  end)

  it("tells undefined, null and empty apart", function()
    local Model = modm.MongoModel:extend("validation.Blank", {
      a = f.CharField {}, b = f.CharField { blank = true }, c = f.CharField { required = true },
      d = f.CharField { required = true, blank = true },
    })
    assert.same({ c = { "field is required." }, d = { "field is required." } }, invalid(Model {}))
    assert.same({ a = { "must not be blank (was: '')." },
      c = { "must not be blank (was: null)." } },
      invalid(Model { a = "", b = "", c = modm.null, d = "" }))
    assert.is_true(Model { b = modm.null, c = "x", d = modm.null }:full_clean())
  end)
end)

describe("validators", function()
  local function check(validator, value)
    local Model = modm.MongoModel:extend("validation.Check",
      { a = f.CharField { validators = { validator } } })
    local ok, _, err = Model { a = value or "x" }:full_clean()
    return ok or err.errors.a
  end

  it("fail by raising, or by returning false or nil and a message", function()
    assert.same({ "no" }, check(function() error("no", 0) end))
    assert.same({ "no" }, check(function() error "no" end)) -- without the position
    assert.same({ "no" }, check(function() return nil, "no" end))
    assert.same({ "no" }, check(function() return false, "no" end))
    assert.same({ "is not valid" }, check(function() return false end))
    assert.same({ "5" }, check(function() return nil, 5 end))
    assert.same({ "is not valid" }, check(function() error() end))
    assert.same({ "is not valid" }, check(function()
      error(setmetatable({}, { __tostring = function() error "no text" end }))
    end))
    assert.same({ "is not valid" }, check(function()
      return nil, setmetatable({}, { __tostring = function() return {} end })
    end))
    assert.same({ "its own text" }, check(function()
      error(setmetatable({}, { __tostring = function() return "its own text" end }))
    end))
    assert.is_true(check(function() end))
    assert.is_true(check(function() return true, "ignored" end))
    assert.is_true(check(function() return "anything" end))
  end)

  it("get the converted value, and speak before what is built in", function()
    local seen
    local Model = modm.MongoModel:extend("validation.Order", {
      n = f.IntegerField { max_value = 1, validators = { function(n) seen = n return nil,
        "mine" end } },
    })
    assert.same({ n = { "mine", "5 is greater than maximum value of 1." } },
      invalid(Model { n = "5" }))
    assert.equal(5, seen)
  end)

  it("are not asked about what is no choice or cannot be converted", function()
    local function never() error "called" end
    local Model = modm.MongoModel:extend("validation.Never", {
      a = f.CharField { choices = { "a" }, validators = { never } },
      n = f.IntegerField { validators = { never } },
    })
    assert.same({ a = { "'b' is not a choice. Choices are ['a']." },
      n = { "not an integer of 64 bits: 'x'" } },
      invalid(Model { a = "b", n = "x" }))
  end)

  it("see stored values, too", function()
    local core = require "modm.core"
    local Model = modm.MongoModel:extend("validation.Stored",
      { n = f.IntegerField { validators = { positive } } })
    local doc = core.from_bytes(core.schema_of(Model {}), core.encode { n = -1 })
    assert.same({ n = { "must be positive" } }, invalid(doc))
  end)
end)

describe("choices", function()
  it("may be values of any kind, with labels or without", function()
    local id = modm.ObjectId "0123456789abcdef01234567"
    local cases = {
      { f.IntegerField { choices = { 1, 2 } }, "2", 3, "3 is not a choice. Choices are [1, 2]." },
      { f.IntegerField { choices = { { 1, "one" }, { 2, "two" } } }, 2.0, 3,
        "3 is not a choice. Choices are [1, 2]." },
      { f.CharField { choices = { "a", "b" } }, "a", "c",
        "'c' is not a choice. Choices are ['a', 'b']." },
      { f.ObjectIdField { choices = { id } }, tostring(id),
        modm.ObjectId "ffffffffffffffffffffffff",
        "ffffffffffffffffffffffff is not a choice. Choices are [0123456789abcdef01234567]." },
      { f.DateTimeField { choices = { modm.DateTime(0) } }, 0, 1,
        "1970-01-01T00:00:01.000Z is not a choice. Choices are [1970-01-01T00:00:00.000Z]." },
      { f.CharField { choices = { print, {}, { {} }, modm.null } }, nil, "x",
        "'x' is not a choice. Choices are [a function, a nil, a table, null]." },
    }
    for _, case in ipairs(cases) do
      local Model = modm.MongoModel:extend("validation.Choice", { a = case[1] })
      assert.is_true(Model { a = case[2] }:full_clean())
      assert.same({ a = { case[4] } }, invalid(Model { a = case[3] }))
    end
    local Model = modm.MongoModel:extend("validation.Choice", { a = f.CharField { choices = {} } })
    assert.is_true(Model { a = "anything" }:full_clean())
  end)
end)

describe("clean", function()
  local function model_with(clean)
    return modm.MongoModel:extend("validation.Clean", {
      a = f.CharField { max_length = 3 }, n = f.IntegerField {},
        line = f.EmbeddedModelField { Line }, clean = clean,
    })
  end

  it("fails with a text, a message or a tree", function()
    local cases = {
      { function() error("no", 0) end, { clean = { "no" } } },
      { function() error "no" end, { clean = { "no" } } },
      { function() return nil, "no" end, { clean = { "no" } } },
      { function() return false end, { clean = { "is not valid" } } },
      { function() error(modm.ValidationError { a = "no", n = { "x", "y" } }) end,
        { a = { "no" }, n = { "x", "y" } } },
      { function() error(modm.ValidationError { line = { text = "no" } }) end,
        { line = { text = { "no" } } } },
      { function() error(modm.ValidationError "no") end, { clean = { "no" } } },
    }
    for _, case in ipairs(cases) do
      assert.same(case[2], (invalid(model_with(case[1]) {})))
    end
    assert.is_true(model_with(function() return true end) {}:full_clean())
    assert.is_true(model_with(function() end) {}:full_clean())
  end)

  it("runs only when the fields are fine, embedded documents first", function()
    local seen = {}
    local Model = model_with(function() seen[#seen + 1] = "document" end)
    assert.same({ a = { "value exceeds the maximum length of 3." } },
      (invalid(Model { a = "long" })))
    assert.same({ line = { "a bad line" } }, (invalid(Model { line = { t = "bad" } })))
    assert.same({ line = { count = { "must be positive" } } },
      (invalid(Model { line = { t = "bad", count = 0 } })))
    assert.same({}, seen)
    assert.is_true(Model { line = { t = "x" } }:is_valid())
    assert.same({ "document" }, seen)
  end)

  it("may assign, and what it assigns is converted", function()
    local Model = model_with(function(self) self.n = "5" end)
    local doc = Model {}
    assert.is_true(doc:full_clean())
    assert.same({ n = 5, _cls = "validation.Clean" }, doc:to_son())
  end)

  it("is inherited, overridden, and may be added later", function()
    local Base = model_with(function() error("base", 0) end)
    local Same = Base:extend("validation.Same", {})
    local Other = Base:extend("validation.Other", { clean = function() error("other", 0) end })
    assert.same({ clean = { "base" } }, (invalid(Same {})))
    assert.same({ clean = { "other" } }, (invalid(Other {})))
    local Late = model_with(nil)
    local Sub = Late:extend("validation.Late", {})
    assert.is_true(Sub {}:is_valid())
    function Late.clean() error("late", 0) end
    assert.same({ clean = { "late" } }, (invalid(Late {})))
    assert.same({ clean = { "late" } }, (invalid(Sub {})))
  end)
end)

describe("a document whose validation throws", function()
  it("stays as it was", function()
    local throws = setmetatable({ 1 }, { __tostring = function() error("no text", 0) end })
    local book = Book { name = throws, grid = { { "1" } } }
    for _ = 1, 2 do
      assert.same({ name = { "its __tostring failed: no text" } }, (invalid(book)))
      assert.equal(throws, book.name)
      assert.same({ { 1 } }, book.grid)
    end
  end)
end)
