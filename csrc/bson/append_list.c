/* Lua lists to BSON: items 1 to n, no holes, no other keys. */
#include "bson/append_private.h"

/* The key at the top is none of a list of n items. */
static bool
bad_key (lua_State *L, lua_Integer n, modm_error *err)
{
   if (lua_type (L, -1) == LUA_TSTRING)
      return modm_error_set (err,
                             n ? "a table with both list items and the key '%.100s'"
                               : "a list expected, got a document with the key '%.100s'",
                             lua_tostring (L, -1));
   if (lua_type (L, -1) != LUA_TNUMBER)
      return modm_error_set (err, "a list with a key that is a %s", luaL_typename (L, -1));
   lua_Number key = lua_tonumber (L, -1);
   if (key > (lua_Number) n && key < 1e15 && key == (lua_Number) (int64_t) key)
      return modm_error_set (err, "a list with a hole at %lld", (long long) n + 1);
   return modm_error_set (err, "a list with the key %.14g", (double) key);
}

/* Says which key is none of a list of n items; false in any case. */
static bool
find_bad_key (lua_State *L, int idx, lua_Integer n, modm_error *err)
{
   lua_pushnil (L);
   while (lua_next (L, idx)) {
      int64_t key;
      lua_pop (L, 1);
      if (lua_type (L, -1) != LUA_TNUMBER || !modm_isinteger (L, -1, &key) || key < 1 || key > n) {
         bad_key (L, n, err);
         lua_pop (L, 1);
         return false;
      }
   }
   return modm_error_set (err, "a list with a hole");
}

/* Appends the value at the top (its index is `top`) as item i. */
static bool
append_at (lua_State *L, int top, int type, modm_buffer *b, lua_Integer i, modm_kinds *kinds,
           int depth, modm_error *err)
{
   char room[MODM_INDEX_KEY];
   size_t len;
   const char *key = modm_index_key (room, (uint32_t) (i - 1), &len);
   modm_item item = {key, len, MODM_KIND_NATURAL, NULL};
   item.kind = modm_kinds_next (kinds, &item.bits);
   return modm_append_item (L, top, type, b, &item, depth, err) ||
          modm_error_at_index (err, (uint32_t) i);
}

/* Items 1 to n are there and there are n keys: so there are no others. */
bool
modm_append_list (lua_State *L, int idx, int mark, modm_buffer *b, int depth, modm_error *err)
{
   lua_Integer n = (lua_Integer) lua_rawlen (L, idx);
   size_t keys = modm_append_count (L, idx);
   int top = lua_gettop (L) + 1;
   modm_kinds kinds = {NULL, NULL, false};
   if (mark)
      modm_kinds_init (&kinds, L, mark);
   for (lua_Integer i = 1; i <= n; i++) {
      int type = lua_rawgeti (L, idx, i);
      bool ok = type == LUA_TNIL ? modm_error_set (err, "a list with a hole at %lld", (long long) i)
                                 : append_at (L, top, type, b, i, &kinds, depth, err);
      lua_pop (L, 1);
      if (!ok)
         return false;
   }
   return keys == (size_t) n || find_bad_key (L, idx, n, err);
}
