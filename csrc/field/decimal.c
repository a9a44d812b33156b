/* Decimal128Field: 34 decimal digits, with bounds that are compared exactly. */
#include "field/field_private.h"

typedef enum class { FINITE, INFINITE, NOT_A_NUMBER } class;

enum { DIGITS = 34, MOST_DIGITS = 39, BIAS = 6176 };

/* A Decimal128 taken apart: sign * 0.d1d2d3... * 10^exponent; no digits is zero. */
typedef struct number {
   class class;
   bool negative;
   int exponent, n;
   uint8_t digits[MOST_DIGITS];
} number;

/* The digits of an integer of four 32-bit limbs, the highest first; returns their count. */
static int
split_digits (uint32_t limbs[4], uint8_t out[MOST_DIGITS])
{
   uint8_t reversed[MOST_DIGITS];
   int n = 0;
   while (n < MOST_DIGITS && (limbs[0] | limbs[1] | limbs[2] | limbs[3])) {
      uint64_t rest = 0;
      for (int i = 0; i < 4; i++) {
         rest = rest << 32 | limbs[i];
         limbs[i] = (uint32_t) (rest / 10);
         rest %= 10;
      }
      reversed[n++] = (uint8_t) rest;
   }
   for (int i = 0; i < n; i++)
      out[i] = reversed[n - 1 - i];
   return n;
}

/* The binary integer format of IEEE 754-2008. */
static void
take_apart (const uint8_t bytes[16], number *out)
{
   uint64_t low = (uint64_t) modm_load_i64 (bytes), high = (uint64_t) modm_load_i64 (bytes + 8);
   unsigned special = (unsigned) (high >> 58) & 31;
   *out = (number){.class = FINITE, .negative = high >> 63};
   if (special >= 30) {
      out->class = special == 31 ? NOT_A_NUMBER : INFINITE;
      return;
   }
   if (special >= 24) /* the long form, whose every coefficient is over 34 digits: zero */
      return;
   uint32_t limbs[4] = {(uint32_t) (high >> 32) & 0x1FFFF, (uint32_t) high, (uint32_t) (low >> 32),
                        (uint32_t) low};
   out->n = split_digits (limbs, out->digits);
   if (out->n > DIGITS)
      out->n = 0;
   out->exponent = (int) ((high >> 49) & 0x3FFF) - BIAS + out->n;
}

static int
compare_magnitudes (const number *a, const number *b)
{
   if (a->class != b->class)
      return a->class == INFINITE ? 1 : -1;
   if (a->class == INFINITE)
      return 0;
   if (a->n == 0 || b->n == 0)
      return (a->n > 0) - (b->n > 0);
   if (a->exponent != b->exponent)
      return a->exponent < b->exponent ? -1 : 1;
   return memcmp (a->digits, b->digits, sizeof a->digits); /* zeros follow the last digit */
}

static bool
is_zero (const number *a)
{
   return a->class == FINITE && a->n == 0;
}

/* Less than, equal to or greater than 0; neither may be NaN. */
static int
compare (const number *a, const number *b)
{
   bool a_negative = a->negative && !is_zero (a), b_negative = b->negative && !is_zero (b);
   if (a_negative != b_negative)
      return a_negative ? -1 : 1;
   return a_negative ? compare_magnitudes (b, a) : compare_magnitudes (a, b);
}

typedef enum place { WITHIN, UNDER, OVER, NOWHERE } place;

/* Where a value stands to the field's bounds. */
static place
place_of (const modm_field *f, const uint8_t bytes[16])
{
   number value, bound;
   if (!(f->flags & (MODM_FIELD_HAS_MIN | MODM_FIELD_HAS_MAX)))
      return WITHIN;
   take_apart (bytes, &value);
   if (value.class == NOT_A_NUMBER)
      return NOWHERE;
   if (f->flags & MODM_FIELD_HAS_MIN) {
      take_apart (f->limit.decimal.min, &bound);
      if (compare (&value, &bound) < 0)
         return UNDER;
   }
   if (f->flags & MODM_FIELD_HAS_MAX) {
      take_apart (f->limit.decimal.max, &bound);
      if (compare (&value, &bound) > 0)
         return OVER;
   }
   return WITHIN;
}

