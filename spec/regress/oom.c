/* Runs a Lua script whose memory ends at its first allocation, then at its second, and so on until
 * there is enough. The script returns a function to run and one that checks what is left; see
 * memory_spec.lua. Prints the number of rounds. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many allocations are left; below 0 there is no end. Once it is 0 it stays so, or Lua would
 * collect its garbage and go on. */
static long left = -1;

static void *
allocate (void *unused, void *block, size_t old, size_t size)
{
   (void) unused;
   if (size == 0) {
      free (block);
      return NULL;
   }
   if (left == 0 && (!block || size > old))
      return NULL;
   if (left > 0 && (!block || size > old))
      left--;
   return realloc (block, size);
}

static int
fail (lua_State *L, long round, const char *what)
{
   fprintf (stderr, "round %ld: %s: %s\n", round, what, lua_tostring (L, -1));
   return 1;
}

/* Runs the function at 1 with memory for so many allocations; true when that was enough. */
static int
run (lua_State *L, long round, int *enough)
{
   lua_pushvalue (L, 1);
   left = round;
   int status = lua_pcall (L, 0, 0, 0);
   *enough = status == LUA_OK;
   left = -1;
   const char *message = status != LUA_OK ? lua_tostring (L, -1) : NULL;
   if (status != LUA_OK && !(message && strstr (message, "not enough memory")))
      return fail (L, round, "another error than for want of memory");
   lua_settop (L, 2);
   lua_gc (L, LUA_GCCOLLECT);
   lua_pushvalue (L, 2);
   return lua_pcall (L, 0, 0, 0) == LUA_OK ? 0 : fail (L, round, "what is left is wrong");
}

int
main (int argc, char **argv)
{
   lua_State *L = lua_newstate (allocate, NULL);
   int bad = 0, enough = 0;
   long round = 0;
   luaL_openlibs (L);
   if (argc != 2 || luaL_loadfile (L, argv[1]) || lua_pcall (L, 0, 2, 0))
      bad = fail (L, 0, "the script");
   while (!bad && !enough)
      bad = run (L, ++round, &enough);
   lua_close (L);
   printf ("%ld\n", round);
   return bad;
}
