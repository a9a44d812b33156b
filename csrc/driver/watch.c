/* Change streams: the first run opens one, each other waits for a change, or until the server's
 * await time is over. */
#include "driver/driver_private.h"

#include <stdlib.h>

static mongoc_change_stream_t *
watch (modm_op *op, mongoc_client_t *handle, const bson_t *options, bson_error_t *error)
{
   bson_t body;
   mongoc_read_prefs_t *prefs;
   if (!modm_op_bson (&op->body, &body, error) || !modm_op_prefs (op, &prefs, error))
      return NULL;
   mongoc_collection_t *collection =
      mongoc_client_get_collection (handle, op->database, op->collection);
   if (prefs)
      mongoc_collection_set_read_prefs (collection, prefs);
   mongoc_change_stream_t *stream = mongoc_collection_watch (collection, &body, options);
   mongoc_collection_destroy (collection);
   mongoc_read_prefs_destroy (prefs);
   return stream;
}

/* Makes the stream, which asks the server for it. */
static bool
open_stream (modm_op *op, modm_lane *lane, bson_error_t *error)
{
   bson_t *options = modm_op_options (op, error);
   if (!options)
      return false;
   modm_cursor *cursor = calloc (1, sizeof *cursor);
   mongoc_change_stream_t *stream = cursor ? watch (op, lane->handle, options, error) : NULL;
   bson_destroy (options);
   if (!stream) {
      if (!cursor)
         modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
      free (cursor);
      return false;
   }
   cursor->stream = stream;
   cursor->session = op->session;
   modm_cursor_attach (cursor, lane);
   op->cursor = cursor;
   return true;
}

/* After a failure the stream is over: what libmongoc could resume, it has. */
static bool
fail (modm_op *op, const bson_t *reply)
{
   modm_op_reply (op, reply);
   op->cursor->done = true;
   modm_cursor_kill (op->cursor);
   return false;
}

bool
modm_watch_run (modm_op *op, modm_lane *lane, bson_error_t *error)
{
   const bson_t *change, *reply = NULL;
   bool opened = op->cursor != NULL;
   if (op->held->closed)
      return true;
   if (!opened && !open_stream (op, lane, error))
      return false;
   modm_cursor *cursor = op->cursor;
   if (cursor->done || cursor->at < cursor->batch.len)
      return true;
   if (!cursor->stream)
      return modm_driver_error (error, MODM_ERROR_FORKED,
                                "the change stream belongs to the process before the fork");
   modm_buffer_reset (&cursor->batch);
   cursor->at = 0;
   if (opened && mongoc_change_stream_next (cursor->stream, &change))
      modm_buffer_write (&cursor->batch, bson_get_data (change), change->len);
   else if (mongoc_change_stream_error_document (cursor->stream, error, &reply))
      return fail (op, reply);
   if (cursor->batch.failed)
      return modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
   const bson_t *token = mongoc_change_stream_get_resume_token (cursor->stream);
   if (token)
      modm_op_reply (op, token);
   return true;
}
