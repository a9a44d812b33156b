/* Runs a script whose memory ends at its n-th allocation, for one n after the other until there is
 * enough: walk SCRIPT URI PART [OPTION=NUMBER]... A script is given URI and PART, and
 * returns a table of functions: work, with memory that ends; before and after it (or nil), with
 * enough.
 *
 * options: every, start (which n); fails (how many allocations fail one after the other, 2: Lua 5.4
 * collects its garbage and tries again; 0: all from then on); c=1 (not the Lua state's allocations
 * fail, but our C module's); rounds (a state is closed after so many); fresh=1 (a state for each
 * round, which loads the script while memory ends).
 *
 * After each round the script runs again with memory enough. After lua_close no block that anybody
 * allocated meanwhile is left (blocks.c).
 */
#include "blocks.h"
#include "host.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#ifdef LUA_JITLIBNAME
#include <luajit.h>
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *script, *uri = "", *part = "";
static long every = 1, start = 1, fails = 2, rounds = 500, fresh, of_c;

typedef struct outcome {
   bool enough, bad; /* bad: it was said why, and the walk ends */
} outcome;

static const char *
text (lua_State *L)
{
   if (lua_isstring (L, -1))
      return lua_tostring (L, -1);
   lua_getglobal (L, "tostring");
   lua_insert (L, -2);
   return lua_pcall (L, 1, 1, 0) == LUA_OK ? lua_tostring (L, -1) : "an error without text";
}

static bool
fail (lua_State *L, long n, const char *what)
{
   const char *said = L ? text (L) : "";
   fprintf (stderr, "%s %s: n = %ld: %s: %s\n", script, part, n, what, said ? said : "?");
   return false;
}

/* Calls a function of the script's with memory enough; true when it is not there. */
static bool
call (lua_State *L, const char *name, long n)
{
   lua_settop (L, 1);
   lua_getfield (L, 1, name);
   return lua_isnil (L, -1) || lua_pcall (L, 0, 0, 0) == LUA_OK || fail (L, n, name);
}

static bool
for_memory (const char *message)
{
   return message && (strstr (message, "memory") || strstr (message, "error in error handling"));
}

/* Ends the limit; what a call with it came to. */
static outcome
unlimit (lua_State *L, int status, long n)
{
   outcome o = {.enough = unlimit_memory () < n};
   if (status == LUA_OK)
      return o;
   lua_pushvalue (L, -1);
   o.bad = !for_memory (text (L));
   lua_pop (L, 1);
   if (o.bad || o.enough)
      o.bad = !fail (L, n, "another error than for want of memory");
   return o;
}

static outcome
run_round (lua_State *L, long n)
{
   if (!call (L, "before", n))
      return (outcome){.bad = true};
   lua_settop (L, 1);
   lua_getfield (L, 1, "work");
   limit_memory (n, fails);
   outcome o = unlimit (L, lua_pcall (L, 0, 0, 0), n);
   if (o.bad)
      return o;
   lua_settop (L, 1);
   lua_gc (L, LUA_GCCOLLECT, 0);
   o.bad = !call (L, "after", n) || !call (L, "before", n) || !call (L, "work", n);
   return o;
}

static int
load (lua_State *L)
{
   luaL_openlibs (L);
#ifdef LUA_JITLIBNAME
   /* LuaJIT's compiled code does not live through this; its interpreter does. */
   luaJIT_setmode (L, 0, LUAJIT_MODE_ENGINE | LUAJIT_MODE_OFF);
#endif
   lua_settop (L, 0);
   if (luaL_loadfile (L, script))
      return lua_error (L);
   lua_pushstring (L, uri);
   lua_pushstring (L, part);
   lua_call (L, 2, 1);
   return 1;
}

/* A new state with what the script returned at 1, or NULL. To make one is no work of ours, and
 * LuaJIT does not live through memory that ends there. */
static lua_State *
open_state (long n, outcome *o)
{
   lua_State *L = lua_newstate (lua_allocate, NULL);
   *o = (outcome){.bad = !L};
   if (!L)
      return NULL;
   lua_pushcfunction (L, load);
   limit_memory (n, fails);
   *o = unlimit (L, lua_pcall (L, 0, 1, 0), n);
   return L;
}

/* Loads the script while memory ends, and again in the same state. */
static outcome
fresh_round (long n)
{
   outcome o;
   lua_State *L = open_state (n, &o);
   if (L && !o.bad) {
      lua_settop (L, 0);
      lua_pushcfunction (L, load);
#ifdef LUA_JITLIBNAME
      /* Its require keeps what it began to load when that failed. */
      if (!o.enough) {
         lua_close (L);
         return o;
      }
#endif
      if (lua_pcall (L, 0, 1, 0) != LUA_OK)
         o.bad = !fail (L, n, "loading again");
      else
         o.bad = !call (L, "work", n);
   }
   if (L)
      lua_close (L);
   return o;
}

/* Rounds in one state; moves n on. */
static outcome
rounds_of_a_state (long *n)
{
   outcome o;
   lua_State *L = open_state (0, &o);
   for (long i = 0; i < rounds && !o.bad && !o.enough; i++, *n += every)
      o = run_round (L, *n);
   lua_close (L);
   return o;
}

static bool
warm_up (void)
{
   outcome o;
   lua_State *L = open_state (0, &o);
   bool good = L && !o.bad && call (L, "before", 0) && call (L, "work", 0) &&
               call (L, "before", 0) && call (L, "work", 0);
   good = good && watch_module (of_c);
   if (L)
      lua_close (L);
   return good;
}

/* Whether nothing is left when a state was closed, soon: a thread of a pool may wait for its server
 * meanwhile, for 30 s. The number of threads tells that from a leak. */
static bool
all_freed (long from, long to)
{
   struct stat tasks = {0};
   close_leaked_file ();
   for (int i = 0; i < 6000 && blocks_left () > 0; i++)
      host_settle ();
   if (blocks_left () <= 0)
      return true;
   (void) stat ("/proc/self/task", &tasks); /* which has a link for each thread, and two more */
   fprintf (stderr, "%s %s: n = %ld to %ld: %ld blocks left, %ld threads\n", script, part, from, to,
            blocks_left (), (long) tasks.st_nlink - 2);
   return false;
}

static bool
walk (long *n, long *walked)
{
   outcome o = {0};
   while (!o.bad && !o.enough) {
      long from = *n;
      if (fresh) {
         o = fresh_round (*n);
         *n += every;
      } else
         o = rounds_of_a_state (n);
      *walked += (*n - from) / every;
      if (!all_freed (from, *n - every))
         return false;
   }
   return !o.bad;
}

int
main (int argc, char **argv)
{
   const host_option known[] = {{"every=", &every},   {"start=", &start}, {"fails=", &fails},
                                {"rounds=", &rounds}, {"fresh=", &fresh}, {"c=", &of_c},
                                {NULL, NULL}};
   if (argc < 4 || !host_options (argc - 4, argv + 4, known))
      return 2;
   script = argv[1];
   uri = argv[2];
   part = argv[3];
   long n = start, walked = 0;
   /* Twice: what libraries keep for good is there then. */
   if (!warm_up () || !warm_up ())
      return 1;
   for (int i = 0; i < 20; i++)
      host_settle ();
   forget_blocks ();
   if (!walk (&n, &walked))
      return 1;
   printf ("%ld rounds, the last for allocation %ld\n", walked, n - every);
   return 0;
}
