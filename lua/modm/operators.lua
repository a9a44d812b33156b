--- The operators of filters: constructors, made in C, whose values no table can imitate.
-- An operand is coerced by the field that it is for, like any value of a filter. A nil raises: a
-- condition never vanishes.

---@class modm.Operator: userdata

---@class modm.Operators
---@field eq fun(value: any): modm.Operator equal; what a plain value means too
---@field ne fun(value: any): modm.Operator not equal (or not there)
---@field gt fun(value: any): modm.Operator
---@field gte fun(value: any): modm.Operator
---@field lt fun(value: any): modm.Operator
---@field lte fun(value: any): modm.Operator
---@field between fun(low: any, high: any): modm.Operator both ends included
---@field one_of fun(values: any[]): modm.Operator one of a list; none of an empty one
---@field not_in fun(values: any[]): modm.Operator none of a list
---@field contains_all fun(values: any[]): modm.Operator a list that has all of these items
---@field exists fun(there: boolean?): modm.Operator the field is stored (or, with false, is not)
---@field type_of fun(bson_type: string|integer|(string|integer)[]): modm.Operator
---@field size fun(items: integer): modm.Operator a list of so many items
---@field matches fun(pattern: string, options: string?): modm.Operator a regular expression (PCRE)
---@field mod fun(divisor: integer, remainder: integer): modm.Operator
---@field not_ fun(operator: modm.Operator): modm.Operator
---@field elem_match fun(filter: table|modm.Operator): modm.Operator one item fits all of it
---@field near fun(point: table, options: modm.NearOptions?): modm.Operator nearest first
---@field within fun(region: table, options: { radius: number? }?): modm.Operator inside of
--- polygons; or with a radius, in metres, of a circle around a point
---@field intersects fun(geometry: table): modm.Operator has a point in common with it
---@field all_of fun(filters: table[]): modm.Operator an item of a filter: { modm.all_of{...} }
---@field any_of fun(filters: table[]): modm.Operator
---@field none_of fun(filters: table[]): modm.Operator
---@field each fun(items: any[], options: table?): modm.Operator several items, for push, add_to_set
---@field text fun(words: string, options: modm.TextOptions?): modm.Operator an item of a filter:
--- by the collection's text index

---@class modm.NearOptions metres
---@field max_distance number|nil
---@field min_distance number|nil

---@class modm.TextOptions
---@field language string|nil whose stop words and stems; "none" for neither
---@field case_sensitive boolean|nil
---@field diacritic_sensitive boolean|nil

---@type modm.Operators
return require "modm.core".operators()
