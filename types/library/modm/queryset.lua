-- Querysets and managers, for editors.
---@meta _
-- luacheck: ignore 212 241

--- What to find of a model's documents. It never changes: each step gives a new one, and only the
--- ends (list, first, get, count, create, bulk_create, update, delete) and iteration ask the
--- server. `queryset[i]` is the document at place i and raises an error object where there is
--- none.
---@class modm.QuerySet<T>
---@field [integer] T
local QuerySet = {}

-- ---- steps ----

--- Finds documents that are marked as deleted too, of a model with Meta.soft_delete.
---@return modm.QuerySet<T>
function QuerySet:with_deleted() end

--- Finds those that are marked as deleted, and no others.
---@return modm.QuerySet<T>
function QuerySet:only_deleted() end

--- An end: takes the mark away from those that are deleted.
---@return integer? restored
---@return string? message
---@return modm.Error? err
function QuerySet:restore() end

--- Says that all documents are meant, which update and delete of everything ask for.
---@return modm.QuerySet<T>
function QuerySet:all() end

--- Documents that fit all the conditions: names of fields (dotted into embedded documents, lists
--- and dicts) with values or operators, and modm.any_of, all_of, none_of as items. Raises for an
--- unknown field and for a filter without a condition; a value that its field refuses becomes the
--- error of the queryset's end.
---@param conditions table
---@return modm.QuerySet<T>
function QuerySet:filter(conditions) end

--- One condition: where("age", 5), where("age", ">=", 5), where("tags", "in", { ... }). A nil
--- raises.
---@param name string a field, dotted
---@param ... any a value or an operator; or an operator's sign or name, and its value
---@return modm.QuerySet<T>
function QuerySet:where(name, ...) end

--- Conditions in MongoDB's own words: stored names, operators, values as they are. Never give it a
--- table that came from outside. What runs JavaScript on the server ($where, $function,
--- $accumulator) becomes the error of the queryset's end, unless `javascript` allows it.
---@param query table
---@param options? { javascript: boolean? }
---@return modm.QuerySet<T>
function QuerySet:raw(query, options) end

--- Sorts by "name", "-name", { "name", 1 }, or lists of them. Replaces an earlier order.
---@param ... string|table
---@return modm.QuerySet<T>
function QuerySet:order_by(...) end

--- The other way round; without an order nothing changes.
---@return modm.QuerySet<T>
function QuerySet:reverse() end

--- At most n documents; 0 takes the limit away.
---@param n integer
---@return modm.QuerySet<T>
function QuerySet:limit(n) end

--- Leaves out the first n.
---@param n integer
---@return modm.QuerySet<T>
function QuerySet:skip(n) end

--- The documents from one place to another, counted from 1, both included, of what this one gives.
---@param from integer
---@param to? integer to the end without it
---@return modm.QuerySet<T>
function QuerySet:slice(from, to) end

--- Fetches only these fields, and always the key and the class. What was not fetched cannot be
--- read, and saving does not touch it.
---@param ... string|string[]
---@return modm.QuerySet<T>
function QuerySet:only(...) end

--- Fetches all but these fields. The key is always there.
---@param ... string|string[]
---@return modm.QuerySet<T>
function QuerySet:exclude(...) end

--- A projection in MongoDB's own words, with stored names. Replaces an earlier one. Raises for what
--- runs JavaScript on the server, unless `javascript` allows it.
---@param spec table
---@param options? { javascript: boolean? }
---@return modm.QuerySet<T>
function QuerySet:project(spec, options) end

--- Gives tables under stored names instead of documents.
---@return modm.QuerySet<table>
function QuerySet:values() end

--- Fetches what the documents refer to along with them, with one query for each collection and
--- level of a batch.
---@param ... string|string[] names, dotted; all references without
---@return modm.QuerySet<T>
function QuerySet:select_related(...) end

--- How texts are compared and put in order.
---@param collation table|string { locale = "de", ... }, or a locale
---@return modm.QuerySet<T>
function QuerySet:collation(collation) end

--- The index to use: its name, or its keys as order_by takes them in a table.
---@param index string|table
---@return modm.QuerySet<T>
function QuerySet:hint(index) end

--- What the server writes beside the operation into its log, its profile and currentOp.
---@param text string
---@return modm.QuerySet<T>
function QuerySet:comment(text) end

--- How long one command may take on the server, in milliseconds; 0 takes the limit away. What takes
--- longer is a ServerError with the code 50.
---@param ms integer
---@return modm.QuerySet<T>
function QuerySet:max_time(ms) end

--- How long each of its operations may take, in milliseconds; 0 takes the limit away. With the pool
--- transport the caller gets a TimeoutError then; with any other the server is told the limit.
---@param ms integer
---@return self
function QuerySet:timeout(ms) end

