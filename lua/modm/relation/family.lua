--- How models stand to each other: what extends what, and what is stored together.

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

--- Whether the documents of two models are in one collection.
---@param a table
---@param b table
---@return boolean
function family.shares_place(a, b)
  return a.collection_name == b.collection_name and a.connection_alias == b.connection_alias
end

return family
