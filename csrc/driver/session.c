/* Sessions: started when first used, shared by count, ended with their client; transactions. */
#include "driver/pool_private.h"

#include <stdlib.h>

typedef struct box {
   modm_tag tag;
   modm_session *session;
} box;

static modm_class class_session = "modm.Session";

/* ---- as a part of its lane ---- */

static void
leave_lane (modm_session *s, modm_lane *lane)
{
   for (modm_cursor *c = lane->cursors, *next; c; c = next) {
      next = c->next;
      if (c->session == s)
         modm_cursor_kill (c); /* it would use the session */
   }
   *s->link = s->next;
   if (s->next)
      s->next->link = s->link;
}

/* Lets go of the lane that it holds in a pool. */
static void
give_back (modm_session *s)
{
   if (!s->pool || !modm_pool_is_here (s->pool))
      return;
   modm_lane_let_go (s->pool, &s->lane);
}

void
modm_session_end (modm_session *s)
{
   s->ended = true;
   s->transaction = false;
   if (s->handle) {
      leave_lane (s, s->pool ? s->lane : &s->client->lane);
      mongoc_client_session_destroy (s->handle);
      s->handle = NULL;
   }
   give_back (s);
}

/* Has a thread of its pool end it, after what was asked of it before; false when it is on no lane.
 */
static bool
end_on_lane (modm_session *s)
{
   modm_lane *lane = s->used ? modm_lane_hold_at (s->pool, &s->lane) : NULL;
   if (!lane)
      return false;
   atomic_fetch_add (&s->refs, 1);
   s->job.work = MODM_END_SESSION;
   s->job.subject = s;
   s->job.lane = lane;
   modm_pool_add (s->pool, &s->job);
   return true;
}

static void
end_in_pool (modm_session *s)
{
   if (!modm_pool_is_here (s->pool))
      s->ended = true;
   else if (!atomic_exchange (&s->ended, true) && !end_on_lane (s))
      give_back (s);
}

/* Ends it where it is safe to talk to the server: a transaction under way is aborted. */
static void
end_apart (modm_session *s)
{
   if (s->pool) {
      end_in_pool (s);
      return;
   }
   modm_client_settle (s->client);
   modm_log_secrets (&s->client->secrets, false);
   modm_session_end (s);
   modm_client_leave ();
}

/* A thread that clears the lane may be at it: it is done when the session is on no lane any more.
 */
void
modm_session_release (modm_session *s)
{
   if (!s || atomic_fetch_sub (&s->refs, 1) > 1)
      return;
   if (!s->pool) {
      end_apart (s);
   } else if (modm_pool_is_here (s->pool)) {
      s->ended = true;
      if (end_on_lane (s))
         return;
      give_back (s);
   }
   modm_client_release (s->client);
   free (s);
}

static bool
start_session (modm_session *s, modm_lane *lane, bson_error_t *error)
{
   mongoc_session_opt_t *options = mongoc_session_opts_new ();
   if (s->causal != MODM_CAUSAL_DEFAULT)
      mongoc_session_opts_set_causal_consistency (options, s->causal == MODM_CAUSAL);
   if (s->snapshot)
      mongoc_session_opts_set_snapshot (options, true);
   s->handle = mongoc_client_start_session (lane->handle, options, error);
   mongoc_session_opts_destroy (options);
   if (!s->handle)
      return false;
   s->next = lane->sessions;
   s->link = &lane->sessions;
   if (s->next)
      s->next->link = &s->next;
   lane->sessions = s;
   return true;
}

bool
modm_session_enter (const modm_op *op, modm_lane *lane, bson_error_t *error)
{
   modm_session *s = op->session;
   if (!s || s->handle)
      return true;
   if (s->ended)
      return modm_driver_error (error, MODM_ERROR_ENDED,
                                "the session has ended, or belongs to the process before a fork");
   return start_session (s, lane, error);
}

static bool
is_unacknowledged (const bson_iter_t *concern)
{
   bson_iter_t iter;
   return BSON_ITER_HOLDS_DOCUMENT (concern) && bson_iter_recurse (concern, &iter) &&
          bson_iter_find (&iter, "w") && BSON_ITER_HOLDS_NUMBER (&iter) &&
          bson_iter_as_int64 (&iter) == 0;
}

bool
modm_session_in_transaction (const modm_session *s)
{
   return s && s->transaction;
}

void
modm_session_note (modm_session *s)
{
   s->transaction = s->handle && mongoc_client_session_in_transaction (s->handle);
}

