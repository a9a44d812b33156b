/* THE table of field kinds, one row a kind, and what Lua reads of it. */
#include "field/field_private.h"

#define END                                                                                        \
   {                                                                                               \
      NULL, NULL, NULL                                                                             \
   }

static const modm_option none[] = {END};
static const modm_option lengths[] = {{"min_length", "integer", "fewest characters"},
                                      {"max_length", "integer", "most characters"},
                                      END};
static const modm_option integers[] = {
   {"min_value", "integer", "smallest value"}, {"max_value", "integer", "largest value"}, END};
static const modm_option numbers[] = {
   {"min_value", "number", "smallest value"}, {"max_value", "number", "largest value"}, END};
static const modm_option decimals[] = {
   {"min_value", "modm.Decimal128|modm.Int64|number|string", "smallest value"},
   {"max_value", "modm.Decimal128|modm.Int64|number|string", "largest value"},
   END};
static const modm_option binary[] = {
   {"subtype", "integer", "of strings, from 0 to 255; a Binary keeps its own"}, END};
static const modm_option uuid[] = {
   {"subtype", "integer", "3 (PyMODM's, and what is not given) or 4 (the standard's)"}, END};
static const modm_option email[] = {{"strict", "boolean", "checks the domain too"}, END};
static const modm_option addresses[] = {
   {"protocol", "\"both\"|\"ipv4\"|\"ipv6\"", "which addresses it takes; both, if not given"}, END};
static const modm_option items[] = {
   {"field", "modm.Field", "what each item is (also the first value)"}, END};
static const modm_option embedded[] = {
   {"model", "modm.Model|string", "the embedded model, or its name (also the first value)"}, END};
static const modm_option reference[] = {
   {"model", "modm.Model|string", "the model referred to, or its name (also the first value)"},
   {"on_delete", "integer",
    "what follows when the document referred to is deleted: modm.CASCADE, ..."},
   END};

/* A kind of GeoJSON: they differ in what geo.c makes of their names. */
#define GEOJSON(geometry, accepted)                                                                \
   {                                                                                               \
      .name = geometry "Field", .value = "table<string, any>", .accepts_text = (accepted),         \
      .stored_text = "document, its type first", .options = none, .keeps = true,                   \
      .is_mutable = true, .convert = modm_geo_convert, .check = modm_geo_check,                    \
      .accepts = modm_geo_accepts, .append = modm_geo_append, .push = modm_any_push                \
   }

