-- The table that `require "modm"` gives, for editors.
---@meta modm
-- luacheck: ignore 212 241

---@class modm
---@field _VERSION string
--- The constructors of fields.
---@field fields modm.fields
--- What models with a collection extend.
---@field MongoModel modm.BaseModel
--- What models that live inside others extend.
---@field EmbeddedMongoModel modm.BaseModel
--- `modm.Manager()` makes a manager to declare in a model.
---@field Manager modm.Manager<any>
--- `modm.QuerySet:extend { ... }` makes a class of querysets.
---@field QuerySet modm.QuerySet<any>
--- Delete rule: the reference stays as it is (the default).
---@field DO_NOTHING 0
--- Delete rule: the reference is unset.
---@field NULLIFY 1
--- Delete rule: what refers to the deleted document is deleted too.
---@field CASCADE 2
--- Delete rule: what is referred to cannot be deleted.
---@field DENY 3
--- Delete rule: the key is taken out of the list of references.
---@field PULL 4
---@field ObjectId modm.ObjectIdConstructor
---@field DateTime modm.DateTimeConstructor
---@field Decimal128 modm.Decimal128Constructor
---@field Binary modm.BinaryConstructor
---@field UUID modm.UUIDConstructor
---@field Regex modm.RegexConstructor
---@field JavaScript modm.JavaScriptConstructor
---@field Timestamp modm.TimestampConstructor
---@field MinKey modm.MinKey
---@field MaxKey modm.MaxKey
---@field DBRef modm.DBRefConstructor
---@field Int64 modm.Int64Constructor
--- The database's null; the same as cjson.null and ngx.null.
---@field null lightuserdata
--- For order_by: how well the words of modm.text were found, the best first.
---@field text_score table
local modm = {}

-- ---- connections ----

--- Besides these, every option of MongoDB's connection strings (in camelCase or snake_case); an
--- option here replaces that of the URI.
---@class modm.ConnectOptions
--- The name that models refer to by Meta.connection_alias; default "default".
---@field alias? string
--- How long an operation may take on the server, in milliseconds.
---@field timeout_ms? integer
--- How calls wait: "blocking", the whole program; "pool", the calling coroutine alone, under
--- OpenResty (where it is the default), cqueues, luv, Copas (4.4 or newer) or skynet; "coroutine",
--- the same without threads under OpenResty, cqueues and luv, with libmongoc 1.26 or newer.
---@field transport? "blocking"|"pool"|"coroutine"
--- Of a pool: how many operations can be under way at once; default 32.
---@field threads? integer
--- Of a pool, or of coroutines: how many more may wait; default 10000.
---@field max_queue? integer
--- Of a pool, or of coroutines: how many clients it may have; default 100.
---@field maxPoolSize? integer
--- How long a call waits for a server that can take it, in milliseconds.
---@field serverSelectionTimeoutMS? integer
---@field connectTimeoutMS? integer
---@field socketTimeoutMS? integer
---@field username? string
---@field password? string
---@field authSource? string
---@field replicaSet? string
---@field tls? boolean
---@field tlsCAFile? string
---@field retryWrites? boolean
---@field w? integer|string
---@field journal? boolean
---@field readPreference? string
---@field readConcernLevel? string
---@field [string] any

---@class modm.Connection
---@field alias string
---@field database string

--- Registers a client under an alias; nothing is sent before the first use. An alias that is there
--- already is replaced.
---@param uri string it must name a database: mongodb://host/DATABASE
---@param options? modm.ConnectOptions
---@return modm.Connection? connection
---@return string? message
---@return modm.Error? err ConfigurationError
function modm.connect(uri, options) end

--- Closes the connection of an alias, or all of them.
---@param alias? string
---@return boolean found whether there was such a connection
function modm.disconnect(alias) end

---@class modm.Stats
---@field transport "blocking"|"pool"
---@field done integer operations that went well
---@field failed integer
---@field in_use integer|nil of a pool: clients that are taken
---@field running integer|nil operations that a thread is at
---@field waiting integer|nil those that wait for one
---@field threads integer|nil
---@field dropped integer|nil operations whose callers did not wait for the end
---@field refused integer|nil those for which the queue had no room
---@field waited_ms integer|nil sum of what operations waited for a thread
---@field ran_ms integer|nil sum of what they took then

--- What a connection has done, and does.
---@param alias? string
---@return modm.Stats|nil stats
---@return string? message
---@return modm.Error? err
function modm.stats(alias) end

--- Calls fn and returns what it returns. Calls of servers that this coroutine makes in it fail with
--- a TimeoutError once the time is over; with the pool transport also the one that is under way. A
--- shorter limit around it holds on.
---@param ms number milliseconds for all of it
---@param fn fun(): ...
---@return any ...
function modm.timeout(ms, fn) end

