--- Runs phase V: C converts and checks, then Lua calls what only Lua can: defaults, validators,
--- clean.

local core = require "modm.core"
local errors = require "modm.errors"
local guard = require "modm.guard"
local hooks = require "modm.hooks"
local misuse = require "modm.misuse"

local validation = {}

-- A list -> a set.
local function set_of(list)
  if type(list) ~= "table" then misuse("exclude: a list of field names expected") end
  local set = {}
  for _, name in ipairs(list) do set[name] = true end
  return set
end

-- Calls the function defaults that are due, a list of document, name, ... True when one gave a
-- value.
local function fill_defaults(due, place)
  local any = false
  place.what = "default"
  for i = 1, #due, 2 do
    place.path = { due[i + 1] }
    local value = core.default(due[i], due[i + 1])()
    core.set_default(due[i], due[i + 1], value)
    any = any or value ~= nil
  end
  return any
end

-- Errors that are no word about a value: it could not be looked at.
local prevents = { ConfigurationError = true, ConnectionError = true, OperationError = true,
  ServerError = true, WriteConcernError = true }

-- What a program's function says is wrong with a value: what it gave, or raised; or an error that
-- prevented it. A position that error() put in front is of no use to who sees a form. Want of
-- memory is no fault of the value's.
local function call(fn, value)
  local ok, result, message, err = pcall(fn, value)
  if not ok and result == "not enough memory" then error(result, 0) end
  if ok and (result or message == nil and result == nil) then return nil end
  local failure = type(result) == "string" and errors.plain(result) or result
  if ok then failure = message end
  for _, given in ipairs { failure or false, err } do
    if errors.is_error(given) and prevents[given.kind] then return nil, given end
  end
  return failure == nil and "is not valid" or failure
end

-- The text of what a function gave or raised.
local function text_of(failure)
  local ok, text = pcall(tostring, failure)
  return ok and type(text) == "string" and text or "is not valid"
end

-- The node of the tree at a path; made when `make`. Nil where a message stands on the way: of a
-- value as a whole, so that what is inside is not looked at.
local function node_at(tree, path, make)
  for _, key in ipairs(path) do
    if tree[key] == nil and make then tree[key] = {} end
    tree = tree[key]
    if type(tree) ~= "table" then return nil end
  end
  return tree
end

-- Whether something inside a value was wrong already.
local function has_inner(node)
  for _, value in pairs(node or {}) do
    if type(value) == "table" then return true end
  end
  return false
end

