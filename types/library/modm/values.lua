-- The value types that Lua lacks, for editors. All are immutable, and `==` compares what they hold.
---@meta _
-- luacheck: ignore 212 241

--- Twelve bytes that MongoDB makes keys of. `tostring` gives 24 hex digits. Compares with `<`.
---@class modm.ObjectId: userdata
local ObjectId = {}

--- The twelve bytes.
---@return string
function ObjectId:bytes() end

--- When it was made, in seconds since the epoch: its first four bytes.
---@return integer
function ObjectId:timestamp() end

--- A date: milliseconds since the epoch, UTC. `tostring` gives ISO 8601. Compares with `<`; seconds
--- can be added and subtracted, and the difference of two dates is a number of seconds.
---@class modm.DateTime: userdata
---@operator add(number): modm.DateTime
---@operator sub(number): modm.DateTime
---@operator sub(modm.DateTime): number
local DateTime = {}

--- Milliseconds since the epoch; under LuaJIT a number up to 2^53, else a modm.Int64.
---@return integer
function DateTime:ms() end

--- Seconds since the epoch, with a fraction.
---@return number
function DateTime:seconds() end

--- A table as `os.date("!*t")` gives it, and `msec`.
---@return modm.DateTable
function DateTime:date() end

---@class modm.DateTable
---@field year integer
---@field month integer
---@field day integer
---@field hour integer
---@field min integer
---@field sec integer
---@field msec integer
---@field wday integer 1 is Sunday
---@field yday integer
---@field isdst boolean always false

--- A decimal number of 34 digits. `tostring` gives its text.
---@class modm.Decimal128: userdata

--- Bytes with a subtype. `#` gives their number; `tostring` of a UUID gives its text.
---@class modm.Binary: userdata
---@operator len: integer
local Binary = {}

--- The bytes.
---@return string
function Binary:data() end

---@return integer from 0 to 255
function Binary:subtype() end

--- A regular expression as MongoDB stores it. `tostring` gives `/pattern/options`.
---@class modm.Regex: userdata
local Regex = {}

---@return string
function Regex:pattern() end

---@return string sorted, of `ilmsux`
function Regex:options() end

--- JavaScript code as MongoDB stores it, with a scope or without. `tostring` gives the code.
---@class modm.JavaScript: userdata
local JavaScript = {}

---@return string
function JavaScript:code() end

---@return table? scope a document; nil when there is none
function JavaScript:scope() end

--- The server's own clock: seconds, and a counter within the second. Compares with `<`.
---@class modm.Timestamp: userdata
local Timestamp = {}

---@return integer seconds since the epoch
function Timestamp:time() end

---@return integer
function Timestamp:increment() end

--- The value that sorts before all others. Calling it gives it again.
---@class modm.MinKey: userdata
---@operator call: modm.MinKey

--- The value that sorts after all others. Calling it gives it again.
---@class modm.MaxKey: userdata
---@operator call: modm.MaxKey

--- An integer of 64 bits that is always stored as int64; what is read under LuaJIT beyond 2^53.
--- Its arithmetic is exact and raises when the result does not fit. Compares with `<`, and under
--- Lua 5.4 with numbers too.
---@class modm.Int64: userdata
---@operator add(integer|modm.Int64): modm.Int64
---@operator sub(integer|modm.Int64): modm.Int64
---@operator mul(integer|modm.Int64): modm.Int64
---@operator div(integer|modm.Int64): number
---@operator idiv(integer|modm.Int64): modm.Int64
---@operator mod(integer|modm.Int64): modm.Int64
---@operator unm: modm.Int64
local Int64 = {}

--- A Lua number; under LuaJIT it may be rounded.
---@return integer
function Int64:tonumber() end

--- A reference by convention: a document with the keys `$ref`, `$id` and perhaps `$db`.
---@alias modm.DBRef table<string, any>

-- ---- constructors ----

--- `modm.ObjectId()` makes a new one.
---@class modm.ObjectIdConstructor
---@overload fun(value?: modm.ObjectId|string): modm.ObjectId

---@class modm.DateTimeConstructor
---@overload fun(value: modm.DateTime|number|string|modm.DateTable|osdate): modm.DateTime
local DateTimeConstructor = {}

---@return modm.DateTime
function DateTimeConstructor.now() end

---@param ms integer|modm.Int64 milliseconds since the epoch
---@return modm.DateTime
function DateTimeConstructor.from_ms(ms) end

---@class modm.Decimal128Constructor
---@overload fun(value: modm.Decimal128|modm.Int64|number|string): modm.Decimal128

---@class modm.BinaryConstructor
---@overload fun(data: string, subtype?: integer): modm.Binary

--- The subtype is 4, or 3 for the older form.
---@class modm.UUIDConstructor
---@overload fun(value: modm.Binary|string, subtype?: 3|4): modm.Binary

---@class modm.RegexConstructor
---@overload fun(pattern: string, options?: string): modm.Regex

---@class modm.JavaScriptConstructor
---@overload fun(code: string, scope?: table): modm.JavaScript

---@class modm.TimestampConstructor
---@overload fun(time: integer, increment: integer): modm.Timestamp

---@class modm.Int64Constructor
---@overload fun(value: integer|string|modm.Int64): modm.Int64

---@class modm.DBRefConstructor
---@overload fun(collection: string, id: any, database?: string): modm.DBRef
