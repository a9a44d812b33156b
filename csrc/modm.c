/* luaopen_modm_core: gathers the rooms, nothing else. */
#include "bson/bson.h"
#include "driver/driver.h"

__attribute__ ((visibility ("default"))) int luaopen_modm_core (lua_State *L);

int
luaopen_modm_core (lua_State *L)
{
   lua_newtable (L);
   modm_base_open (L);
   modm_bson_open (L);
   modm_driver_open (L);
   return 1;
}
