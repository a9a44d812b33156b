--- Managers: `Model.objects` and what programs make of it. A manager gives querysets of its model
-- and has all their methods.

local misuse = require "modm.misuse"
local queryset = require "modm.queryset"

local manager = {}

local order = 0
local metatables = {} -- class -> metatable of its managers
local is_one = setmetatable({}, { __mode = "k" }) -- metatable -> true

---@class modm.Manager: modm.QuerySet
local Manager = { _queryset = queryset.QuerySet }

-- A method of querysets as a method of managers: name -> function.
local forwarders = {}
local function forward(name)
  forwarders[name] = function(self, ...)
    local set = self:get_queryset()
    return set[name](set, ...)
  end
  return forwarders[name]
end

-- What a manager has of its querysets: their methods, but for those of their own use, whose names
-- begin with an underscore.
local function forwarded(class, key)
  if type(class[key]) ~= "function" then return nil end
  return forwarders[key] or type(key) == "string" and key:sub(1, 1) ~= "_" and forward(key) or nil
end

local function metatable_of(class)
  local metatable = metatables[class]
  if metatable then return metatable end
  metatable = {
    __name = "modm.Manager",
    __index = function(self, key)
      local value = class[key]
      if value == nil then value = forwarded(class._queryset, key) end
      if value == nil and type(key) == "number" then return self:get_queryset()[key] end
      return value
    end,
    __tostring = function(self)
      local meta = rawget(self, "_meta")
      return "modm.Manager of " .. (meta and meta.name or "no model")
    end,
  }
  metatables[class] = metatable
  is_one[metatable] = true
  return metatable
end

local function new(class)
  order = order + 1
  return setmetatable({ order = order }, metatable_of(class))
end

local function subclass(parent, definition)
  local metatable = { __index = parent, __call = new, __name = "modm.Manager" }
  return setmetatable(definition, metatable)
end

setmetatable(Manager, { __call = new, __name = "modm.Manager" })

--- The queryset that all else begins with; a manager of one's own overrides it, as in
--- function(self) return modm.Manager.get_queryset(self):filter{ public = true } end
---@return modm.QuerySet
function Manager:get_queryset()
  local meta = rawget(self, "_meta")
  if not meta then misuse "this manager belongs to no model: declare it in one" end
  return queryset.new(self._queryset, meta)
end

--- Makes a class of managers: call it for a manager to declare in a model.
---@param definition table methods by name; `get_queryset` among them
---@return table class
function Manager:extend(definition)
  if type(definition) ~= "table" then misuse "Manager:extend: a table of methods expected" end
  local copy = {}
  for name, method in pairs(definition) do copy[name] = method end
  return subclass(self, copy)
end

--- Makes a class of managers whose querysets are of a class of one's own (QuerySet:extend). Its
--- managers have all methods of that class whose names do not begin with an underscore.
---@param class table
---@return table class
function Manager.from_queryset(class)
  if not queryset.is_class(class) then
    misuse "Manager.from_queryset: a class of querysets expected"
  end
  return subclass(Manager, { _queryset = class })
end

manager.Manager = Manager

--- Whether the value is a manager (not a class of managers).
---@param value any
---@return boolean
function manager.is_manager(value)
  return type(value) == "table" and is_one[getmetatable(value)] or false
end

--- The manager as one of a model.
---@param value modm.Manager
---@param meta table
---@return modm.Manager
function manager.bind(value, meta)
  return setmetatable({ _meta = meta, order = value.order }, getmetatable(value))
end

return manager
