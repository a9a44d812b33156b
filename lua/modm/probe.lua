--- What development mode is told of, by functions that are there only while it is on.

---@class modm.Probe
---@field saved nil|fun(doc: modm.Document, meta: table) a document was written
---@field dangling nil|fun(meta: table, key: any) a key that no document of the model has
local probe = {}

return probe