--- How many documents the server sends at once.
---@param n integer
---@return modm.QuerySet<T>
function QuerySet:batch_size(n) end

--- What the queryset asks is part of this session; with false of none, also in a transaction.
---@param session modm.Session|false
---@return modm.QuerySet<T>
function QuerySet:session(session) end

-- ---- ends ----

--- Iterates: `for post in Post.objects:all():iter() do`. The documents come in batches, so that
--- memory stays small however many there are. Raises error objects, as it cannot return them.
---@return fun(): T?
function QuerySet:iter() end

--- All documents.
---@return T[]? documents
---@return string? message
---@return modm.Error? err
function QuerySet:list() end

--- The first document.
---@return T? document
---@return string? message
---@return modm.Error? err DoesNotExist when there is none
function QuerySet:first() end

--- The one document.
---@param conditions? table as filter takes them
---@return T? document
---@return string? message
---@return modm.Error? err DoesNotExist, or MultipleObjectsReturned when there are several
function QuerySet:get(conditions) end

--- How many documents there are, within limit and skip.
---@return integer? count
---@return string? message
---@return modm.Error? err
function QuerySet:count() end

--- Whether there is such a document: asks for one key.
---@return boolean? exists
---@return string? message
---@return modm.Error? err
function QuerySet:exists() end

--- The different values that the documents have in a field, as the field reads them, in no order.
--- Of a list they are its items.
---@param name string a field, dotted
---@return any[]? values
---@return string? message
---@return modm.Error? err
function QuerySet:distinct(name) end

--- The documents that have these keys, by the text of their keys: found["a@b.c"],
--- found[tostring(id)]. Keys that are not there are left out.
---@param keys any[]
---@return table<string, T>? found
---@return string? message
---@return modm.Error? err
function QuerySet:in_bulk(keys) end

--- Documents taken by chance, at most n.
---@param n integer
---@return T[]? documents
---@return string? message
---@return modm.Error? err
function QuerySet:sample(n) end

--- How the server finds the documents, in its own words; "executionStats" runs the query.
---@param verbosity? "queryPlanner"|"executionStats"|"allPlansExecution"
---@return table? plan
---@return string? message
---@return modm.Error? err
function QuerySet:explain(verbosity) end

--- Makes a document and saves it.
---@param values table
---@return T? document
---@return string? message
---@return modm.Error? err
function QuerySet:create(values) end

---@class modm.BulkCreateOptions
--- Gives the documents instead of their keys.
---@field retrieve? boolean
--- Validates all before anything is sent; default true.
---@field full_clean? boolean
--- Stops at the first that fails; default true.
---@field ordered? boolean
--- The session to be part of; false: none, also in a transaction.
---@field session? modm.Session|false
--- Lets documents past the validator of the collection.
---@field bypass_document_validation? boolean

--- Inserts many documents. When some fail, `err.failures` lists them.
---@param documents modm.Document[]|modm.Document
---@param options? modm.BulkCreateOptions
---@return any[]? keys in order, or the documents
---@return string? message
---@return modm.Error? err
function QuerySet:bulk_create(documents, options) end

---@class modm.UpdateOptions
--- Inserts a document where none is found.
---@field upsert? boolean
---@field array_filters? table[]
--- The session to be part of; false: none, also in a transaction.
---@field session? modm.Session|false
--- Variables that the update may use as $$name.
---@field let? table<string, any>
---@field bypass_document_validation? boolean
--- Allows what runs JavaScript on the server, as $function in a stage.
---@field javascript? boolean

--- Changes all documents of the queryset. Everything needs all() before it.
---@param update table in MongoDB's own words: { ["$set"] = { ... } }, or a list of stages
---@param options? modm.UpdateOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:update(update, options) end

---@class modm.DeleteOptions
--- All or nothing: in a transaction, as a part of the one that is under way; default false.
---@field atomic? boolean
--- Removes what Meta.soft_delete would only mark; default false.
---@field hard? boolean
--- The session to be part of; false: none, also in a transaction.
---@field session? modm.Session|false

--- What is to be done, in the model's words: operator -> { name = value }, or a list of names.
---@class modm.Changes
---@field set? table<string, any>
---@field set_on_insert? table<string, any> for what an upsert makes
---@field inc? table<string, any>
---@field mul? table<string, any>
---@field min? table<string, any>
---@field max? table<string, any>
---@field push? table<string, any> an item, or modm.each
---@field add_to_set? table<string, any> an item, or modm.each
---@field pull? table<string, any> an item, an operator, or a filter of embedded documents
---@field pop? table<string, 1|-1>
---@field rename? table<string, string>
---@field unset? string[]
---@field current_date? string[]

