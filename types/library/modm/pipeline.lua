-- Aggregations built stage by stage, for editors.
---@meta _
-- luacheck: ignore 212 241

---@class modm.LookupOptions
--- The name of the list.
---@field as string
--- What has to be equal, "pk" without; one of the two is to be given.
---@field local_field? string
---@field foreign_field? string
--- What else is done with what was found.
---@field pipeline? fun(pipeline: modm.Pipeline): modm.Pipeline

--- An aggregation in the model's names. It never changes: each stage gives a new one, and only
--- iter, list and first ask the server.
---@class modm.Pipeline
local Pipeline = {}

--- Leaves what fits the conditions, as filter takes them.
---@param conditions table
---@return modm.Pipeline
function Pipeline:match(conditions) end

--- Sorts, as order_by does.
---@param ... string|table
---@return modm.Pipeline
function Pipeline:sort(...) end

--- At most n.
---@param n integer
---@return modm.Pipeline
function Pipeline:limit(n) end

--- Leaves out the first n.
---@param n integer
---@return modm.Pipeline
function Pipeline:skip(n) end

--- n of them, by chance.
---@param n integer
---@return modm.Pipeline
function Pipeline:sample(n) end

--- Only these fields (name = true), all but these (name = false), and fields that are computed
--- (name = expression).
---@param fields table<string, any>
---@return modm.Pipeline
function Pipeline:project(fields) end

--- Adds fields that are computed, or replaces some.
---@param fields table<string, any> name -> expression
---@return modm.Pipeline
function Pipeline:add_fields(fields) end

--- One document for each item of a list.
---@param name string
---@param options? { keep_empty: boolean?, index: string? }
---@return modm.Pipeline
function Pipeline:unwind(name, options) end

--- Adds a list of the documents of another model that belong to each. Of a queryset the conditions,
--- order and range hold for each list. Needs MongoDB 5.0.
---@param what modm.Model|modm.QuerySet<any>|modm.Manager<any>
---@param options modm.LookupOptions
---@return modm.Pipeline
function Pipeline:lookup(what, options) end

--- One document for each value of _id.
---@param spec table<string, any> _id: an expression, modm.null for one group of all; other names:
--- accumulators
---@return modm.Pipeline
function Pipeline:group(spec) end

--- One document with the number of what came so far.
---@param name string
---@return modm.Pipeline
function Pipeline:count(name) end

--- Puts an expression, a document, in place of each.
---@param expression any
---@return modm.Pipeline
function Pipeline:replace_root(expression) end

--- Several pipelines over the same: one document with a list under each name.
---@param facets table<string, fun(pipeline: modm.Pipeline): modm.Pipeline>
---@return modm.Pipeline
function Pipeline:facet(facets) end

--- Any stage in MongoDB's own words, with stored names.
---@param stage table
---@return modm.Pipeline
function Pipeline:stage(stage) end

--- Reads rows as documents of a model: of an embedded one, or of one with a collection as long as
--- they are whole documents.
---@param model modm.Model
---@return modm.Pipeline
function Pipeline:as(model) end

--- Iterates over the rows; the aggregation runs anew each time. Raises error objects.
---@return fun(): table|modm.Document|nil
function Pipeline:iter() end

--- All rows.
---@return (table|modm.Document)[]? rows
---@return string? message
---@return modm.Error? err
function Pipeline:list() end

--- The first row, or nil when there is none.
---@return table|modm.Document|nil row
---@return string? message
---@return modm.Error? err
function Pipeline:first() end
