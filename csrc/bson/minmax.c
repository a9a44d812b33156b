/* MinKey and MaxKey, values without content: modm.MinKey is the value, and so is its call. */
#include "bson/bson_private.h"

static int
mt_tostring (lua_State *L)
{
   const modm_value *v = modm_value_test (L, 1);
   lua_pushstring (L, v && v->type == MODM_BSON_MINKEY ? "MinKey" : "MaxKey");
   return 1;
}

static int
mt_call (lua_State *L)
{
   lua_settop (L, 1);
   return 1;
}

void
modm_minmax_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {
      {"__eq", modm_value_eq}, {"__call", mt_call}, {"__tostring", mt_tostring}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_MINKEY], metamethods, NULL);
   modm_class_new (L, &modm_value_classes[MODM_CLASS_MAXKEY], metamethods, NULL);
   modm_value_push (L, MODM_BSON_MINKEY, NULL, 0);
   lua_setfield (L, -2, "MinKey");
   modm_value_push (L, MODM_BSON_MAXKEY, NULL, 0);
   lua_setfield (L, -2, "MaxKey");
}
