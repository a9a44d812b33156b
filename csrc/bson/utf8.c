/* Checks and counts UTF-8. (libbson's own check takes the bytes C0 80 for a NUL.) */
#include "bson/bson.h"

/* The length of the well-formed sequence at p (not ASCII), or 0. */
static size_t
sequence (const uint8_t *p, size_t room)
{
   static const struct {
      uint8_t first, last, low, high, len; /* first byte's range, second byte's range */
   } rows[] = {{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
               {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
               {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
               {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4}};
   for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
      if (p[0] > rows[i].last)
         continue;
      size_t len = rows[i].len;
      if (p[0] < rows[i].first || room < len || p[1] < rows[i].low || p[1] > rows[i].high)
         return 0;
      for (size_t k = 2; k < len; k++)
         if ((p[k] & 0xC0) != 0x80)
            return 0;
      return len;
   }
   return 0;
}

static inline uint64_t
eight_at (const uint8_t *p)
{
   uint64_t eight;
   memcpy (&eight, p, 8);
   return eight;
}

/* Whether the text is ASCII alone: eight bytes at a time, and the last eight once more. */
static bool
is_ascii (const uint8_t *p, size_t len)
{
   uint64_t all = 0;
   if (len >= 8) {
      for (size_t i = 0; i + 8 <= len; i += 8)
         all |= eight_at (p + i);
      all |= eight_at (p + len - 8);
   } else {
      for (size_t i = 0; i < len; i++)
         all |= p[i];
   }
   return (all & 0x8080808080808080u) == 0;
}

bool
modm_utf8_check (const char *text, size_t len, size_t *chars)
{
   const uint8_t *p = (const uint8_t *) text, *end = p + len;
   size_t longer = 0; /* bytes that begin no character */
   if (is_ascii (p, len)) {
      if (chars)
         *chars = len;
      return true;
   }
   while (p < end) {
      if (end - p >= 8 && (eight_at (p) & 0x8080808080808080u) == 0) {
         p += 8;
      } else if (*p < 0x80) {
         p++;
      } else {
         size_t n = sequence (p, (size_t) (end - p));
         if (!n)
            return false;
         longer += n - 1;
         p += n;
      }
   }
   if (chars)
      *chars = len - longer;
   return true;
}
