/* Numeric kinds: IntegerField, BigIntegerField, FloatField. */
#include "field/field_private.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static const char *
skip_space (const char *p, const char *end)
{
   while (p < end && (*p == ' ' || (*p >= '\t' && *p <= '\r')))
      p++;
   return p;
}

/* A decimal integer, white space around it allowed. */
static bool
parse_integer (const char *text, size_t len, int64_t *out)
{
   const char *end = text + len, *p = skip_space (text, end);
   const char *digits = p + (p < end && (*p == '-' || *p == '+'));
   if (digits >= end || *digits < '0' || *digits > '9')
      return false;
   char *stop;
   errno = 0;
   long long n = strtoll (p, &stop, 10); /* the Lua string ends with NUL */
   *out = (int64_t) n;
   return errno == 0 && skip_space (stop, end) == end;
}

static bool
to_integer (lua_State *L, int idx, int64_t *out)
{
   if (lua_type (L, idx) != LUA_TSTRING)
      return modm_int64_test (L, idx, out);
   size_t len;
   const char *text = lua_tolstring (L, idx, &len);
   return parse_integer (text, len, out);
}

modm_outcome
modm_integer_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                      modm_error *err)
{
   (void) f;
   (void) v;
   int64_t n;
   if (lua_type (L, idx) == LUA_TNUMBER && modm_isinteger (L, idx, &n))
      return MODM_SAME;
   if (!to_integer (L, idx, &n))
      return modm_refuse (L, idx, "an integer of 64 bits", err);
   modm_int64_push (L, n);
   return MODM_CONVERTED;
}

void
modm_integer_compile (lua_State *L, int options, modm_field *f)
{
   if (modm_option_integer (L, options, "min_value", &f->limit.integer.min))
      f->flags |= MODM_FIELD_HAS_MIN;
   if (modm_option_integer (L, options, "max_value", &f->limit.integer.max))
      f->flags |= MODM_FIELD_HAS_MAX;
}

void
modm_integer_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   int64_t n;
   if (!modm_int64_test (L, idx, &n))
      return;
   if ((f->flags & MODM_FIELD_HAS_MIN) && n < f->limit.integer.min)
      modm_report (v, "%" PRId64 " is less than minimum value of %" PRId64 ".", n,
                   f->limit.integer.min);
   if ((f->flags & MODM_FIELD_HAS_MAX) && n > f->limit.integer.max)
      modm_report (v, "%" PRId64 " is greater than maximum value of %" PRId64 ".", n,
                   f->limit.integer.max);
}

static bool
integer_fits (const modm_field *f, int64_t n)
{
   return !((f->flags & MODM_FIELD_HAS_MIN) && n < f->limit.integer.min) &&
          !((f->flags & MODM_FIELD_HAS_MAX) && n > f->limit.integer.max);
}

bool
modm_integer_fits (lua_State *L, int idx, const modm_field *f)
{
   int64_t n;
   return lua_type (L, idx) == LUA_TNUMBER && modm_isinteger (L, idx, &n) && integer_fits (f, n);
}

bool
modm_integer_accepts (const modm_field *f, const modm_element *e)
{
   if (e->type == MODM_BSON_INT32)
      return integer_fits (f, modm_load_i32 (e->value));
   return e->type == MODM_BSON_INT64 && integer_fits (f, modm_load_i64 (e->value));
}

bool
modm_biginteger_accepts (const modm_field *f, const modm_element *e)
{
   return e->type == MODM_BSON_INT64 && integer_fits (f, modm_load_i64 (e->value));
}

bool
modm_integer_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                     size_t key_len, int depth, modm_error *err)
{
   (void) f;
   int64_t n;
   if (!modm_int64_test (L, idx, &n))
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   bool small = n >= INT32_MIN && n <= INT32_MAX;
   modm_write_key (b, small ? MODM_BSON_INT32 : MODM_BSON_INT64, key, key_len);
   if (small)
      modm_write_i32 (b, (int32_t) n);
   else
      modm_write_i64 (b, n);
   return true;
}

bool
modm_biginteger_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                        size_t key_len, int depth, modm_error *err)
{
   (void) f;
   int64_t n;
   if (!modm_int64_test (L, idx, &n))
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   modm_write_key (b, MODM_BSON_INT64, key, key_len);
   modm_write_i64 (b, n);
   return true;
}

/* ---- floating point ---- */

