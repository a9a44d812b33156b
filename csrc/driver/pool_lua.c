/* What Lua may know of a pool: its figures. */
#include "driver/pool_private.h"

static void
set (lua_State *L, const char *name, double value)
{
   lua_pushnumber (L, value);
   lua_setfield (L, -2, name);
}

/* core.stats(client) -> table of figures; nil where there is no pool, or it was not used yet */
static int
l_stats (lua_State *L)
{
   modm_pool *pool = modm_client_check (L, 1)->pool;
   if (!pool || !modm_pool_is_here (pool))
      return 0;
   pthread_mutex_lock (&pool->lock);
   modm_stats s = pool->stats;
   double clients = (double) pool->clients, queued = (double) pool->queued;
   double running = (double) pool->running, threads = (double) pool->threads;
   pthread_mutex_unlock (&pool->lock);
   lua_createtable (L, 0, 10);
   set (L, "in_use", clients);
   set (L, "waiting", queued);
   set (L, "running", running);
   set (L, "threads", threads);
   set (L, "done", (double) s.done);
   set (L, "failed", (double) s.failed);
   set (L, "dropped", (double) s.dropped);
   set (L, "refused", (double) s.refused);
   set (L, "waited_ms", (double) s.waited_us / 1000);
   set (L, "ran_ms", (double) s.ran_us / 1000);
   return 1;
}

/* core.now() -> seconds of a clock that only goes forward */
static int
l_now (lua_State *L)
{
   lua_pushnumber (L, (lua_Number) modm_now_us () / 1e6);
   return 1;
}

void
modm_pool_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"stats", l_stats}, {"now", l_now}, {NULL, NULL}};
   modm_register (L, functions);
}
