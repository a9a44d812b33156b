--- A collection's validator on the server, made from its model.

local core = require "modm.core"
local errors = require "modm.errors"
local family = require "modm.relation.family"
local json_schema = require "modm.server.json_schema"
local misuse = require "modm.misuse"
local options = require "modm.options"

local validator = {}

local known = { level = "string", action = "string" }
local values = {
  level = { strict = true, moderate = true, off = true },
  action = { error = true, warn = true },
}

local function check(meta, given)
  options.check("install_validator", given, known)
  for name, value in pairs(given or {}) do
    if not values[name][value] then
      misuse("%s: install_validator has no %s '%s'", meta.name, name, value)
    end
  end
  if meta.embedded then
    misuse("%s: an embedded model has no collection for a validator", meta.name)
  end
  if meta.parent and family.shares_place(meta, meta.parent) then
    misuse("%s shares its collection with %s: install the validator of that one", meta.name,
      meta.parent.name)
  end
end

-- The options of the collection; nil when there is none, false and what failed when nobody can say.
local function stored_options(conn, name)
  local op = core.command(conn.client, "read", conn.database,
    core.ordered { { "listCollections", 1 }, { "filter", { name = name } } })
  local ok, message, err = conn:run(op)
  if not ok then return false, message, err end
  local found = op:reply().cursor.firstBatch[1]
  if not found then return nil end
  if found.type == "view" then
    err = errors.new("OperationError", name .. " is a view, which has no validator")
    return false, tostring(err), err
  end
  return found.options
end

---@class modm.Validator
---@field created boolean whether the collection had to be made
---@field before { validator: table?, level: string?, action: string? } what was there
---@field unsaid modm.Unsaid[] the rules that it cannot say

--- Puts the model's rules into its collection, in place of the validator that is there.
---@param meta table
---@param given { level: string?, action: string? }|nil
---@return modm.Validator|nil, string? message, modm.Error? err
function validator.install(meta, given)
  check(meta, given)
  given = given or {}
  local conn, collection, err = meta:place()
  if not conn then return nil, collection, err end
  local before, message
  before, message, err = stored_options(conn, collection)
  if before == false then return nil, message, err end
  local schema, unsaid = json_schema.of(meta)
  local ok
  ok, message, err = conn:run(core.command(conn.client, "write", conn.database, core.ordered {
    { before and "collMod" or "create", collection },
    { "validator", { ["$jsonSchema"] = schema } },
    { "validationLevel", given.level or "strict" },
    { "validationAction", given.action or "error" },
  }))
  if not ok then return nil, message, err end
  local was = before or {}
  return {
    created = before == nil, unsaid = unsaid,
    before = { validator = was.validator, level = was.validationLevel,
      action = was.validationAction },
  }
end

return validator
