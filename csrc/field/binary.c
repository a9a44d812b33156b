/* Bytes: BinaryField and UUIDField. */
#include "field/field_private.h"

enum { OLD_UUID = 3, NEW_UUID = 4, UUID_SIZE = 21 };

void
modm_binary_compile (lua_State *L, int options, modm_field *f)
{
   int64_t subtype = 0;
   if (modm_option_integer (L, options, "subtype", &subtype) && (subtype < 0 || subtype > 255))
      luaL_error (L, "option 'subtype' must be from 0 to 255");
   f->limit.subtype = (uint8_t) subtype;
}

modm_outcome
modm_binary_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                     modm_error *err)
{
   (void) v;
   if (modm_value_test_type (L, idx, MODM_BSON_BINARY))
      return MODM_SAME;
   if (lua_type (L, idx) != LUA_TSTRING)
      return modm_refuse (L, idx, "a Binary or a string of bytes", err);
   size_t len;
   const char *data = lua_tolstring (L, idx, &len);
   if (len > MODM_MAX_DOCUMENT) {
      modm_error_set (err, "too long for a document");
      return MODM_REFUSED;
   }
   modm_binary_push (L, f->limit.subtype, data, len);
   return MODM_CONVERTED;
}

bool
modm_binary_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type == MODM_BSON_BINARY && modm_load_i32 (e->value) > 0;
}

/* A blank string is not converted by validation, and is stored as a binary all the same. */
bool
modm_binary_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                    size_t key_len, int depth, modm_error *err)
{
   if (lua_type (L, idx) != LUA_TSTRING || lua_rawlen (L, idx) > 0)
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   modm_write_key (b, MODM_BSON_BINARY, key, key_len);
   modm_write_i32 (b, 0);
   modm_buffer_byte (b, f->limit.subtype);
   return true;
}

void
modm_uuid_compile (lua_State *L, int options, modm_field *f)
{
   int64_t subtype = OLD_UUID;
   if (modm_option_integer (L, options, "subtype", &subtype) && subtype != OLD_UUID &&
       subtype != NEW_UUID)
      luaL_error (L, "option 'subtype' must be 3 or 4");
   f->limit.subtype = (uint8_t) subtype;
}

modm_outcome
modm_uuid_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) v;
   uint8_t bytes[16];
   const modm_value *value = modm_value_test_type (L, idx, MODM_BSON_BINARY);
   if (value && value->size == UUID_SIZE && value->bytes[4] == f->limit.subtype)
      return MODM_SAME;
   if (!modm_uuid_from (L, idx, bytes))
      return modm_refuse (L, idx, "a UUID (or its text, or 16 bytes)", err);
   modm_binary_push (L, f->limit.subtype, bytes, sizeof bytes);
   return MODM_CONVERTED;
}

bool
modm_uuid_accepts (const modm_field *f, const modm_element *e)
{
   return e->type == MODM_BSON_BINARY && e->size == UUID_SIZE && e->value[4] == f->limit.subtype;
}

void
modm_binary_describe (lua_State *L, const modm_field *f)
{
   if (f->flags & MODM_FIELD_BLANK)
      return;
   modm_binary_push (L, f->limit.subtype, "", 0);
   modm_rule_not (L);
   modm_rule_unsaid (L, "blank", "no bytes at all, of another subtype than the field's");
}

void
modm_uuid_describe (lua_State *L, const modm_field *f)
{
   modm_rule_unsaid (L, "subtype",
                     f->limit.subtype == OLD_UUID ? "16 bytes of subtype 3"
                                                  : "16 bytes of subtype 4");
}
