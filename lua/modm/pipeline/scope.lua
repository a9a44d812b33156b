--- Names in a pipeline: which of them are the model's, and what they are stored as.
--
-- A scope never changes. It begins with the names of a model; stages add names of their own, which
-- are as they are; and behind a stage that makes other documents all names are.

local core = require "modm.core"
local misuse = require "modm.misuse"

---@class modm.Scope
---@field owner string the model of the pipeline, for messages
---@field meta table|nil whose names are translated
---@field own table<string, boolean> names that stages have made
local Scope = {}
Scope.__index = Scope

local scope = {}

--- The names of a model; without one all names are as they are.
---@param owner string
---@param meta table|nil
---@return modm.Scope
function scope.new(owner, meta)
  return setmetatable({ owner = owner, meta = meta, own = {} }, Scope)
end

--- Without the names of the model.
function Scope:free() return scope.new(self.owner) end

--- With names that a stage makes.
---@param names string[]
function Scope:with(names)
  if not self.meta then return self end
  local wider = scope.new(self.owner, self.meta)
  for name in pairs(self.own) do wider.own[name] = true end
  for _, name in ipairs(names) do wider.own[name:match "^[^.]*"] = true end
  return wider
end

--- Whether a path is to be left as it is.
function Scope:is_free(path)
  local head = path:match "^[^.]*"
  return not self.meta or self.own[head] or head == "_cls"
end

--- What a path is stored as, or nil and the message when it names no field.
---@param path string
---@return string|nil stored, string|nil message
function Scope:find(path)
  if self:is_free(path) then return path end
  return core.stored_name(self.meta.schema, path)
end

--- The same; raises for what names no field.
---@param path string
---@return string
function Scope:stored(path)
  if type(path) ~= "string" or path == "" then
    misuse("%s: the name of a field expected, got a %s", self.owner, type(path))
  end
  local stored, message = self:find(path)
  if not stored then misuse("%s", message) end
  return stored
end

-- "$author.name", "$$ROOT.author"; variables are the program's own.
local function path_in(self, text)
  local head, path = text:match "^(%$%$ROOT%.)(.+)$"
  if not head then head, path = text:match "^(%$%$CURRENT%.)(.+)$" end
  if not head then head, path = text:match "^(%$)([^$].*)$" end
  return head and head .. self:stored(path) or text
end

-- A table to copy into: one that has an order of keys, or is marked as a list, keeps that.
local function alike(expression)
  if core.type(expression) == nil then return {} end
  return core.decode(core.encode { v = expression }).v
end

--- An expression with the model's names as they are stored. What $literal holds is no expression.
---@param expression any
---@return any
function Scope:expression(expression)
  if type(expression) == "string" then return path_in(self, expression) end
  if type(expression) ~= "table" or expression["$literal"] ~= nil then return expression end
  local copy = alike(expression)
  for key, value in pairs(expression) do copy[key] = self:expression(value) end
  return copy
end

return scope
