/* Decimal128: 34 decimal digits. libbson turns text into the bytes and back. */
#include "bson/bson_private.h"

#include <bson/bson.h>
#include <stdio.h>
#include <stdlib.h>

/* libbson takes an exponent modulo 2^32. The first digits of a longer one are beyond all bounds,
 * too. Returns how much of the text is to be read. */
static size_t
cut_exponent (const char *text, size_t len)
{
   enum { MOST = 9 }; /* digits */
   const char *end = text + len, *p = text;
   while (p < end && *p != 'e' && *p != 'E')
      p++;
   p += p < end;
   p += p < end && (*p == '+' || *p == '-');
   while (p < end && *p == '0')
      p++;
   for (const char *digit = p; digit < end; digit++)
      if (*digit < '0' || *digit > '9')
         return len;
   return end - p > MOST ? (size_t) (p - text) + MOST : len;
}

static bool
from_text (const char *text, size_t len, uint8_t out[16])
{
   enum { LONGEST = 10000 };
   char copy[LONGEST + 1]; /* libbson reads an exponent up to a NUL */
   bson_decimal128_t d;
   if (len > LONGEST || memchr (text, '\0', len))
      return false;
   len = cut_exponent (text, len);
   memcpy (copy, text, len);
   copy[len] = '\0';
   if (!bson_decimal128_from_string_w_len (copy, (int) len, &d))
      return false;
   modm_store_i64 (out, (int64_t) d.low);
   modm_store_i64 (out + 8, (int64_t) d.high);
   return true;
}

/* The shortest text that reads as the same double. */
static bool
from_double (double number, uint8_t out[16])
{
   char text[40];
   if (number != number)
      return from_text ("NaN", 3, out);
   for (int digits = 15; digits <= 17; digits++) {
      (void) snprintf (text, sizeof text, "%.*g", digits, number);
      if (strtod (text, NULL) == number)
         break;
   }
   /* The host's locale may write a comma. */
   char *comma = strchr (text, ',');
   if (comma)
      *comma = '.';
   return from_text (text, strlen (text), out);
}

bool
modm_decimal128_from (lua_State *L, int idx, uint8_t out[16])
{
   const modm_value *v = modm_value_test_type (L, idx, MODM_BSON_DECIMAL128);
   int64_t integer;
   if (v) {
      memcpy (out, v->bytes, 16);
      return true;
   }
   if (lua_type (L, idx) == LUA_TSTRING) {
      size_t len;
      const char *text = lua_tolstring (L, idx, &len);
      return from_text (text, len, out);
   }
   bool number = lua_type (L, idx) == LUA_TNUMBER;
   if (number ? modm_isinteger (L, idx, &integer) : modm_int64_test (L, idx, &integer)) {
      char text[24];
      int len = snprintf (text, sizeof text, "%lld", (long long) integer);
      return from_text (text, (size_t) len, out);
   }
   return number && from_double ((double) lua_tonumber (L, idx), out);
}

static int
l_new (lua_State *L)
{
   uint8_t bytes[16];
   if (!modm_decimal128_from (L, 1, bytes))
      luaL_argerror (L, 1,
                     "Decimal128, number or text of a number with at most 34 digits expected");
   modm_value_push (L, MODM_BSON_DECIMAL128, bytes, 16);
   return 1;
}

static int
mt_tostring (lua_State *L)
{
   const modm_value *v = modm_value_check (L, 1, MODM_CLASS_DECIMAL128);
   bson_decimal128_t d;
   char text[BSON_DECIMAL128_STRING];
   d.low = (uint64_t) modm_load_i64 (v->bytes);
   d.high = (uint64_t) modm_load_i64 (v->bytes + 8);
   bson_decimal128_to_string (&d, text);
   lua_pushstring (L, text);
   return 1;
}

void
modm_decimal128_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {
      {"__eq", modm_value_eq}, {"__tostring", mt_tostring}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_DECIMAL128], metamethods, NULL);
   modm_value_constructor (L, "Decimal128", l_new, NULL);
}
