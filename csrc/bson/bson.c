/* The room's functions for Lua: encode, decode, type, array, object, ordered. */
#include "bson/bson_private.h"

static int
l_encode (lua_State *L)
{
   modm_error err;
   luaL_checktype (L, 1, LUA_TTABLE);
   modm_buffer *b = modm_scratch_acquire (L);
   bool ok = modm_append_document (L, 1, b, 0, &err);
   if (ok)
      lua_pushlstring (L, (const char *) b->data, b->len);
   modm_scratch_release (b);
   if (ok)
      return 1;
   luaL_where (L, 1);
   modm_error_push (L, &err);
   lua_concat (L, 2);
   return lua_error (L);
}

static int
l_decode (lua_State *L)
{
   size_t len;
   luaL_checktype (L, 1, LUA_TSTRING);
   const uint8_t *bytes = (const uint8_t *) lua_tolstring (L, 1, &len);
   if (len < 5 || (size_t) modm_load_i32 (bytes) != len)
      return luaL_error (L,
                         "these bytes are no BSON document: their length is not the one they say");
   modm_error err;
   if (!modm_texts_check (bytes, len, &err)) {
      luaL_where (L, 1);
      modm_error_push (L, &err);
      lua_concat (L, 2);
      return lua_error (L);
   }
   modm_push_document (L, bytes, len);
   return 1;
}

/* "ObjectId", ..., "null", "array", "object"; nil for Lua's own. */
static int
l_type (lua_State *L)
{
   luaL_checkany (L, 1);
   const modm_value *v = modm_value_test (L, 1);
   modm_mark mark = lua_istable (L, 1) ? modm_mark_test (L, 1) : MODM_UNMARKED;
   if (v)
      lua_pushstring (L, *(modm_class *) v->tag.tag + strlen ("modm."));
   else if (modm_isnull (L, 1))
      lua_pushliteral (L, "null");
   else if (mark != MODM_UNMARKED)
      lua_pushstring (L, mark == MODM_ARRAY ? "array" : "object");
   else
      lua_pushnil (L);
   return 1;
}

static int
mark (lua_State *L, void (*set) (lua_State *))
{
   if (lua_isnone (L, 1))
      lua_newtable (L);
   luaL_checktype (L, 1, LUA_TTABLE);
   lua_settop (L, 1);
   set (L);
   return 1;
}

static int
l_array (lua_State *L)
{
   return mark (L, modm_mark_array);
}

static int
l_object (lua_State *L)
{
   return mark (L, modm_mark_object);
}

/* ordered { {key, value}, ... }: a document with the keys in this order. */
static int
l_ordered (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   int n = (int) lua_rawlen (L, 1);
   lua_settop (L, 1);
   lua_createtable (L, 0, n);
   lua_createtable (L, n, 4);
   for (int i = 1; i <= n; i++) {
      if (lua_rawgeti (L, 1, i) != LUA_TTABLE)
         return luaL_error (L, "ordered: item %d is no pair {key, value}", i);
      if (lua_rawgeti (L, 4, 1) != LUA_TSTRING)
         return luaL_error (L, "ordered: the key of item %d is no string", i);
      size_t len;
      const char *key = lua_tolstring (L, 5, &len);
      if (memchr (key, '\0', len) || !modm_utf8_check (key, len, NULL))
         return luaL_error (L, "ordered: the key of item %d is not valid UTF-8 without NUL", i);
      lua_pushvalue (L, 5);
      if (lua_rawget (L, 2) != LUA_TNIL)
         return luaL_error (L, "ordered: the key '%s' comes twice", key);
      if (lua_rawgeti (L, 4, 2) == LUA_TNIL)
         return luaL_error (L, "ordered: the value of '%s' is nil", key);
      lua_pushvalue (L, 5);
      lua_rawseti (L, 3, i);
      lua_remove (L, 6);
      lua_rawset (L, 2);
      lua_settop (L, 3);
   }
   modm_mark_ordered (L);
   return 1;
}

/* core.is_utf8(text) -> boolean */
static int
l_is_utf8 (lua_State *L)
{
   size_t len;
   const char *text = luaL_checklstring (L, 1, &len);
   lua_pushboolean (L, modm_utf8_check (text, len, NULL));
   return 1;
}

void
modm_bson_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"encode", l_encode},
                                        {"decode", l_decode},
                                        {"type", l_type},
                                        {"array", l_array},
                                        {"object", l_object},
                                        {"ordered", l_ordered},
                                        {"redacted", modm_redact_l_redacted},
                                        {"is_utf8", l_is_utf8},
                                        {NULL, NULL}};
   modm_register (L, functions);
   lua_pushlightuserdata (L, NULL);
   lua_setfield (L, -2, "null");
   modm_marks_open (L);
   modm_objectid_open (L);
   modm_datetime_open (L);
   modm_decimal128_open (L);
   modm_binary_open (L);
   modm_regex_open (L);
   modm_code_open (L);
   modm_timestamp_open (L);
   modm_minmax_open (L);
   modm_int64_open (L);
   modm_dbref_open (L);
   modm_deprecated_open (L);
}
