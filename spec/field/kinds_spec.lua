-- The table of kinds: each row has its spec, its stub and its line in the docs, and complete texts.
local core = require "modm.core"
local help = require "spec.field.help"
local modm = require "modm"

local function contents(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

local function spec_of(row)
  local name = row.name:gsub("Field$", ""):gsub("(%l)(%u)", "%1_%2"):lower()
  return "spec/field/" .. name .. "_spec.lua"
end

-- Counts the refusals that the specs of the kinds have, without running any.
local function count_refusals()
  local function ignored() end
  local busted = { describe = function(_, fn) fn() end, it = ignored, setup = ignored,
    teardown = ignored, before_each = ignored, after_each = ignored }
  help(ignored).refused = {}
  for _, row in ipairs(core.kinds()) do
    local run = assert(loadfile(spec_of(row), "t", setmetatable(busted, { __index = _G })))
    run()
  end
  return help(it).refused
end

describe("the table of kinds", function()
  local stubs, docs = contents "types/library/modm/fields.lua", contents "docs/fields.md"

  for _, row in ipairs(core.kinds()) do
    it("has all that belongs to " .. row.name, function()
      local spec = contents(spec_of(row))
      assert.truthy(spec, "no " .. spec_of(row))
      assert.matches('describe("' .. row.name, spec, 1, true)
      assert.matches(row.name, stubs, 1, true)
      assert.matches("`" .. row.name .. "`", docs, 1, true)
      assert.is_function(modm.fields[row.name])
      for _, text in ipairs { row.value, row.accepts, row.stored } do assert.is_true(#text > 0) end
      for _, option in ipairs(row.options) do
        assert.is_true(#option.name > 0 and #option.type > 0 and #option.doc > 0)
      end
      if row.older_name then assert.equal(modm.fields[row.name], modm.fields[row.older_name]) end
    end)
  end

  it("has ten refusals at least for each kind", function()
    local counted = count_refusals()
    for _, row in ipairs(core.kinds()) do
      local n = counted[row.name] or 0
      assert.is_true(n >= 10, ("%s: %d refusals"):format(row.name, n))
    end
  end)
end)
