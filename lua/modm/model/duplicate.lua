--- A DuplicateKeyError in the names of a model: which fields, and which values.

local errors = require "modm.errors"
local field = require "modm.fields".internal
local registry = require "modm.registry"

local duplicate = {}

-- The field that a stored name means, with its definition; the name itself where there is none.
local function field_of(meta, stored)
  for name, definition in pairs(meta and meta.fields or {}) do
    if meta.stored_names[name] == stored then return name, definition end
  end
  return stored
end

-- "s.c" -> "author.country"
local function field_path(meta, stored)
  local names = {}
  for part in stored:gmatch "[^.]+" do
    local name, definition = field_of(meta, part)
    names[#names + 1] = name
    if definition then definition = field.innermost(definition) end
    local inner = definition and definition.kind:find "^Embedded" and definition.options.model
    meta = inner and registry.find(inner) or nil
  end
  return table.concat(names, ".")
end

local function quoted(value)
  if type(value) == "string" then return "'" .. value .. "'" end
  return tostring(value)
end

-- "title = 'x'", with the stored name where that is another one. There is no value where the index
-- has a collation: the server then knows what it compared, not what was written.
local function described(name, stored, value)
  if name ~= stored then name = ("%s (stored as %s)"):format(name, stored) end
  if value == nil then return "the same " .. name end
  return ("%s = %s"):format(name, quoted(value))
end

--- Says of an error which fields of the model it is about. Other errors stay as they are.
---@param meta table
---@param err modm.Error
---@return modm.Error err
function duplicate.explain(meta, err)
  if err.kind ~= "DuplicateKeyError" or not err.key then return err end
  local fields, values, texts = {}, {}, {}
  local several = err.key:find(", ", 1, true)
  for stored in (err.key .. ", "):gmatch "(.-), " do
    local name, value = field_path(meta, stored), err.value
    if several then value = err.value[stored] end
    fields[#fields + 1], values[name] = name, value
    texts[#texts + 1] = described(name, stored, value)
  end
  err.model, err.fields, err.values = meta.name, fields, values
  err.field, err.server_message = table.concat(fields, ", "), err.message
  err.message = ("%s.%s: there is a document with %s already"):format(meta.name, err.field,
    table.concat(texts, ", "))
  return err
end

--- The failure of a bulk write's one document, from the server's word about it.
---@param meta table
---@param told table of op:write_errors(); taken over
---@return modm.Error
function duplicate.of_write(meta, told)
  return duplicate.explain(meta, errors.new("DuplicateKeyError", told.message, told))
end

--- Runs a write of a model.
---@param meta table
---@param conn modm.Connection
---@param op userdata
---@return true|nil ok, string? message, modm.Error? err
function duplicate.run(meta, conn, op)
  local ok, message, err = conn:run(op)
  if ok then return true end
  if err.kind ~= "DuplicateKeyError" then return nil, message, err end
  return errors.failure(duplicate.explain(meta, err))
end

return duplicate
