/* Int64: a 64-bit integer where a Lua number would not do. Its arithmetic is exact or raises. */
#include "bson/bson_private.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- conversions ---- */

void
modm_int64_push (lua_State *L, int64_t value)
{
   const int64_t exact = INT64_C (1) << 53;
   uint8_t bytes[8];
   if (MODM_HAS_INTEGERS) {
      lua_pushinteger (L, (lua_Integer) value);
   } else if (value >= -exact && value <= exact) {
      lua_pushnumber (L, (lua_Number) value);
   } else {
      modm_store_i64 (bytes, value);
      modm_value_push (L, MODM_BSON_INT64, bytes, 8);
   }
}

bool
modm_int64_test (lua_State *L, int idx, int64_t *out)
{
   if (lua_type (L, idx) == LUA_TNUMBER) {
      if (modm_isinteger (L, idx, out))
         return true;
      double n = (double) lua_tonumber (L, idx);
      if (!(n >= -9223372036854775808.0 && n < 9223372036854775808.0) || n != floor (n))
         return false;
      *out = (int64_t) n;
      return true;
   }
   const modm_value *v = modm_value_test_type (L, idx, MODM_BSON_INT64);
   if (v)
      *out = modm_load_i64 (v->bytes);
   return v != NULL;
}

static void
push (lua_State *L, int64_t value)
{
   modm_store_i64 (modm_value_new (L, MODM_BSON_INT64, 8), value);
}

/* Decimal digits with a sign or without; "LL" behind, as LuaJIT's own 64-bit integers print. */
static bool
from_text (const char *text, size_t len, int64_t *out)
{
   char *end;
   const char *digits = text + (text[0] == '-');
   if (*digits < '0' || *digits > '9')
      return false;
   errno = 0;
   *out = strtoll (text, &end, 10);
   size_t rest = len - (size_t) (end - text);
   return errno == 0 && (rest == 0 || (rest == 2 && memcmp (end, "LL", 2) == 0));
}

static int
l_new (lua_State *L)
{
   int64_t value = 0;
   size_t len = 0;
   const char *text = NULL;
   bool cdata = strcmp (luaL_typename (L, 1), "cdata") == 0;
   if (cdata || lua_type (L, 1) == LUA_TSTRING)
      text = luaL_tolstring (L, 1, &len);
   if (!(text ? from_text (text, len, &value) : modm_int64_test (L, 1, &value)))
      luaL_argerror (L, 1, "a whole number of 64 bits, or its decimal digits, expected");
   push (L, value);
   return 1;
}

static int64_t
self (lua_State *L, int idx)
{
   return modm_load_i64 (modm_value_check (L, idx, MODM_CLASS_INT64)->bytes);
}

static int
l_tonumber (lua_State *L)
{
   int64_t value = self (L, 1);
   if (MODM_HAS_INTEGERS)
      lua_pushinteger (L, (lua_Integer) value);
   else
      lua_pushnumber (L, (lua_Number) value);
   return 1;
}

static int
mt_tostring (lua_State *L)
{
   char text[24];
   int len = snprintf (text, sizeof text, "%lld", (long long) self (L, 1));
   lua_pushlstring (L, text, (size_t) len);
   return 1;
}

/* ---- arithmetic ---- */

static int64_t
operand (lua_State *L, int idx)
{
   int64_t value = 0;
   if (!modm_int64_test (L, idx, &value)) {
      if (lua_type (L, idx) == LUA_TNUMBER)
         luaL_error (L, "an Int64 cannot be combined with a number that is no integer of 64 bits");
      luaL_error (L, "an Int64 cannot be combined with a %s", luaL_typename (L, idx));
   }
   return value;
}

static int
push_result (lua_State *L, bool overflow, int64_t value)
{
   if (overflow)
      luaL_error (L, "the result is out of the range of an Int64");
   push (L, value);
   return 1;
}

static int
mt_add (lua_State *L)
{
   int64_t r;
   bool overflow = __builtin_add_overflow (operand (L, 1), operand (L, 2), &r);
   return push_result (L, overflow, r);
}

static int
mt_sub (lua_State *L)
{
   int64_t r;
   bool overflow = __builtin_sub_overflow (operand (L, 1), operand (L, 2), &r);
   return push_result (L, overflow, r);
}

static int
mt_mul (lua_State *L)
{
   int64_t r;
   bool overflow = __builtin_mul_overflow (operand (L, 1), operand (L, 2), &r);
   return push_result (L, overflow, r);
}

static int
mt_unm (lua_State *L)
{
   int64_t r;
   bool overflow = __builtin_sub_overflow (INT64_C (0), operand (L, 1), &r);
   return push_result (L, overflow, r);
}

/* Division rounds down and the rest has the divisor's sign, as Lua has it. */
static int
mt_idiv (lua_State *L)
{
   int64_t a = operand (L, 1), b = operand (L, 2);
   if (b == 0)
      return luaL_error (L, "division by zero");
   if (b == -1)
      return push_result (L, a == INT64_MIN, a == INT64_MIN ? 0 : -a);
   return push_result (L, false, a / b - (a % b != 0 && (a % b < 0) != (b < 0)));
}

static int
mt_mod (lua_State *L)
{
   int64_t a = operand (L, 1), b = operand (L, 2);
   if (b == 0)
      return luaL_error (L, "division by zero");
   int64_t rest = b == -1 ? 0 : a % b;
   return push_result (L, false, rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest);
}

static int
mt_div (lua_State *L)
{
   lua_pushnumber (L, (lua_Number) operand (L, 1) / (lua_Number) operand (L, 2));
   return 1;
}

static int
mt_lt (lua_State *L)
{
   lua_pushboolean (L, operand (L, 1) < operand (L, 2));
   return 1;
}

static int
mt_le (lua_State *L)
{
   lua_pushboolean (L, operand (L, 1) <= operand (L, 2));
   return 1;
}

void
modm_int64_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__eq", modm_value_eq},
                                          {"__lt", mt_lt},
                                          {"__le", mt_le},
                                          {"__add", mt_add},
                                          {"__sub", mt_sub},
                                          {"__mul", mt_mul},
                                          {"__unm", mt_unm},
                                          {"__idiv", mt_idiv},
                                          {"__mod", mt_mod},
                                          {"__div", mt_div},
                                          {"__tostring", mt_tostring},
                                          {NULL, NULL}};
   static const luaL_Reg methods[] = {{"tonumber", l_tonumber}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_INT64], metamethods, methods);
   modm_value_constructor (L, "Int64", l_new, NULL);
}
