/* Texts that must not show: passwords, in every form in which they could appear. */
#include "driver/driver_private.h"

/* Shorter ones would be found by chance in ordinary words, and give themselves away. */
enum { SHORTEST = 3 };

void
modm_secret_add (modm_buffer *secrets, const char *text, size_t len)
{
   if (len < SHORTEST)
      return;
   modm_buffer_write (secrets, text, len);
   modm_buffer_byte (secrets, '\0');
}

void
modm_secret_scrub (const modm_buffer *secrets, char *text)
{
   for (size_t at = 0; at < secrets->len;) {
      const char *secret = (const char *) secrets->data + at;
      size_t len = strlen (secret);
      for (char *hit = text; (hit = strstr (hit, secret)); hit += SHORTEST) {
         memset (hit, '*', SHORTEST);
         memmove (hit + SHORTEST, hit + len, strlen (hit + len) + 1);
      }
      at += len + 1;
   }
}

bool
modm_secret_hinted (const modm_buffer *secrets, const char *text)
{
   for (size_t at = 0; at + SHORTEST <= secrets->len; at++) {
      char part[SHORTEST + 1] = {0};
      memcpy (part, secrets->data + at, SHORTEST);
      if (strlen (part) == SHORTEST && strstr (text, part))
         return true;
   }
   return false;
}
