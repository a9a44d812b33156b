-- What attackers send: values and whole bodies as they come out of JSON, forms and cookies, and
-- tables that pose as what they are not. Each has a name; a CVE in it is the hole it is taken from.
local modm = require "modm"

local payloads = { values = {}, bodies = {}, names = {} }

local array, null = modm.array, modm.null

local function value(name, payload)
  payloads.values[#payloads.values + 1] = { name = name, value = payload }
end

local function body(name, payload)
  payloads.bodies[#payloads.bodies + 1] = { name = name, value = payload }
end

-- ---- operators in the place of a value ----

local operands = {
  { "$gt", "" }, { "$gt", null }, { "$gt", -1e308 }, { "$gt", {} }, { "$gte", "" },
  { "$lt", "\127" }, { "$lt", 1e308 }, { "$lte", "~" }, { "$ne", "" }, { "$ne", null },
  { "$ne", 1 }, { "$ne", false }, { "$ne", array {} }, { "$eq", "admin" }, { "$eq", 5 },
  { "$in", array { "admin", "root" } }, { "$in", array { null, 5, true } }, { "$nin", array {} },
  { "$nin", array { "x" } }, { "$exists", true }, { "$exists", 1 }, { "$exists", false },
  { "$type", 2 }, { "$type", "string" }, { "$type", array { "string", "int" } },
  { "$regex", ".*" }, { "$regex", "" }, { "$regex", "^a" }, { "$regex", "^(a+)+$" },
  { "$regex", "(?=.*)" }, { "$regex", ("(x+x+)+"):rep(20) .. "y" },
  { "$not", { ["$eq"] = "x" } }, { "$not", { ["$regex"] = "^x" } }, { "$not", { ["$gt"] = 9e9 } },
  { "$or", array { { name = "admin" }, {} } }, { "$and", array { {} } },
  { "$nor", array { { name = "x" } } }, { "$expr", true }, { "$expr", 1 },
  { "$expr", { ["$eq"] = array { "$name", "$name" } } },
  { "$where", "1" }, { "$where", "return true" }, { "$where", "sleep(2000) || true" },
  { "$where", "function() { return this.password.match(/^s/) }" },
  { "$function", { body = "function() { return true }", args = array {}, lang = "js" } },
  { "$accumulator", { init = "function() { return 0 }", lang = "js" } },
  { "$jsonSchema", { required = array { "name" } } }, { "$jsonSchema", {} },
  { "$mod", array { 1, 0 } }, { "$all", array {} }, { "$all", array { "admin" } },
  { "$elemMatch", {} }, { "$elemMatch", { ["$gt"] = "" } }, { "$size", 2 }, { "$size", 0 },
  { "$bitsAllClear", 0 }, { "$bitsAnySet", -1 }, { "$text", { ["$search"] = "admin" } },
  { "$geoWithin", { ["$centerSphere"] = array { array { 0, 0 }, 10 } } },
  { "$near", array { 0, 0 } }, { "$comment", "x" }, { "$rand", {} }, { "$sampleRate", 1 },
  { "$options", "i" }, { "$slice", 1 }, { "$meta", "textScore" }, { "$literal", "admin" },
  { "$set", { level = 9 } }, { "$unset", { password = "" } }, { "$rename", { name = "x" } },
  { "$inc", { level = 1 } }, { "$", 1 }, { "$$ROOT", 1 }, { "$gt\0", "" }, { "$\0gt", "" },
  { "$GT", "" }, { "$ne ", "" }, { " $ne", "" },
}
for _, pair in ipairs(operands) do
  value(("%s %s"):format(pair[1]:gsub("%z", "\\0"), tostring(pair[2]):sub(1, 20)),
    { [pair[1]] = pair[2] })
end

value("two operators", { ["$gt"] = "", ["$lt"] = "\127" })
value("an operator behind data", modm.ordered { { "a", 1 }, { "$ne", 1 } })
value("data behind an operator", modm.ordered { { "$ne", 1 }, { "a", 1 } })
value("an operator in a list", array { { ["$gt"] = "" } })
value("an operator in a list of lists", array { array { array { { ["$ne"] = null } } } })
value("an operator deep in a document", { a = { b = { c = { ["$gt"] = "" } } } })
value("CVE-2024-53900: $where in an $or", { ["$or"] = array { { ["$where"] = "1" } } })
value("CVE-2024-53900: $where under match", { match = { ["$where"] = "sleep(1000)" } })
value("CVE-2025-23061: $where two levels down",
  { match = { ["$and"] = array { { ["$or"] = array { { ["$where"] = "1" } } } } } })
value("CVE-2025-23061: $where in a list of matches",
  { match = array { { ["$nor"] = array { { ["$where"] = "1" } } } } })
value("a reference of the old kind", { ["$ref"] = "users", ["$id"] = 1, ["$db"] = "admin" })
value("a reference with an operator", { ["$ref"] = "users", ["$id"] = { ["$ne"] = 1 } })
value("extended JSON: an oid", { ["$oid"] = "5f5f5f5f5f5f5f5f5f5f5f5f" })
value("extended JSON: a date", { ["$date"] = { ["$numberLong"] = "0" } })
value("extended JSON: a regex", { ["$regularExpression"] = { pattern = ".*", options = "" } })
value("extended JSON: code", { ["$code"] = "1", ["$scope"] = {} })
value("extended JSON: a decimal", { ["$numberDecimal"] = "1" })
value("extended JSON: undefined", { ["$undefined"] = true })
value("extended JSON: the least key", { ["$minKey"] = 1 })

-- ---- prototypes, methods and types that are no data elsewhere ----

value("CVE-2023-3696: __proto__", { ["__proto__"] = { admin = true } })
value("CVE-2023-3696: constructor", { constructor = { prototype = { admin = true } } })
value("CVE-2022-2564: a path into __proto__", { ["__proto__.admin"] = true })
value("CVE-2020-35149: __proto__ in a list", array { { ["__proto__"] = { toString = 1 } } })
value("CVE-2019-2391: _bsontype Binary", { _bsontype = "Binary", buffer = "x", position = 1 })
value("CVE-2020-7610: an unknown _bsontype", { _bsontype = "a", x = 1 })
value("CVE-2019-17426: a _bsontype alone", { _bsontype = "ObjectID" })
for _, name in ipairs { "ObjectID", "Code", "Decimal128", "Long", "BSONRegExp", "Symbol", "MinKey",
  "MaxKey", "Timestamp", "Int32", "Double", "DBRef" } do
  value("_bsontype " .. name, { _bsontype = name, id = "aaaaaaaaaaaa", code = "1", value = 1,
    pattern = ".*", low_ = 1, high_ = 0, ["$ne"] = nil })
end
for _, name in ipairs { "__index", "__newindex", "__gc", "__call", "__tostring", "__metatable",
  "__name", "__close", "__eq", "__lt", "__len", "__pairs", "__mode", "_meta", "_parts", "_cls",
  "_id", "save", "delete", "toBSON", "toString", "late" } do
  value("the key " .. name, { [name] = { ["$ne"] = 1 } })
end
value("__index as a list", array { { __index = { name = "admin" } } })

local function posing(name, data, metatable)
  value("a table that poses: " .. name, setmetatable(data, metatable))
end

posing("as an operator", { "$gt", "" }, { __metatable = "modm.Operator", __name = "modm.Operator" })
posing("as a document", { admin = true }, { __metatable = "modm.Document",
  __name = "modm.Document" })
posing("as an ObjectId", { ["$gt"] = "" }, { __metatable = "modm.ObjectId",
  __name = "modm.ObjectId" })
posing("as a list", { ["$gt"] = "" }, { __metatable = "modm.array" })
posing("as an object", { ["$gt"] = "" }, { __metatable = "modm.object" })
posing("by __index", {}, { __index = { ["$gt"] = "" } })
posing("by an __index that is called", {}, { __index = function() return { ["$gt"] = "" } end })
posing("by __pairs", {}, { __pairs = function() return next, { ["$ne"] = 1 } end })
posing("by __len", {}, { __len = function() return 2 ^ 31 end })
posing("by __eq", {}, { __eq = function() return true end })
posing("as dkjson's object", { ["$gt"] = "" }, { __jsontype = "object" })
posing("as dkjson's array", { ["$gt"] = "" }, { __jsontype = "array" })
posing("with a weak mode", { ["$gt"] = "" }, { __mode = "kv" })

-- ---- scalars: the wrong type, size or bytes ----

for name, scalar in pairs {
  ["a NUL"] = "admin\0", ["a NUL before"] = "\0admin", ["an empty text"] = "",
  ["JavaScript"] = "'; return true; var a='", ["JavaScript 2"] = "' || '1'=='1",
  ["SQL"] = "' OR 1=1 --", ["a text of an operator"] = '{"$gt": ""}', ["a path"] = "$name",
  ["a variable"] = "$$ROOT", ["a pattern"] = ".*", ["a pattern between slashes"] = "/.*/i",
  ["broken UTF-8"] = "admin\255", ["overlong UTF-8"] = "\192\128", ["a surrogate"] = "\237\160\128",
  ["twelve bytes"] = "aaaaaaaaaaaa", ["a long text"] = ("a"):rep(20000),
  ["a pattern of doom"] = ("a"):rep(50) .. "!", ["nothing"] = null, ["true"] = true,
  ["false"] = false, ["zero"] = 0, ["less than nothing"] = -1, ["a huge number"] = 1e308,
  ["infinity"] = 1 / 0, ["less infinity"] = -1 / 0, ["no number"] = 0 / 0, ["2^53"] = 2 ^ 53,
  ["2^63"] = 2 ^ 63, ["2^64"] = 2 ^ 64, ["a fraction"] = 5.000001, ["a number's text"] = "1e1000",
  ["a hexadecimal text"] = "0x5", ["a number with blanks"] = "5 5", ["a format"] = "%s%n%p%1$s",
  ["lines"] = "a\r\nSet-Cookie: b", ["a way up"] = "../../etc/passwd", ["a class"] = "Admin",
  ["an entity"] = "<!ENTITY x>", ["a template"] = "{{7*7}}${7*7}",
  ["right to left"] = "\226\128\174",
} do
  value(name, scalar)
end

-- ---- shapes ----

value("an empty table", {})
value("an empty list", array {})
value("a list of one", array { "x" })
value("a list where a scalar stands", array { "admin", "root" })
value("a list with nothing", array { null })
value("a sparse list", { [1e9] = "x" })
value("a list that begins at 0", { [0] = "x" })
value("a list with a hole", { "a", nil, "c" })
value("half list, half document", { "a", ["$ne"] = 1 })
value("a key with a NUL", { ["a\0$ne"] = 1 })
value("a key with a dot", { ["a.b"] = 1 })
value("a key with a dot and an operator", { ["a.$ne"] = 1 })
value("an empty key", { [""] = 1 })
value("a key of broken UTF-8", { ["\255"] = 1 })
value("a key that is a number", { [5] = "x", [7] = "y" })
value("a key that is a boolean", { [true] = "x" })
value("keys that are one for others", { a = 1, A = 2, ["a "] = 3 })
do
  local deep, cyclic = { ["$ne"] = 1 }, {}
  for _ = 1, 400 do deep = { a = deep } end
  cyclic.a = cyclic
  value("a deep table", deep)
  value("a table that holds itself", cyclic)
end

-- ---- whole bodies, in the place of conditions or fields ----

for _, pair in ipairs(operands) do
  if pair[1]:sub(1, 1) == "$" then
    body("the body " .. pair[1]:gsub("%z", "\\0"), { [pair[1]] = pair[2] })
  end
end
body("an operator beside a field", { name = "x", ["$or"] = array { {} } })
body("CVE-2024-53900: a $where beside a field", { name = "x", ["$where"] = "1" })
body("an operator in a path", { ["name.$ne"] = "x" })
body("an operator in a key of bad form", { ["name[$ne]"] = "x" })
body("a class", { _cls = "injection.Admin" })
body("a class by an operator", { _cls = { ["$ne"] = "x" } })
body("a field that is not declared", { is_admin = true })
body("a field of no name", { [""] = "x" })
body("a name with a NUL", { ["name\0"] = "x" })
body("a name of broken UTF-8", { ["name\255"] = "x" })
body("a path into a scalar", { ["name.x"] = "x" })
body("a path with an empty step", { ["data..x"] = "x" })
body("a path that begins with a dot", { [".data"] = "x" })
body("a path that ends with a dot", { ["data."] = "x" })
body("a path through a reference", { ["owner.password"] = "x" })
body("a path with an operator", { ["data.$where"] = "1" })
body("CVE-2022-2564: a path into __proto__", { ["__proto__.admin"] = true })
body("CVE-2023-3696: __proto__", { ["__proto__"] = { admin = true } })
body("CVE-2023-3696: constructor.prototype", { ["constructor.prototype.admin"] = true })
for _, name in ipairs { "__index", "__newindex", "__gc", "__call", "__metatable", "_meta", "_parts",
  "save", "delete", "filter", "late", "1", "\0", "$" } do
  body("the name " .. name:gsub("%z", "\\0"), { [name] = "x" })
end
body("a key that is a boolean", { [true] = "x" })
body("a key that is a table", { [{}] = "x" })
body("a key that is a fraction", { [1.5] = "x" })
body("a sparse list", { [1e9] = "x" })
body("a list of conditions", array { { name = "admin" } })
body("a list of operators", array { { ["$gt"] = "" } })
body("an empty body", {})
body("a body that poses by __index", setmetatable({}, { __index = { name = "admin" } }))
body("a body that poses by __pairs",
  setmetatable({}, { __pairs = function() return next, { name = "admin" } end }))
body("a body that poses as a queryset", { _parts = {}, _meta = {}, _how = { skip = 0 } })
body("a body that poses as a stage", { late = function() return { ["$match"] = {} } end })

-- ---- texts in the place of a name ----

for _, name in ipairs { "$where", "$name", "-$name", "name.$", "name.$[]", "name\0", "name\255", "",
  ".", "..", "-", "password.x", "__index", "__proto__", "constructor.prototype",
  "owner.password", "$natural", "data.$ne", "data..x", "save", ("a."):rep(400) .. "a" } do
  payloads.names[#payloads.names + 1] = name
end

return payloads
