--- The models by name, and what the modules of modm know of a model (its meta).

local errors = require "modm.errors"
local misuse = require "modm.misuse"

local registry = {}

local by_name = {}                              -- full name -> meta
local metas = setmetatable({}, { __mode = "k" }) -- class -> meta

registry.generation = 0 -- how many models were entered so far

--- Enters a model; an earlier one of its name is replaced.
function registry.add(meta)
  registry.generation = registry.generation + 1
  by_name[meta.name] = meta
  metas[meta.model] = meta
end

--- The metas of all models that a name leads to, in order of name.
---@return table[]
function registry.all()
  local list = {}
  for _, meta in pairs(by_name) do list[#list + 1] = meta end
  table.sort(list, function(a, b) return a.name < b.name end)
  return list
end

--- Enters what models extend, which no name leads to.
function registry.add_base(meta) metas[meta.model] = meta end

--- The meta of a class, or nil when the value is none.
---@param class any
---@return table?
function registry.meta(class) return metas[class] end

--- The meta of what a static method was called on.
---@param self modm.Model
---@param method string its name
---@return table
function registry.check(self, method)
  local meta = metas[self]
  if not meta then
    misuse("%s is called on a model, with a colon, not on a %s", method, type(self))
  end
  return meta
end

--- The meta of a model given by class, by full name, or by the last part of a name that is unique.
--- Raises ModelDoesNotExist.
---@param model table|string
---@return table
function registry.find(model)
  if type(model) ~= "string" then return metas[model] or error("a model expected", 2) end
  local found = by_name[model]
  if found then return found end
  for name, meta in pairs(by_name) do
    if name:match "[^.]+$" == model then
      if found then
        error(errors.new("ModelDoesNotExist",
          ("there are several models called '%s': give the full name")
          :format(model)), 0)
      end
      found = meta
    end
  end
  return found or error(errors.new("ModelDoesNotExist",
    ("there is no model called '%s'"):format(model)), 0)
end

return registry
