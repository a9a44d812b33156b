/* The types that BSON gave up (undefined, symbol, DBPointer): read, shown and written again. */
#include "bson/bson_private.h"

static int
undefined_tostring (lua_State *L)
{
   (void) modm_value_check (L, 1, MODM_CLASS_UNDEFINED);
   lua_pushliteral (L, "undefined");
   return 1;
}

static int
symbol_tostring (lua_State *L)
{
   size_t len;
   const char *text = modm_value_text (modm_value_check (L, 1, MODM_CLASS_SYMBOL)->bytes, &len);
   lua_pushlstring (L, text, len);
   return 1;
}

static int
dbpointer_tostring (lua_State *L)
{
   size_t len;
   const modm_value *v = modm_value_check (L, 1, MODM_CLASS_DBPOINTER);
   const char *name = modm_value_text (v->bytes, &len);
   char digits[25] = {0};
   modm_hex_write (digits, v->bytes + v->size - 12, 12);
   lua_pushfstring (L, "DBPointer(%s, %s)", name, digits);
   return 1;
}

static void
open_class (lua_State *L, int class_index, lua_CFunction tostring)
{
   const luaL_Reg metamethods[] = {{"__eq", modm_value_eq}, {"__tostring", tostring}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[class_index], metamethods, NULL);
}

void
modm_deprecated_open (lua_State *L)
{
   open_class (L, MODM_CLASS_UNDEFINED, undefined_tostring);
   open_class (L, MODM_CLASS_SYMBOL, symbol_tostring);
   open_class (L, MODM_CLASS_DBPOINTER, dbpointer_tostring);
}
