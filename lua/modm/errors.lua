-- Error objects: one class, told apart by kind.
local errors = {}

---@class modm.Kind a kind of error that belongs to one model, such as User.DoesNotExist
---@field name string
---@field model string
---@field parent modm.Kind|nil that of the model's parent
local Kind = {}
Kind.__index = Kind
Kind.__name = "modm.Kind"

function Kind:__tostring()
  return self.model .. "." .. self.name
end

---@class modm.Error
---@field kind string ValidationError, DoesNotExist, ServerError, ...
---@field message string
---@field model string|nil the model's full name
---@field errors table|nil of a ValidationError: field -> list of messages, or a tree
---@field document modm.Document|nil of a ConflictError
---@field version any of a ConflictError: what was expected
---@field hook string|nil of a HookError: "before save" or another
---@field code integer|nil the server's code
---@field code_name string|nil the server's name for it
---@field labels string[]|nil the server's labels
---@field key string|nil of a DuplicateKeyError: the stored name, or "a, b"
---@field value any of a DuplicateKeyError: the value, or a table of them by stored names
---@field field string|nil of a DuplicateKeyError: the field, dotted, or "a, b"
---@field fields string[]|nil of a DuplicateKeyError: the fields
---@field values table<string, any>|nil of a DuplicateKeyError: field -> value
---@field unsure integer[]|nil of many writes of which the answer was lost: the places of those that
--- the server may or may not have done
---@field server_message string|nil of a DuplicateKeyError: the server's own words
---@field rule string|nil of a delete: the rule at which it failed, or that denies it: "DENY", ...
---@field referrer string|nil of a delete: the reference that has this rule: "blog.Post.author"
---@field deleted table<string, integer>|nil of a delete with rules: model -> documents, done before
---@field updated table<string, integer>|nil the same of documents that NULLIFY or PULL changed
---@field where string|nil of misuse: "file:line: "
local Error = {}
Error.__index = Error
Error.__name = "modm.Error"

function Error:__tostring()
  return (self.where or "") .. self.message
end

function Error.__concat(a, b)
  return tostring(a) .. tostring(b)
end

--- True for the error's kind, by name ("DoesNotExist") or by a model's own (User.DoesNotExist),
--- which holds for the models that extend it, too.
---@param kind string|modm.Kind
---@return boolean
function Error:is(kind)
  if type(kind) == "string" then
    return self.kind == kind
  end
  local own = self.own_kind
  while own and own ~= kind do
    own = own.parent
  end
  return own ~= nil
end

--- Whether the server gave the error a label, such as "TransientTransactionError".
---@param label string
---@return boolean
function Error:has_label(label)
  for _, one in ipairs(self.labels or {}) do
    if one == label then return true end
  end
  return false
end

--- Makes a model's own kind of error.
---@param model string the model's full name
---@param name string "DoesNotExist" or "MultipleObjectsReturned"
---@param parent modm.Kind|nil that of the model it extends
---@return modm.Kind
function errors.kind(model, name, parent)
  return setmetatable({ name = name, model = model, parent = parent }, Kind)
end

--- Makes an error object.
---@param kind string|modm.Kind
---@param message string
---@param fields table|nil what else belongs to it; taken over
---@return modm.Error
function errors.new(kind, message, fields)
  local err = fields or {}
  err.message = message
  if type(kind) == "string" then
    err.kind = kind
  else
    err.kind, err.model, err.own_kind = kind.name, kind.model, kind
  end
  return setmetatable(err, Error)
end

---@param value any
---@return boolean
function errors.is_error(value)
  return getmetatable(value) == Error
end

--- What was raised as text, without the position that error() puts in front of one.
---@param raised any
---@return string
function errors.plain(raised) return (tostring(raised):gsub("^[^\n:]+:%d+: ", "")) end

--- What a function returns that failed: nil, the text, the object.
---@param err modm.Error
---@return nil, string, modm.Error
function errors.failure(err)
  return nil, tostring(err), err
end

--- Raises. Misuse, a kind and a message, gets the position of the caller in front, as with `error`.
---@param err modm.Error|string|modm.Kind an error object is raised as it is
---@param message string|nil
---@param level integer|nil whose position: 2 is who calls raise, 3 (the default) its caller
function errors.raise(err, message, level)
  if not errors.is_error(err) then
    err = errors.new(err, message)
    local info = debug.getinfo(level or 3, "Sl")
    if info and info.currentline > 0 then
      err.where = ("%s:%d: "):format(info.short_src, info.currentline)
    end
  end
  error(err, 0)
end

return errors
