/* Opens the room. */
#include "driver/driver_private.h"

void
modm_driver_open (lua_State *L)
{
   modm_client_open (L);
   modm_session_open (L);
   modm_op_open (L);
}
