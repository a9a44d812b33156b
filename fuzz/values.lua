-- Makers of modm's values, and keys: what the judges hand to the generator.
local core = require "modm.core"

local function text(value) return type(value) == "string" and value or "" end
local function bytes(value, n) return (text(value) .. ("\0"):rep(n)):sub(1, n) end
local function integer(value) return math.tointeger(value) or 7 end

return {
  keys = { "a", "b", "", "_id", "$a", "a.b", "\0", "\xff", "__index", "ключ", "_cls", "1" },
  makers = {
    function(value) return core.ObjectId(bytes(value, 12)) end,
    core.DateTime, core.Decimal128, core.Binary, core.UUID, core.Regex, core.JavaScript,
    core.Timestamp, core.DBRef, core.Int64, core.array, core.object, core.ordered,
    function() return core.MinKey end,
    function() return core.MaxKey end,
    function(value) return core.UUID(bytes(value, 16)) end,
    function(value, other) return core.Binary(text(value), integer(other) % 256) end,
    function(value) return core.DateTime(integer(value)) end,
    function(value) return core.Int64(integer(value)) end,
    function(value) return core.Decimal128(integer(value)) end,
    function(value, other) return core.DBRef(text(value), other) end,
    function(value, other) return core.ordered { { "z", value }, { "a", other } } end,
  },
}