static bool
parse_float (const char *text, size_t len, double *out)
{
   const char *end = text + len, *p = skip_space (text, end);
   static const char beyond[] = "xX("; /* C reads hexadecimal numbers, and "nan(...)" */
   for (const char *c = beyond; *c; c++)
      if (memchr (p, *c, (size_t) (end - p)))
         return false;
   char *stop;
   *out = strtod (p, &stop);
   return stop != p && skip_space (stop, end) == end;
}

modm_outcome
modm_float_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) f;
   (void) v;
   int64_t n;
   double d;
   switch (lua_type (L, idx)) {
   case LUA_TNUMBER:
#if MODM_HAS_INTEGERS
      if (lua_isinteger (L, idx)) {
         lua_pushnumber (L, (lua_Number) lua_tointeger (L, idx));
         return MODM_CONVERTED;
      }
#endif
      return MODM_SAME;
   case LUA_TSTRING: {
      size_t len;
      const char *text = lua_tolstring (L, idx, &len);
      if (!parse_float (text, len, &d))
         break;
      lua_pushnumber (L, d);
      return MODM_CONVERTED;
   }
   case LUA_TUSERDATA:
      if (!modm_int64_test (L, idx, &n))
         break;
      lua_pushnumber (L, (lua_Number) n);
      return MODM_CONVERTED;
   default:
      break;
   }
   return modm_refuse (L, idx, "a number", err);
}

void
modm_float_compile (lua_State *L, int options, modm_field *f)
{
   if (modm_option_number (L, options, "min_value", &f->limit.number.min))
      f->flags |= MODM_FIELD_HAS_MIN;
   if (modm_option_number (L, options, "max_value", &f->limit.number.max))
      f->flags |= MODM_FIELD_HAS_MAX;
}

/* NaN is in no range that has a bound. */
static bool
float_fits (const modm_field *f, double d)
{
   return (!(f->flags & MODM_FIELD_HAS_MIN) || d >= f->limit.number.min) &&
          (!(f->flags & MODM_FIELD_HAS_MAX) || d <= f->limit.number.max);
}

void
modm_float_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   double d = (double) lua_tonumber (L, idx);
   if ((f->flags & MODM_FIELD_HAS_MIN) && !(d >= f->limit.number.min))
      modm_report (v, "%.14g is less than minimum value of %.14g.", d, f->limit.number.min);
   if ((f->flags & MODM_FIELD_HAS_MAX) && !(d <= f->limit.number.max))
      modm_report (v, "%.14g is greater than maximum value of %.14g.", d, f->limit.number.max);
}

bool
modm_float_fits (lua_State *L, int idx, const modm_field *f)
{
#if MODM_HAS_INTEGERS
   if (lua_isinteger (L, idx))
      return false;
#endif
   return lua_type (L, idx) == LUA_TNUMBER && float_fits (f, (double) lua_tonumber (L, idx));
}

bool
modm_float_accepts (const modm_field *f, const modm_element *e)
{
   return e->type == MODM_BSON_DOUBLE && float_fits (f, modm_load_double (e->value));
}

bool
modm_float_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                   size_t key_len, int depth, modm_error *err)
{
   (void) f;
   if (lua_type (L, idx) != LUA_TNUMBER)
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   modm_write_key (b, MODM_BSON_DOUBLE, key, key_len);
   modm_write_double (b, (double) lua_tonumber (L, idx));
   return true;
}

/* ---- in words of $jsonSchema ---- */

void
modm_integer_describe (lua_State *L, const modm_field *f)
{
   if (f->flags & MODM_FIELD_HAS_MIN)
      modm_rule_integer (L, "minimum", f->limit.integer.min);
   if (f->flags & MODM_FIELD_HAS_MAX)
      modm_rule_integer (L, "maximum", f->limit.integer.max);
}

void
modm_float_describe (lua_State *L, const modm_field *f)
{
   if (f->flags & MODM_FIELD_HAS_MIN) {
      lua_pushnumber (L, f->limit.number.min);
      lua_setfield (L, -2, "minimum");
   }
   if (f->flags & MODM_FIELD_HAS_MAX) {
      lua_pushnumber (L, f->limit.number.max);
      lua_setfield (L, -2, "maximum");
   }
   if (f->flags & (MODM_FIELD_HAS_MIN | MODM_FIELD_HAS_MAX))
      modm_rule_not_nan (L);
}
