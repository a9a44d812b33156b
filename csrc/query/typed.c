/* core.typed: fetched documents with the type of each value, for who looks at what is stored. */
#include "query/query_private.h"

static const char *
type_name (int type)
{
   static const struct {
      int type;
      const char *name; /* as the server's $type calls it */
   } names[] = {{MODM_BSON_DOUBLE, "double"},
                {MODM_BSON_STRING, "string"},
                {MODM_BSON_DOCUMENT, "object"},
                {MODM_BSON_ARRAY, "array"},
                {MODM_BSON_BINARY, "binData"},
                {MODM_BSON_UNDEFINED, "undefined"},
                {MODM_BSON_OBJECTID, "objectId"},
                {MODM_BSON_BOOL, "bool"},
                {MODM_BSON_DATE, "date"},
                {MODM_BSON_NULL, "null"},
                {MODM_BSON_REGEX, "regex"},
                {MODM_BSON_DBPOINTER, "dbPointer"},
                {MODM_BSON_CODE, "javascript"},
                {MODM_BSON_SYMBOL, "symbol"},
                {MODM_BSON_CODEWSCOPE, "javascriptWithScope"},
                {MODM_BSON_INT32, "int"},
                {MODM_BSON_TIMESTAMP, "timestamp"},
                {MODM_BSON_INT64, "long"},
                {MODM_BSON_DECIMAL128, "decimal"},
                {MODM_BSON_MAXKEY, "maxKey"}};
   for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (names[i].type == type)
         return names[i].name;
   return "minKey";
}

/* Pushes a list of {name, type, value}; the value of a document or array is such a list. */
static void
push_typed (lua_State *L, const uint8_t *document, size_t len)
{
   modm_reader r;
   modm_element e;
   luaL_checkstack (L, 6, "a document");
   if (!modm_reader_init (&r, document, len))
      luaL_error (L, "stored bytes are no BSON");
   lua_newtable (L);
   for (int i = 1; modm_reader_next (&r, &e); i++) {
      lua_createtable (L, 3, 0);
      lua_pushlstring (L, e.key, e.key_len);
      lua_rawseti (L, -2, 1);
      lua_pushstring (L, type_name (e.type));
      lua_rawseti (L, -2, 2);
      if (e.type == MODM_BSON_DOCUMENT || e.type == MODM_BSON_ARRAY)
         push_typed (L, e.value, e.size);
      else
         modm_push_value (L, &e);
      lua_rawseti (L, -2, 3);
      lua_rawseti (L, -2, i);
   }
   if (r.bad)
      luaL_error (L, "stored bytes are no BSON");
}

/* core.typed(op) -> the next document, or nil: the operation has to be run, or is done. */
int
modm_typed_l_typed (lua_State *L)
{
   const uint8_t *document;
   size_t len;
   if (!modm_op_document (modm_op_check (L, 1), &document, &len))
      return 0;
   push_typed (L, document, len);
   return 1;
}
