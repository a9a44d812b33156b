/* Clients: opened late, shared by count, never across a fork. */
#include "driver/pool_private.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool
modm_driver_error (bson_error_t *error, uint32_t code, const char *format, ...)
{
   va_list args;
   va_start (args, format);
   (void) vsnprintf (error->message, sizeof error->message, format, args);
   va_end (args);
   error->domain = MODM_ERROR_DOMAIN;
   error->code = code;
   return false;
}

static void
start (void)
{
   mongoc_init ();
   modm_log_start ();
#if MODM_HAS_INTEGERS
   const char *platform = LUA_RELEASE;
#else
   const char *platform = "LuaJIT";
#endif
   /* false when the program made a client before: then the handshake is as it is */
   (void) mongoc_handshake_data_append ("modm", MODM_VERSION, platform);
}

static void
listen_to (modm_client *client, bool on)
{
   mongoc_apm_callbacks_t *callbacks = modm_listener_callbacks (on);
   (void) mongoc_client_set_apm_callbacks (client->lane.handle, callbacks, &client->listener);
   mongoc_apm_callbacks_destroy (callbacks);
}

/* What another process opened: nothing may be said on its sockets, nor its sessions ended. */
static void
abandon (modm_client *client)
{
   mongoc_client_reset (client->lane.handle);
   modm_lane_clear (&client->lane);
   /* To destroy a TLS stream sends a farewell, so that one is left as it is, once a fork. */
   if (!mongoc_uri_get_tls (client->uri))
      mongoc_client_destroy (client->lane.handle);
   client->lane.handle = NULL;
}

void
modm_client_settle (modm_client *client)
{
   if (client->lane.handle && client->process != modm_process ())
      abandon (client);
}

static void
drop_handle (modm_client *client)
{
   modm_client_settle (client);
   if (!client->lane.handle)
      return;
   modm_lane_clear (&client->lane);
   mongoc_client_destroy (client->lane.handle);
   client->lane.handle = NULL;
}

void
modm_client_close (modm_client *client)
{
   client->closed = true;
   if (client->pool && modm_pool_is_here (client->pool))
      modm_pool_stop (client->pool);
   modm_log_secrets (&client->secrets, false);
   drop_handle (client);
   modm_log_secrets (NULL, false);
}

void
modm_client_free (modm_client *client)
{
   mongoc_uri_destroy (client->uri);
   modm_listener_free (&client->listener);
   modm_buffer_free (&client->secrets);
   free (client);
}

void
modm_client_release (modm_client *client)
{
   if (atomic_fetch_sub (&client->refs, 1) > 1)
      return;
   modm_client_close (client);
   if (client->pool && modm_pool_is_here (client->pool))
      modm_pool_orphan (client->pool);
   else
      modm_client_free (client);
}

static bool
open_handle (modm_client *client, bson_error_t *error)
{
   mongoc_client_t *handle = mongoc_client_new_from_uri_with_error (client->uri, error);
   if (!handle)
      return false;
   client->lane.handle = handle;
   client->process = modm_process ();
   (void) mongoc_client_set_error_api (handle, MONGOC_ERROR_API_VERSION_2);
   if (client->monitored)
      listen_to (client, true);
   return true;
}

modm_lane *
modm_client_enter (modm_client *client, bson_error_t *error)
{
   if (client->closed) {
      modm_driver_error (error, MODM_ERROR_CLOSED, "the connection is closed");
      return NULL;
   }
   modm_log_secrets (&client->secrets, false);
   modm_client_settle (client);
   if (!client->lane.handle && !open_handle (client, error))
      return NULL;
   return &client->lane;
}

void
modm_client_leave (void)
{
   modm_log_secrets (NULL, false);
}

/* ---- Lua ---- */

typedef struct box {
   modm_tag tag;
   modm_client *client;
} box;

static modm_class class_client = "modm.Client";

modm_client *
modm_client_check (lua_State *L, int idx)
{
   return ((box *) modm_check (L, idx, &class_client))->client;
}