---@class modm.Canceller
local Canceller = {}

--- Calls fn and returns what it returns. Once the canceller was used, each call of a server that
--- this coroutine makes in it fails with a CancelledError; with the pool transport also the one
--- under way.
---@param fn fun(): ...
---@return any ...
function Canceller:run(fn) end

--- Stops what runs by it, now and from now on. What a server was already asked for it may do yet.
---@param reason? string the error's message
function Canceller:cancel(reason) end

---@return modm.Canceller
function modm.canceller() end

---@class modm.CommandEvent
---@field phase "started"|"succeeded"|"failed"
---@field name string of the command: "find", "insert", ...
---@field alias string
---@field database string
---@field host string
---@field request_id integer
---@field operation_id integer
---@field command? table when it started; without content where it authenticates
---@field reply? table when it succeeded or failed
---@field duration_ms? number when it succeeded or failed
---@field message? string when it failed

--- A command that has ended.
---@class modm.Operation
---@field name string "find", "update", ...
---@field alias string the connection's
---@field database string
---@field collection? string
---@field host string
---@field duration_ms number
---@field ok boolean
---@field message? string of a failure
---@field code? integer of a failure
---@field query string the command as JSON, with "?" for each value
---@field command table with its values; without content where it authenticates
---@field place? string "file:line" of the program
---@field attributes table<string, any> by OpenTelemetry's names for databases

--- A line of the log.
---@class modm.LogEntry
---@field level "error"|"critical"|"warning"|"message"|"info"|"debug"|"trace"
---@field domain string the part of libmongoc that speaks, or "modm"
---@field message string without passwords

---@class modm.OnOptions
---@field slower_than_ms? number only operations that took longer

--- Calls the listener from now on: with "operation" once for each command that has ended, with
--- "command" for each command event as the driver has it, with "log" for each line of the log.
---@param what "operation"
---@param listener fun(operation: modm.Operation)
---@param options? modm.OnOptions
---@return fun() off call it to end this
---@overload fun(what: "command", listener: fun(event: modm.CommandEvent)): fun()
---@overload fun(what: "log", listener: fun(entry: modm.LogEntry)): fun()
function modm.on(what, listener, options) end

---@class modm.Warning
---@field kind "repeated_query"|"no_index"|"growing_document"|"dangling_reference"
---@field place? string "file:line" of the program
---@field message string
---@field operation? modm.Operation
---@field model? string
---@field key any

---@class modm.DevelopOptions
---@field warn? fun(warning: modm.Warning) standard error without
---@field repeats? integer so many of one query are no loop yet (10)
---@field scan_from? integer documents that a collection has before a scan matters (100)
---@field growths? integer saves in a row that made a document larger (20)
---@field grown_to? integer bytes below which that does not matter (16384)
---@field clock? fun(): number seconds

--- Begins to warn, each thing once, of repeated queries, queries without an index, documents that
--- keep growing and references that point nowhere. For development: it asks the server to explain.
---@param options? modm.DevelopOptions
---@return fun() off call it to end this
function modm.develop(options) end

-- ---- files ----

--- A file to assign to a FileField: of a path, or of an object with `read`.
---@param source string|table|userdata a path, or a file object
---@param options? modm.FileOptions
---@return modm.File
function modm.File(source, options) end

--- The same of bytes.
---@param bytes string
---@param options? modm.FileOptions
---@return modm.File
function modm.ContentFile(bytes, options) end

--- A storage of files in a bucket of GridFS; nothing is sent before its first use.
---@param options? modm.GridFSOptions
---@return modm.GridFSStorage
function modm.GridFSStorage(options) end

-- ---- sessions and transactions ----

---@class modm.TransactionOptions
---@field read_concern? string|table
---@field write_concern? string|integer|table
---@field read_preference? string|table
--- How long a commit may take on the server, in milliseconds.
---@field max_commit_time_ms? integer
--- How long it may be tried again, in seconds; default 120.
---@field timeout? number
--- Gives the time in seconds; default os.time.
---@field clock? fun(): number

--- Calls f in a transaction and returns what it returns. All that the coroutine asks of the
--- connection meanwhile is part of it. When f raises, or returns nil and an error, nothing of it
--- remains, and the error is handed on. f may be called several times.
---@overload fun(f: (fun(session: modm.Session): any), options?: modm.TransactionOptions): any
---@param alias? string
---@param f fun(session: modm.Session): any
---@param options? modm.TransactionOptions
---@return any ... what f returns; or nil, a message, an error
function modm.transaction(alias, f, options) end

