/* One value for one field, as queries have them. */
#include "codec/codec_private.h"

bool
modm_field_convert (lua_State *L, int idx, const modm_field *f, modm_error *err)
{
   idx = lua_absindex (L, idx);
   modm_outcome outcome =
      modm_isnull (L, idx) ? MODM_SAME : f->kind->convert (L, idx, f, NULL, err);
   if (outcome == MODM_REFUSED)
      return false;
   if (outcome == MODM_SAME)
      lua_pushvalue (L, idx);
   return true;
}
