/* Binary: bytes with a subtype, and UUID, which is one of subtype 4 or 3. */
#include "bson/bson_private.h"

enum { OLD_BINARY = 2, OLD_UUID = 3, NEW_UUID = 4 };

/* ---- UUID ---- */

/* 32 hexadecimal digits, or 8-4-4-4-12; `urn:uuid:` before and braces around are taken off. */
static bool
uuid_from_text (const char *text, size_t len, uint8_t out[16])
{
   char digits[32];
   size_t n = 0;
   if (len >= 9 && memcmp (text, "urn:uuid:", 9) == 0) {
      text += 9;
      len -= 9;
   }
   if (len >= 2 && text[0] == '{' && text[len - 1] == '}') {
      text++;
      len -= 2;
   }
   if (len != 32 && len != 36)
      return false;
   for (size_t i = 0; i < len; i++) {
      bool dash = len == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
      if (dash && text[i] != '-')
         return false;
      if (!dash)
         digits[n++] = text[i];
   }
   return modm_hex_read (out, digits, sizeof digits);
}

static bool
is_uuid (const modm_value *v)
{
   return v->size == 21 && (v->bytes[4] == OLD_UUID || v->bytes[4] == NEW_UUID);
}

bool
modm_uuid_from (lua_State *L, int idx, uint8_t out[16])
{
   const modm_value *v = modm_value_test_type (L, idx, MODM_BSON_BINARY);
   if (v && is_uuid (v)) {
      memcpy (out, v->bytes + 5, 16);
      return true;
   }
   if (lua_type (L, idx) != LUA_TSTRING)
      return false;
   size_t len;
   const char *text = lua_tolstring (L, idx, &len);
   if (len == 16)
      memcpy (out, text, 16);
   return len == 16 || uuid_from_text (text, len, out);
}

static int
l_uuid (lua_State *L)
{
   uint8_t bytes[16];
   lua_Integer subtype = luaL_optinteger (L, 2, NEW_UUID);
   if (!modm_uuid_from (L, 1, bytes))
      luaL_argerror (L, 1, "UUID, its text or 16 bytes expected");
   luaL_argcheck (L, subtype == NEW_UUID || subtype == OLD_UUID, 2, "subtype 3 or 4 expected");
   modm_binary_push (L, (uint8_t) subtype, bytes, sizeof bytes);
   return 1;
}

static int
push_uuid_text (lua_State *L, const uint8_t *bytes)
{
   char digits[32], text[36];
   modm_hex_write (digits, bytes, 16);
   for (size_t i = 0, n = 0; i < sizeof text; i++)
      text[i] = i == 8 || i == 13 || i == 18 || i == 23 ? '-' : digits[n++];
   lua_pushlstring (L, text, sizeof text);
   return 1;
}

/* ---- Binary ---- */

void
modm_binary_push (lua_State *L, uint8_t subtype, const void *data, size_t len)
{
   /* The old subtype 2 repeats the length inside. */
   size_t inner = subtype == OLD_BINARY ? 4 : 0;
   if (len > MODM_MAX_DOCUMENT)
      luaL_error (L, "a binary of %d bytes is too long for a document", (int) (len & INT32_MAX));
   uint8_t *p = modm_value_new (L, MODM_BSON_BINARY, (uint32_t) (5 + inner + len));
   modm_store_i32 (p, (int32_t) (inner + len));
   p[4] = subtype;
   if (inner)
      modm_store_i32 (p + 5, (int32_t) len);
   if (len)
      memcpy (p + 5 + inner, data, len);
}

static int
l_binary (lua_State *L)
{
   size_t len;
   luaL_checktype (L, 1, LUA_TSTRING);
   const char *data = lua_tolstring (L, 1, &len);
   lua_Integer subtype = luaL_optinteger (L, 2, 0);
   luaL_argcheck (L, subtype >= 0 && subtype <= 255, 2, "a subtype from 0 to 255 expected");
   modm_binary_push (L, (uint8_t) subtype, data, len);
   return 1;
}

static const char *
data_of (lua_State *L, size_t *len)
{
   const modm_value *v = modm_value_check (L, 1, MODM_CLASS_BINARY);
   size_t head = v->bytes[4] == OLD_BINARY ? 9 : 5;
   *len = v->size - head;
   return (const char *) v->bytes + head;
}

static int
l_data (lua_State *L)
{
   size_t len;
   const char *data = data_of (L, &len);
   lua_pushlstring (L, data, len);
   return 1;
}

static int
l_subtype (lua_State *L)
{
   lua_pushinteger (L, modm_value_check (L, 1, MODM_CLASS_BINARY)->bytes[4]);
   return 1;
}

static int
mt_len (lua_State *L)
{
   size_t len;
   (void) data_of (L, &len);
   lua_pushinteger (L, (lua_Integer) len);
   return 1;
}

static int
mt_tostring (lua_State *L)
{
   size_t len;
   const modm_value *v = modm_value_check (L, 1, MODM_CLASS_BINARY);
   if (is_uuid (v))
      return push_uuid_text (L, v->bytes + 5);
   (void) data_of (L, &len);
   lua_pushfstring (L, "Binary(subtype %d, %d bytes)", (int) v->bytes[4], (int) len);
   return 1;
}

void
modm_binary_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {
      {"__eq", modm_value_eq}, {"__len", mt_len}, {"__tostring", mt_tostring}, {NULL, NULL}};
   static const luaL_Reg methods[] = {{"data", l_data}, {"subtype", l_subtype}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_BINARY], metamethods, methods);
   modm_value_constructor (L, "Binary", l_binary, NULL);
   modm_value_constructor (L, "UUID", l_uuid, NULL);
}
