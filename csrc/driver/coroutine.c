/* Whether libmongoc's calls can be suspended here. */
#include "compat/context.h"
#include "driver/pool_private.h"

/* core.can_suspend() -> true | false, reason */
static int
l_can_suspend (lua_State *L)
{
   const char *sleeps = "older ones sleep within a server selection, which stops the event loop";
   lua_pushboolean (L, 0);
   if (!MODM_HAS_CONTEXT)
      lua_pushliteral (L, "transport 'coroutine' needs a C library with makecontext");
   else if (!mongoc_check_version (1, 26, 0))
      lua_pushfstring (L, "transport 'coroutine' needs libmongoc 1.26 or newer (this is %s): %s",
                       mongoc_get_version (), sleeps);
   else if (!MODM_HAS_USLEEP)
      lua_pushfstring (L,
                       "transport 'coroutine' needs libmongoc 1.26 or newer (modm was built with "
                       "%s, though this is %s): %s",
                       MONGOC_VERSION_S, mongoc_get_version (), sleeps);
   else
      lua_pushliteral (L, "transport 'coroutine' is not built yet");
   return 2;
}

void
modm_coroutine_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"can_suspend", l_can_suspend}, {NULL, NULL}};
   modm_register (L, functions);
}
