-- Files in MongoDB (GridFS), for editors.
---@meta modm.files
-- luacheck: ignore 212 241

---@class modm.GridFSOptions
--- The connection whose database has the bucket; default "default".
---@field connection_alias? string
--- The collections are BUCKET.files and BUCKET.chunks; default "fs".
---@field bucket_name? string
--- Bytes of a chunk of new files; default 261120.
---@field chunk_size? integer
---@field write_concern? table|integer|string
---@field read_concern? table|string
---@field read_preference? table|string

---@class modm.NewFileOptions
--- The id of the file; default a new ObjectId.
---@field id? any
---@field metadata? table
---@field content_type? string
---@field chunk_size? integer

---@class modm.GridFSStorage
local Storage = {}

--- Begins a new file; write to what it gives, then close it.
---@param name? string
---@param options? modm.NewFileOptions
---@return modm.GridIn?, string? message, modm.Error? err
function Storage:create(name, options) end

--- Stores a file as a whole. Nothing of it is there until all is.
---@param name? string
---@param content string|table|userdata bytes, or a file object: one with `read`
---@param metadata? table
---@param options? modm.NewFileOptions
---@return any id, string? message, modm.Error? err
function Storage:save(name, content, metadata, options) end

--- Opens a file to read it ("rb", the default), or begins a new one with this id ("wb").
---@param id any
---@param mode? "rb"|"wb"
---@param options? table filename, metadata, content_type of a new one
---@return modm.GridOut|modm.GridIn|nil, string? message, modm.Error? err DoesNotExist
function Storage:open(id, mode, options) end

--- Deletes a file; one that is not there is no error.
---@param id any
---@return true?, string? message, modm.Error? err
function Storage:delete(id) end

---@param id any
---@return boolean?, string? message, modm.Error? err
function Storage:exists(id) end

---@class modm.GridIn
---@field id any
---@field filename? string
---@field chunk_size integer
---@field length integer
local Writer = {}

--- Adds strings or numbers. When it fails the upload is at its end, and nothing of it stays.
---@param ... string|number
---@return modm.GridIn?, string? message, modm.Error? err
function Writer:write(...) end

--- Sends what is left: now the file is there.
---@return any id, string? message, modm.Error? err
function Writer:close() end

--- Gives the upload up and deletes what was sent.
---@return true?, string? message, modm.Error? err
function Writer:abort() end

---@class modm.GridOut
---@field id any
---@field filename? string
---@field name? string
---@field length integer
---@field size integer
---@field chunk_size integer
---@field upload_date modm.DateTime
---@field content_type? string
---@field metadata? table
---@field md5? string
local Reader = {}

--- Reads as Lua's io does; without a format, a line.
---@param ... integer|"a"|"l"|"L"
---@return string? ...
function Reader:read(...) end

--- Iterates over what `read` with the format gives; raises error objects.
---@param format? integer|"a"|"l"|"L"
---@return fun(): string?
function Reader:lines(format) end

---@param whence? "set"|"cur"|"end"
---@param offset? integer
---@return integer? position, string? message
function Reader:seek(whence, offset) end

---@return true
function Reader:close() end

---@class modm.FileOptions
--- Without one: the last part of a path, or the file object's own name.
---@field name? string
---@field metadata? table
---@field content_type? string

--- A file that waits to be stored with its document.
---@class modm.File
---@field name? string
---@field metadata? table
---@field content_type? string
---@field size? integer nil where it cannot be told before the file is read
local File = {}

--- Opens it at its beginning.
---@return table|userdata|nil, string? message, modm.Error? err
function File:open() end

--- What a FileField reads as. Reading what is told of a file that is not there raises.
---@class modm.FieldFile
---@field file_id any nil while the file is not stored
---@field storage modm.GridFSStorage|table
---@field name? string
---@field filename? string
---@field size integer
---@field length integer
---@field chunk_size integer
---@field upload_date modm.DateTime
---@field content_type? string
---@field metadata? table
---@field md5? string
local FieldFile = {}

---@return table?, string? message, modm.Error? err
function FieldFile:open() end

---@param ... integer|"a"|"l"|"L"
---@return string? ...
function FieldFile:read(...) end

---@param format? integer|"a"|"l"|"L"
---@return fun(): string?
function FieldFile:lines(format) end

---@param whence? "set"|"cur"|"end"
---@param offset? integer
---@return integer? position, string? message
function FieldFile:seek(whence, offset) end

---@return true
function FieldFile:close() end

--- Stores another file at once and puts its id into the document, which is not saved.
---@param name? string
---@param content string|table|userdata
---@param metadata? table
---@return any id, string? message, modm.Error? err
function FieldFile:save(name, content, metadata) end

--- Deletes the file and unsets the document's field, which is not saved.
---@return true?, string? message, modm.Error? err
function FieldFile:delete() end

---@class modm.ImageFieldFile: modm.FieldFile
---@field format "PNG"|"JPEG"|"GIF"|"WebP"|"BMP"
---@field width integer
---@field height integer
