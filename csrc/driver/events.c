/* Command events: libmongoc's callbacks copy them into a bounded queue, which Lua drains. */
#include "driver/driver_private.h"

#include <stdlib.h>
#include <strings.h>

enum { MAX_EVENTS = 4096, MAX_BYTES = 64 * 1024 * 1024 };

typedef enum phase { STARTED, SUCCEEDED, FAILED } phase;

struct modm_event {
   modm_event *next;
   phase phase;
   bool shown; /* already tried to push: its document is no BSON */
   int64_t request_id, operation_id, duration_us;
   char name[48], database[64], host[280], message[512];
   size_t len;
   uint8_t document[]; /* the command or the reply */
};

/* The operation that this thread is running. */
static _Thread_local modm_op *current;

void
modm_listener_begin (modm_op *op)
{
   current = op;
}

void
modm_listener_init (modm_listener *listener, const modm_buffer *secrets)
{
   memset (listener, 0, sizeof *listener);
   pthread_mutex_init (&listener->lock, NULL);
   listener->secrets = secrets;
}

static void
drop_first (modm_events *events)
{
   modm_event *e = events->first;
   events->first = e->next;
   if (events->end == &e->next)
      events->end = &events->first;
   events->count--;
   events->bytes -= e->len;
   free (e);
}

void
modm_events_free (modm_events *events)
{
   while (events->first)
      drop_first (events);
}

void
modm_listener_free (modm_listener *listener)
{
   modm_events_free (&listener->events);
   modm_events_free (&listener->taken);
   pthread_mutex_destroy (&listener->lock);
}

/* Commands that hold a password or a proof of one. */
static bool
is_secret (const char *name, const bson_t *document)
{
   static const char *const names[] = {"authenticate",   "saslStart",       "saslContinue",
                                       "getnonce",       "createUser",      "updateUser",
                                       "copydbgetnonce", "copydbsaslstart", "copydb"};
   for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      if (strcasecmp (names[i], name) == 0)
         return true;
   return bson_has_field (document, "speculativeAuthenticate");
}

static void
copy_text (char *out, size_t size, const char *text)
{
   size_t len = strlen (text);
   if (len >= size)
      len = size - 1;
   memcpy (out, text, len);
   out[len] = '\0';
}

/* Appends an event; when there is no room the oldest go. */
static void
append (modm_events *events, modm_event *e)
{
   while (events->first && (events->count >= MAX_EVENTS || events->bytes + e->len > MAX_BYTES)) {
      drop_first (events);
      events->dropped++;
   }
   if (!events->end)
      events->end = &events->first;
   *events->end = e;
   events->end = &e->next;
   events->count++;
   events->bytes += e->len;
}

/* The operation's list needs no lock: its thread alone has it. */
static void
add (modm_listener *listener, modm_event *e)
{
   if (current) {
      append (&current->held->events, e);
      return;
   }
   pthread_mutex_lock (&listener->lock);
   append (&listener->events, e);
   pthread_mutex_unlock (&listener->lock);
}

/* NULL when there is no memory: then this one is not told. */
static modm_event *
event_new (phase ph, const char *name, const bson_t *document)
{
   static const uint8_t empty[] = {5, 0, 0, 0, 0};
   bool secret = is_secret (name, document);
   size_t len = secret ? sizeof empty : document->len;
   modm_event *e = calloc (1, sizeof *e + len);
   if (!e)
      return NULL;
   e->phase = ph;
   e->len = len;
   memcpy (e->document, secret ? empty : bson_get_data (document), len);
   copy_text (e->name, sizeof e->name, name);
   return e;
}

static void
on_started (const mongoc_apm_command_started_t *event)
{
   modm_event *e = event_new (STARTED, mongoc_apm_command_started_get_command_name (event),
                              mongoc_apm_command_started_get_command (event));
   if (!e)
      return;
   e->request_id = mongoc_apm_command_started_get_request_id (event);
   e->operation_id = mongoc_apm_command_started_get_operation_id (event);
   copy_text (e->database, sizeof e->database,
              mongoc_apm_command_started_get_database_name (event));
   copy_text (e->host, sizeof e->host, mongoc_apm_command_started_get_host (event)->host_and_port);
   add (mongoc_apm_command_started_get_context (event), e);
}

