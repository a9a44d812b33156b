/* What all kinds share: options, blanks, messages, and the defaults for values that need nothing
 * special. */
#include "field/field_private.h"

bool
modm_option_integer (lua_State *L, int options, const char *name, int64_t *out)
{
   bool given = lua_getfield (L, options, name) != LUA_TNIL;
   if (given && !modm_int64_test (L, -1, out))
      luaL_error (L, "option '%s' must be an integer, got %s", name, luaL_typename (L, -1));
   lua_pop (L, 1);
   return given;
}

bool
modm_option_number (lua_State *L, int options, const char *name, double *out)
{
   bool given = lua_getfield (L, options, name) != LUA_TNIL;
   if (given && lua_type (L, -1) != LUA_TNUMBER)
      luaL_error (L, "option '%s' must be a number, got %s", name, luaL_typename (L, -1));
   *out = given ? (double) lua_tonumber (L, -1) : 0;
   lua_pop (L, 1);
   return given;
}

bool
modm_option_boolean (lua_State *L, int options, const char *name)
{
   lua_getfield (L, options, name);
   bool value = lua_toboolean (L, -1);
   lua_pop (L, 1);
   return value;
}

static bool
is_empty_table (lua_State *L, int idx)
{
   idx = lua_absindex (L, idx);
   lua_pushnil (L);
   if (!lua_next (L, idx))
      return true;
   lua_pop (L, 2);
   return false;
}

bool
modm_isblank (lua_State *L, int idx)
{
   const modm_value *value;
   switch (lua_type (L, idx)) {
   case LUA_TNIL:
      return true;
   case LUA_TSTRING:
      return lua_rawlen (L, idx) == 0;
   case LUA_TTABLE:
      return is_empty_table (L, idx);
   case LUA_TLIGHTUSERDATA:
      return modm_isnull (L, idx);
   case LUA_TUSERDATA:
      value = modm_value_test_type (L, idx, MODM_BSON_BINARY);
      return value && modm_load_i32 (value->bytes) == 0;
   default:
      return false;
   }
}

static void
push_quoted (lua_State *L, int idx)
{
   enum { MOST = 60 };
   size_t len;
   const char *text = lua_tolstring (L, idx, &len);
   if (!modm_utf8_check (text, len, NULL)) {
      lua_pushliteral (L, "a string that is not UTF-8");
   } else if (memchr (text, '\0', len)) {
      lua_pushliteral (L, "a string that holds NUL");
   } else if (len <= MOST) {
      lua_pushfstring (L, "'%s'", text);
   } else {
      size_t cut = MOST; /* not in the middle of a character */
      while (cut > 0 && ((unsigned char) text[cut] & 0xC0) == 0x80)
         cut--;
      lua_pushlstring (L, text, cut);
      lua_pushfstring (L, "'%s...'", lua_tostring (L, -1));
      lua_remove (L, -2);
   }
}

const char *
modm_describe (lua_State *L, int idx)
{
   idx = lua_absindex (L, idx);
   int type = lua_type (L, idx);
   if (type == LUA_TSTRING)
      push_quoted (L, idx);
   else if (type == LUA_TNUMBER || type == LUA_TBOOLEAN || modm_value_test (L, idx))
      luaL_tolstring (L, idx, NULL);
   else if (modm_isnull (L, idx))
      lua_pushliteral (L, "null");
   else
      lua_pushfstring (L, "a %s", luaL_typename (L, idx));
   return lua_tostring (L, -1);
}

modm_outcome
modm_refuse (lua_State *L, int idx, const char *expected, modm_error *err)
{
   int top = lua_gettop (L);
   modm_error_set (err, "not %s: %s", expected, modm_describe (L, idx));
   lua_settop (L, top);
   return MODM_REFUSED;
}

bool
modm_any_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                 size_t key_len, int depth, modm_error *err)
{
   (void) f;
   return modm_append_value (L, idx, b, key, key_len, depth, err);
}

void
modm_any_push (lua_State *L, const modm_field *f, const modm_element *e)
{
   (void) f;
   modm_push_value (L, e);
}
