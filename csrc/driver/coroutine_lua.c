/* modm.Fiber: fibers as Lua sees them, and whether there can be any. */
#include "driver/coroutine_private.h"

#include <stdlib.h>

typedef struct box {
   modm_tag tag;
   modm_fiber *fiber;
} box;

static modm_class class_fiber = "modm.Fiber";

static modm_fiber *
check (lua_State *L)
{
   modm_fiber *f = ((box *) modm_check (L, 1, &class_fiber))->fiber;
   luaL_argcheck (L, !f->closed && modm_pool_is_here (f->pool), 1, "the fiber is closed");
   return f;
}

/* core.fiber(client, loop, number) -> fiber | nil: there are as many as there may be */
static int
l_fiber (lua_State *L)
{
   modm_client *client = modm_client_check (L, 1);
   int loop = (int) luaL_checkinteger (L, 2), number = (int) luaL_checkinteger (L, 3);
   luaL_argcheck (L, client->suspends, 1, "the client has no fibers");
   modm_pool *pool = modm_pool_of (L, client);
   if (pool->threads >= pool->max_clients)
      return 0;
   box *p = lua_newuserdata (L, sizeof *p);
   memset (p, 0, sizeof *p);
   modm_class_push (L, &class_fiber);
   lua_setmetatable (L, -2);
   p->fiber = modm_fiber_new (pool, loop, number);
   if (!p->fiber)
      return luaL_error (L, "not enough memory");
   p->tag.tag = &class_fiber;
   return 1;
}

static int
mt_gc (lua_State *L)
{
   box *p = modm_test (L, 1, &class_fiber);
   if (!p)
      return 0;
   p->tag.tag = NULL;
   modm_fiber_close (p->fiber);
   if (!p->fiber->memory)
      free (p->fiber);
   return 0;
}

static int
l_close (lua_State *L)
{
   modm_fiber_close (check (L));
   return 0;
}

static void
push_parts (lua_State *L, const modm_fiber *f)
{
   luaL_Buffer b;
   luaL_buffinit (L, &b);
   for (size_t i = 0; i < f->request.n; i++)
      luaL_addlstring (&b, f->request.parts[i].iov_base, f->request.parts[i].iov_len);
   luaL_pushresult (&b);
}

static void
push_ids (lua_State *L, const modm_fiber *f)
{
   lua_createtable (L, (int) f->request.n, 0);
   for (size_t i = 0; i < f->request.n; i++) {
      lua_pushinteger (L, f->request.ids[i]);
      lua_rawseti (L, -2, (int) i + 1);
   }
}

/* What it wants: its name, seconds or nil, and then what belongs to it. */
static int
push_request (lua_State *L, const modm_fiber *f)
{
   static const char *const names[] = {"nothing", "end",  "connect", "send",
                                       "receive", "poll", "close",   "sleep"};
   modm_want want = f->request.want;
   int top = lua_gettop (L);
   lua_pushstring (L, names[want]);
   if (want == MODM_WANT_NOTHING || want == MODM_WANT_END)
      return 1;
   if (f->request.timeout_ms < 0)
      lua_pushnil (L);
   else
      lua_pushnumber (L, f->request.timeout_ms / 1000.0);
   if (want == MODM_WANT_POLL)
      push_ids (L, f);
   else if (want != MODM_WANT_SLEEP)
      lua_pushinteger (L, f->request.id);
   if (want == MODM_WANT_SEND)
      push_parts (L, f);
   else if (want == MODM_WANT_RECEIVE)
      lua_pushinteger (L, (lua_Integer) f->request.max);
   else if (want == MODM_WANT_CONNECT) {
      lua_pushstring (L, f->request.host);
      lua_pushinteger (L, f->request.port);
   }
   return lua_gettop (L) - top;
}

