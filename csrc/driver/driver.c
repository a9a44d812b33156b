/* Opens the room. */
#include "driver/pool_private.h"

void
modm_driver_open (lua_State *L)
{
   modm_notifier_open (L);
   modm_client_open (L);
   modm_session_open (L);
   modm_op_open (L);
   modm_simple_open (L);
   modm_pool_open (L);
   modm_coroutine_open (L);
}
