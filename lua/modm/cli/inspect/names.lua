--- Names for models and fields that were found in a database.

local core = require "modm.core"
local methods = require "modm.document".methods

local names = {}

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
  return then true until while]]):gmatch "%a+" do keywords[word] = true end

--- A text as Lua writes it, on one line; in escapes what is not UTF-8.
---@param text string
---@return string
function names.quoted(text)
  local odd = core.is_utf8(text) and '[%c"\\]' or '[%c"\\\128-\255]'
  return '"' .. text:gsub(odd, function(c) return ("\\%03d"):format(c:byte()) end) .. '"'
end

--- Whether a stored name can be a field's: its mongo_name is UTF-8 without a dot, NUL or leading $.
function names.is_storable(key)
  return key ~= "" and key ~= "_cls" and core.is_utf8(key) and not key:find "^%$"
    and not key:find "[.%z]"
end

--- The Lua name of a field; another one where a method or `pk` has it.
---@param key string the stored name
---@param taken table<string, any> the stored names of the model
function names.field(key, taken)
  local name = key
  while methods[name] or name == "pk" or name == "Meta" or name == "objects" or name == "clean"
    or (name ~= key and taken[name]) do
    name = name .. "_"
  end
  return name
end

--- A name as the key of a table constructor.
function names.key(name)
  if name:find "^[%a_][%w_]*$" and not keywords[name] then return name end
  return "[" .. names.quoted(name) .. "]"
end

--- An identifier made of a text, as models are called: blog_posts -> BlogPosts.
function names.model(text)
  local name = text:gsub("%W+", "_"):gsub("^_+", ""):gsub("_+(%w)", string.upper)
  name = name:gsub("_", ""):gsub("^%l", string.upper)
  if not name:find "^%a" then name = "Model" .. name end
  return name
end

--- One that is not in the set, which gets it.
function names.unique(name, set)
  local one, n = name, 1
  while set[one] do
    n = n + 1
    one = name .. n
  end
  set[one] = true
  return one
end

return names
