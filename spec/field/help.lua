-- What the specs of fields share: models of one field, what is stored of it, and tables of cases.
-- A spec hands over busted's `it`: local help = require "spec.field.help" (it)
local assert = require "luassert"
local core = require "modm.core"
local modm = require "modm"

local help = {}
local it

local types = {
  [1] = "double", [2] = "string", [3] = "document", [4] = "array", [5] = "binary", [7] = "ObjectId",
  [8] = "bool", [9] = "date", [10] = "null", [11] = "regex", [13] = "code",
  [15] = "code with scope", [16] = "int32", [17] = "timestamp", [18] = "int64",
  [19] = "decimal128",
}

local count = 0

--- A model whose only field, but the key, is `value`.
function help.model(field)
  count = count + 1
  return modm.MongoModel:extend("field.Model" .. count, { value = field, Meta = { final = true } })
end

--- A document with that field, holding the value; nil leaves it undefined.
function help.document(field, value)
  local doc = help.model(field) {}
  doc.value = value
  return doc
end

--- The BSON type of the field in the document's encoding, and its value read without a model; nil
--- when it is not stored.
function help.stored(doc)
  local bytes = assert(core.encode_document(doc))
  return types[bytes:byte(5)], core.decode(bytes).value
end

--- A document that the server might have sent, with a value of any kind in the field.
function help.loaded(field, value)
  local schema = core.schema_of(help.model(field) {})
  return core.from_bytes(schema, core.encode { value = value })
end

--- What validation says about the field: its messages, or nil.
function help.errors(doc)
  local ok, _, err = doc:full_clean()
  return not ok and err.errors.value or nil
end

local function text(value)
  local kind = type(value)
  if kind == "string" then return ("%q"):format(value:sub(1, 40)) end
  return (kind == "number" or kind == "boolean") and tostring(value) or core.type(value)
    or "a " .. kind
end

--- One `it` for each { input, what is read, BSON type, what is stored if it reads otherwise }.
function help.accepts(make, cases)
  for i, case in ipairs(cases) do
    local input, expected, bson, stored = case[1], case[2], case[3], case[4]
    it(("takes %s (%d)"):format(text(input), i), function()
      local doc = help.document(make(), input)
      assert.same(expected, doc.value)
      assert.is_nil(help.errors(doc))
      assert.same(expected, doc.value)
      if stored == nil then stored = expected end
      local found, value = help.stored(doc)
      assert.equal(bson, found)
      assert.same(stored, value)
      local unread = help.document(make(), input) -- validated without a look before
      assert.is_nil(help.errors(unread))
      assert.same({ bson, stored }, { help.stored(unread) })
    end)
  end
end

--- Kind -> how many refusals its specs have; kinds_spec.lua wants ten at least.
help.refused = {}

--- One `it` for each { input, message, ... } that a kind refuses; `look` is given what the case
--- holds.
function help.refusals(kind, cases, look)
  help.refused[kind] = (help.refused[kind] or 0) + #cases
  for i, case in ipairs(cases) do
    it(("refuses %s (%d)"):format(text(case[1]), i), function() look(case[1], case[2]) end)
  end
end

--- Values that a field refuses, each with its message; the value stays and can be read.
function help.refuses(make, cases)
  help.refusals(make().kind, cases, function(input, message)
    local doc = help.document(make(), input)
    assert.same({ message }, help.errors(doc))
    assert.equal(input == modm.null, doc.value == nil)
    assert.same({ message }, help.errors(doc))
  end)
end

