/* BSON to Lua without a schema: documents and arrays become marked tables. */
#include "bson/bson_private.h"

static void push_table (lua_State *L, const uint8_t *document, size_t len, bool array, int depth);

static void
push_at (lua_State *L, const modm_element *e, int depth)
{
   size_t len;
   const char *text;
   switch (e->type) {
   case MODM_BSON_STRING:
      text = modm_element_text (e, &len);
      lua_pushlstring (L, text, len);
      return;
   case MODM_BSON_INT32:
      lua_pushinteger (L, modm_load_i32 (e->value));
      return;
   case MODM_BSON_DOUBLE:
      lua_pushnumber (L, modm_load_double (e->value));
      return;
   case MODM_BSON_INT64:
      modm_int64_push (L, modm_load_i64 (e->value));
      return;
   case MODM_BSON_BOOL:
      lua_pushboolean (L, e->value[0]);
      return;
   case MODM_BSON_NULL:
      lua_pushlightuserdata (L, NULL);
      return;
   case MODM_BSON_DOCUMENT:
   case MODM_BSON_ARRAY:
      push_table (L, e->value, e->size, e->type == MODM_BSON_ARRAY, depth + 1);
      return;
   case MODM_BSON_CODEWSCOPE: /* its scope is looked at now, since the value is kept as bytes */
      len = 8 + (size_t) modm_load_i32 (e->value + 4);
      if (!modm_reader_check (e->value + len, e->size - len, depth + 1))
         luaL_error (L, "the scope of a JavaScript value is no BSON document");
      break;
   default:
      break;
   }
   modm_value_push (L, e->type, e->value, e->size);
}

static void
fill_array (lua_State *L, modm_reader r, int depth)
{
   modm_element e;
   for (int i = 1; modm_reader_next (&r, &e); i++) {
      push_at (L, &e, depth);
      lua_rawseti (L, -3, i);
   }
}

/* The stack holds the table and its mark. A mark that turns out to be another shape's, which
 * happens when two hashes are equal, is replaced once. */
static void
fill_document (lua_State *L, modm_reader r, const modm_shape *s, int depth)
{
   const modm_reader start = r;
   const int mark = lua_gettop (L);
   const char *bits;
   modm_element e;
   modm_kinds kinds;
   modm_kinds_init (&kinds, L, mark);
   bool own = false;
   for (uint32_t i = 1; modm_reader_next (&r, &e); i++) {
      bool fits = modm_mark_fits (L, mark, i, &kinds, &e);
      if (!fits && !own) {
         lua_settop (L, mark - 1);
         modm_mark_push_new (L, s, start);
         modm_kinds_init (&kinds, L, mark);
         for (uint32_t skip = 0; skip < i; skip++)
            (void) modm_kinds_next (&kinds, &bits);
         lua_rawgeti (L, mark, (int) i);
         own = true;
      }
      push_at (L, &e, depth);
      lua_rawset (L, mark - 1);
   }
}

/* How much deeper than its documents a message may be. */
enum { MESSAGE_DEPTH = 32 };

static void
push_table (lua_State *L, const uint8_t *document, size_t len, bool array, int depth)
{
   modm_reader r = {0};
   modm_shape shape = {0};
   if (depth >= MODM_MAX_DEPTH)
      luaL_error (L, "nested deeper than %d levels", MODM_MAX_DEPTH);
   if (!modm_reader_init (&r, document, len) || !modm_shape_scan (&shape, r, array))
      luaL_error (L, "these bytes are no BSON document");
   luaL_checkstack (L, 12, "a document nested too deep");
   if (array)
      lua_createtable (L, (int) shape.count, 0);
   else
      lua_createtable (L, 0, (int) shape.count);
   modm_mark_push (L, &shape, &r, array);
   if (array)
      fill_array (L, r, depth);
   else
      fill_document (L, r, &shape, depth);
   lua_setmetatable (L, -2);
}

void
modm_push_value (lua_State *L, const modm_element *e)
{
   push_at (L, e, 0);
}

void
modm_push_document (lua_State *L, const uint8_t *document, size_t len)
{
   push_table (L, document, len, false, 0);
}

void
modm_push_message (lua_State *L, const uint8_t *document, size_t len)
{
   push_table (L, document, len, false, -MESSAGE_DEPTH);
}
