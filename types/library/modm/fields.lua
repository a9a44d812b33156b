-- The constructors of fields, for editors. Written by tools/generate-types.
---@meta _
-- luacheck: ignore 212

--- A declared field, as its constructor gives it.
---@class modm.Field
---@field kind string the name of its constructor
---@field order integer its place among all fields that were declared
---@field options table what it was declared with

--- Options of every field.
---@class modm.FieldOptions
--- stored as `_id`; makes the field required
---@field primary_key? boolean
--- must be set
---@field required? boolean
--- may be empty; true for lists and dicts, else false
---@field blank? boolean
--- the values that are allowed: a flat list, or pairs `{ value, label }`
---@field choices? any[]
--- the name in the database: no dot, no NUL, no leading `$`
---@field mongo_name? string
--- a name for people; modm does not use it
---@field verbose_name? string

---@class modm.CharFieldOptions: modm.FieldOptions
--- fewest characters
---@field min_length? integer
--- most characters
---@field max_length? integer
--- what an unset field reads as; a function is called once a document
---@field default? string|fun(): string
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: string): any, string?)[]

---@class modm.IntegerFieldOptions: modm.FieldOptions
--- smallest value
---@field min_value? integer
--- largest value
---@field max_value? integer
--- what an unset field reads as; a function is called once a document
---@field default? integer|fun(): integer
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: integer): any, string?)[]

---@class modm.BigIntegerFieldOptions: modm.FieldOptions
--- smallest value
---@field min_value? integer
--- largest value
---@field max_value? integer
--- what an unset field reads as; a function is called once a document
---@field default? integer|fun(): integer
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: integer): any, string?)[]

---@class modm.FloatFieldOptions: modm.FieldOptions
--- smallest value
---@field min_value? number
--- largest value
---@field max_value? number
--- what an unset field reads as; a function is called once a document
---@field default? number|fun(): number
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: number): any, string?)[]

---@class modm.BooleanFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? boolean|fun(): boolean
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: boolean): any, string?)[]

---@class modm.ObjectIdFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? modm.ObjectId|fun(): modm.ObjectId
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.ObjectId): any, string?)[]

---@class modm.DateTimeFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? modm.DateTime|fun(): modm.DateTime
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.DateTime): any, string?)[]

---@class modm.Decimal128FieldOptions: modm.FieldOptions
--- smallest value
---@field min_value? modm.Decimal128|modm.Int64|number|string
--- largest value
---@field max_value? modm.Decimal128|modm.Int64|number|string
--- what an unset field reads as; a function is called once a document
---@field default? modm.Decimal128|fun(): modm.Decimal128
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.Decimal128): any, string?)[]

---@class modm.BinaryFieldOptions: modm.FieldOptions
--- of strings, from 0 to 255; a Binary keeps its own
---@field subtype? integer
--- what an unset field reads as; a function is called once a document
---@field default? modm.Binary|fun(): modm.Binary
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.Binary): any, string?)[]

---@class modm.UUIDFieldOptions: modm.FieldOptions
--- 3 (PyMODM's, and what is not given) or 4 (the standard's)
---@field subtype? integer
--- what an unset field reads as; a function is called once a document
---@field default? modm.Binary|fun(): modm.Binary
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.Binary): any, string?)[]

---@class modm.RegularExpressionFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? modm.Regex|fun(): modm.Regex
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.Regex): any, string?)[]

---@class modm.JavaScriptFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? modm.JavaScript|fun(): modm.JavaScript
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.JavaScript): any, string?)[]

---@class modm.TimestampFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? modm.Timestamp|fun(): modm.Timestamp
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.Timestamp): any, string?)[]

---@class modm.EmailFieldOptions: modm.FieldOptions
--- checks the domain too
---@field strict? boolean
--- what an unset field reads as; a function is called once a document
---@field default? string|fun(): string
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: string): any, string?)[]

---@class modm.URLFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? string|fun(): string
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: string): any, string?)[]

---@class modm.GenericIPAddressFieldOptions: modm.FieldOptions
--- which addresses it takes; both, if not given
---@field protocol? "both"|"ipv4"|"ipv6"
--- what an unset field reads as; a function is called once a document
---@field default? string|fun(): string
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: string): any, string?)[]

---@class modm.DictFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.OrderedDictFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.ListFieldOptions: modm.FieldOptions
--- what each item is
---@field [1]? modm.Field
--- what each item is
---@field field? modm.Field
--- what an unset field reads as; a function is called once a document
---@field default? any[]|fun(): any[]
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: any[]): any, string?)[]