--- The rules that all kinds have. `valid` and `other` are values of the field, `blank` whether it
--- takes blank ones unasked. Fields of tables read as {} while undefined, unless `plain` is true.
function help.common(name, first, valid, other, plain)
  local fields = modm.fields
  local container = type(valid) == "table" and not plain
  local function make(options)
    options = options or {}
    options[1] = first
    return fields[name](options)
  end

  it("is not stored while it is undefined, and then reads as " .. (container and "{}" or "nil"),
    function()
    local doc = help.document(make())
    assert.same(container and {} or nil, doc.value)
    assert.is_nil(help.errors(doc))
    assert.is_nil((help.stored(doc)))
  end)

  it("may be required", function()
    assert.same({ "field is required." }, help.errors(help.document(make { required = true })))
    assert.is_nil(help.errors(help.document(make { required = true }, valid)))
    assert.is_nil(help.errors(help.document(make { required = true, blank = true }, modm.null)))
  end)

  it("stores null when that is allowed", function()
    local doc = help.document(make { blank = true }, modm.null)
    assert.is_nil(help.errors(doc))
    assert.is_nil(doc.value)
    assert.equal("null", (help.stored(doc)))
    doc = help.document(make { blank = false }, modm.null)
    assert.same({ "must not be blank (was: null)." }, help.errors(doc))
  end)

  it("has a default, that is stored when the document was validated or read", function()
    local doc = help.document(make { default = valid })
    assert.is_nil(help.errors(doc))
    assert.truthy((help.stored(doc)))
    local read = help.document(make { default = valid })
    assert.same(doc.value, read.value)
    assert.truthy((help.stored(read)))
    assert.is_nil(help.errors(help.document(make { default = valid, required = true })))
  end)

  it("calls a function for its default, once a document", function()
    local calls = 0
    local Model = help.model(make { default = function()
      calls = calls + 1
      return valid
    end })
    local doc = Model {}
    local value = doc.value
    assert.equal(value, doc.value)
    assert.is_nil(help.errors(doc))
    assert.equal(1, calls)
    assert.truthy((help.stored(doc)))
    assert.is_nil(help.errors(Model {}))
    assert.equal(2, calls)
  end)

  it("is limited by choices, flat or with labels", function()
    for _, choices in ipairs { { valid }, { { valid, "label" } } } do
      local converted = help.document(make(), valid).value
      if type(valid) == "table" then break end -- their equality is that of tables
      choices = type(choices[1]) == "table" and { { converted, "label" } } or { converted }
      assert.is_nil(help.errors(help.document(make { choices = choices }, valid)))
      local found = help.errors(help.document(make { choices = choices }, other))
      assert.equal(1, #found)
      assert.matches("is not a choice. Choices are [", found[1], 1, true)
    end
  end)

  it("runs its validators in order and tells all that they say", function()
    local seen = {}
    local validators = {
      function(value) seen[#seen + 1] = value error("first", 0) end,
      function() return nil, "second" end,
      function() return false end,
      function() return true end,
      function() end,
    }
    local doc = help.document(make { validators = validators }, valid)
    assert.same({ "first", "second", "is not valid" }, help.errors(doc))
    assert.same({ doc.value }, seen)
  end)

  it("runs no validator on what is undefined or blank", function()
    local function never() error "called" end
    local field = make { validators = { never }, blank = true }
    assert.is_nil(help.errors(help.document(field)))
    assert.is_nil(help.errors(help.document(field, modm.null)))
  end)

  it("becomes undefined when nil is assigned", function()
    local doc = help.document(make(), valid)
    doc.value = nil
    assert.is_nil((help.stored(doc)))
    assert.same(container and {} or nil, doc.value)
  end)

  help.bad_options(name, first)
end

--- Options that every kind refuses, at the line that gives them.
function help.bad_options(name, first)
  local cases = {
    { { colour = "red" }, name .. " has no option 'colour'" },
    { { required = 1 }, "option 'required' must be" },
    { { blank = "no" }, "option 'blank' must be" },
    { { primary_key = "yes" }, "option 'primary_key' must be" },
    { { mongo_name = 5 }, "option 'mongo_name' must be" },
    { { verbose_name = true }, "option 'verbose_name' must be" },
    { { choices = "a" }, "option 'choices' must be" },
    { { choices = { a = "b" } }, "option 'choices' must be" },
    { { validators = print }, "option 'validators' must be" },
    { { validators = { "x" } }, "option 'validators' must be" },
    { { validators = { x = print } }, "option 'validators' must be" },
    { { [7] = "x" }, name .. " has no option '7'" },
  }
  it("refuses options that are unknown or of a wrong type, where they are given", function()
    for _, case in ipairs(cases) do
      case[1][1] = case[1][1] or first
      local ok, err = pcall(function() modm.fields[name](case[1]) end)
      assert.is_false(ok)
      assert.matches("^%S*spec/field/help.lua:%d+: ", err)
      assert.matches(case[2], err, 1, true)
    end
    assert.error_matches(function() modm.fields[name] "x" end, "takes a table of options")
    assert.error_matches(function() modm.fields[name](modm.fields[name] { first }) end,
      "takes a table of options")
  end)
end

return function(its)
  it = its
  return help
end
