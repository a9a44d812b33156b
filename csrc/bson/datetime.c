/* DateTime: milliseconds since 1970, UTC. */
#include "bson/bson_private.h"

#include <math.h>
#include <time.h>

static const char expected[] = "DateTime, seconds, a date table or ISO 8601 text expected";

/* ---- conversions ---- */

/* Seconds to milliseconds, the rest cut off; but a number of seconds that came from whole
 * milliseconds (1.001 is a little less as a double) gives these again. */
static bool
from_seconds (double seconds, int64_t *ms)
{
   double scaled = seconds * 1000, nearest = nearbyint (scaled);
   if (nearest / 1000 != seconds)
      nearest = floor (scaled);
   if (!(nearest >= -9223372036854775808.0 && nearest < 9223372036854775808.0))
      return false;
   *ms = (int64_t) nearest;
   return true;
}

static bool
from_number (lua_State *L, int idx, int64_t *ms)
{
   int64_t seconds;
   if (modm_isinteger (L, idx, &seconds))
      return !__builtin_mul_overflow (seconds, INT64_C (1000), ms);
   return from_seconds ((double) lua_tonumber (L, idx), ms);
}

/* A whole number of the table at idx, or `missing`; false when it is something else. */
static bool
field (lua_State *L, int idx, const char *name, int missing, int *out)
{
   lua_pushstring (L, name);
   int type = lua_rawget (L, idx);
   lua_Number n = type == LUA_TNUMBER ? lua_tonumber (L, -1) : missing;
   lua_pop (L, 1);
   if ((type != LUA_TNUMBER && (type != LUA_TNIL || missing < 0)) || !(n >= -1e9 && n <= 1e9))
      return false;
   *out = (int) n;
   return n == *out;
}

/* A table as os.date ("!*t") gives it, in UTC, with msec if you like; without the time it is
 * midnight. Fields must be in their ranges, unlike os.time's, so that a slip does not become
 * another day. */
static bool
from_table (lua_State *L, int idx, int64_t *ms)
{
   modm_calendar c = {0};
   int year = 0;
   idx = lua_absindex (L, idx);
   if (!field (L, idx, "year", -1, &year) || !field (L, idx, "month", -1, &c.month) ||
       !field (L, idx, "day", -1, &c.day) || !field (L, idx, "hour", 0, &c.hour) ||
       !field (L, idx, "min", 0, &c.minute) || !field (L, idx, "sec", 0, &c.second) ||
       !field (L, idx, "msec", 0, &c.msec))
      return false;
   c.year = year;
   return modm_calendar_to (&c, ms);
}

bool
modm_datetime_from (lua_State *L, int idx, int64_t *ms)
{
   const modm_value *v;
   size_t len;
   const char *text;
   switch (lua_type (L, idx)) {
   case LUA_TNUMBER:
      return from_number (L, idx, ms);
   case LUA_TSTRING:
      text = lua_tolstring (L, idx, &len);
      return modm_datetime_parse (text, len, ms);
   case LUA_TTABLE:
      return from_table (L, idx, ms);
   default:
      v = modm_value_test_type (L, idx, MODM_BSON_DATE);
      if (v)
         *ms = modm_load_i64 (v->bytes);
      return v != NULL;
   }
}

/* ---- constructors ---- */

static int
l_new (lua_State *L)
{
   int64_t ms = 0;
   if (!modm_datetime_from (L, 1, &ms))
      luaL_argerror (L, 1, expected);
   modm_datetime_push (L, ms);
   return 1;
}

