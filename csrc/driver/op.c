/* Running an operation, whatever it does. No Lua from here on down. */
#include "driver/driver_private.h"

#include <stdio.h>

bool
modm_op_bson (const modm_buffer *b, bson_t *out, bson_error_t *error)
{
   if (b->failed)
      return modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
   if (!b->data || !bson_init_static (out, b->data, b->len))
      return modm_driver_error (error, MODM_ERROR_BSON, "the operation holds no BSON document");
   return true;
}

bool
modm_bson_borrow (const bson_iter_t *iter, bson_t *out)
{
   const uint8_t *data;
   uint32_t len;
   if (BSON_ITER_HOLDS_DOCUMENT (iter))
      bson_iter_document (iter, &len, &data);
   else if (BSON_ITER_HOLDS_ARRAY (iter))
      bson_iter_array (iter, &len, &data);
   else
      return false;
   return bson_init_static (out, data, len);
}

/* Whether a document has the field. */
static bool
has_field (const modm_buffer *b, const char *name)
{
   bson_t document;
   bson_error_t ignored;
   return b->len && modm_op_bson (b, &document, &ignored) && bson_has_field (&document, name);
}

bson_t *
modm_op_options (const modm_op *op, bson_error_t *error)
{
   bson_t *options = bson_new ();
   if (!modm_session_options (op, options, error)) {
      bson_destroy (options);
      return NULL;
   }
   bool command = op->kind == MODM_OP_COMMAND_READ || op->kind == MODM_OP_COMMAND_WRITE;
   int32_t limit = op->timeout_ms ? op->timeout_ms : op->client->timeout_ms;
   if (limit && op->kind != MODM_OP_WATCH && !has_field (&op->options, "maxTimeMS") &&
       !(command && has_field (&op->body, "maxTimeMS")))
      BSON_APPEND_INT32 (options, "maxTimeMS", limit);
   return options;
}

static bool
send_command (modm_op *op, mongoc_client_t *handle, const bson_t *body, const bson_t *options,
              const mongoc_read_prefs_t *prefs, bson_error_t *error)
{
   bson_t reply;
   bool write = op->kind == MODM_OP_COMMAND_WRITE;
   bool ok = write ? mongoc_client_write_command_with_opts (handle, op->database, body, options,
                                                            &reply, error)
                   : mongoc_client_read_command_with_opts (handle, op->database, body, prefs,
                                                           options, &reply, error);
   modm_op_reply (op, &reply);
   if (ok && write)
      ok = modm_reply_check (&reply, error);
   bson_destroy (&reply);
   return ok;
}

/* What drivers send once alone, though a connection broke. To make indexes that are there changes
 * nothing, so it may be asked twice. */
static bool
may_repeat (const modm_op *op, const bson_t *body, const bson_error_t *error)
{
   bson_iter_t iter;
   return error->domain == MONGOC_ERROR_STREAM && !op->session && bson_iter_init (&iter, body) &&
          bson_iter_next (&iter) && strcmp (bson_iter_key (&iter), "createIndexes") == 0 &&
          mongoc_uri_get_option_as_bool (op->client->uri, MONGOC_URI_RETRYWRITES, true);
}

static bool
run_command (modm_op *op, modm_lane *lane, bson_error_t *error)
{
   bson_t body;
   mongoc_read_prefs_t *prefs;
   if (op->kind == MODM_OP_COMMAND_WRITE) {
      bool taken;
      bool ok = modm_bulk_run (op, lane, &taken, error);
      if (taken)
         return ok;
   }
   if (!modm_op_bson (&op->body, &body, error) || !modm_op_prefs (op, &prefs, error))
      return false;
   bson_t *options = modm_op_options (op, error);
   bool ok = options && send_command (op, lane->handle, &body, options, prefs, error);
   if (options && !ok && may_repeat (op, &body, error))
      ok = send_command (op, lane->handle, &body, options, prefs, error);
   if (options)
      bson_destroy (options);
   mongoc_read_prefs_destroy (prefs);
   return ok;
}

static bool
run (modm_op *op, modm_lane *lane, bson_error_t *error)
{
   switch (op->kind) {
   case MODM_OP_FIND:
   case MODM_OP_AGGREGATE:
   case MODM_OP_INDEXES:
      return modm_cursor_run (op, lane, error);
   case MODM_OP_WATCH:
      return modm_watch_run (op, lane, error);
   case MODM_OP_INSERT:
      return modm_insert_run (op, lane, error);
   case MODM_OP_START:
   case MODM_OP_COMMIT:
   case MODM_OP_ABORT:
      return modm_session_run (op, error);
   default:
      return run_command (op, lane, error);
   }
}

/* Server selection: says which option sets the limit. */
static void
set_message (modm_op *op, const bson_error_t *error)
{
   const char *text = error->message[0] ? error->message : "the operation failed";
   if (error->domain == MONGOC_ERROR_SERVER_SELECTION) {
      int32_t ms =
         mongoc_uri_get_option_as_int32 (op->client->uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0);
      (void) snprintf (
         op->message, sizeof op->message,
         "no server answered within %d ms (serverSelectionTimeoutMS sets the limit): %s", (int) ms,
         text);
   } else {
      (void) snprintf (op->message, sizeof op->message, "%s", text);
   }
   modm_secret_scrub (&op->client->secrets, op->message);
}

/* libmongoc ends the process over an empty name, and takes a dot for the end of the database. */
static bool
check_names (const modm_op *op, bson_error_t *error)
{
   size_t len = strlen (op->database);
   if (len == 0 || len > 63 || strpbrk (op->database, "/\\. \"") ||
       !modm_utf8_check (op->database, len, NULL))
      return modm_driver_error (error, MODM_ERROR_BSON, "'%.80s' cannot be the name of a database",
                                op->database);
   bool collection =
      op->kind == MODM_OP_INSERT || op->kind == MODM_OP_FIND || op->kind == MODM_OP_AGGREGATE;
   if (collection && (!op->collection || !*op->collection ||
                      !modm_utf8_check (op->collection, strlen (op->collection), NULL)))
      return modm_driver_error (error, MODM_ERROR_BSON,
                                "'%.80s' cannot be the name of a collection",
                                op->collection ? op->collection : "");
   return true;
}

void
modm_op_fail (modm_op *op, const bson_error_t *error)
{
   op->ok = false;
   op->domain = error->domain;
   op->code = error->code;
   set_message (op, error);
}

void
modm_op_perform (modm_op *op, modm_lane *lane, bson_error_t *error)
{
   modm_buffer_reset (&op->reply);
   op->message[0] = '\0';
   op->domain = op->code = 0;
   op->ok = lane && check_names (op, error) && modm_session_enter (op, lane, error) &&
            run (op, lane, error);
   if (op->ok && op->reply.failed)
      op->ok = modm_driver_error (error, MODM_ERROR_MEMORY,
                                  "not enough memory for the reply: what was sent has been done");
   if (op->session)
      modm_session_note (op->session);
   if (!op->ok)
      modm_op_fail (op, error);
}

bool
modm_op_run (modm_op *op)
{
   bson_error_t error = {0};
   modm_lane *lane = modm_client_enter (op->client, &error);
   modm_op_perform (op, lane, &error);
   modm_client_leave ();
   ++*(op->ok ? &op->client->done : &op->client->failed);
   return op->ok;
}