const modm_kind modm_kinds[] = {
   {.name = "CharField",
    .value = "string",
    .accepts_text = "anything printable, by tostring; UTF-8",
    .stored_text = "string",
    .options = lengths,
    .compile = modm_char_compile,
    .convert = modm_char_convert,
    .check = modm_char_check,
    .accepts = modm_char_accepts,
    .append = modm_string_append,
    .push = modm_any_push},
   {.name = "IntegerField",
    .value = "integer",
    .accepts_text = "integers, integral numbers, integers in strings",
    .stored_text = "int32 where it fits, else int64",
    .options = integers,
    .compile = modm_integer_compile,
    .convert = modm_integer_convert,
    .check = modm_integer_check,
    .accepts = modm_integer_accepts,
    .append = modm_integer_append,
    .push = modm_any_push},
   {.name = "BigIntegerField",
    .value = "integer",
    .accepts_text = "integers, integral numbers, integers in strings",
    .stored_text = "int64",
    .options = integers,
    .compile = modm_integer_compile,
    .convert = modm_integer_convert,
    .check = modm_integer_check,
    .accepts = modm_biginteger_accepts,
    .append = modm_biginteger_append,
    .push = modm_any_push},
   {.name = "FloatField",
    .value = "number",
    .accepts_text = "numbers, numbers in strings",
    .stored_text = "double",
    .options = numbers,
    .compile = modm_float_compile,
    .convert = modm_float_convert,
    .check = modm_float_check,
    .accepts = modm_float_accepts,
    .append = modm_float_append,
    .push = modm_any_push},
   {.name = "BooleanField",
    .value = "boolean",
    .accepts_text = "anything, by truth: 0, \"\" and empty tables are false",
    .stored_text = "bool",
    .options = none,
    .convert = modm_boolean_convert,
    .accepts = modm_boolean_accepts,
    .append = modm_any_append,
    .push = modm_any_push},
   {.name = "ObjectIdField",
    .value = "modm.ObjectId",
    .accepts_text = "ObjectId, 24 hex digits, 12 bytes",
    .stored_text = "ObjectId",
    .options = none,
    .keeps = true,
    .convert = modm_objectid_convert,
    .accepts = modm_objectid_accepts,
    .append = modm_any_append,
    .push = modm_any_push},
   {.name = "DateTimeField",
    .value = "modm.DateTime",
    .accepts_text = "DateTime, seconds since the epoch, a date table, ISO 8601 text",
    .stored_text = "date, in ms",
    .options = none,
    .keeps = true,
    .convert = modm_datetime_convert,
    .accepts = modm_datetime_accepts,
    .append = modm_any_append,
    .push = modm_any_push},
   {.name = "Decimal128Field",
    .value = "modm.Decimal128",
    .accepts_text = "Decimal128, numbers, numbers in strings; at most 34 digits",
    .stored_text = "decimal128",
    .options = decimals,
    .keeps = true,
    .compile = modm_decimal_compile,
    .convert = modm_decimal_convert,
    .check = modm_decimal_check,
    .accepts = modm_decimal_accepts,
    .append = modm_any_append,
    .push = modm_any_push},
   {.name = "BinaryField",
    .value = "modm.Binary",
    .accepts_text = "Binary, strings of any bytes",
    .stored_text = "binary",
    .options = binary,
    .keeps = true,
    .compile = modm_binary_compile,
    .convert = modm_binary_convert,
    .accepts = modm_binary_accepts,
    .append = modm_binary_append,
    .push = modm_any_push},
   {.name = "UUIDField",
    .value = "modm.Binary",
    .accepts_text = "UUID of either subtype, its text, 16 bytes",
    .stored_text = "binary of subtype 3, or 4 when told; the bytes in the order of the text",
    .options = uuid,
    .keeps = true,
    .compile = modm_uuid_compile,
    .convert = modm_uuid_convert,
    .accepts = modm_uuid_accepts,
    .append = modm_any_append,
    .push = modm_any_push},
   {.name = "RegularExpressionField",
    .value = "modm.Regex",
    .accepts_text = "Regex, a pattern as a string",
    .stored_text = "regex",
    .options = none,
    .keeps = true,
    .convert = modm_regex_convert,
    .accepts = modm_regex_accepts,
    .append = modm_any_append,
    .push = modm_any_push},
   {.name = "JavaScriptField",
    .value = "modm.JavaScript",
    .accepts_text = "JavaScript, its text",
    .stored_text = "code, with its scope when it has one",
    .options = none,
    .keeps = true,
    .convert = modm_code_convert,
    .accepts = modm_code_accepts,
    .append = modm_any_append,
    .push = modm_any_push},
   {.name = "TimestampField",
    .value = "modm.Timestamp",
    .accepts_text = "Timestamp, DateTime, a date table, ISO 8601 text: from 1970 to 2106",
    .stored_text = "timestamp",
    .options = none,
    .keeps = true,
    .convert = modm_timestamp_convert,
    .accepts = modm_timestamp_accepts,
    .append = modm_any_append,
    .push = modm_any_push},
   {.name = "EmailField",
    .value = "string",
    .accepts_text = "something, one @, something",
    .stored_text = "string",
    .options = email,
    .compile = modm_email_compile,
    .convert = modm_email_convert,
    .check = modm_email_check,
    .accepts = modm_email_accepts,
    .append = modm_string_append,
    .push = modm_any_push},
   {.name = "URLField",
    .value = "string",
    .accepts_text = "http, https, ftp, ftps://domain or address, a port, a path without spaces",
    .stored_text = "string",
    .options = none,
    .convert = modm_address_convert,
    .check = modm_url_check,
    .accepts = modm_url_accepts,
    .append = modm_string_append,
    .push = modm_any_push},
   {.name = "GenericIPAddressField",
    .value = "string",
    .accepts_text = "IPv4 without leading zeros; IPv6, also with a zone",
    .stored_text = "string",
    .options = addresses,
    .compile = modm_ip_compile,
    .convert = modm_address_convert,
    .check = modm_ip_check,
    .accepts = modm_ip_accepts,
    .append = modm_string_append,
    .push = modm_any_push},
   {.name = "DictField",
    .value = "table<string, any>",
    .accepts_text = "tables with string keys, without dots, NUL or a leading $",
    .stored_text = "document",
    .options = none,
    .keeps = true,
    .is_mutable = true,
    .is_container = true,
    .convert = modm_dict_convert,
    .check = modm_dict_check,
    .accepts = modm_dict_accepts,
    .append = modm_dict_append,
    .push = modm_any_push},
   {.name = "OrderedDictField",
    .value = "table<string, any>",
    .accepts_text = "the same; modm.ordered{ {key, value}, ... } keeps an order of keys",
    .stored_text = "document",
    .options = none,
    .keeps = true,
    .is_mutable = true,
    .is_container = true,
    .convert = modm_dict_convert,
    .check = modm_dict_check,
    .accepts = modm_dict_accepts,
    .append = modm_dict_append,
    .push = modm_any_push},
   {.name = "ListField",
    .value = "any[]",
    .accepts_text = "lists; each item by the inner field, to any depth",
    .stored_text = "array",
    .options = items,
    .role = MODM_LIST,
    .keeps = true,
    .is_mutable = true,
    .is_container = true,
    .convert = modm_list_convert,
    .accepts = modm_list_accepts,
    .append = modm_list_append,
    .push = modm_list_push},
   GEOJSON ("Point", "GeoJSON, or { longitude, latitude }"),
   GEOJSON ("LineString", "GeoJSON, or a list of points"),
   GEOJSON ("Polygon", "GeoJSON, or a list of rings: lists of points that end with their first"),
   GEOJSON ("MultiPoint", "GeoJSON, or a list of points"),
   GEOJSON ("MultiLineString", "GeoJSON, or a list of lists of points"),
   GEOJSON ("MultiPolygon", "GeoJSON, or a list of polygons' lists of rings"),
   GEOJSON ("GeometryCollection", "GeoJSON, or a list of GeoJSON that holds no collection"),
   {.name = "EmbeddedModelField",
    .older_name = "EmbeddedDocumentField",
    .value = "modm.Document",
    .accepts_text = "instances, or tables in stored form",
    .stored_text = "document",
    .options = embedded,
    .role = MODM_EMBEDDED,
    .keeps = true,
    .is_mutable = true,
    .convert = modm_embedded_convert,
    .accepts = modm_embedded_accepts,
    .append = modm_embedded_append,
    .push = modm_embedded_push},
   {.name = "EmbeddedModelListField",
    .older_name = "EmbeddedDocumentListField",
    .value = "modm.Document[]",
    .accepts_text = "lists of instances, or of tables in stored form",
    .stored_text = "array",
    .options = embedded,
    .role = MODM_LIST,
    .keeps = true,
    .is_mutable = true,
    .is_container = true,
    .inner_kind = "EmbeddedModelField",
    .convert = modm_list_convert,
    .accepts = modm_list_accepts,
    .append = modm_list_append,
    .push = modm_list_push},
   {.name = "ReferenceField",
    .value = "modm.Document",
    .accepts_text = "an instance, or its key",
    .stored_text = "the key of the model referred to",
    .options = reference,
    .role = MODM_REFERENCE,
    .keeps = true,
    .convert = modm_reference_convert,
    .accepts = modm_reference_accepts,
    .append = modm_reference_append,
    .push = modm_reference_push},
   {.name = NULL}};

