/* modm.Op: operations as Lua sees them, and the constructors for simple use. */
#include "driver/pool_private.h"

#include <stdlib.h>

typedef struct box {
   modm_tag tag;
   modm_op *op;
} box;

/* An operation in one block, of which most is the message that few have. */
typedef struct whole {
   struct modm_op_held held;
   modm_op op;
   char names[];
} whole;

static modm_class class_op = "modm.Op";

modm_op *
modm_op_check (lua_State *L, int idx)
{
   modm_op *op = ((box *) modm_check (L, idx, &class_op))->op;
   luaL_argcheck (L, !op->held->under_way, idx, "the operation is under way");
   return op;
}

static void
op_free (modm_op *op)
{
   modm_op_close (op);
   modm_session_release (op->session);
   modm_buffer_free (&op->reply);
   modm_events_free (&op->held->events);
   modm_client_release (op->client);
   free (op->held); /* at its front */
}

void
modm_op_release (modm_op *op)
{
   if (atomic_fetch_sub (&op->held->refs, 1) == 1)
      op_free (op);
}

/* NULL when there is no memory. */
static modm_op *
op_new (modm_client *client, modm_op_kind kind, const char *database, const char *collection)
{
   size_t n = strlen (database) + 1, m = collection ? strlen (collection) + 1 : 0;
   whole *w = malloc (sizeof *w + n + m);
   if (!w)
      return NULL;
   memset (w, 0, offsetof (whole, op.message) + 1); /* the rest is not touched */
   w->op.database = memcpy (w->names, database, n);
   if (collection)
      w->op.collection = memcpy (w->names + n, collection, m);
   w->op.held = &w->held;
   atomic_init (&w->held.refs, 1);
   w->op.kind = kind;
   w->op.client = client;
   atomic_fetch_add (&client->refs, 1);
   return &w->op;
}

modm_op *
modm_op_push (lua_State *L, int client_idx, modm_op_kind kind, const char *database,
              const char *collection)
{
   modm_client *client = modm_client_check (L, client_idx);
   box *p = lua_newuserdata (L, sizeof *p);
   memset (p, 0, sizeof *p);
   modm_class_push (L, &class_op);
   lua_setmetatable (L, -2);
   p->op = op_new (client, kind, database ? database : mongoc_uri_get_database (client->uri),
                   collection);
   if (!p->op) {
      luaL_error (L, "not enough memory");
      return NULL;
   }
   p->tag.tag = &class_op; /* only now: an operation without its struct is none */
   return p->op;
}

void
modm_op_join (modm_op *op, modm_session *session)
{
   if (op->cursor || op->session == session)
      return;
   if (session)
      atomic_fetch_add (&session->refs, 1);
   modm_session_release (op->session);
   op->session = session;
}

static int
mt_gc (lua_State *L)
{
   box *p = modm_test (L, 1, &class_op);
   if (p) {
      p->tag.tag = NULL;
      modm_op_release (p->op);
   }
   return 0;
}

static int
mt_tostring (lua_State *L)
{
   static const char *const kinds[] = {"read",  "write",   "insert", "find",   "aggregate",
                                       "watch", "indexes", "start",  "commit", "abort"};
   modm_op *op = modm_op_check (L, 1);
   lua_pushfstring (L, "modm.Op: %s on %s%s%s", kinds[op->kind], op->database,
                    op->collection ? "." : "", op->collection ? op->collection : "");
   return 1;
}

/* ---- methods ---- */

static int
l_run (lua_State *L)
{
   modm_op *op = modm_op_check (L, 1);
   luaL_argcheck (L, !op->client->pooled, 1, "the client has a pool: submit it");
   lua_pushboolean (L, modm_op_run (op));
   return 1;
}

/* op:submit(loop) -> id | nil: a thread of the client's pool runs it, or a fiber of that loop.
 * core.drain() tells when it has ended; until then nothing else may be done with it but op:abandon.
 */
static int
l_submit (lua_State *L)
{
   bson_error_t error = {0};
   modm_op *op = modm_op_check (L, 1);
   luaL_argcheck (L, op->client->pooled, 1, "the client has no pool");
   op->held->job.loop = (int) luaL_optinteger (L, 2, 0);
   if (op->client->closed)
      modm_driver_error (&error, MODM_ERROR_CLOSED, "the connection is closed");
   else if (modm_pool_submit (modm_pool_of (L, op->client), op, &error)) {
      lua_pushnumber (L, (lua_Number) op->held->job.id);
      return 1;
   }
   modm_op_fail (op, &error);
   lua_pushnil (L);
   return 1;
}

/* Fails one that is under way, at once; its result is dropped when it comes. With `waiting`, only
 * one that no thread has begun: false when one has. False, too, when there is no memory. */