bool
modm_session_options (const modm_op *op, bson_t *out, bson_error_t *error)
{
   bson_t given;
   bson_iter_t iter;
   bool transaction = modm_session_in_transaction (op->session);
   bool no_read = transaction || (op->session && op->session->snapshot);
   if (op->options.len && !modm_op_bson (&op->options, &given, error))
      return false;
   if (op->options.len) {
      bson_iter_init (&iter, &given);
      while (bson_iter_next (&iter)) {
         bool write = strcmp (bson_iter_key (&iter), "writeConcern") == 0;
         if ((write && transaction) || (no_read && !strcmp (bson_iter_key (&iter), "readConcern")))
            continue; /* those of the transaction or the snapshot hold */
         if (write && op->session && is_unacknowledged (&iter))
            return modm_driver_error (error, MODM_ERROR_SESSION,
                                      "an unacknowledged write (w = 0) cannot be in a session");
         bson_append_iter (out, NULL, 0, &iter);
      }
   }
   return !op->session || mongoc_client_session_append (op->session->handle, out, error);
}

/* ---- transactions ---- */

/* {w, j, wtimeout}, of which libmongoc's own reader is private. */
static bool
read_write_concern (const bson_iter_t *concern, mongoc_write_concern_t *out, bson_error_t *error)
{
   bson_iter_t iter;
   if (!BSON_ITER_HOLDS_DOCUMENT (concern) || !bson_iter_recurse (concern, &iter))
      return modm_driver_error (error, MODM_ERROR_SESSION, "a write concern is a document");
   while (bson_iter_next (&iter)) {
      const char *key = bson_iter_key (&iter);
      if (strcmp (key, "w") == 0 && BSON_ITER_HOLDS_UTF8 (&iter))
         mongoc_write_concern_set_wtag (out, bson_iter_utf8 (&iter, NULL));
      else if (strcmp (key, "w") == 0 && BSON_ITER_HOLDS_NUMBER (&iter))
         mongoc_write_concern_set_w (out, (int32_t) bson_iter_as_int64 (&iter));
      else if (strcmp (key, "j") == 0)
         mongoc_write_concern_set_journal (out, bson_iter_as_bool (&iter));
      else if (strcmp (key, "wtimeout") == 0 && BSON_ITER_HOLDS_NUMBER (&iter))
         mongoc_write_concern_set_wtimeout_int64 (out, bson_iter_as_int64 (&iter));
      else
         return modm_driver_error (error, MODM_ERROR_SESSION,
                                   "write concern: '%s' is unknown or of the wrong type", key);
   }
   if (is_unacknowledged (concern))
      return modm_driver_error (error, MODM_ERROR_SESSION,
                                "a transaction cannot be unacknowledged (write concern w = 0)");
   return true;
}

static bool
read_option (mongoc_transaction_opt_t *out, const bson_iter_t *iter, bson_error_t *error)
{
   const char *key = bson_iter_key (iter);
   bson_iter_t level;
   if (strcmp (key, "readConcern") == 0 && BSON_ITER_HOLDS_DOCUMENT (iter) &&
       bson_iter_recurse (iter, &level) && bson_iter_find (&level, "level") &&
       BSON_ITER_HOLDS_UTF8 (&level)) {
      mongoc_read_concern_t *concern = mongoc_read_concern_new ();
      mongoc_read_concern_set_level (concern, bson_iter_utf8 (&level, NULL));
      mongoc_transaction_opts_set_read_concern (out, concern);
      mongoc_read_concern_destroy (concern);
      return true;
   }
   if (strcmp (key, "writeConcern") == 0) {
      mongoc_write_concern_t *concern = mongoc_write_concern_new ();
      bool ok = read_write_concern (iter, concern, error);
      if (ok)
         mongoc_transaction_opts_set_write_concern (out, concern);
      mongoc_write_concern_destroy (concern);
      return ok;
   }
   if (strcmp (key, "maxCommitTimeMS") == 0 && BSON_ITER_HOLDS_NUMBER (iter)) {
      mongoc_transaction_opts_set_max_commit_time_ms (out, bson_iter_as_int64 (iter));
      return true;
   }
   return modm_driver_error (error, MODM_ERROR_SESSION,
                             "transaction: '%s' is unknown or of the wrong type", key);
}

static bool
read_options (const modm_op *op, mongoc_transaction_opt_t *out, bson_error_t *error)
{
   bson_t given;
   bson_iter_t iter;
   mongoc_read_prefs_t *prefs = NULL;
   if (!modm_op_prefs (op, &prefs, error))
      return false;
   if (!prefs) /* whatever the URI says: a transaction reads from the primary alone */
      prefs = mongoc_read_prefs_new (MONGOC_READ_PRIMARY);
   mongoc_transaction_opts_set_read_prefs (out, prefs);
   mongoc_read_prefs_destroy (prefs);
   if (!op->options.len)
      return true;
   if (!modm_op_bson (&op->options, &given, error))
      return false;
   bson_iter_init (&iter, &given);
   while (bson_iter_next (&iter))
      if (!read_option (out, &iter, error))
         return false;
   return true;
}