---@class modm.Session
---@field alias string
local Session = {}

--- Calls f; meanwhile what the coroutine asks of the connection is part of the session.
---@param f fun(session: modm.Session): any
---@return any ... what f returns
function Session:run(f) end

--- Whether a transaction is under way in it.
---@return boolean
function Session:in_transaction() end

--- Ends it, and with it a transaction that was not committed.
function Session:close() end

--- Begins a session: its reads see what was read and written in it before, or with `snapshot` all
--- see the state that the first one saw.
---@param alias? string
---@param options? { causal_consistency?: boolean, snapshot?: boolean }
---@return modm.Session? session
---@return string? message
---@return modm.Error? err ConfigurationError
function modm.session(alias, options) end

-- ---- references ----

--- Fetches what the documents refer to, with one query for each collection and level of them all.
---@param documents modm.Document|modm.Document[]
---@param fields? string[] dotted into embedded documents and on through references; all without
---@return any
---@return string? message
---@return modm.Error? err
function modm.dereference(documents, fields) end

--- Calls f; while it runs, references of the model's documents read as their keys.
---@param model modm.Model<any>
---@param f fun(): any
---@return any ... what f returns
function modm.no_auto_dereference(model, f) end

-- ---- scopes ----

--- Calls f; while it runs, the documents of the model, and of those that extend it without a
--- connection of their own, are read and written over another connection. It holds for the running
--- coroutine alone and ends however f ends.
---@param model modm.Model<any>
---@param alias string one that is not connected is a ConfigurationError of the operation
---@param f fun(): any
---@return any ... what f returns
function modm.switch_connection(model, alias, f) end

--- The same for the collection.
---@param model modm.Model<any>
---@param name string
---@param f fun(): any
---@return any ... what f returns
function modm.switch_collection(model, name, f) end

---@class modm.CollectionOptions
---@field read_preference? string|table
---@field read_concern? string|table
---@field write_concern? table|integer|string

--- The same for options, as Meta has them. Those that are not given stay as they are.
---@param model modm.Model<any>
---@param options modm.CollectionOptions
---@param f fun(): any
---@return any ... what f returns
function modm.collection_options(model, options, f) end

-- ---- errors ----

--- What a call that failed returns as its third value, after nil and the message. `tostring`
--- gives the message.
---@class modm.Error
--- ValidationError, DoesNotExist, MultipleObjectsReturned, OperationError, DuplicateKeyError,
--- HookError, ConflictError, TokenError, ServerError, ConnectionError, ConfigurationError,
--- InvalidModel or ModelDoesNotExist.
---@field kind string
---@field message string
--- The model's full name.
---@field model? string
--- Of a ValidationError: field -> list of messages, or field -> (position or field) -> ...
---@field errors? table
--- Of a ConflictError: the document, and the version that was expected.
---@field document? modm.Document
---@field version? any
--- Of a HookError: which, such as "before save".
---@field hook? string
--- The server's code, its name, and the server's labels.
---@field code? integer
---@field code_name? string
---@field labels? string[]
--- Of a DuplicateKeyError: the fields, and their values by field; `field` is the one, or "a, b".
---@field field? string
---@field fields? string[]
---@field values? table<string, any>
--- Of a DuplicateKeyError: the server's own words.
---@field server_message? string
--- Of a DuplicateKeyError: the stored name, or "a, b"; and its value, or a table of values.
---@field key? string
---@field value? any
--- Of a delete that failed, or was denied: the name of the rule, and the reference that has it
--- ("blog.Post.author"); by models, how many documents were deleted and changed before.
---@field rule? string
---@field referrer? string
---@field deleted? table<string, integer>
---@field updated? table<string, integer>
--- Of bulk_create and bulk: each document that was not inserted, each operation that failed.
---@field failures? modm.BulkFailure[]
--- Of bulk_create and bulk, when a connection broke: the places of what may be done or not.
---@field unsure? integer[]
--- Of bulk: what was done all the same.
---@field result? modm.BulkResult
local Error = {}

--- True for the error's kind, by name ("DoesNotExist") or by a model's own (User.DoesNotExist),
--- which holds for the models that extend it too.
---@param kind string|modm.Kind
---@return boolean
function Error:is(kind) end

--- Whether the server gave the error a label, such as "TransientTransactionError".
---@param label string
---@return boolean
function Error:has_label(label) end

--- A kind of error that belongs to one model.
---@class modm.Kind
---@field name string
---@field model string
---@field parent? modm.Kind that of the model's parent

--- Makes an error to raise in a model's `clean`; its tree is merged into that of the fields.
---@param tree table<string, string[]>
---@return modm.Error
function modm.ValidationError(tree) end

