/* Files: what is stored is the id that their storage gave; what is assigned waits as a modm.File
 * (lua/modm/file.lua) until its document is saved. */
#include "field/field_private.h"
#include "field/image.h"

static const char file_class; /* its address: the metatable of modm.File, in the registry */

bool
modm_file_test (lua_State *L, int idx)
{
   if (lua_type (L, idx) != LUA_TTABLE || !lua_getmetatable (L, idx))
      return false;
   lua_rawgetp (L, LUA_REGISTRYINDEX, &file_class);
   bool same = lua_rawequal (L, -1, -2);
   lua_pop (L, 2);
   return same;
}

static bool
has_read (lua_State *L, int idx)
{
   bool found = false;
   if (lua_type (L, idx) != LUA_TTABLE && !luaL_getmetafield (L, idx, "__index"))
      return false;
   if (lua_type (L, idx) == LUA_TUSERDATA) {
      lua_pop (L, 1);
      if (modm_value_test (L, idx))
         return false;
   }
   lua_getfield (L, idx, "read");
   found = !lua_isnil (L, -1);
   lua_pop (L, 1);
   return found;
}

/* What has `read` becomes the source of a modm.File; the file of a field becomes what it stands
 * for. */
modm_outcome
modm_file_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) f, (void) v;
   if (modm_value_test_type (L, idx, MODM_BSON_OBJECTID) || modm_file_test (L, idx))
      return MODM_SAME;
   int type = lua_type (L, idx);
   if ((type != LUA_TTABLE && type != LUA_TUSERDATA) || !has_read (L, idx)) {
      if (type == LUA_TSTRING)
         modm_error_set (err, "not a file: modm.File(path) gives that of a path");
      else
         modm_refuse (L, idx, "a file (modm.File, or an object with read), or its id", err);
      return MODM_REFUSED;
   }
   if (type == LUA_TTABLE) {
      lua_getfield (L, idx, "_value");
      if (modm_file_test (L, -1) || modm_value_test_type (L, -1, MODM_BSON_OBJECTID))
         return MODM_CONVERTED;
      lua_pop (L, 1);
   }
   lua_createtable (L, 0, 1);
   lua_pushvalue (L, idx);
   lua_setfield (L, -2, "_source");
   lua_rawgetp (L, LUA_REGISTRYINDEX, &file_class);
   lua_setmetatable (L, -2);
   return MODM_CONVERTED;
}

bool
modm_file_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type != MODM_BSON_NULL;
}

bool
modm_file_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                  size_t key_len, int depth, modm_error *err)
{
   if (modm_file_test (L, idx))
      return modm_error_set (err, "holds a file that is not stored yet: save() stores it");
   return modm_any_append (L, idx, f, b, key, key_len, depth, err);
}

/* core.file_class(metatable): what C knows a modm.File by */
int
modm_file_l_class (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   lua_settop (L, 1);
   lua_rawsetp (L, LUA_REGISTRYINDEX, &file_class);
   return 0;
}

/* core.image(bytes) -> format, width, height | nil, why */
int
modm_file_l_image (lua_State *L)
{
   size_t len;
   modm_image image;
   const char *why;
   const char *bytes = luaL_checklstring (L, 1, &len);
   if (modm_image_read ((const uint8_t *) bytes, len, &image, &why)) {
      lua_pushstring (L, image.format);
      lua_pushinteger (L, (lua_Integer) image.width);
      lua_pushinteger (L, (lua_Integer) image.height);
      return 3;
   }
   lua_pushnil (L);
   lua_pushfstring (L, "%s%s%s", image.format ? image.format : "", image.format ? ": " : "", why);
   return 2;
}
