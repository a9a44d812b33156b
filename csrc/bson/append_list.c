/* Lua lists to BSON: items 1 to n, no holes, no other keys. */
#include "bson/append_private.h"

/* The key at the top is none of a list of n items. */
static bool
bad_key (lua_State *L, lua_Integer n, modm_error *err)
{
   if (lua_type (L, -1) == LUA_TSTRING)
      return modm_error_set (err, n ? "a table with both list items and the key '%.100s'"
                                    : "a list expected, got a document with the key '%.100s'",
                             lua_tostring (L, -1));
   if (lua_type (L, -1) != LUA_TNUMBER)
      return modm_error_set (err, "a list with a key that is a %s", luaL_typename (L, -1));
   lua_Number key = lua_tonumber (L, -1);
   if (key > (lua_Number) n && key < 1e15 && key == (lua_Number) (int64_t) key)
      return modm_error_set (err, "a list with a hole at %lld", (long long) n + 1);
   return modm_error_set (err, "a list with the key %.14g", (double) key);
}

/* Appends the value at the top as item i. */
static bool
append_at (lua_State *L, modm_buffer *b, lua_Integer i, modm_kinds *kinds, int depth, modm_error *err)
{
   char digits[24];
   size_t at = sizeof digits;
   for (lua_Integer n = i - 1; n || at == sizeof digits; n /= 10)
      digits[--at] = (char) ('0' + n % 10);
   modm_item item = {digits + at, sizeof digits - at, MODM_KIND_NATURAL, NULL};
   item.kind = modm_kinds_next (kinds, &item.bits);
   return modm_append_item (L, lua_gettop (L), b, &item, depth, err) ||
          modm_error_at_index (err, (uint32_t) i);
}

/* Looks at all keys: they must be those of a list of n items. */
static bool
check_keys (lua_State *L, int idx, lua_Integer n, modm_error *err)
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
   return true;
}

/* The items from `from` on by index: the table's own order is not that of a list. */
static bool
append_by_index (lua_State *L, int idx, modm_buffer *b, lua_Integer from, modm_kinds *kinds, int depth,
                 modm_error *err)
{
   lua_Integer n = (lua_Integer) lua_rawlen (L, idx);
   if (!check_keys (L, idx, n, err))
      return false;
   for (lua_Integer i = from; i <= n; i++) {
      bool ok = lua_rawgeti (L, idx, i) == LUA_TNIL
                   ? modm_error_set (err, "a list with a hole at %lld", (long long) i)
                   : append_at (L, b, i, kinds, depth, err);
      lua_pop (L, 1);
      if (!ok)
         return false;
   }
   return true;
}

/* A list gives its items in order, nearly always: then one walk is enough. */
bool
modm_append_list (lua_State *L, int idx, int mark, modm_buffer *b, int depth, modm_error *err)
{
   lua_Integer i = 1;
   modm_kinds kinds = {NULL, NULL, false};
   if (mark)
      modm_kinds_init (&kinds, L, mark);
   lua_pushnil (L);
   while (lua_next (L, idx)) {
      int64_t key;
      if (lua_type (L, -2) != LUA_TNUMBER || !modm_isinteger (L, -2, &key) || key != i) {
         lua_pop (L, 2);
         return append_by_index (L, idx, b, i, &kinds, depth, err);
      }
      if (!append_at (L, b, i, &kinds, depth, err)) {
         lua_pop (L, 2);
         return false;
      }
      lua_pop (L, 1);
      i++;
   }
   return true;
}
