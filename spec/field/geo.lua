-- What the specs of GeoJSON share: the same cases for each kind of geometry.
local assert = require "luassert"
local core = require "modm.core"
local modm = require "modm"

local unpack = table.unpack or unpack -- luacheck: ignore 113

local geo = {}

--- { type =, coordinates = }
function geo.json(kind, coordinates) return { type = kind, coordinates = coordinates } end

-- The first key of the document that is stored in the field.
local function first_key(doc)
  local bytes = core.encode_document(doc)
  return bytes:match("^%z*([^%z]+)", bytes:find("\3value\0", 1, true) + 7 + 5)
end

-- What holds for all: `list` and `other` are bare values, `member` the name of where they go.
local function common(it, help, kind, member, list, other)
  local name = kind .. "Field"
  local make = modm.fields[name]
  local whole, second = { type = kind, [member] = list }, { type = kind, [member] = other }

  help.accepts(make, {
    { list, whole, "document" }, { modm.array { unpack(list) }, whole, "document" },
    { whole, whole, "document" },
    { modm.object { type = kind, [member] = list }, whole, "document" },
    { { type = kind, [member] = list, crs = { a = 1 }, bbox = { 0, 0, 1, 1 } },
      { type = kind, [member] = list, crs = { a = 1 }, bbox = { 0, 0, 1, 1 } }, "document" },
  })
  help.common(name, nil, whole, second, true)

  it("writes the type first", function()
    for _, value in ipairs { list, whole } do
      local doc = help.document(make(), value)
      assert.is_nil(help.errors(doc))
      assert.equal("type", first_key(doc))
    end
  end)

  it("gives back the same bytes when it was read", function()
    local bytes = core.encode { value = core.ordered { { member, list }, { "type", kind } } }
    local doc = core.from_bytes(core.schema_of(help.model(make {}) {}), bytes)
    assert.equal(kind, doc.value.type)
    assert.is_nil(help.errors(doc))
    assert.equal(bytes, core.encode_document(doc))
    local stored = help.loaded(make {}, core.ordered { { "type", kind }, { member, list } })
    assert.is_nil(help.errors(stored))
    assert.same(whole, stored.value)
  end)

  it("may be an empty table only when it may be blank", function()
    assert.same({ "must not be blank (was: a table)." }, help.errors(help.document(make(), {})))
    assert.is_nil(help.errors(help.document(make { blank = true }, {})))
  end)

  it("sees what changes in place", function()
    local doc = help.document(make(), whole)
    doc.value.type = "Nothing"
    assert.same({ "GeoJSON type must be '" .. kind .. "', not 'Nothing'" }, help.errors(doc))
    doc.value.type = kind
    assert.is_nil(help.errors(doc))
  end)

  it("reads what is stored of another kind, and refuses it", function()
    for _, stored in ipairs { "here", 5, geo.json("Circle", { 1, 2 }), { type = kind } } do
      local doc = help.loaded(make {}, stored)
      assert.same(stored, doc.value)
      assert.truthy(help.errors(doc))
      assert.truthy(help.errors(help.loaded(make {}, stored)))
    end
  end)
end

-- Values that no kind takes.
local function common_refusals(kind, member, expected)
  local function wrong_type(text)
    return ("GeoJSON type must be '%s', not %s"):format(kind, text)
  end
  return {
    { "", "must not be blank (was: '')." },
    { modm.null, "must not be blank (was: null)." },
    { "here", "not " .. expected .. ": 'here'" },
    { 5, "not " .. expected .. ": 5" },
    { true, "not " .. expected .. ": true" },
    { print, "not " .. expected .. ": a function" },
    { { coordinates = { 1, 2 } }, wrong_type "nil" },
    { { type = 5, coordinates = { 1, 2 } }, wrong_type "5" },
    { { type = "Circle", coordinates = { 1, 2 } }, wrong_type "'Circle'" },
    { { type = kind .. "\0", coordinates = { 1, 2 } }, wrong_type "a string that holds NUL" },
    { { type = kind }, kind .. " is not a list: a nil" },
    { { type = kind, [member] = "x" }, kind .. " is not a list: a string" },
    { { type = kind, [member] = { x = 1 } }, kind .. " is not a list: it has the key 'x'" },
  }
end

--- All of one kind: cases are { bare value, message } that its own shape refuses.
function geo.describe(it, kind, list, other, cases, member)
  local help = require "spec.field.help" (it)
  member = member or "coordinates"
  common(it, help, kind, member, list, other)
  local expected = member == "geometries" and "GeoJSON or a list of it"
    or "GeoJSON or a list of coordinates"
  help.refuses(modm.fields[kind .. "Field"], common_refusals(kind, member, expected))
  help.refusals(kind .. "Field", cases, function(value, messages)
    local whole = { type = kind, [member] = value }
    messages = type(messages) == "table" and messages or { messages }
    assert.same(messages, help.errors(help.document(modm.fields[kind .. "Field"](), whole)))
    local stored = help.loaded(modm.fields[kind .. "Field"] {},
      core.ordered { { "type", kind }, { member, value } })
    assert.truthy(help.errors(stored))
  end)
end

return geo