static void
on_succeeded (const mongoc_apm_command_succeeded_t *event)
{
   modm_event *e = event_new (SUCCEEDED, mongoc_apm_command_succeeded_get_command_name (event),
                              mongoc_apm_command_succeeded_get_reply (event));
   if (!e)
      return;
   e->request_id = mongoc_apm_command_succeeded_get_request_id (event);
   e->operation_id = mongoc_apm_command_succeeded_get_operation_id (event);
   e->duration_us = mongoc_apm_command_succeeded_get_duration (event);
   copy_text (e->host, sizeof e->host,
              mongoc_apm_command_succeeded_get_host (event)->host_and_port);
   add (mongoc_apm_command_succeeded_get_context (event), e);
}

static void
on_failed (const mongoc_apm_command_failed_t *event)
{
   modm_listener *listener = mongoc_apm_command_failed_get_context (event);
   modm_event *e = event_new (FAILED, mongoc_apm_command_failed_get_command_name (event),
                              mongoc_apm_command_failed_get_reply (event));
   if (!e)
      return;
   bson_error_t error;
   mongoc_apm_command_failed_get_error (event, &error);
   copy_text (e->message, sizeof e->message, error.message);
   modm_secret_scrub (listener->secrets, e->message);
   e->request_id = mongoc_apm_command_failed_get_request_id (event);
   e->operation_id = mongoc_apm_command_failed_get_operation_id (event);
   e->duration_us = mongoc_apm_command_failed_get_duration (event);
   copy_text (e->host, sizeof e->host, mongoc_apm_command_failed_get_host (event)->host_and_port);
   add (listener, e);
}

mongoc_apm_callbacks_t *
modm_listener_callbacks (bool on)
{
   mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new ();
   if (on) {
      mongoc_apm_set_command_started_cb (callbacks, on_started);
      mongoc_apm_set_command_succeeded_cb (callbacks, on_succeeded);
      mongoc_apm_set_command_failed_cb (callbacks, on_failed);
   }
   return callbacks;
}

/* ---- Lua ---- */

static void
set_text (lua_State *L, const char *key, const char *text)
{
   if (!text[0])
      return;
   lua_pushstring (L, text);
   lua_setfield (L, -2, key);
}

static void
set_number (lua_State *L, const char *key, int64_t n)
{
   lua_pushinteger (L, (lua_Integer) n);
   lua_setfield (L, -2, key);
}

static void
push_event (lua_State *L, modm_event *e)
{
   static const char *const phases[] = {"started", "succeeded", "failed"};
   lua_newtable (L);
   set_text (L, "phase", phases[e->phase]);
   set_text (L, "name", e->name);
   set_text (L, "database", e->database);
   set_text (L, "host", e->host);
   set_text (L, "message", e->message);
   set_number (L, "request_id", e->request_id);
   set_number (L, "operation_id", e->operation_id);
   if (e->phase != STARTED) {
      lua_pushnumber (L, (lua_Number) e->duration_us / 1000);
      lua_setfield (L, -2, "duration_ms");
   }
   if (!e->shown) {
      e->shown = true;
      modm_push_message (L, e->document, e->len);
      lua_setfield (L, -2, e->phase == STARTED ? "command" : "reply");
   }
}

void
modm_events_push (lua_State *L, modm_events *events)
{
   int n = 0;
   lua_newtable (L);
   for (; events->first; drop_first (events)) {
      push_event (L, events->first);
      lua_rawseti (L, -2, ++n);
   }
   if (events->dropped) {
      set_number (L, "dropped", (int64_t) events->dropped);
      events->dropped = 0;
   }
}

/* Pushing may throw, so it is done without the lock: what did not get through comes back. */
void
modm_listener_push (lua_State *L, modm_listener *listener)
{
   modm_events *taken = &listener->taken;
   pthread_mutex_lock (&listener->lock);
   while (listener->events.first) {
      modm_event *e = listener->events.first;
      listener->events.first = e->next;
      e->next = NULL;
      append (taken, e);
   }
   taken->dropped += listener->events.dropped;
   listener->events = (modm_events){0};
   pthread_mutex_unlock (&listener->lock);
   modm_events_push (L, taken);
}
