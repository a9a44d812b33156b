/* libmongoc's log: nothing goes to stderr; the last lines are kept for whoever asks. */
#include "driver/driver_private.h"

#include <pthread.h>
#include <stdio.h>

enum { LINES = 64, LENGTH = 320 };

/* Shared by all Lua states of the process; any thread may write. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char ring[LINES][LENGTH];
static unsigned long written;

static _Thread_local const modm_buffer *hidden;
static _Thread_local bool hide_pieces;

void
modm_log_secrets (const modm_buffer *secrets, bool pieces)
{
   hidden = secrets;
   hide_pieces = pieces;
}

static void
take (mongoc_log_level_t level, const char *domain, const char *message, void *data)
{
   char line[LENGTH];
   (void) data;
   if (hidden && hide_pieces && modm_secret_hinted (hidden, message))
      message = "(withheld: it could hold a password)";
   (void) snprintf (line, sizeof line, "%s: %s: %s", mongoc_log_level_str (level), domain, message);
   if (hidden)
      modm_secret_scrub (hidden, line);
   pthread_mutex_lock (&lock);
   memcpy (ring[written++ % LINES], line, sizeof line);
   pthread_mutex_unlock (&lock);
}

void
modm_log_start (void)
{
   mongoc_log_set_handler (take, NULL);
}

/* Copies the line out under the lock: pushing it may throw. False when it is not there any more. */
static bool
copy_line (unsigned long i, char out[LENGTH])
{
   pthread_mutex_lock (&lock);
   bool there = i < written && i + LINES >= written;
   if (there)
      memcpy (out, ring[i % LINES], LENGTH);
   pthread_mutex_unlock (&lock);
   return there;
}

static unsigned long
first_line (void)
{
   pthread_mutex_lock (&lock);
   unsigned long first = written > LINES ? written - LINES : 0;
   pthread_mutex_unlock (&lock);
   return first;
}

/* core.log_lines() -> list: the last lines, oldest first. */
int
modm_l_log_lines (lua_State *L)
{
   char line[LENGTH];
   int n = 0;
   lua_newtable (L);
   for (unsigned long i = first_line (); copy_line (i, line); i++) {
      lua_pushstring (L, line);
      lua_rawseti (L, -2, ++n);
   }
   return 1;
}