---@class modm.PointFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.LineStringFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.PolygonFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.MultiPointFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.MultiLineStringFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.MultiPolygonFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.GeometryCollectionFieldOptions: modm.FieldOptions
--- what an unset field reads as; a function is called once a document
---@field default? table<string, any>|fun(): table<string, any>
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: table<string, any>): any, string?)[]

---@class modm.EmbeddedModelFieldOptions: modm.FieldOptions
--- the embedded model, or its name
---@field [1]? modm.Model<any>|string
--- the embedded model, or its name
---@field model? modm.Model<any>|string
--- what an unset field reads as; a function is called once a document
---@field default? modm.Document|fun(): modm.Document
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.Document): any, string?)[]

---@class modm.EmbeddedModelListFieldOptions: modm.FieldOptions
--- the embedded model, or its name
---@field [1]? modm.Model<any>|string
--- the embedded model, or its name
---@field model? modm.Model<any>|string
--- what an unset field reads as; a function is called once a document
---@field default? modm.Document[]|fun(): modm.Document[]
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.Document[]): any, string?)[]

---@class modm.ReferenceFieldOptions: modm.FieldOptions
--- the model referred to, or its name
---@field [1]? modm.Model<any>|string
--- the model referred to, or its name
---@field model? modm.Model<any>|string
--- what follows when the document referred to is deleted: modm.CASCADE, ...
---@field on_delete? integer
--- what an unset field reads as; a function is called once a document
---@field default? modm.Document|fun(): modm.Document
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.Document): any, string?)[]

---@class modm.FileFieldOptions: modm.FieldOptions
--- where files go; without, modm.GridFSStorage on the bucket fs of the model's connection
---@field storage? table
--- what an unset field reads as; a function is called once a document
---@field default? modm.FieldFile|fun(): modm.FieldFile
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.FieldFile): any, string?)[]

---@class modm.ImageFieldOptions: modm.FieldOptions
--- where files go; without, modm.GridFSStorage on the bucket fs of the model's connection
---@field storage? table
--- what an unset field reads as; a function is called once a document
---@field default? modm.ImageFieldFile|fun(): modm.ImageFieldFile
--- each gets the converted value; it raises, or returns false or nil and a message
---@field validators? (fun(value: modm.ImageFieldFile): any, string?)[]

--- The constructors of fields: `modm.fields`.
---@class modm.fields
local fields = {}

--- Accepts anything printable, by tostring; UTF-8. Stored as string.
---@param options? modm.CharFieldOptions
---@return modm.Field
function fields.CharField(options) end

--- Accepts integers, integral numbers, integers in strings. Stored as int32 where it fits, else
--- int64.
---@param options? modm.IntegerFieldOptions
---@return modm.Field
function fields.IntegerField(options) end

--- Accepts integers, integral numbers, integers in strings. Stored as int64.
---@param options? modm.BigIntegerFieldOptions
---@return modm.Field
function fields.BigIntegerField(options) end

--- Accepts numbers, numbers in strings. Stored as double.
---@param options? modm.FloatFieldOptions
---@return modm.Field
function fields.FloatField(options) end

--- Accepts anything, by truth: 0, "" and empty tables are false. Stored as bool.
---@param options? modm.BooleanFieldOptions
---@return modm.Field
function fields.BooleanField(options) end

--- Accepts ObjectId, 24 hex digits, 12 bytes. Stored as ObjectId.
---@param options? modm.ObjectIdFieldOptions
---@return modm.Field
function fields.ObjectIdField(options) end

--- Accepts DateTime, seconds since the epoch, a date table, ISO 8601 text. Stored as date, in
--- ms.
---@param options? modm.DateTimeFieldOptions
---@return modm.Field
function fields.DateTimeField(options) end

--- Accepts Decimal128, numbers, numbers in strings; at most 34 digits. Stored as decimal128.
---@param options? modm.Decimal128FieldOptions
---@return modm.Field
function fields.Decimal128Field(options) end

--- Accepts Binary, strings of any bytes. Stored as binary.
---@param options? modm.BinaryFieldOptions
---@return modm.Field
function fields.BinaryField(options) end

--- Accepts UUID of either subtype, its text, 16 bytes. Stored as binary of subtype 3, or 4 when
--- told; the bytes in the order of the text.
---@param options? modm.UUIDFieldOptions
---@return modm.Field
function fields.UUIDField(options) end

--- Accepts Regex, a pattern as a string. Stored as regex.
---@param options? modm.RegularExpressionFieldOptions
---@return modm.Field
function fields.RegularExpressionField(options) end

