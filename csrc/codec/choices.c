/* Choices: values that a field is limited to, or pairs of value and label. */
#include "codec/codec_private.h"

static bool
is_equal (lua_State *L, int a, int b)
{
   if (lua_rawequal (L, a, b))
      return true;
   int64_t m, n;
   if (modm_int64_test (L, a, &m) && modm_int64_test (L, b, &n))
      return m == n;
   const modm_value *x = modm_value_test (L, a), *y = modm_value_test (L, b);
   return x && y && x->type == y->type && x->size == y->size &&
          memcmp (x->bytes, y->bytes, x->size) == 0;
}

void
modm_check_choices (lua_State *L, modm_validation *v, int idx, const modm_field *f)
{
   int top = lua_gettop (L);
   modm_field_push_env (L, f);
   lua_getfield (L, -1, "choices");
   int choices = lua_gettop (L), n = (int) lua_rawlen (L, choices);
   luaL_Buffer text;
   bool found = n == 0;
   for (int i = 1; i <= n && !found; i++) {
      lua_rawgeti (L, choices, i);
      if (lua_type (L, -1) == LUA_TTABLE)
         lua_rawgeti (L, -1, 1);
      found = is_equal (L, idx, lua_gettop (L));
      lua_settop (L, choices);
   }
   if (!found) {
      luaL_buffinit (L, &text);
      for (int i = 1; i <= n; i++) {
         luaL_addstring (&text, i > 1 ? ", " : "");
         lua_rawgeti (L, choices, i);
         if (lua_type (L, -1) == LUA_TTABLE) {
            lua_rawgeti (L, -1, 1);
            lua_remove (L, -2);
         }
         modm_describe (L, -1);
         lua_remove (L, -2);
         luaL_addvalue (&text);
      }
      luaL_pushresult (&text);
      const char *all = lua_tostring (L, -1);
      modm_report (v, "%s is not a choice. Choices are [%s].", modm_describe (L, idx), all);
   }
   lua_settop (L, top);
}
