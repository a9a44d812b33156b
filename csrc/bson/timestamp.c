/* Timestamp: the server's own clock, seconds and a counter within the second. */
#include "bson/bson_private.h"

#include <stdio.h>

static uint32_t
check_part (lua_State *L, int idx)
{
   int64_t n;
   if (!modm_int64_test (L, idx, &n) || n < 0 || n > UINT32_MAX)
      luaL_argerror (L, idx, "a whole number from 0 to 4294967295 expected");
   return (uint32_t) n;
}

static int
l_new (lua_State *L)
{
   uint32_t time = check_part (L, 1), increment = check_part (L, 2);
   uint8_t *p = modm_value_new (L, MODM_BSON_TIMESTAMP, 8);
   modm_store_i64 (p, (int64_t) ((uint64_t) time << 32 | increment));
   return 1;
}

static uint64_t
self (lua_State *L, int idx)
{
   return (uint64_t) modm_load_i64 (modm_value_check (L, idx, MODM_CLASS_TIMESTAMP)->bytes);
}

static int
l_time (lua_State *L)
{
   lua_pushinteger (L, (lua_Integer) (self (L, 1) >> 32));
   return 1;
}

static int
l_increment (lua_State *L)
{
   lua_pushinteger (L, (lua_Integer) (uint32_t) self (L, 1));
   return 1;
}

static int
mt_tostring (lua_State *L)
{
   char text[48];
   uint64_t both = self (L, 1);
   int len =
      snprintf (text, sizeof text, "Timestamp(%u, %u)", (unsigned) (both >> 32), (unsigned) both);
   lua_pushlstring (L, text, (size_t) len);
   return 1;
}

static int
mt_lt (lua_State *L)
{
   lua_pushboolean (L, self (L, 1) < self (L, 2));
   return 1;
}

static int
mt_le (lua_State *L)
{
   lua_pushboolean (L, self (L, 1) <= self (L, 2));
   return 1;
}

void
modm_timestamp_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__eq", modm_value_eq},
                                          {"__lt", mt_lt},
                                          {"__le", mt_le},
                                          {"__tostring", mt_tostring},
                                          {NULL, NULL}};
   static const luaL_Reg methods[] = {{"time", l_time}, {"increment", l_increment}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_TIMESTAMP], metamethods, methods);
   modm_value_constructor (L, "Timestamp", l_new, NULL);
}
