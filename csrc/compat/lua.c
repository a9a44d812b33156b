/* What LuaJIT lacks of Lua 5.4's auxiliary library. */
#include "compat/lua.h"

#if !MODM_HAS_INTEGERS

const char *
luaL_tolstring (lua_State *L, int idx, size_t *len)
{
   idx = lua_absindex (L, idx);
   if (luaL_callmeta (L, idx, "__tostring")) {
      if (!lua_isstring (L, -1))
         luaL_error (L, "'__tostring' must return a string");
      return lua_tolstring (L, -1, len);
   }
   switch (lua_type (L, idx)) {
   case LUA_TNUMBER:
   case LUA_TSTRING:
      lua_pushvalue (L, idx);
      break;
   case LUA_TBOOLEAN:
      lua_pushstring (L, lua_toboolean (L, idx) ? "true" : "false");
      break;
   case LUA_TNIL:
      lua_pushliteral (L, "nil");
      break;
   default:
      lua_pushfstring (L, "%s: %p", luaL_typename (L, idx), lua_topointer (L, idx));
   }
   return lua_tolstring (L, -1, len);
}

#else

typedef int modm_compat_is_empty;

#endif