---@class modm.ChangeOptions
--- Inserts a document where none is found.
---@field upsert? boolean
--- name in $[name] -> conditions of the items' fields, or a value or operator for the items.
---@field array_filters? table<string, any>
---@field session? modm.Session|false

--- Changes all documents of the queryset, each at once, with names and values of the model.
--- Everything needs all() before it. Raises for a name or operator that there is not.
---@param changes modm.Changes
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err ValidationError: nothing was sent; ServerError, ...
function QuerySet:change(changes, options) end

--- The same for one operator.
---@param values table<string, any>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:set(values, options) end

---@param values table<string, any>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:inc(values, options) end

---@param values table<string, any>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:mul(values, options) end

---@param values table<string, any>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:min(values, options) end

---@param values table<string, any>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:max(values, options) end

---@param values table<string, any>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:push(values, options) end

---@param values table<string, any>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:add_to_set(values, options) end

---@param values table<string, any>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:pull(values, options) end

---@param values table<string, 1|-1>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:pop(values, options) end

---@param values table<string, string>
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:rename(values, options) end

---@param names string[]
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:unset(names, options) end

---@param names string[]
---@param options? modm.ChangeOptions
---@return integer? modified
---@return string? message
---@return modm.Error? err
function QuerySet:current_date(names, options) end

---@class modm.ModifyOptions: modm.ChangeOptions
--- "after" without it.
---@field returns? "before"|"after"

--- Changes the first document of the queryset and gives it as it is then, or was before.
---@param changes modm.Changes
---@param options? modm.ModifyOptions
---@return T? document
---@return string? message
---@return modm.Error? err DoesNotExist when there is none
function QuerySet:find_one_and_update(changes, options) end

--- Puts a whole document in the place of the first of the queryset, which keeps its key.
---@param document T
---@param options? modm.ModifyOptions without array_filters
---@return T? document
---@return string? message
---@return modm.Error? err DoesNotExist when there is none
function QuerySet:find_one_and_replace(document, options) end

