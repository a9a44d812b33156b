/* Rarer values of BSON: RegularExpressionField, JavaScriptField, TimestampField. */
#include "field/field_private.h"

modm_outcome
modm_regex_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) f;
   (void) v;
   size_t len;
   if (modm_value_test_type (L, idx, MODM_BSON_REGEX))
      return MODM_SAME;
   const char *text = lua_type (L, idx) == LUA_TSTRING ? lua_tolstring (L, idx, &len) : NULL;
   if (!text || len == 0 || len > MODM_MAX_DOCUMENT || memchr (text, '\0', len) ||
       !modm_utf8_check (text, len, NULL))
      return modm_refuse (L, idx, "a Regex or a pattern without NUL", err);
   lua_pushlstring (L, text, len);
   lua_pushlstring (L, "", 1); /* its NUL ends the pattern, that of the whole ends no options */
   lua_concat (L, 2);
   modm_value_push (L, MODM_BSON_REGEX, lua_tostring (L, -1), (uint32_t) len + 2);
   lua_remove (L, -2);
   return MODM_CONVERTED;
}

bool
modm_regex_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type == MODM_BSON_REGEX;
}

modm_outcome
modm_code_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) f;
   (void) v;
   size_t len;
   if (modm_value_test_type (L, idx, MODM_BSON_CODE) ||
       modm_value_test_type (L, idx, MODM_BSON_CODEWSCOPE))
      return MODM_SAME;
   const char *text = lua_type (L, idx) == LUA_TSTRING ? lua_tolstring (L, idx, &len) : NULL;
   if (!text || len == 0 || len > MODM_MAX_DOCUMENT || !modm_utf8_check (text, len, NULL))
      return modm_refuse (L, idx, "a JavaScript or its text", err);
   modm_buffer *b = modm_buffer_push (L);
   modm_write_text (b, text, len);
   if (b->failed)
      luaL_error (L, "not enough memory");
   modm_value_push (L, MODM_BSON_CODE, b->data, (uint32_t) b->len);
   modm_buffer_free (b);
   lua_remove (L, -2);
   return MODM_CONVERTED;
}

bool
modm_code_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type == MODM_BSON_CODE || e->type == MODM_BSON_CODEWSCOPE;
}

/* The seconds of a date; numbers alone are none, since they could be a counter as well. */
static bool
to_seconds (lua_State *L, int idx, int64_t *seconds)
{
   int64_t ms;
   int type = lua_type (L, idx);
   if (type != LUA_TSTRING && type != LUA_TTABLE && !modm_value_test_type (L, idx, MODM_BSON_DATE))
      return false;
   if (!modm_datetime_from (L, idx, &ms) || ms < 0)
      return false;
   *seconds = ms / 1000;
   return *seconds <= UINT32_MAX;
}

modm_outcome
modm_timestamp_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                        modm_error *err)
{
   (void) f;
   (void) v;
   int64_t seconds;
   uint8_t bytes[8];
   if (modm_value_test_type (L, idx, MODM_BSON_TIMESTAMP))
      return MODM_SAME;
   if (!to_seconds (L, idx, &seconds))
      return modm_refuse (L, idx, "a Timestamp or a date from 1970 to 2106", err);
   modm_store_i64 (bytes, (int64_t) ((uint64_t) seconds << 32));
   modm_value_push (L, MODM_BSON_TIMESTAMP, bytes, sizeof bytes);
   return MODM_CONVERTED;
}

bool
modm_timestamp_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type == MODM_BSON_TIMESTAMP;
}
