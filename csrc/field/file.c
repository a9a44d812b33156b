/* Files: what is stored is the id that their storage gave; what is assigned waits as a modm.File
 * (lua/modm/file.lua) until its document is saved. */
#include "field/field_private.h"
#include "field/image.h"

/* Their addresses: the metatables of modm.File and of modm.FieldFile, in the registry. */
static const char file_class, field_file_class;

static bool
is_of (lua_State *L, int idx, const char *class)
{
   if (lua_type (L, idx) != LUA_TTABLE || !lua_getmetatable (L, idx))
      return false;
   lua_rawgetp (L, LUA_REGISTRYINDEX, class);
   bool same = lua_rawequal (L, -1, -2);
   lua_pop (L, 2);
   return same;
}

bool
modm_file_test (lua_State *L, int idx)
{
   return is_of (L, idx, &file_class);
}

bool
modm_field_file_test (lua_State *L, int idx)
{
   return is_of (L, idx, &field_file_class);
}

static bool
has_read (lua_State *L, int idx)
{
   int type = lua_type (L, idx);
   if (type != LUA_TTABLE && (type != LUA_TUSERDATA || modm_value_test (L, idx)))
      return false;
   if (type == LUA_TUSERDATA) { /* one without __index cannot be asked */
      if (!luaL_getmetafield (L, idx, "__index"))
         return false;
      lua_pop (L, 1);
   }
   lua_getfield (L, idx, "read");
   bool found = !lua_isnil (L, -1);
   lua_pop (L, 1);
   return found;
}

/* The file of a field becomes what it stands for: an id of any type, or a file that waits. */
static modm_outcome
convert_field_file (lua_State *L, int idx, modm_error *err)
{
   lua_getfield (L, idx, "_value");
   if (!lua_isnil (L, -1))
      return MODM_CONVERTED;
   lua_pop (L, 1);
   modm_error_set (err, "the file was deleted");
   return MODM_REFUSED;
}

/* What has `read` becomes the source of a modm.File. */
modm_outcome
modm_file_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) f, (void) v;
   if (modm_value_test_type (L, idx, MODM_BSON_OBJECTID) || modm_file_test (L, idx))
      return MODM_SAME;
   if (modm_field_file_test (L, idx))
      return convert_field_file (L, idx, err);
   if (!has_read (L, idx)) {
      if (lua_type (L, idx) == LUA_TSTRING)
         modm_error_set (err, "not a file: modm.File(path) gives that of a path");
      else
         modm_refuse (L, idx, "a file (modm.File, or an object with read), or its id", err);
      return MODM_REFUSED;
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

/* What an id is depends on the storage that gave it. */
void
modm_file_describe (lua_State *L, const modm_field *f)
{
   (void) f;
   lua_pushlightuserdata (L, NULL);
   modm_rule_not (L);
}

/* core.file_class(metatable, of_field): what C knows a modm.File by, or a modm.FieldFile */
int
modm_file_l_class (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   const char *class = lua_toboolean (L, 2) ? &field_file_class : &file_class;
   lua_settop (L, 1);
   modm_mark_refused (L,
                      "holds a file: save(), bulk_create() and bulk() store files, elsewhere the "
                      "id of one stands for it (document.field.file_id)");
   lua_rawsetp (L, LUA_REGISTRYINDEX, class);
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