bool
modm_session_run (modm_op *op, bson_error_t *error)
{
   mongoc_client_session_t *handle = op->session->handle;
   bson_t reply;
   bool ok;
   if (op->kind == MODM_OP_ABORT)
      return mongoc_client_session_abort_transaction (handle, error);
   if (op->kind == MODM_OP_COMMIT) {
      ok = mongoc_client_session_commit_transaction (handle, &reply, error);
      modm_op_reply (op, &reply);
      bson_destroy (&reply);
      return ok;
   }
   mongoc_transaction_opt_t *options = mongoc_transaction_opts_new ();
   ok = read_options (op, options, error) &&
        mongoc_client_session_start_transaction (handle, options, error);
   mongoc_transaction_opts_destroy (options);
   return ok;
}

/* ---- Lua ---- */

modm_session *
modm_session_check (lua_State *L, int idx)
{
   return ((box *) modm_check (L, idx, &class_session))->session;
}

/* One that it holds; a thread gives it a libmongoc client at the first use. */
static void
take_lane (lua_State *L, modm_session *s)
{
   pthread_mutex_lock (&s->pool->lock);
   s->lane = modm_lane_new (s->pool);
   pthread_mutex_unlock (&s->pool->lock);
   if (!s->lane)
      luaL_error (L, "not enough memory");
}

/* core.session(client, causal (nil: libmongoc's default), snapshot) -> session */
static int
l_session (lua_State *L)
{
   modm_client *client = modm_client_check (L, 1);
   lua_settop (L, 3);
   box *p = lua_newuserdata (L, sizeof *p);
   memset (p, 0, sizeof *p);
   modm_class_push (L, &class_session);
   lua_setmetatable (L, -2);
   p->session = calloc (1, sizeof *p->session);
   if (!p->session)
      return luaL_error (L, "not enough memory");
   atomic_init (&p->session->refs, 1);
   p->session->client = client;
   atomic_fetch_add (&client->refs, 1);
   if (!lua_isnil (L, 2))
      p->session->causal = lua_toboolean (L, 2) ? MODM_CAUSAL : MODM_NOT_CAUSAL;
   p->session->snapshot = lua_toboolean (L, 3);
   p->tag.tag = &class_session; /* only now: a session without its struct is none */
   if (client->pooled)
      p->session->pool = modm_pool_of (L, client);
   /* of fibers, the one that does its first operation gives it its own lane */
   if (client->pooled && !client->suspends)
      take_lane (L, p->session);
   return 1;
}

static int
mt_gc (lua_State *L)
{
   box *p = modm_test (L, 1, &class_session);
   if (p) {
      p->tag.tag = NULL;
      modm_session_release (p->session);
   }
   return 0;
}

static int
l_close (lua_State *L)
{
   end_apart (modm_session_check (L, 1));
   return 0;
}

static int
l_in_transaction (lua_State *L)
{
   const modm_session *s = modm_session_check (L, 1);
   bool here = !s->pool || modm_pool_is_here (s->pool);
   lua_pushboolean (L, here && !s->ended && modm_session_in_transaction (s));
   return 1;
}

/* core.transaction(session, client, "start" | "commit" | "abort", options, read_preference) -> op
 */
static int
l_transaction (lua_State *L)
{
   static const char *const steps[] = {"start", "commit", "abort", NULL};
   static const modm_op_kind kinds[] = {MODM_OP_START, MODM_OP_COMMIT, MODM_OP_ABORT};
   lua_settop (L, 5);
   modm_session *s = modm_session_check (L, 1);
   modm_op *op = modm_op_push (L, 2, kinds[luaL_checkoption (L, 3, NULL, steps)], NULL, NULL);
   modm_op_join (op, s);
   modm_op_fill (L, 4, &op->options);
   modm_op_fill (L, 5, &op->read_preference);
   return 1;
}

void
modm_session_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__gc", mt_gc}, {"__close", l_close}, {NULL, NULL}};
   static const luaL_Reg methods[] = {
      {"close", l_close}, {"in_transaction", l_in_transaction}, {NULL, NULL}};
   static const luaL_Reg functions[] = {
      {"session", l_session}, {"transaction", l_transaction}, {NULL, NULL}};
   modm_class_new (L, &class_session, metamethods, methods);
   modm_register (L, functions);
}
