/* ISO 8601 to milliseconds and back. */
#include "bson/bson_private.h"

#include <stdio.h>

typedef struct cursor {
   const char *at, *end;
} cursor;

/* Reads between min and max digits. */
static bool
number (cursor *c, int min, int max, int *out)
{
   int n = 0;
   *out = 0;
   for (; n < max && c->at < c->end && *c->at >= '0' && *c->at <= '9'; n++)
      *out = *out * 10 + (*c->at++ - '0');
   return n >= min;
}

static bool
skip (cursor *c, char wanted)
{
   if (c->at == c->end || *c->at != wanted)
      return false;
   c->at++;
   return true;
}

/* Up to six digits count, the first three of them for us; what follows must be zeros. */
static bool
fraction (cursor *c, int *msec)
{
   int digits = 0, scale = 100;
   *msec = 0;
   for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++, digits++) {
      int digit = *c->at - '0';
      if (digits >= 6 && digit != 0)
         return false;
      *msec += digit * scale;
      scale /= 10;
   }
   return digits > 0;
}

static bool
time_of_day (cursor *c, modm_calendar *date)
{
   if (!number (c, 1, 2, &date->hour) || !skip (c, ':') || !number (c, 1, 2, &date->minute))
      return false;
   if (!skip (c, ':'))
      return true;
   if (!number (c, 1, 2, &date->second) || date->second > 59)
      return false;
   return !skip (c, '.') || fraction (c, &date->msec);
}

/* Z, +HH, +HHMM or +HH:MM at the end; *minutes gets the distance from UTC. */
static bool
zone (cursor *c, int *minutes)
{
   int hours, rest = 0;
   *minutes = 0;
   if (c->at == c->end || skip (c, 'Z'))
      return true;
   bool west = skip (c, '-');
   if ((!west && !skip (c, '+')) || !number (c, 2, 2, &hours))
      return false;
   if ((skip (c, ':') || c->at < c->end) && !number (c, 2, 2, &rest))
      return false;
   *minutes = (hours * 60 + rest) * (west ? -1 : 1);
   return hours <= 23 && rest <= 59;
}

bool
modm_datetime_parse (const char *text, size_t len, int64_t *ms)
{
   cursor c = {text, text + len};
   modm_calendar date = {0};
   int year, minutes;
   if (!number (&c, 4, 4, &year) || !skip (&c, '-') || !number (&c, 1, 2, &date.month) ||
       !skip (&c, '-') || !number (&c, 1, 2, &date.day))
      return false;
   date.year = year;
   if ((skip (&c, 'T') || skip (&c, ' ')) && !time_of_day (&c, &date))
      return false;
   if (!zone (&c, &minutes) || c.at != c.end || !modm_calendar_to (&date, ms))
      return false;
   *ms -= minutes * INT64_C (60000);
   return true;
}

/* Years without four digits are written as the standard extends it: a sign and at least six. */
size_t
modm_datetime_format (char out[MODM_DATETIME_TEXT], int64_t ms)
{
   modm_calendar c;
   modm_calendar_from (&c, ms);
   long long year = (long long) c.year;
   int n =
      snprintf (out, MODM_DATETIME_TEXT, year >= 0 && year <= 9999 ? "%04lld" : "%+07lld", year);
   n += snprintf (out + n, MODM_DATETIME_TEXT - (size_t) n, "-%02d-%02dT%02d:%02d:%02d.%03dZ",
                  c.month, c.day, c.hour, c.minute, c.second, c.msec);
   return (size_t) n;
}