static bool
option_decimal (lua_State *L, int options, const char *name, uint8_t out[16])
{
   number bound;
   bool given = lua_getfield (L, options, name) != LUA_TNIL;
   if (given) {
      if (!modm_decimal128_from (L, -1, out))
         luaL_error (L, "option '%s' must be a number of at most 34 digits, got %s", name,
                     modm_describe (L, -1));
      take_apart (out, &bound);
      if (bound.class == NOT_A_NUMBER)
         luaL_error (L, "option '%s' must not be NaN", name);
   }
   lua_pop (L, 1);
   return given;
}

void
modm_decimal_compile (lua_State *L, int options, modm_field *f)
{
   uint32_t both = MODM_FIELD_HAS_MIN | MODM_FIELD_HAS_MAX;
   if (option_decimal (L, options, "min_value", f->limit.decimal.min))
      f->flags |= MODM_FIELD_HAS_MIN;
   if (option_decimal (L, options, "max_value", f->limit.decimal.max))
      f->flags |= MODM_FIELD_HAS_MAX;
   if ((f->flags & both) == both && place_of (f, f->limit.decimal.max) == UNDER)
      luaL_error (L, "max_value is less than min_value");
}

static bool
is_space (char c)
{
   return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Pushes the value at idx, a string without the white space around it, as other fields of numbers
 * take one. */
static void
push_trimmed (lua_State *L, int idx)
{
   size_t len;
   if (lua_type (L, idx) != LUA_TSTRING) {
      lua_pushvalue (L, idx);
      return;
   }
   const char *text = lua_tolstring (L, idx, &len);
   for (; len > 0 && is_space (*text); len--)
      text++;
   while (len > 0 && is_space (text[len - 1]))
      len--;
   lua_pushlstring (L, text, len);
}

modm_outcome
modm_decimal_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                      modm_error *err)
{
   (void) f;
   (void) v;
   uint8_t bytes[16];
   if (modm_value_test_type (L, idx, MODM_BSON_DECIMAL128))
      return MODM_SAME;
   push_trimmed (L, idx);
   bool ok = modm_decimal128_from (L, -1, bytes);
   lua_pop (L, 1);
   if (!ok)
      return modm_refuse (L, idx, "a decimal number of at most 34 digits", err);
   modm_value_push (L, MODM_BSON_DECIMAL128, bytes, sizeof bytes);
   return MODM_CONVERTED;
}

void
modm_decimal_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   const modm_value *value = modm_value_test_type (L, idx, MODM_BSON_DECIMAL128);
   place where = value ? place_of (f, value->bytes) : WITHIN;
   int top = lua_gettop (L);
   if (where == NOWHERE) {
      modm_report (v, "NaN lies within no bounds.");
   } else if (where != WITHIN) {
      const char *text = modm_describe (L, idx);
      const uint8_t *bound = where == UNDER ? f->limit.decimal.min : f->limit.decimal.max;
      modm_value_push (L, MODM_BSON_DECIMAL128, bound, 16);
      modm_report (v, "%s is %s value of %s.", text,
                   where == UNDER ? "less than minimum" : "greater than maximum",
                   modm_describe (L, -1));
   }
   lua_settop (L, top);
}

bool
modm_decimal_accepts (const modm_field *f, const modm_element *e)
{
   return e->type == MODM_BSON_DECIMAL128 && place_of (f, e->value) == WITHIN;
}

void
modm_decimal_describe (lua_State *L, const modm_field *f)
{
   if (f->flags & MODM_FIELD_HAS_MIN) {
      modm_value_push (L, MODM_BSON_DECIMAL128, f->limit.decimal.min, 16);
      lua_setfield (L, -2, "minimum");
   }
   if (f->flags & MODM_FIELD_HAS_MAX) {
      modm_value_push (L, MODM_BSON_DECIMAL128, f->limit.decimal.max, 16);
      lua_setfield (L, -2, "maximum");
   }
   if (f->flags & (MODM_FIELD_HAS_MIN | MODM_FIELD_HAS_MAX))
      modm_rule_not_nan (L);
}
