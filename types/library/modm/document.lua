-- Documents, for editors: what an instance of a model has besides its fields.
---@meta _
-- luacheck: ignore 212 241

--- An instance of a model with a collection. Say what its fields are in a class of your own:
---
---     ---@class User: modm.Document
---     ---@field email string
---     ---@field first_name? string
---
--- Reading or assigning a name that is no field raises. `==` compares model and key, `tostring`
--- shows the fields that are set.
---@class modm.Document: modm.EmbeddedDocument
--- The primary key, whatever it is called.
---@field pk any
local Document = {}

---@class modm.SaveOptions
--- Saves what its references hold first; default Meta.cascade.
---@field cascade? boolean
--- Validates before anything is sent; default true.
---@field full_clean? boolean
--- Inserts also where the key was set by hand; default false.
---@field force_insert? boolean
--- The session to be part of; false: none, also in a transaction.
---@field session? modm.Session|false
--- For all that it asks of servers, in milliseconds.
---@field timeout_ms? number

--- Validates and writes the document. A new one is inserted, one whose key was set by hand
--- replaces what has this key, one that came from the server sends what differs, and nothing when
--- nothing does.
---@generic T: modm.Document
---@param self T
---@param options? modm.SaveOptions
---@return T? document
---@return string? message
---@return modm.Error? err DoesNotExist, ConflictError, ValidationError, ServerError, ...
function Document:save(options) end

--- Calls change(document) and saves it; where another save came first, reads the document anew and
--- does so again. All changes belong into the function. Of a model with Meta.version.
---@generic T: modm.Document
---@param self T
---@param change fun(document: T): any, string?, modm.Error? nil and a message end it
---@param options? { attempts?: integer } at most so many (100)
---@return T? document
---@return string? message
---@return modm.Error? err ConflictError after the last attempt
function Document:save_with(change, options) end

--- Deletes the document by its key, with the delete rules of the models that refer to it.
---@param options? modm.DeleteOptions
---@return true? ok
---@return string? message
---@return modm.Error? err OperationError when it has no key or a rule denies; ConflictError
function Document:delete(options) end

--- Takes away the mark of a deleted document, of a model with Meta.soft_delete.
---@generic T: modm.Document
---@param self T
---@return T? document
---@return string? message
---@return modm.Error? err OperationError when it has no key, DoesNotExist, ConflictError
function Document:restore() end

--- Reads the document anew. With names, only those fields; changes of the others stay.
---@generic T: modm.Document
---@param self T
---@param names? string[]
---@param options? { session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err OperationError before the first save, DoesNotExist when it is gone
function Document:refresh_from_db(names, options) end

--- Fetches what the document refers to, with one query for each collection and level.
---@generic T: modm.Document
---@param self T
---@param fields? string[] dotted into embedded documents and on through references; all without
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:dereference(fields) end

--- The documents of another model that refer to this one, as a queryset. A field of this name hides
--- the method.
---@param model modm.Model the one that refers
---@param name string its reference, or list of them; dotted in embedded documents
---@return modm.QuerySet<any>
function Document:related(model, name) end

--- Changes the document on the server, at once, and takes over what the server then has in the
--- fields that were changed. Its other changes stay, and are not sent. A field of this name hides
--- the method: modm.change(document, changes) does the same.
---@generic T: modm.Document
---@param self T
---@param changes modm.Changes
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err DoesNotExist when it is gone, OperationError before the first save
function Document:change(changes, options) end

--- The same for one operator.
---@generic T: modm.Document
---@param self T
---@param values table<string, any>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:set(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, any>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:inc(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, any>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:mul(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, any>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:min(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, any>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:max(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, any>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:push(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, any>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:add_to_set(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, any>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:pull(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, 1|-1>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:pop(values, options) end

---@generic T: modm.Document
---@param self T
---@param values table<string, string>
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:rename(values, options) end

---@generic T: modm.Document
---@param self T
---@param names string[]
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:unset(names, options) end

---@generic T: modm.Document
---@param self T
---@param names string[]
---@param options? { array_filters?: table<string, any>, session?: modm.Session|false }
---@return T? document
---@return string? message
---@return modm.Error? err
function Document:current_date(names, options) end

--- An instance of an embedded model; `==` compares what it holds.
---@class modm.EmbeddedDocument: userdata
local EmbeddedDocument = {}

--- Validates all fields, then calls the model's own `clean`.
---@param exclude? string[] names of fields to leave out
---@return true? ok
---@return string? message
---@return modm.Error? err a ValidationError with `err.errors`
function EmbeddedDocument:full_clean(exclude) end
---@param exclude? string[] names of fields to leave out
---@return boolean
function EmbeddedDocument:is_valid(exclude) end

--- The document as it would be stored: a table under stored names, in order.
---@return table? stored
---@return string? message
---@return modm.Error? err
function EmbeddedDocument:to_son() end

--- The key that a reference holds, a list of them for a list, without a query.
---@param name string
---@return any
function EmbeddedDocument:id_of(name) end

--- For `for name, value in document:pairs() do`: the fields that are set, in order.
---@return fun(document: modm.EmbeddedDocument, name?: string): string?, any
---@return modm.EmbeddedDocument
---@return nil
function EmbeddedDocument:pairs() end
