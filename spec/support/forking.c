/* fork for specs, which neither Lua has: forking.fork() -> 0 in the child, its pid in the parent;
 * forking.exit(status), at once, without what exit() runs; forking.wait(pid) -> the exit status, or
 * nil and the signal's number.
 */
#include <lauxlib.h>
#include <lua.h>
#include <sys/wait.h>
#include <unistd.h>

int luaopen_forking (lua_State *L);

static int
l_fork (lua_State *L)
{
   pid_t pid = fork ();
   if (pid < 0)
      return luaL_error (L, "fork");
   lua_pushinteger (L, pid);
   return 1;
}

static int
l_exit (lua_State *L)
{
   _exit ((int) luaL_checkinteger (L, 1));
}

static int
l_wait (lua_State *L)
{
   int status;
   if (waitpid ((pid_t) luaL_checkinteger (L, 1), &status, 0) < 0)
      return luaL_error (L, "waitpid");
   if (WIFEXITED (status)) {
      lua_pushinteger (L, WEXITSTATUS (status));
      return 1;
   }
   lua_pushnil (L);
   lua_pushinteger (L, WTERMSIG (status));
   return 2;
}

int
luaopen_forking (lua_State *L)
{
   static const luaL_Reg functions[] = {
      {"fork", l_fork}, {"exit", l_exit}, {"wait", l_wait}, {NULL, NULL}};
   lua_newtable (L);
   for (const luaL_Reg *f = functions; f->name; f++) {
      lua_pushcfunction (L, f->func);
      lua_setfield (L, -2, f->name);
   }
   return 1;
}