/* fiber:resume("ok" | "timeout" | "failed", data, id) -> what it wants next */
static int
l_resume (lua_State *L)
{
   static const char *const names[] = {"ok", "timeout", "failed", NULL};
   modm_fiber *f = check (L);
   f->answer.status = (modm_answer) luaL_checkoption (L, 2, "ok", names);
   f->answer.data = lua_tolstring (L, 3, &f->answer.len);
   f->answer.id = (int) lua_tointeger (L, 4);
   modm_fiber_enter (f);
   f->answer.data = NULL;
   return push_request (L, f);
}

/* fiber:is_wanted(): there is something for it to do, or it is in the middle of it. */
static int
l_is_wanted (lua_State *L)
{
   modm_fiber *f = check (L);
   pthread_mutex_lock (&f->pool->lock);
   bool wanted = f->job || modm_worker_is_wanted (f->pool, f->lane);
   pthread_mutex_unlock (&f->pool->lock);
   lua_pushboolean (L, wanted);
   return 1;
}

/* fiber:is_here(): it is of this process. */
static int
l_is_here (lua_State *L)
{
   const modm_fiber *f = ((box *) modm_check (L, 1, &class_fiber))->fiber;
   lua_pushboolean (L, modm_pool_is_here (f->pool));
   return 1;
}

/* fiber:is_held(): by a cursor or a session. */
static int
l_is_held (lua_State *L)
{
   lua_pushboolean (L, atomic_load (&check (L)->lane->refs) > 1);
   return 1;
}

/* core.fiber_of(op) -> the number of the fiber that must do it, or nil */
static int
l_fiber_of (lua_State *L)
{
   const modm_op *op = modm_op_check (L, 1);
   const modm_lane *lane = op->cursor && op->cursor->lane ? op->cursor->lane
                           : op->session                  ? op->session->lane
                                                          : NULL;
   if (!lane || !lane->fiber)
      return 0;
   lua_pushinteger (L, lane->fiber->number);
   return 1;
}

/* core.wanted_fibers(client, loop) -> for how many there is something that any of the loop may do
 */
static int
l_wanted_fibers (lua_State *L)
{
   modm_client *client = modm_client_check (L, 1);
   int loop = (int) luaL_checkinteger (L, 2);
   size_t wanted = 0;
   if (client->pool && modm_pool_is_here (client->pool)) {
      pthread_mutex_lock (&client->pool->lock);
      wanted = modm_worker_wants (client->pool, loop);
      pthread_mutex_unlock (&client->pool->lock);
   }
   lua_pushinteger (L, (lua_Integer) wanted);
   return 1;
}

/* core.can_suspend() -> true | false, reason */
static int
l_can_suspend (lua_State *L)
{
   const char *sleeps = "older ones sleep within a server selection, which stops the event loop";
   bool can = MODM_HAS_CONTEXT && MODM_HAS_USLEEP && mongoc_check_version (1, 26, 0);
   lua_pushboolean (L, can);
   if (can)
      return 1;
   if (!MODM_HAS_CONTEXT)
      lua_pushliteral (L, "transport 'coroutine' needs a C library with makecontext");
   else if (!mongoc_check_version (1, 26, 0))
      lua_pushfstring (L, "transport 'coroutine' needs libmongoc 1.26 or newer (this is %s): %s",
                       mongoc_get_version (), sleeps);
   else
      lua_pushfstring (L,
                       "transport 'coroutine' needs libmongoc 1.26 or newer (modm was built with "
                       "%s, though this is %s): %s",
                       MONGOC_VERSION_S, mongoc_get_version (), sleeps);
   return 2;
}

void
modm_coroutine_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__gc", mt_gc}, {NULL, NULL}};
   static const luaL_Reg methods[] = {{"resume", l_resume},   {"is_wanted", l_is_wanted},
                                      {"is_here", l_is_here}, {"is_held", l_is_held},
                                      {"close", l_close},     {NULL, NULL}};
   static const luaL_Reg functions[] = {{"fiber", l_fiber},
                                        {"fiber_of", l_fiber_of},
                                        {"wanted_fibers", l_wanted_fibers},
                                        {"can_suspend", l_can_suspend},
                                        {NULL, NULL}};
   modm_class_new (L, &class_fiber, metamethods, methods);
   modm_register (L, functions);
}
