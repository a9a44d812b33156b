/* Userdata classes: metatables kept in the registry under the address of their name. */
#include "base/base.h"

void
modm_register (lua_State *L, const luaL_Reg *functions)
{
   luaL_setfuncs (L, functions, 0);
}

void
modm_class_new (lua_State *L, modm_class *cls, const luaL_Reg *metamethods, const luaL_Reg *methods)
{
   lua_newtable (L);
   lua_pushstring (L, *cls);
   lua_setfield (L, -2, "__name");
   lua_pushstring (L, *cls);
   lua_setfield (L, -2, "__metatable");
   if (methods) {
      lua_newtable (L);
      modm_register (L, methods);
      lua_setfield (L, -2, "__index");
   }
   if (metamethods)
      modm_register (L, metamethods);
   lua_rawsetp (L, LUA_REGISTRYINDEX, cls);
}

void
modm_refuse_class (lua_State *L, int idx, modm_class *cls)
{
   luaL_argerror (L, idx, lua_pushfstring (L, "%s expected, got %s", *cls, luaL_typename (L, idx)));
}
