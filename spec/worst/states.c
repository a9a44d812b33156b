/* A host of many Lua states in threads: states SCRIPT URI [OPTION=NUMBER]...
 *
 * Each of so many `threads` opens so many `states`, for so many `rounds` one after the other, and
 * calls them in turn. A state runs SCRIPT with URI, a number that no other has, and its thread;
 * what that returns, a function, is called again and again until it returns false. Then the thread
 * closes its states, as they are, beside the other threads; the last first in every other round.
 * wander=1: states are called by any thread, one after the other.
 *
 * All that happens in generations. After each, when all threads have ended, no more memory is in
 * use than after the one before. The sanitizers have malloc, and know better.
 */
#include "host.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* SLACK: what libraries may keep, less than one client; the sanitizers tell exactly. */
enum { MOST = 256, WARM = 2, SLACK = 8192 };

static const char *script, *uri;
static long threads = 8, states = 3, rounds = 2, generations = 2, seed = 1, wander;
static atomic_bool bad;
static atomic_long opened;

/* A place of a state: at 1 it has its function, until that has said that it is done. */
typedef struct seat {
   pthread_mutex_t lock;
   lua_State *L;
   bool done;
} seat;

static seat seats[MOST];

static void
fail (lua_State *L, const char *what)
{
   const char *said = L ? lua_tostring (L, -1) : NULL;
   fprintf (stderr, "%s: %s: %s\n", script, what, said ? said : "an error without text");
   bad = true;
}

/* ---- a state ---- */

static void
open_state (seat *s, long thread)
{
   lua_State *L = luaL_newstate ();
   if (!L) {
      fail (NULL, "no state");
      return;
   }
   luaL_openlibs (L);
   if (luaL_loadfile (L, script) == LUA_OK) {
      lua_pushstring (L, uri);
      lua_pushinteger (L, (lua_Integer) (seed + opened++));
      lua_pushinteger (L, (lua_Integer) thread);
      if (lua_pcall (L, 3, 1, 0) == LUA_OK) {
         s->L = L;
         s->done = !lua_isfunction (L, -1);
         return;
      }
   }
   fail (L, "it does not begin");
   lua_close (L);
}

static void
step (seat *s)
{
   pthread_mutex_lock (&s->lock);
   if (s->L && !s->done) {
      lua_settop (s->L, 1);
      lua_pushvalue (s->L, 1);
      s->done = true;
      if (lua_pcall (s->L, 0, 1, 0) != LUA_OK)
         fail (s->L, "a step");
      else
         s->done = !lua_toboolean (s->L, -1);
   }
   pthread_mutex_unlock (&s->lock);
}

static bool
is_done (seat *s)
{
   pthread_mutex_lock (&s->lock);
   bool done = s->done;
   pthread_mutex_unlock (&s->lock);
   return done;
}

static void
close_state (seat *s)
{
   pthread_mutex_lock (&s->lock);
   if (s->L)
      lua_close (s->L);
   s->L = NULL;
   s->done = true;
   pthread_mutex_unlock (&s->lock);
}

/* ---- a thread ---- */

static void
run_round (long thread, bool backward)
{
   seat *own = seats + thread * states;
   for (long i = 0; i < states; i++) {
      pthread_mutex_lock (&own[i].lock);
      open_state (&own[i], thread);
      pthread_mutex_unlock (&own[i].lock);
   }
   bool busy = true;
   for (long turn = 0; busy; turn++) {
      busy = false;
      for (long i = 0; i < states; i++) {
         long next = (thread * states + i + (wander ? turn * (states + 1) : 0));
         step (&seats[next % (threads * states)]);
         busy |= !is_done (&own[i]);
      }
   }
   for (long i = 0; i < states; i++)
      close_state (&own[backward ? states - 1 - i : i]);
}

typedef struct worker {
   pthread_t thread;
   long number;
} worker;

static void *
work (void *argument)
{
   const worker *w = argument;
   for (long i = 0; i < rounds && !bad; i++)
      run_round (w->number, i % 2);
   return NULL;
}

/* ---- a generation ---- */

static void
run_generation (void)
{
   worker workers[MOST];
   for (long i = 0; i < threads; i++) {
      workers[i].number = i;
      if (pthread_create (&workers[i].thread, NULL, work, &workers[i]))
         abort ();
   }
   for (long i = 0; i < threads; i++)
      pthread_join (workers[i].thread, NULL);
}

/* Bytes that malloc has given: of all threads, when it keeps none back for them. */
static size_t
in_use (void)
{
   return mallinfo2 ().uordblks;
}

static bool
falls_to (size_t bytes)
{
   for (int i = 0; i < 1000 && in_use () > bytes + SLACK; i++)
      host_settle ();
   return in_use () <= bytes + SLACK;
}

static bool
run_generations (void)
{
   size_t before = 0;
   for (long i = 0; i < WARM + generations && !bad; i++) {
      run_generation ();
      for (int times = 0; i < WARM && times < 50; times++)
         host_settle ();
      if (i >= WARM && !falls_to (before)) {
         fprintf (stderr, "%s: %zu bytes left, seed = %ld\n", script, in_use () - before, seed);
         return false;
      }
      before = in_use ();
   }
   return !bad;
}

int
main (int argc, char **argv)
{
   const host_option known[] = {{"threads=", &threads},
                                {"states=", &states},
                                {"rounds=", &rounds},
                                {"generations=", &generations},
                                {"seed=", &seed},
                                {"wander=", &wander},
                                {NULL, NULL}};
   if (argc < 3 || !host_options (argc - 3, argv + 3, known) || threads < 1 || states < 1 ||
       threads * states > MOST)
      return 2;
   script = argv[1];
   uri = argv[2];
   for (size_t i = 0; i < MOST; i++)
      pthread_mutex_init (&seats[i].lock, NULL);
   if (!run_generations ())
      return 1;
   printf ("%ld states\n", (long) opened);
   return 0;
}
