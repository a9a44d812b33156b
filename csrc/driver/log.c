/* libmongoc's log: nothing goes to stderr; the last lines are kept for whoever asks. */
#include "driver/driver_private.h"

#include <pthread.h>
#include <stdio.h>

enum { LINES = 64, DOMAIN = 24, LENGTH = 320 };

typedef struct line {
   mongoc_log_level_t level;
   char domain[DOMAIN], message[LENGTH];
} line;

/* Shared by all Lua states of the process; any thread may write. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static line ring[LINES];
static unsigned long written;

static _Thread_local const modm_buffer *hidden;
static _Thread_local bool hide_pieces, muted;

void
modm_log_secrets (const modm_buffer *secrets, bool pieces)
{
   hidden = secrets;
   hide_pieces = pieces;
}

void
modm_log_mute (bool on)
{
   muted = on;
}

static void
take (mongoc_log_level_t level, const char *domain, const char *message, void *data)
{
   line new = {.level = level};
   (void) data;
   if (muted)
      return;
   if (hidden && hide_pieces && modm_secret_hinted (hidden, message))
      message = "(withheld: it could hold a password)";
   /* scrubbed before it is cut: half a password at the end would not be found */
   char whole[4 * LENGTH];
   (void) snprintf (whole, sizeof whole, "%s", message);
   if (hidden)
      modm_secret_scrub (hidden, whole);
   (void) snprintf (new.domain, sizeof new.domain, "%s", domain);
   (void) snprintf (new.message, sizeof new.message, "%.*s", LENGTH - 1, whole);
   pthread_mutex_lock (&lock);
   ring[written++ % LINES] = new;
   pthread_mutex_unlock (&lock);
}

static void
before_fork (void)
{
   pthread_mutex_lock (&lock);
}

static void
after_fork (void)
{
   pthread_mutex_unlock (&lock);
}

void
modm_log_start (void)
{
   mongoc_log_set_handler (take, NULL);
   /* another thread may hold the lock while this one forks: the child could never take it */
   (void) pthread_atfork (before_fork, after_fork, after_fork);
}

/* Copies the line out under the lock: pushing it may throw. False when it is not there any more. */
static bool
copy_line (unsigned long i, line *out)
{
   pthread_mutex_lock (&lock);
   bool there = i < written && i + LINES >= written;
   if (there)
      *out = ring[i % LINES];
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

static const char *
level_name (mongoc_log_level_t level)
{
   static const char *const names[] = {"error", "critical", "warning", "message",
                                       "info",  "debug",    "trace"};
   return names[level];
}

static void
push_line (lua_State *L, const line *l)
{
   lua_createtable (L, 0, 3);
   lua_pushstring (L, level_name (l->level));
   lua_setfield (L, -2, "level");
   lua_pushstring (L, l->domain);
   lua_setfield (L, -2, "domain");
   lua_pushstring (L, l->message);
   lua_setfield (L, -2, "message");
}

/* core.log(after) -> list, last: the lines that follow number `after` and are still kept, oldest
 * first, each with level, domain and message; the number of the last one. list.lost counts those
 * that are not kept any more. */
int
modm_l_log (lua_State *L)
{
   unsigned long after = (unsigned long) luaL_optnumber (L, 1, 0), i = first_line ();
   line l;
   int n = 0;
   lua_newtable (L);
   if (i > after && !lua_isnoneornil (L, 1)) {
      lua_pushinteger (L, (lua_Integer) (i - after));
      lua_setfield (L, -2, "lost");
   }
   if (i < after)
      i = after;
   for (; copy_line (i, &l); i++) {
      push_line (L, &l);
      lua_rawseti (L, -2, ++n);
   }
   lua_pushinteger (L, (lua_Integer) i);
   return 2;
}