modm_client *
modm_client_push (lua_State *L)
{
   box *p = lua_newuserdata (L, sizeof *p);
   memset (p, 0, sizeof *p);
   modm_class_push (L, &class_client);
   lua_setmetatable (L, -2);
   p->client = calloc (1, sizeof *p->client);
   if (!p->client) {
      luaL_error (L, "not enough memory");
      return NULL;
   }
   atomic_init (&p->client->refs, 1);
   modm_listener_init (&p->client->listener, &p->client->secrets);
   p->tag.tag = &class_client; /* only now: a client without its struct is none */
   return p->client;
}

static int
mt_gc (lua_State *L)
{
   box *p = modm_test (L, 1, &class_client);
   if (p) {
      p->tag.tag = NULL;
      modm_client_release (p->client);
   }
   return 0;
}

/* core.client(uri, options, threads, queue, suspends) -> client | nil, message, kind. With threads
 * it has a pool of at most so many, for which so many operations may wait; or, where it suspends,
 * fibers in place of them. */
static int
l_client (lua_State *L)
{
   static pthread_once_t once = PTHREAD_ONCE_INIT;
   lua_Integer threads = luaL_optinteger (L, 3, 0), queue = luaL_optinteger (L, 4, 0);
   bool suspends = lua_toboolean (L, 5);
   lua_settop (L, 2);
   modm_client *client = modm_client_push (L);
   client->pooled = threads > 0;
   client->suspends = suspends;
   client->max_threads = (size_t) threads;
   client->max_queue = (size_t) queue;
   pthread_once (&once, start);
   if (modm_uri_read (L, client)) {
      lua_settop (L, 3);
      return 1;
   }
   lua_pushnil (L);
   lua_insert (L, -2);
   lua_pushliteral (L, "ConfigurationError");
   return 3;
}

static int
l_database (lua_State *L)
{
   lua_pushstring (L, mongoc_uri_get_database (modm_client_check (L, 1)->uri));
   return 1;
}

static int
l_close (lua_State *L)
{
   modm_client_close (modm_client_check (L, 1));
   return 0;
}

/* client:timeout() -> seconds of timeout_ms, or nil */
static int
l_timeout (lua_State *L)
{
   const modm_client *client = modm_client_check (L, 1);
   if (!client->timeout_ms)
      return 0;
   lua_pushnumber (L, client->timeout_ms / 1000.0);
   return 1;
}

static int
l_monitor (lua_State *L)
{
   modm_client *client = modm_client_check (L, 1);
   luaL_checktype (L, 2, LUA_TBOOLEAN);
   client->monitored = lua_toboolean (L, 2);
   if (client->lane.handle)
      listen_to (client, client->monitored);
   return 0;
}

static int
l_events (lua_State *L)
{
   modm_listener_push (L, &modm_client_check (L, 1)->listener);
   return 1;
}

/* client:weakened() -> list: the options in force that weaken TLS. */
static int
l_weakened (lua_State *L)
{
   modm_options_weakened (L, modm_client_check (L, 1)->uri);
   return 1;
}

static int
mt_tostring (lua_State *L)
{
   modm_client *client = modm_client_check (L, 1);
   const mongoc_host_list_t *host = mongoc_uri_get_hosts (client->uri);
   luaL_Buffer b;
   luaL_buffinit (L, &b);
   luaL_addstring (&b, "modm.Client: ");
   if (mongoc_uri_get_srv_hostname (client->uri))
      luaL_addstring (&b, mongoc_uri_get_srv_hostname (client->uri));
   for (const mongoc_host_list_t *h = host; h; h = h->next) {
      if (h != host)
         luaL_addstring (&b, ",");
      luaL_addstring (&b, h->host_and_port);
   }
   luaL_addstring (&b, "/");
   luaL_addstring (&b, mongoc_uri_get_database (client->uri));
   if (client->closed)
      luaL_addstring (&b, " (closed)");
   luaL_pushresult (&b);
   return 1;
}

void
modm_client_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {
      {"__gc", mt_gc}, {"__tostring", mt_tostring}, {NULL, NULL}};
   static const luaL_Reg methods[] = {{"database", l_database},
                                      {"close", l_close},
                                      {"timeout", l_timeout},
                                      {"monitor", l_monitor},
                                      {"events", l_events},
                                      {"weakened", l_weakened},
                                      {NULL, NULL}};
   static const luaL_Reg functions[] = {{"client", l_client}, {"log", modm_l_log}, {NULL, NULL}};
   modm_class_new (L, &class_client, metamethods, methods);
   modm_register (L, functions);
}