-- The validators of a value, unless something inside it is wrong; they speak before what is built
-- in. Returns the error that prevented one.
local function run_validators(pending, tree)
  local position = 1
  if has_inner(node_at(tree, pending.path, false)) then return nil end
  local value = pending.value
  if pending.document then value = pending.document[pending.path[#pending.path]] end
  for _, validator in ipairs(pending.validators) do
    local failure, err = call(validator, value)
    if err then return err end
    if failure then
      local node = node_at(tree, pending.path, true)
      if not node then return nil end
      table.insert(node, position, text_of(failure))
      position = position + 1
    end
  end
end

-- A tree as a program makes it: a text under a field stands for a list of messages.
local function merge(into, from)
  for key, value in pairs(from) do
    if type(value) ~= "table" then
      value = tostring(value)
      if type(key) ~= "number" then value = { value } end
    end
    if type(value) ~= "table" then
      into[#into + 1] = value
    else
      if type(into[key]) ~= "table" then into[key] = {} end
      merge(into[key], value)
    end
  end
end

-- Calls a document's clean, unless its fields have errors. What it says is a text, or a tree of its
-- own. Returns the error that prevented it.
local function run_clean(pending, tree)
  local node = node_at(tree, pending.path, false)
  if node and next(node) then return nil end
  local clean = core.meta_of(pending.clean).methods.clean
  local failure, err = call(clean, pending.clean)
  if not failure then return err end
  node = node_at(tree, pending.path, true)
  if not node then return nil end
  if type(failure) == "table" and failure.errors then
    merge(node, failure.errors)
  elseif #pending.path == 0 then
    node.clean = { text_of(failure) }
  else
    node[#node + 1] = text_of(failure)
  end
end

-- Calls what only Lua can, in order. Returns the error that prevented one.
local function run_pending(list, tree, place)
  for _, entry in ipairs(list) do
    local run = entry.validators and run_validators or run_clean
    place.what, place.path = entry.validators and "validator" or "clean", entry.path
    local err = run(entry, tree)
    if err then return err end
  end
end

-- "field.2.name: message" of each message in the tree, fields in order of name.
local function flatten(tree, path, out)
  local keys = {}
  for key in pairs(tree) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    if type(a) == type(b) then return a < b end
    return type(a) == "number"
  end)
  for _, key in ipairs(keys) do
    local value = tree[key]
    if type(value) == "table" then
      flatten(value, path .. "." .. tostring(key), out)
    else
      out[#out + 1] = path .. ": " .. tostring(value)
    end
  end
  return out
end

--- The ValidationError of a tree of errors.
---@param name string the model
---@param tree table field -> list of messages, or field -> (position or field) -> ...
---@return modm.Error
function validation.error_of(name, tree)
  return errors.new("ValidationError", table.concat(flatten(tree, name, {}), "; "),
    { model = name, errors = tree })
end

--- Calls what values that are no document's yet still need of Lua, as core.changes lists it.
---@param meta table
---@param pending table[]
---@return true|nil, string?, modm.Error? err a ValidationError, or what prevented a validator
function validation.check_values(meta, pending)
  local tree = {}
  for _, entry in ipairs(pending) do table.insert(entry.path, 1, entry.name) end
  local err = run_pending(pending, tree, {})
  if err then return errors.failure(err) end
  if not next(tree) then return true end
  return errors.failure(validation.error_of(meta.name, tree))
end

-- What C's look at a document came to: calls what only Lua can, and makes the error.
local function settle(doc, exclude, cascade, tree, pending, due)
  local place, err = (due or pending) and {}, nil
  while due do -- a default may hold documents with defaults of their own
    local more = guard.run(doc, place, function() return fill_defaults(due, place) end)
    tree, pending, due = core.validate(doc, exclude, cascade, not more)
  end
  if pending then
    tree = tree or {}
    err = guard.run(doc, place, function() return run_pending(pending, tree, place) end)
    core.convert(doc) -- what they assigned
  end
  if err then return errors.failure(err) end
  if not tree or not next(tree) then return true end
  return errors.failure(validation.error_of(core.meta_of(doc).name, tree))
end

--- Validates a document, without its hooks.
---@param doc modm.Document
---@param exclude string[]|nil
---@param cascade boolean whether references that are unsaved will be saved first
---@return true|nil, string?, modm.Error? err a ValidationError, or what prevented a validator
function validation.check(doc, exclude, cascade)
  if exclude ~= nil then exclude = set_of(exclude) end
  local tree, pending, due = core.validate(doc, exclude, cascade)
  if not (tree or pending or due) then return true end
  return settle(doc, exclude, cascade, tree, pending, due)
end

--- Validates the documents of a list, without their hooks.
---@param list modm.Document[]
---@param first integer number of the first to look at
---@param failed fun(index: integer, message: string, err: modm.Error) called for each invalid one
function validation.check_list(list, first, failed)
  local i, tree, pending, due = core.validate_list(list, first)
  while i do
    local ok, message, err = settle(list[i], nil, false, tree, pending, due)
    if not ok then failed(i, message, err) end
    i, tree, pending, due = core.validate_list(list, i + 1)
  end
end

--- Validates a document, with the hooks before and, when it is valid, after it.
---@param doc modm.Document
---@param exclude string[]|nil
---@param cascade boolean
---@param meta table|nil of its model, where the caller has it
---@return true|nil, string?, modm.Error?
function validation.run(doc, exclude, cascade, meta)
  meta = meta or core.meta_of(doc)
  guard.refuse(meta, doc, "validation")
  if not hooks.of(meta).validates then return validation.check(doc, exclude, cascade) end
  local ok, message, err = hooks.run(meta, doc, "before validate")
  if ok then ok, message, err = validation.check(doc, exclude, cascade) end
  if ok then ok, message, err = hooks.run(meta, doc, "after validate") end
  return ok, message, err
end

return validation
