/* Errors that carry the path of the value they are about. */
#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>

bool
modm_error_set (modm_error *err, const char *format, ...)
{
   va_list args;
   va_start (args, format);
   (void) vsnprintf (err->message, sizeof err->message, format, args);
   va_end (args);
   err->path[0] = '\0';
   return false;
}

static void
prepend (modm_error *err, const char *step, size_t len)
{
   size_t old = strlen (err->path);
   size_t dot = old ? 1 : 0;
   if (len + dot + old >= sizeof err->path)
      return; /* a path this deep stays cut at its outer end */
   memmove (err->path + len + dot, err->path, old + 1);
   memcpy (err->path, step, len);
   if (dot)
      err->path[len] = '.';
}

bool
modm_error_at_key (modm_error *err, const char *key, size_t len)
{
   prepend (err, key, len);
   return false;
}

bool
modm_error_at_index (modm_error *err, uint32_t index)
{
   char step[16];
   int len = snprintf (step, sizeof step, "%u", index);
   prepend (err, step, (size_t) len);
   return false;
}

void
modm_error_push (lua_State *L, const modm_error *err)
{
   if (err->path[0])
      lua_pushfstring (L, "%s: %s", err->path, err->message);
   else
      lua_pushstring (L, err->message);
}