-- ---- raw documents ----

--- A document whose keys have this order: `modm.ordered { { "a", 1 }, { "b", 2 } }`.
---@param pairs_of { [1]: string, [2]: any }[]
---@return table<string, any>
function modm.ordered(pairs_of) end

--- Marks a table as an array, so that it is stored as one also while it is empty.
---@param list? table a new one without it
---@return any[]
function modm.array(list) end

--- Marks a table as a document, so that it is stored as one also while it is empty.
---@param document? table a new one without it
---@return table<string, any>
function modm.object(document) end

--- "ObjectId", "DateTime", ..., "null", "array", "object"; nil for what Lua's `type` tells.
---@param value any
---@return string?
function modm.type(value) end

-- ---- operators of filters ----

--- A value that only the constructors below make, so no table from outside can become one. A nil
--- raises.
---@class modm.Operator: userdata

--- Equal; what a plain value means too.
---@param value any
---@return modm.Operator
function modm.eq(value) end

--- Not equal, or not there.
---@param value any
---@return modm.Operator
function modm.ne(value) end

---@param value any
---@return modm.Operator
function modm.gt(value) end

---@param value any
---@return modm.Operator
function modm.gte(value) end

---@param value any
---@return modm.Operator
function modm.lt(value) end

---@param value any
---@return modm.Operator
function modm.lte(value) end

--- Both ends included.
---@param low any
---@param high any
---@return modm.Operator
function modm.between(low, high) end

--- One of a list.
---@param values any[]
---@return modm.Operator
function modm.one_of(values) end

--- None of a list.
---@param values any[]
---@return modm.Operator
function modm.not_in(values) end

--- A list that has all of these items.
---@param values any[]
---@return modm.Operator
function modm.contains_all(values) end

--- The field is stored, or with false is not.
---@param there? boolean
---@return modm.Operator
function modm.exists(there) end

---@param bson_type string|integer|(string|integer)[]
---@return modm.Operator
function modm.type_of(bson_type) end

--- A list of so many items.
---@param items integer
---@return modm.Operator
function modm.size(items) end

--- A regular expression (PCRE); options are of i, m, s, x, u.
---@param pattern string
---@param options? string
---@return modm.Operator
function modm.matches(pattern, options) end

---@param divisor integer
---@param remainder integer
---@return modm.Operator
function modm.mod(divisor, remainder) end

---@param operator modm.Operator
---@return modm.Operator
function modm.not_(operator) end

--- One item of a list fits all of it.
---@param filter table|modm.Operator
---@return modm.Operator
function modm.elem_match(filter) end

---@class modm.NearOptions metres
---@field max_distance? number
---@field min_distance? number

--- Near a point, the nearest first. Needs an index "2dsphere". Such a filter cannot be counted or
--- aggregated: `within` with a radius can.
---@param point table GeoJSON, or { longitude, latitude }
---@param options? modm.NearOptions
---@return modm.Operator
function modm.near(point, options) end

--- Inside of a Polygon or MultiPolygon; or with a radius, in metres, of a circle around a point.
---@param region table GeoJSON, or coordinates
---@param options? { radius: number? }
---@return modm.Operator
function modm.within(region, options) end

--- Has a point in common with a geometry.
---@param geometry table GeoJSON, or coordinates
---@return modm.Operator
function modm.intersects(geometry) end

---@class modm.TextOptions
---@field language? string whose stop words and stems; "none" for neither
---@field case_sensitive? boolean
---@field diacritic_sensitive? boolean

--- An item of a filter: texts with these words, by the collection's text index.
---@param words string as MongoDB has it: "a phrase" in quotes, -without
---@param options? modm.TextOptions
---@return modm.Operator
function modm.text(words, options) end

--- An item of a filter: `filter { modm.any_of { { a = 1 }, { b = 2 } } }`.
---@param filters table[]
---@return modm.Operator
function modm.all_of(filters) end

---@param filters table[]
---@return modm.Operator
function modm.any_of(filters) end

---@param filters table[]
---@return modm.Operator
function modm.none_of(filters) end

-- ---- atomic changes ----

--- Several items for push and add_to_set. Options are for push: position (from 0), slice (how many
--- stay; negative: the last), sort (1 or -1, or names of the items' fields: "-likes").
---@param items any[]
---@param options? { position?: integer, slice?: integer, sort?: integer|string|string[] }
---@return modm.Operator
function modm.each(items, options) end

--- document:change(changes, options), also for a model with a field called `change`.
---@generic T: modm.Document
---@param document T
---@param changes modm.Changes
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function modm.change(document, changes, options) end

return modm
