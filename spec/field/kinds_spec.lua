-- The table of kinds: each row has its spec, its stub and its line in the docs, and complete texts.
local core = require "modm.core"
local modm = require "modm"

local function contents(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

describe("the table of kinds", function()
  local stubs, docs = contents "types/library/modm/fields.lua", contents "docs/fields.md"

  for _, row in ipairs(core.kinds()) do
    it("has all that belongs to " .. row.name, function()
      local name = row.name:gsub("Field$", ""):gsub("(%l)(%u)", "%1_%2"):lower()
      local spec = contents("spec/field/" .. name .. "_spec.lua")
      assert.truthy(spec, "no spec/field/" .. name .. "_spec.lua")
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
end)