static bool
give_up (box *p, uint32_t code, const char *message, bool waiting, bool *memory)
{
   bson_error_t error = {0};
   modm_op *op = p->op, *instead = op_new (op->client, op->kind, op->database, op->collection);
   *memory = instead != NULL;
   if (!instead)
      return false;
   if (!modm_pool_abandon (op->client->pool, op, waiting)) {
      modm_op_release (instead);
      return false;
   }
   modm_driver_error (&error, code, "%s", message);
   modm_op_fail (instead, &error);
   p->op = instead;
   modm_op_release (op);
   return true;
}

/* op:abandon("timeout" | "cancelled" | "busy", message) -> true: it fails so, at once, and its
 * result is dropped when it comes. "busy" does so only to one that no thread has begun. */
static int
l_abandon (lua_State *L)
{
   static const char *const names[] = {"timeout", "cancelled", "busy", NULL};
   static const uint32_t codes[] = {MODM_ERROR_TIMEOUT, MODM_ERROR_CANCELLED, MODM_ERROR_BUSY};
   box *p = modm_check (L, 1, &class_op);
   uint32_t code = codes[luaL_checkoption (L, 2, NULL, names)];
   const char *message = luaL_checkstring (L, 3);
   bool memory;
   luaL_argcheck (L, p->op->held->under_way, 1, "the operation is not under way");
   bool dropped = give_up (p, code, message, code == MODM_ERROR_BUSY, &memory);
   if (!memory)
      return luaL_error (L, "not enough memory");
   lua_pushboolean (L, dropped);
   return 1;
}

/* op:limit(ms): how long the server may work on it. */
static int
l_limit (lua_State *L)
{
   modm_op *op = modm_op_check (L, 1);
   op->timeout_ms = (int32_t) luaL_checkinteger (L, 2);
   return 0;
}

static int
l_is_under_way (lua_State *L)
{
   const box *p = modm_check (L, 1, &class_op);
   lua_pushboolean (L, p->op->held->under_way);
   return 1;
}

static int
l_ok (lua_State *L)
{
   lua_pushboolean (L, modm_op_check (L, 1)->ok);
   return 1;
}

static int
l_events (lua_State *L)
{
   modm_events_push (L, &modm_op_check (L, 1)->held->events);
   return 1;
}

/* op:join(session or nil): it is part of this session when it runs. */
static int
l_join (lua_State *L)
{
   modm_op *op = modm_op_check (L, 1);
   modm_session *s = lua_isnoneornil (L, 2) ? NULL : modm_session_check (L, 2);
   luaL_argcheck (L, !s || s->client == op->client, 2, "the session is of another client");
   modm_op_join (op, s);
   return 0;
}

static int
l_error (lua_State *L)
{
   const modm_op *op = modm_op_check (L, 1);
   if (op->ok)
      lua_pushnil (L);
   else
      modm_op_error_push (L, op);
   return 1;
}

static int
l_write_errors (lua_State *L)
{
   modm_op_write_errors_push (L, modm_op_check (L, 1));
   return 1;
}

static int
l_reply (lua_State *L)
{
   const modm_op *op = modm_op_check (L, 1);
   if (op->reply.len)
      modm_push_message (L, op->reply.data, op->reply.len);
   else
      lua_pushnil (L);
   return 1;
}

static int
l_done (lua_State *L)
{
   lua_pushboolean (L, modm_op_done (modm_op_check (L, 1)));
   return 1;
}

static int
l_close (lua_State *L)
{
   box *p = modm_check (L, 1, &class_op);
   bool memory; /* without it the collector closes it */
   if (p->op->held->under_way)
      give_up (p, MODM_ERROR_CANCELLED, "the operation was closed", false, &memory);
   else
      modm_op_close (p->op);
   return 0;
}

/* op:next_table() -> the next document as a table, or nil when a run is needed */
static int
l_next_table (lua_State *L)
{
   const uint8_t *document;
   size_t len;
   if (modm_op_document (modm_op_check (L, 1), &document, &len))
      modm_push_document (L, document, len);
   else
      lua_pushnil (L);
   return 1;
}

/* op:last() -> the document that was handed out last, as a table, or nil. */
static int
l_last (lua_State *L)
{
   const uint8_t *document;
   size_t len;
   if (modm_op_last (modm_op_check (L, 1), &document, &len))
      modm_push_document (L, document, len);
   else
      lua_pushnil (L);
   return 1;
}

void
modm_op_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {
      {"__gc", mt_gc}, {"__close", l_close}, {"__tostring", mt_tostring}, {NULL, NULL}};
   static const luaL_Reg methods[] = {{"run", l_run},
                                      {"submit", l_submit},
                                      {"abandon", l_abandon},
                                      {"limit", l_limit},
                                      {"is_under_way", l_is_under_way},
                                      {"ok", l_ok},
                                      {"events", l_events},
                                      {"join", l_join},
                                      {"error", l_error},
                                      {"reply", l_reply},
                                      {"done", l_done},
                                      {"close", l_close},
                                      {"next_table", l_next_table},
                                      {"last", l_last},
                                      {"write_errors", l_write_errors},
                                      {NULL, NULL}};
   modm_class_new (L, &class_op, metamethods, methods);
}
