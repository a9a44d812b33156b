/* DBRef: by convention a document {$ref, $id, $db}, so a table with these keys in this order. */
#include "bson/bson_private.h"

/* DBRef (collection, id [, database]) */
static int
l_new (lua_State *L)
{
   static const char *const keys[] = {"$ref", "$id", "$db"};
   size_t len;
   (void) modm_check_text (L, 1, false, &len);
   luaL_checkany (L, 2);
   luaL_argcheck (L, !lua_isnil (L, 2), 2, "an id expected, got nil");
   if (!lua_isnoneornil (L, 3))
      (void) modm_check_text (L, 3, false, &len);
   lua_settop (L, 3);
   lua_createtable (L, 0, 3);
   lua_createtable (L, 3, 4);
   for (int i = 1; i <= 3; i++) {
      lua_pushvalue (L, i);
      lua_setfield (L, 4, keys[i - 1]);
      lua_pushstring (L, keys[i - 1]);
      lua_rawseti (L, 5, i);
   }
   modm_mark_ordered (L);
   return 1;
}

void
modm_dbref_open (lua_State *L)
{
   modm_value_constructor (L, "DBRef", l_new, NULL);
}