--- Accepts JavaScript, its text. Stored as code, with its scope when it has one.
---@param options? modm.JavaScriptFieldOptions
---@return modm.Field
function fields.JavaScriptField(options) end

--- Accepts Timestamp, DateTime, a date table, ISO 8601 text: from 1970 to 2106. Stored as
--- timestamp.
---@param options? modm.TimestampFieldOptions
---@return modm.Field
function fields.TimestampField(options) end

--- Accepts something, one @, something. Stored as string.
---@param options? modm.EmailFieldOptions
---@return modm.Field
function fields.EmailField(options) end

--- Accepts http, https, ftp, ftps://domain or address, a port, a path without spaces. Stored as
--- string.
---@param options? modm.URLFieldOptions
---@return modm.Field
function fields.URLField(options) end

--- Accepts IPv4 without leading zeros; IPv6, also with a zone. Stored as string.
---@param options? modm.GenericIPAddressFieldOptions
---@return modm.Field
function fields.GenericIPAddressField(options) end

--- Accepts tables with string keys, without dots, NUL or a leading $. Stored as document.
---@param options? modm.DictFieldOptions
---@return modm.Field
function fields.DictField(options) end

--- Accepts the same; modm.ordered{ {key, value}, ... } keeps an order of keys. Stored as
--- document.
---@param options? modm.OrderedDictFieldOptions
---@return modm.Field
function fields.OrderedDictField(options) end

--- Accepts lists; each item by the inner field, to any depth. Stored as array.
---@param options? modm.ListFieldOptions
---@return modm.Field
function fields.ListField(options) end

--- Accepts GeoJSON, or { longitude, latitude }. Stored as document, its type first.
---@param options? modm.PointFieldOptions
---@return modm.Field
function fields.PointField(options) end

--- Accepts GeoJSON, or a list of points. Stored as document, its type first.
---@param options? modm.LineStringFieldOptions
---@return modm.Field
function fields.LineStringField(options) end

--- Accepts GeoJSON, or a list of rings: lists of points that end with their first. Stored as
--- document, its type first.
---@param options? modm.PolygonFieldOptions
---@return modm.Field
function fields.PolygonField(options) end

--- Accepts GeoJSON, or a list of points. Stored as document, its type first.
---@param options? modm.MultiPointFieldOptions
---@return modm.Field
function fields.MultiPointField(options) end

--- Accepts GeoJSON, or a list of lists of points. Stored as document, its type first.
---@param options? modm.MultiLineStringFieldOptions
---@return modm.Field
function fields.MultiLineStringField(options) end

--- Accepts GeoJSON, or a list of polygons' lists of rings. Stored as document, its type first.
---@param options? modm.MultiPolygonFieldOptions
---@return modm.Field
function fields.MultiPolygonField(options) end

--- Accepts GeoJSON, or a list of GeoJSON that holds no collection. Stored as document, its type
--- first.
---@param options? modm.GeometryCollectionFieldOptions
---@return modm.Field
function fields.GeometryCollectionField(options) end

--- Accepts instances, or tables in stored form. Stored as document.
---@param options modm.EmbeddedModelFieldOptions
---@return modm.Field
function fields.EmbeddedModelField(options) end

--- Accepts instances, or tables in stored form. Stored as document.
---@deprecated the older name of EmbeddedModelField
---@param options modm.EmbeddedModelFieldOptions
---@return modm.Field
function fields.EmbeddedDocumentField(options) end

--- Accepts lists of instances, or of tables in stored form. Stored as array.
---@param options modm.EmbeddedModelListFieldOptions
---@return modm.Field
function fields.EmbeddedModelListField(options) end

--- Accepts lists of instances, or of tables in stored form. Stored as array.
---@deprecated the older name of EmbeddedModelListField
---@param options modm.EmbeddedModelListFieldOptions
---@return modm.Field
function fields.EmbeddedDocumentListField(options) end

--- Accepts an instance, or its key. Stored as the key of the model referred to.
---@param options modm.ReferenceFieldOptions
---@return modm.Field
function fields.ReferenceField(options) end

--- Accepts modm.File, an object with read, the ObjectId of a file. Stored as the id of a file
--- in the storage.
---@param options? modm.FileFieldOptions
---@return modm.Field
function fields.FileField(options) end

--- Accepts the same, of a PNG, JPEG, GIF, WebP or BMP by its header. Stored as the id of a file
--- in the storage.
---@param options? modm.ImageFieldOptions
---@return modm.Field
function fields.ImageField(options) end

return fields
