--- How models stand to each other: what extends what, and what is stored together.

local scoped = require "modm.model.scoped"

local family = {}

--- Whether a model is `ancestor` or extends it.
---@param meta table|nil
---@param ancestor table
---@return boolean
function family.is_within(meta, ancestor)
  while meta and meta ~= ancestor do meta = meta.parent end
  return meta ~= nil
end

--- The model at the top of a hierarchy.
---@param meta table
---@return table
function family.root(meta)
  while meta.parent do meta = meta.parent end
  return meta
end

--- Whether the documents of two models are in one collection now.
---@param a table
---@param b table
---@return boolean
function family.shares_place(a, b)
  local alias, collection = scoped.place(a)
  local other_alias, other_collection = scoped.place(b)
  return alias == other_alias and collection == other_collection
end

return family
