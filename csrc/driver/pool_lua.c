/* What Lua may know of a pool: its figures; and the clock. */
#include "driver/pool_private.h"

static void
set (lua_State *L, const char *name, uint64_t value)
{
   lua_pushinteger (L, (lua_Integer) value);
   lua_setfield (L, -2, name);
}

static void
set_pool (lua_State *L, const modm_pool *pool)
{
   set (L, "in_use", pool->clients);
   set (L, "waiting", pool->queued);
   set (L, "running", pool->running);
   set (L, "threads", pool->threads);
   set (L, "done", pool->stats.done);
   set (L, "failed", pool->stats.failed);
   set (L, "dropped", pool->stats.dropped);
   set (L, "refused", pool->stats.refused);
   set (L, "waited_ms", pool->stats.waited_us / 1000);
   set (L, "ran_ms", pool->stats.ran_us / 1000);
}

/* core.stats(client) -> table of figures */
static int
l_stats (lua_State *L)
{
   const modm_client *client = modm_client_check (L, 1);
   modm_pool now = {0};
   lua_createtable (L, 0, 11);
   if (client->pool && modm_pool_is_here (client->pool)) {
      pthread_mutex_lock (&client->pool->lock);
      now.clients = client->pool->clients;
      now.queued = client->pool->queued;
      now.running = client->pool->running;
      now.threads = client->pool->threads;
      now.stats = client->pool->stats;
      pthread_mutex_unlock (&client->pool->lock);
   }
   if (client->pooled) {
      set_pool (L, &now);
   } else {
      set (L, "done", client->done);
      set (L, "failed", client->failed);
   }
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
