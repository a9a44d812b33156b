/* ObjectId: twelve bytes, the first four of them seconds. */
#include "bson/bson_private.h"

#include <bson/bson.h>

void
modm_objectid_new (uint8_t out[12])
{
   bson_oid_t oid;
   bson_oid_init (&oid, NULL);
   memcpy (out, oid.bytes, 12);
}

bool
modm_objectid_from (lua_State *L, int idx, uint8_t out[12])
{
   const modm_value *v = modm_value_test_type (L, idx, MODM_BSON_OBJECTID);
   if (v) {
      memcpy (out, v->bytes, 12);
      return true;
   }
   if (lua_type (L, idx) != LUA_TSTRING)
      return false;
   size_t len;
   const char *text = lua_tolstring (L, idx, &len);
   if (len == 12)
      memcpy (out, text, 12);
   return len == 12 || (len == 24 && modm_hex_read (out, text, 24));
}

static int
l_new (lua_State *L)
{
   uint8_t bytes[12];
   if (lua_isnoneornil (L, 1)) {
      luaL_argcheck (L, lua_isnone (L, 1), 1, "nil is no ObjectId (leave it out for a new one)");
      modm_objectid_new (bytes);
   } else if (!modm_objectid_from (L, 1, bytes)) {
      luaL_argerror (L, 1, "ObjectId, 24 hexadecimal digits or 12 bytes expected");
   }
   modm_value_push (L, MODM_BSON_OBJECTID, bytes, 12);
   return 1;
}

static const uint8_t *
self (lua_State *L, int idx)
{
   return modm_value_check (L, idx, MODM_CLASS_OBJECTID)->bytes;
}

static int
l_bytes (lua_State *L)
{
   lua_pushlstring (L, (const char *) self (L, 1), 12);
   return 1;
}

static int
l_timestamp (lua_State *L)
{
   const uint8_t *p = self (L, 1);
   uint32_t seconds = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
   lua_pushinteger (L, (lua_Integer) seconds);
   return 1;
}

static int
mt_tostring (lua_State *L)
{
   char digits[24];
   modm_hex_write (digits, self (L, 1), 12);
   lua_pushlstring (L, digits, 24);
   return 1;
}

static int
mt_lt (lua_State *L)
{
   lua_pushboolean (L, memcmp (self (L, 1), self (L, 2), 12) < 0);
   return 1;
}

static int
mt_le (lua_State *L)
{
   lua_pushboolean (L, memcmp (self (L, 1), self (L, 2), 12) <= 0);
   return 1;
}

void
modm_objectid_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__eq", modm_value_eq},
                                          {"__lt", mt_lt},
                                          {"__le", mt_le},
                                          {"__tostring", mt_tostring},
                                          {NULL, NULL}};
   static const luaL_Reg methods[] = {{"bytes", l_bytes}, {"timestamp", l_timestamp}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_OBJECTID], metamethods, methods);
   modm_value_constructor (L, "ObjectId", l_new, NULL);
}