const modm_kind *
modm_kind_find (const char *name)
{
   for (const modm_kind *k = modm_kinds; k->name; k++)
      if (strcmp (k->name, name) == 0)
         return k;
   return NULL;
}

static void
set_text (lua_State *L, const char *key, const char *text)
{
   if (text) {
      lua_pushstring (L, text);
      lua_setfield (L, -2, key);
   }
}

static void
push_options (lua_State *L, const modm_option *options)
{
   lua_newtable (L);
   for (int i = 0; options[i].name; i++) {
      lua_newtable (L);
      set_text (L, "name", options[i].name);
      set_text (L, "type", options[i].type);
      set_text (L, "doc", options[i].doc);
      lua_rawseti (L, -2, i + 1);
   }
}

static int
l_kinds (lua_State *L)
{
   lua_newtable (L);
   for (int i = 0; modm_kinds[i].name; i++) {
      const modm_kind *k = &modm_kinds[i];
      lua_newtable (L);
      set_text (L, "name", k->name);
      set_text (L, "older_name", k->older_name);
      set_text (L, "value", k->value);
      set_text (L, "accepts", k->accepts_text);
      set_text (L, "stored", k->stored_text);
      push_options (L, k->options);
      lua_setfield (L, -2, "options");
      lua_rawseti (L, -2, i + 1);
   }
   return 1;
}

void
modm_field_open (lua_State *L)
{
   lua_pushcfunction (L, l_kinds);
   lua_setfield (L, -2, "kinds");
}
