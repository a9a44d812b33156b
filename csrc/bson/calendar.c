/* Milliseconds since 1970 to fields of the proleptic Gregorian calendar, and back. */
#include "bson/bson_private.h"

enum { DAY_MS = 86400000, ERA_YEARS = 400, ERA_DAYS = 146097 };

static int64_t
floor_div (int64_t a, int64_t b)
{
   return a / b - (a % b < 0);
}

static bool
is_leap (int64_t year)
{
   return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Years begin in March here, so that the leap day is a year's last. */
static int64_t
days_from (int64_t year, int month, int day)
{
   year -= month <= 2;
   int64_t era = floor_div (year, ERA_YEARS);
   int64_t year_of_era = year - era * ERA_YEARS;
   int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
   int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
   return era * ERA_DAYS + day_of_era - 719468;
}

static void
set_date (modm_calendar *c, int64_t days)
{
   days += 719468;
   int64_t era = floor_div (days, ERA_DAYS);
   int64_t day_of_era = days - era * ERA_DAYS;
   int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
   int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
   int64_t shifted = (5 * day_of_year + 2) / 153; /* months since March */
   c->day = (int) (day_of_year - (153 * shifted + 2) / 5 + 1);
   c->month = (int) (shifted < 10 ? shifted + 3 : shifted - 9);
   c->year = year_of_era + era * ERA_YEARS + (c->month <= 2);
}

void
modm_calendar_from (modm_calendar *c, int64_t ms)
{
   int64_t days = floor_div (ms, DAY_MS);
   int rest = (int) (ms % DAY_MS);
   rest += rest < 0 ? DAY_MS : 0;
   set_date (c, days);
   c->hour = rest / 3600000;
   c->minute = rest / 60000 % 60;
   c->second = rest / 1000 % 60;
   c->msec = rest % 1000;
   c->weekday = (int) ((days % 7 + 11) % 7); /* 1970 began on a Thursday */
   c->yearday = (int) (days - days_from (c->year, 1, 1));
}

bool
modm_calendar_to (const modm_calendar *c, int64_t *ms)
{
   static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
   if (c->year < -400000000 || c->year > 400000000 || c->month < 1 || c->month > 12)
      return false;
   int last = month_days[c->month - 1] + (c->month == 2 && is_leap (c->year));
   if (c->day < 1 || c->day > last || c->hour < 0 || c->hour > 23 || c->minute < 0 ||
       c->minute > 59 || c->second < 0 || c->second > 60 || c->msec < 0 || c->msec > 999)
      return false;
   int64_t rest = ((c->hour * 60 + c->minute) * 60 + c->second) * INT64_C (1000) + c->msec;
   int64_t days = days_from (c->year, c->month, c->day);
   if (days < 0) { /* the first day that fits does so only from its second half on */
      days++;
      rest -= DAY_MS;
   }
   return !__builtin_mul_overflow (days, (int64_t) DAY_MS, ms) &&
          !__builtin_add_overflow (*ms, rest, ms);
}
