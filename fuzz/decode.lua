-- Judges decode: what it gives can be walked, shown, compared, and asked by all its methods.
local core = require "modm.core"

local function use(value)
  assert(value == value, "a value is not equal to itself")
  assert(type(tostring(value)) == "string")
  pcall(function() return value < value end)
  local methods = debug.getmetatable(value).__index
  for _, method in pairs(type(methods) == "table" and methods or {}) do pcall(method, value) end
end

local function walk(value)
  if type(value) == "table" then
    for key, item in next, value do
      walk(key)
      walk(item)
    end
  elseif type(value) == "userdata" and value ~= core.null then
    use(value)
  end
end

return function(bytes)
  local ok, value = pcall(core.decode, bytes)
  if ok then walk(value) else assert(type(value) == "string") end
end