--- Deletes the first document of the queryset and gives it. Raises where delete rules hold.
---@param options? { hard?: boolean, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err DoesNotExist when there is none
function QuerySet:find_one_and_delete(options) end

--- The one document that fits, or a new one of the conditions' values and the defaults. Safe under
--- a race on a unique index.
---@param conditions table as filter takes them
---@param defaults? table<string, any>
---@return T? document
---@return boolean|string|nil created or the message
---@return modm.Error? err
function QuerySet:get_or_create(conditions, defaults) end

--- The first document that fits, with values set; or a new one of all three. Safe as get_or_create.
---@param conditions table as filter takes them
---@param values table<string, any>
---@param defaults? table<string, any>
---@return T? document
---@return boolean|string|nil created or the message
---@return modm.Error? err
function QuerySet:update_or_create(conditions, values, defaults) end

--- Begins a bulk write. Conditions of the queryset hold for its updates and deletes.
---@param options? { ordered?: boolean, session?: modm.Session|false } ordered (true): stop at the
--- first that fails
---@return modm.Bulk<T>
function QuerySet:bulk(options) end

--- Deletes all documents of the queryset, with the delete rules of the models that refer to them.
--- Everything needs all() before it.
---@param options? modm.DeleteOptions
---@return integer? deleted
---@return string? message
---@return modm.Error? err
function QuerySet:delete(options) end

--- Runs stages over what the queryset finds: its conditions, order, range and projection come
--- first.
---@param ... table stages, as in PyMongo; a last table without $ holds options in the server's
--- words: allowDiskUse, let, bypassDocumentValidation, ...; and `javascript`, which allows stages
--- that run some on the server ($function, $accumulator).
---@return modm.Rows
function QuerySet:aggregate(...) end

---@class modm.PageOptions
---@field size integer documents on a page
---@field after? string the `next` of the page before
---@field before? string the `previous` of the page after
---@field key? string signs the tokens

---@class modm.Page<T>: { [integer]: T }
---@field next? string the token of the page after it
---@field previous? string the token of the page before it

--- One page, in the queryset's order; it goes by the values of its ends, so that inserts and
--- deletions meanwhile show no document twice and hide none. A token that is none is a TokenError.
---@param options modm.PageOptions
---@return modm.Page<T>? page
---@return string? message
---@return modm.Error? err
function QuerySet:page(options) end

--- An aggregation over what the queryset finds, to be built stage by stage in the model's names.
---@param options? table of the server, as aggregate takes them
---@return modm.Pipeline
function QuerySet:pipeline(options) end

---@class modm.WatchOptions
---@field full_document? "updateLookup"|"default"|"whenAvailable"|"required" "updateLookup" without
---@field full_document_before_change? "off"|"whenAvailable"|"required"
---@field resume_after? table a token of a change or a stream
---@field start_after? table a token; also of the change that ended a stream
---@field start_at? modm.Timestamp
---@field max_await_ms? integer how long the server waits for a change; 1000 without
---@field batch_size? integer
---@field operations? string[] only these
---@field stages? table[] more stages, in MongoDB's own words
---@field show_expanded_events? boolean
---@field javascript? boolean allows stages that run some on the server

--- Watches what happens to the queryset's documents, from now on or from where a token says. Needs
--- a replica set. Goes on by itself after a fault of the network or a step-down.
---@param options? modm.WatchOptions
---@return modm.ChangeStream<T>? stream
---@return string? message
---@return modm.Error? err
function QuerySet:watch(options) end

--- Makes a class of querysets with methods of your own, for Manager.from_queryset.
---@param methods table<string, function>
---@return table class
function QuerySet:extend(methods) end

---@class modm.BulkResult
---@field inserted integer
---@field matched integer by updates and saves
---@field modified integer
---@field upserted integer
---@field deleted integer

---@class modm.BulkFailure
---@field index integer of the operation, from 1 on
---@field operation "insert"|"save"|"replace"|"update"|"delete"
---@field kind string of the error
---@field message string
---@field code? integer the server's
---@field document? modm.Document
---@field conditions? table
---@field errors? table of a ValidationError

--- Operations on one model's documents, sent with few commands. Its methods raise for misuse.
---@class modm.Bulk<T>
local Bulk = {}

---@param document T
---@return modm.Bulk<T> self
function Bulk:insert(document) end

--- Inserts the document, or sends what differs.
---@param document T
---@return modm.Bulk<T> self
function Bulk:save(document) end

--- Stores a document as a whole, in the place of what has its key, or as a new one.
---@param document T
---@return modm.Bulk<T> self
function Bulk:replace(document) end

--- Changes all documents that fit the conditions.
---@param conditions table as filter takes them
---@param changes modm.Changes
---@param options? { upsert?: boolean, array_filters?: table<string, any> }
---@return modm.Bulk<T> self
function Bulk:update(conditions, changes, options) end

--- Deletes a document, or all that fit the conditions.
---@param what T|table
---@return modm.Bulk<T> self
function Bulk:delete(what) end

--- Validates all, and then sends it. Nothing is sent when something is not valid.
---@return modm.BulkResult? result
---@return string? message
---@return modm.Error? err with failures, a list of modm.BulkFailure, and result: what was done
function Bulk:run() end

--- What an aggregation gives: tables, fetched when they are asked for.
---@class modm.Rows
local Rows = {}

--- Iterates over the rows; the aggregation runs anew each time. Raises error objects.
---@return fun(): table?
function Rows:iter() end

---@return table[]? rows
---@return string? message
---@return modm.Error? err
function Rows:list() end

--- The first row, or nil when there is none.
---@return table? row
---@return string? message
---@return modm.Error? err
function Rows:first() end

---@class modm.Change<T>
---@field operation string "insert", "update", "replace", "delete", or what befell the collection
---@field key any the primary key
---@field document? T as it is now
---@field before? T as it was, where the server keeps that
---@field updated? table<string, any> of an update: path -> new value
---@field removed? string[] of an update: paths
---@field time? modm.Timestamp
---@field token table where to go on after it
---@field raw table the server's own words

--- What happens to the documents of a queryset.
---@class modm.ChangeStream<T>
---@field token? table where it is: for watch { resume_after = token }
---@field closed? boolean
local ChangeStream = {}

--- The next change; nil alone when none came within max_await_ms, or when the stream is over.
---@return modm.Change<T>? change
---@return string? message
---@return modm.Error? err
function ChangeStream:next() end

--- Iterates, and waits for each change, until the stream is closed or its collection goes away.
--- Raises error objects. When the loop ends early, Lua 5.4 closes the stream.
---@return fun(): modm.Change<T>?
function ChangeStream:iter() end

--- Ends the stream; its token stays.
function ChangeStream:close() end

--- Gives querysets of its model, and has all their methods: `Model.objects`.
---@class modm.Manager<T>: modm.QuerySet<T>
---@overload fun(): modm.Manager<T>
local Manager = {}

--- The queryset that all else begins with; a manager of your own overrides it.
---@return modm.QuerySet<T>
function Manager:get_queryset() end

--- Makes a class of managers: call it for a manager to declare in a model.
---@param definition table<string, function> methods by name; `get_queryset` among them
---@return modm.Manager<any> class
function Manager:extend(definition) end

--- Makes a class of managers whose querysets are of a class made by QuerySet:extend. They have its
--- methods whose names do not begin with an underscore.
---@param class table
---@return modm.Manager<any> class
function Manager.from_queryset(class) end