static int
l_now (lua_State *L)
{
   struct timespec now;
   (void) clock_gettime (CLOCK_REALTIME, &now);
   modm_datetime_push (L, (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000);
   return 1;
}

static int
l_from_ms (lua_State *L)
{
   int64_t ms = 0;
   if (!modm_int64_test (L, 1, &ms))
      luaL_argerror (L, 1, "a whole number of milliseconds expected");
   modm_datetime_push (L, ms);
   return 1;
}

/* ---- methods ---- */

static int64_t
self (lua_State *L, int idx)
{
   return modm_load_i64 (modm_value_check (L, idx, MODM_CLASS_DATETIME)->bytes);
}

static int
l_ms (lua_State *L)
{
   modm_int64_push (L, self (L, 1));
   return 1;
}

static int
l_seconds (lua_State *L)
{
   lua_pushnumber (L, (lua_Number) self (L, 1) / 1000);
   return 1;
}

static void
set_field (lua_State *L, const char *name, int64_t value)
{
   lua_pushinteger (L, (lua_Integer) value);
   lua_setfield (L, -2, name);
}

static int
l_date (lua_State *L)
{
   modm_calendar c;
   modm_calendar_from (&c, self (L, 1));
   lua_createtable (L, 0, 10);
   set_field (L, "year", c.year);
   set_field (L, "month", c.month);
   set_field (L, "day", c.day);
   set_field (L, "hour", c.hour);
   set_field (L, "min", c.minute);
   set_field (L, "sec", c.second);
   set_field (L, "msec", c.msec);
   set_field (L, "wday", c.weekday + 1);
   set_field (L, "yday", c.yearday + 1);
   lua_pushboolean (L, 0);
   lua_setfield (L, -2, "isdst");
   return 1;
}

/* ---- metamethods ---- */

static int
mt_tostring (lua_State *L)
{
   char text[MODM_DATETIME_TEXT];
   size_t len = modm_datetime_format (text, self (L, 1));
   lua_pushlstring (L, text, len);
   return 1;
}

static int
mt_lt (lua_State *L)
{
   lua_pushboolean (L, self (L, 1) < self (L, 2));
   return 1;
}

static int
mt_le (lua_State *L)
{
   lua_pushboolean (L, self (L, 1) <= self (L, 2));
   return 1;
}

/* The date at `date` and the seconds at `seconds`, added or subtracted. */
static int
shift (lua_State *L, int date, int seconds, bool forward)
{
   int64_t ms = self (L, date), by;
   if (lua_type (L, seconds) != LUA_TNUMBER)
      luaL_error (L, "a DateTime takes seconds (a number), not a %s", luaL_typename (L, seconds));
   if (!from_number (L, seconds, &by) ||
       (forward ? __builtin_add_overflow (ms, by, &ms) : __builtin_sub_overflow (ms, by, &ms)))
      luaL_error (L, "the result is out of the range of a DateTime");
   modm_datetime_push (L, ms);
   return 1;
}

static int
mt_add (lua_State *L)
{
   bool first = modm_value_test_type (L, 1, MODM_BSON_DATE) != NULL;
   return shift (L, first ? 1 : 2, first ? 2 : 1, true);
}

static int
mt_sub (lua_State *L)
{
   int64_t difference;
   const modm_value *other = modm_value_test_type (L, 2, MODM_BSON_DATE);
   if (!other)
      return shift (L, 1, 2, false);
   if (!modm_value_test_type (L, 1, MODM_BSON_DATE))
      return luaL_error (L, "a DateTime cannot be subtracted from a %s", luaL_typename (L, 1));
   if (__builtin_sub_overflow (self (L, 1), modm_load_i64 (other->bytes), &difference))
      lua_pushnumber (L, ((lua_Number) self (L, 1) - (lua_Number) self (L, 2)) / 1000);
   else
      lua_pushnumber (L, (lua_Number) difference / 1000);
   return 1;
}

void
modm_datetime_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__eq", modm_value_eq},
                                          {"__lt", mt_lt},
                                          {"__le", mt_le},
                                          {"__add", mt_add},
                                          {"__sub", mt_sub},
                                          {"__tostring", mt_tostring},
                                          {NULL, NULL}};
   static const luaL_Reg methods[] = {
      {"ms", l_ms}, {"seconds", l_seconds}, {"date", l_date}, {NULL, NULL}};
   static const luaL_Reg statics[] = {{"now", l_now}, {"from_ms", l_from_ms}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_DATETIME], metamethods, methods);
   modm_value_constructor (L, "DateTime", l_new, statics);
}
