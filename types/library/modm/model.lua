-- Models, for editors: how they are defined, and what a class has.
---@meta _
-- luacheck: ignore 212 241

--- What a model is extended from: modm.MongoModel and modm.EmbeddedMongoModel.
---@class modm.BaseModel
local BaseModel = {}

--- Makes a model that extends this one. Raises InvalidModel for a bad definition.
---@param name string the full name, may be dotted; its last part gives the collection's name
---@param definition modm.Definition
---@return modm.Model<any>
function BaseModel:extend(name, definition) end

--- A model. Call it to make a document: `User { email = "a@b.c" }`, or by position,
--- `User("a@b.c", "Ann")`. To have its documents completed, say of what class they are:
---
---     ---@type modm.Model<User>
---     local User = modm.MongoModel:extend("User", { ... })
---@class modm.Model<T>: modm.BaseModel
---@overload fun(...: any): T
--- The default manager, unless the definition declares others.
---@field objects modm.Manager<T>
--- For `err:is(User.DoesNotExist)`.
---@field DoesNotExist modm.Kind
--- For `err:is(User.MultipleObjectsReturned)`.
---@field MultipleObjectsReturned modm.Kind
local Model = {}

--- A document from a table in stored form (stored names, `_cls` honoured), not yet saved. Raises
--- for names that are not stored.
---@param stored table
---@return T
function Model:from_document(stored) end

--- A document, not yet saved, from a table that came from outside, such as a form or a JSON body.
--- Only the fields that are named are taken from it; the primary key, files and `_cls` never are.
---
---     local post = Post:from_input(body, { "title", comments = { "content" } })
---@param values table by names of fields; what is not named is left out
---@param names table names of fields, and name = { names } for those of embedded documents. Raises
--- for what is no field
---@return T
function Model:from_input(values, names) end

--- Makes the model's indexes now, instead of at its first use.
---@return true? ok
---@return string? message
---@return modm.Error? err
function Model:ensure_indexes() end

--- The model's rules as a `$jsonSchema`, for its documents and those of the models that extend
--- it in its collection; and the rules that such a schema cannot say.
---@return table schema
---@return modm.Unsaid[] unsaid
function Model:json_schema() end

--- A rule that a `$jsonSchema` cannot say.
---@class modm.Unsaid
---@field model string the full name
---@field field string dotted into embedded documents, with [] for items of lists; "" for the whole
---@field rule string
---@field why string

---@class modm.Validator
---@field created boolean whether the collection had to be made
---@field before { validator: table?, level: string?, action: string? } what was there
---@field unsaid modm.Unsaid[]

--- Gives the model's collection a validator of these rules, in place of the one that is there; the
--- collection is made when there is none. Raises for a model that shares its parent's collection.
---@param options? { level: "strict"|"moderate"|"off"?, action: "error"|"warn"? } strict, error
---@return modm.Validator?
---@return string? message
---@return modm.Error? err
function Model:install_validator(options) end

--- Compares the indexes that the models of this one's collection declare with those of the server.
---@return modm.IndexDiff? diff
---@return string? message
---@return modm.Error? err
function Model:diff_indexes() end

--- Makes the indexes that the collection lacks. With drop = true, changes those that differ and
--- drops those that no model of the collection declares; without, they are reported.
---@param options? { drop?: boolean }
---@return modm.IndexSync? done
---@return string? message
---@return modm.Error? err with the model, the index, and in `done` what was done before
function Model:sync_indexes(options) end

--- What diff_indexes found; indexes are tables as the server lists them.
---@class modm.IndexDiff
--- Declared, and not on the server.
---@field missing table[]
--- On the server, and declared by no model of the collection.
---@field extra table[]
--- `differs` names the options; "key" and "name" stand for those.
---@field changed { name: string, differs: string[], model: table, server: table }[]

--- What sync_indexes did, by the indexes' names, and with `extra` and `changed` what it left.
---@class modm.IndexSync
---@field created string[]
--- Changed where they stand, by collMod.
---@field modified string[]
---@field rebuilt string[]
---@field dropped string[]
---@field extra table[]
---@field changed { name: string, differs: string[], model: table, server: table }[]

--- Says what follows for documents of `other` when one of this model is deleted.
---@param other modm.Model<any> the model that refers to this one
---@param name string its field, dotted into embedded models
---@param rule integer modm.DO_NOTHING, NULLIFY, CASCADE, DENY or PULL
function Model:register_delete_rule(other, name, rule) end

--- Has a function called before something happens to a document of this model, or of one that
--- extends it. Several are called in the order in which they were declared, those of what the
--- model extends first. One that raises, or returns nil and a message, stops it with that error.
---@param event "validate"|"save"|"insert"|"update"|"delete"
---@param hook fun(document: any): any, string?, modm.Error?
function Model:before(event, hook) end

--- The same after it has happened. The error of such a hook is returned, but nothing is undone.
---@param event "validate"|"save"|"insert"|"update"|"delete"|"load"
---@param hook fun(document: any): any, string?, modm.Error?
function Model:after(event, hook) end

--- Fields, methods and managers by name, and Meta. A method named `clean` is called when all fields
--- are valid; it raises or returns nil and a message, or raises modm.ValidationError.
---@class modm.Definition
---@field Meta? modm.Meta
---@field clean? fun(self: any): any, string?
---@field [string] modm.Field|function|modm.Manager<any>|modm.Meta

---@class modm.CodecOptions
--- What UUIDFields store that name no subtype: subtype 4, or 3.
---@field uuid_representation? "standard"|"pythonLegacy"

--- The options of a model. A model that extends another inherits them one by one, but for those
--- that are marked.
---@class modm.Meta
--- The alias given to modm.connect; default "default".
---@field connection_alias? string
--- Default: the last part of the name in snake case, or the collection of the model it extends.
---@field collection_name? string
--- Nobody may extend it, and no `_cls` is stored. Not inherited.
---@field final? boolean
--- Saves references first, as save { cascade = true } does.
---@field cascade? boolean
--- A mode such as "secondaryPreferred", or { mode =, tags =, maxStalenessSeconds = }.
---@field read_preference? string|table
--- A level such as "majority", or { level = }.
---@field read_concern? string|table
--- { w =, j =, wtimeout = }, or w alone.
---@field write_concern? table|integer|string
--- A list of { "name", "-name", { "name", 1 }, ..., unique = true, ... }, the options by the
--- server's names.
---@field indexes? table[]
--- false: indexes are made by Model:ensure_indexes() only.
---@field auto_index? boolean
--- { locale = "de", strength = 1, ... } for queries and writes.
---@field collation? table
--- Stored fields that the model does not have are kept and not an error.
---@field ignore_unknown_fields? boolean
---@field codec_options? modm.CodecOptions
--- What is stored as `_cls`; default the full name. Not inherited.
---@field cls? string
--- Further names of `_cls` that are read as this model. Not inherited.
---@field cls_aliases? string[]
--- Documents without `_cls` are of this model.
---@field cls_optional? boolean
--- Two DateTimeFields that modm sets, created_at and updated_at, or others.
---@field timestamps? boolean|{ created?: string, updated?: string }
--- An IntegerField that each save checks and raises; its name, or true for "version".
---@field version? boolean|string
--- delete marks by a DateTimeField, and querysets hide; its name, or true for "deleted_at".
---@field soft_delete? boolean|string
--- How long each operation of the model may take, in milliseconds, in place of the connection's.
---@field timeout_ms? integer
