/* Lua to BSON without a schema: single values. Tables are in append_table.c.
 *
 * Nothing here calls Lua or throws: tables are read raw, strings are only taken where they are
 * strings, and what may not be stored ends in false and an error. */
#include "bson/append_private.h"

static bool
append_integer (int64_t value, modm_buffer *b, const modm_item *item)
{
   bool small = value >= INT32_MIN && value <= INT32_MAX && item->kind != MODM_KIND_INT64;
   modm_write_key (b, small ? MODM_BSON_INT32 : MODM_BSON_INT64, item->key, item->key_len);
   if (small)
      modm_write_i32 (b, (int32_t) value);
   else
      modm_write_i64 (b, value);
   return true;
}

static bool
append_number (lua_State *L, int idx, modm_buffer *b, const modm_item *item)
{
   int64_t integer = 0;
   bool integral = item->kind != MODM_KIND_DOUBLE && modm_isinteger (L, idx, &integer);
   if (integral && (MODM_HAS_INTEGERS || integer != 0))
      return append_integer (integer, b, item);
   double number = (double) lua_tonumber (L, idx);
   if (integral && 1 / number > 0) /* LuaJIT's -0.0 has to stay a double */
      return append_integer (integer, b, item);
   modm_write_key (b, MODM_BSON_DOUBLE, item->key, item->key_len);
   if (MODM_HAS_INTEGERS || number == number)
      modm_write_double (b, number);
   else if (item->kind == MODM_KIND_NAN)
      modm_buffer_write (b, item->bits, 8);
   else
      modm_write_i64 (b, MODM_NAN_BITS);
   return true;
}

static bool
append_string (lua_State *L, int idx, modm_buffer *b, const modm_item *item, modm_error *err)
{
   size_t len;
   const char *text = lua_tolstring (L, idx, &len);
   if (!modm_utf8_check (text, len, NULL))
      return modm_error_set (err, "not valid UTF-8");
   modm_write_string_element (b, item->key, item->key_len, text, len);
   return true;
}

/* A scope may have been made as deep as a document may be, which it stands in now. */
static bool
fits (const modm_value *v, int depth)
{
   if (v->type != MODM_BSON_CODEWSCOPE)
      return true;
   size_t code = 8 + (size_t) modm_load_i32 (v->bytes + 4);
   return modm_reader_check (v->bytes + code, v->size - code, depth);
}

static bool
append_userdata (lua_State *L, int idx, modm_buffer *b, const modm_item *item, int depth,
                 modm_error *err)
{
   const modm_value *v = modm_value_test (L, idx);
   if (v) {
      if (!fits (v, depth))
         return modm_error_set (err, "nested deeper than %d levels", MODM_MAX_DEPTH);
      modm_write_key (b, v->type, item->key, item->key_len);
      modm_buffer_write (b, v->bytes, v->size);
      return true;
   }
   return modm_append_foreign (L, idx, b, item->key, item->key_len, depth, err);
}

bool
modm_append_item (lua_State *L, int idx, int type, modm_buffer *b, const modm_item *item, int depth,
                  modm_error *err)
{
   switch (type) {
   case LUA_TSTRING:
      return append_string (L, idx, b, item, err);
   case LUA_TNUMBER:
      return append_number (L, idx, b, item);
   case LUA_TBOOLEAN:
      modm_write_key (b, MODM_BSON_BOOL, item->key, item->key_len);
      modm_buffer_byte (b, (uint8_t) lua_toboolean (L, idx));
      return true;
   case LUA_TTABLE:
      return modm_append_table (L, idx, b, item, depth, err);
   case LUA_TUSERDATA:
      return append_userdata (L, idx, b, item, depth, err);
   case LUA_TLIGHTUSERDATA:
      if (!lua_touserdata (L, idx)) {
         modm_write_key (b, MODM_BSON_NULL, item->key, item->key_len);
         return true;
      }
      return modm_error_set (err, "a light userdata cannot be stored");
   default:
      return modm_error_set (err, "a %s cannot be stored", lua_typename (L, type));
   }
}

/* ---- the surface ---- */

static bool
finish (bool ok, const modm_buffer *b, modm_error *err)
{
   return ok && b->failed ? modm_error_set (err, "not enough memory") : ok;
}

bool
modm_append_value (lua_State *L, int idx, modm_buffer *b, const char *key, size_t key_len,
                   int depth, modm_error *err)
{
   const modm_item item = {key, key_len, MODM_KIND_NATURAL, NULL};
   idx = lua_absindex (L, idx);
   return finish (modm_append_item (L, idx, lua_type (L, idx), b, &item, depth, err), b, err);
}

bool
modm_append_document (lua_State *L, int idx, modm_buffer *b, int depth, modm_error *err)
{
   return finish (modm_append_whole (L, lua_absindex (L, idx), b, MODM_OBJECT, depth, err), b, err);
}

bool
modm_append_array (lua_State *L, int idx, modm_buffer *b, int depth, modm_error *err)
{
   return finish (modm_append_whole (L, lua_absindex (L, idx), b, MODM_ARRAY, depth, err), b, err);
}
