/* Values of one BSON type without options: BooleanField, ObjectIdField, DateTimeField. */
#include "field/field_private.h"

modm_outcome
modm_boolean_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                      modm_error *err)
{
   (void) f;
   (void) v;
   (void) err;
   int type = lua_type (L, idx);
   if (type == LUA_TBOOLEAN)
      return MODM_SAME;
   bool value = !modm_isblank (L, idx);
   int64_t n;
   if (type == LUA_TNUMBER)
      value = lua_tonumber (L, idx) != 0;
   else if (modm_int64_test (L, idx, &n))
      value = n != 0;
   lua_pushboolean (L, value);
   return MODM_CONVERTED;
}

bool
modm_boolean_fits (lua_State *L, int idx, const modm_field *f)
{
   (void) f;
   return lua_type (L, idx) == LUA_TBOOLEAN;
}

bool
modm_boolean_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type == MODM_BSON_BOOL;
}

modm_outcome
modm_objectid_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                       modm_error *err)
{
   (void) f;
   (void) v;
   if (modm_value_test_type (L, idx, MODM_BSON_OBJECTID))
      return MODM_SAME;
   uint8_t bytes[12];
   if (!modm_objectid_from (L, idx, bytes))
      return modm_refuse (L, idx, "an ObjectId (24 hex digits or 12 bytes)", err);
   modm_value_push (L, MODM_BSON_OBJECTID, bytes, sizeof bytes);
   return MODM_CONVERTED;
}

bool
modm_objectid_fits (lua_State *L, int idx, const modm_field *f)
{
   (void) f;
   return modm_value_test_type (L, idx, MODM_BSON_OBJECTID) != NULL;
}

bool
modm_objectid_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type == MODM_BSON_OBJECTID;
}

modm_outcome
modm_datetime_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                       modm_error *err)
{
   (void) f;
   (void) v;
   if (modm_value_test_type (L, idx, MODM_BSON_DATE))
      return MODM_SAME;
   int64_t ms;
   if (!modm_datetime_from (L, idx, &ms))
      return modm_refuse (L, idx, "a date (seconds, a date table, or ISO 8601 text)", err);
   modm_datetime_push (L, ms);
   return MODM_CONVERTED;
}

bool
modm_datetime_fits (lua_State *L, int idx, const modm_field *f)
{
   (void) f;
   return modm_value_test_type (L, idx, MODM_BSON_DATE) != NULL;
}

bool
modm_datetime_put (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                   size_t key_len)
{
   (void) f;
   int64_t ms;
   if (!modm_datetime_from (L, idx, &ms))
      return false;
   modm_write_key (b, MODM_BSON_DATE, key, key_len);
   modm_write_i64 (b, ms);
   return true;
}

bool
modm_datetime_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type == MODM_BSON_DATE;
}
