/* Cursors: each run copies some documents out of libmongoc's, which may wait for a batch. */
#include "driver/pool_private.h"

#include <stdlib.h>

/* The server's first batch has 101 documents when nobody says otherwise: the first run stays within
 * it. */
enum { FIRST = 100, LATER = 1000, BYTES = 256 * 1024 };

void
modm_cursor_kill (modm_cursor *cursor)
{
   if (!cursor->handle && !cursor->stream)
      return;
   *cursor->link = cursor->next;
   if (cursor->next)
      cursor->next->link = cursor->link;
   if (cursor->handle)
      mongoc_cursor_destroy (cursor->handle);
   else
      mongoc_change_stream_destroy (cursor->stream);
   cursor->handle = NULL;
   cursor->stream = NULL;
   if (cursor->pool)
      modm_lane_let_go (cursor->pool, &cursor->lane);
}

void
modm_cursor_attach (modm_cursor *cursor, modm_lane *lane)
{
   cursor->pool = lane->pool;
   cursor->lane = lane;
   modm_lane_hold (lane);
   cursor->next = lane->cursors;
   cursor->link = &lane->cursors;
   if (cursor->next)
      cursor->next->link = &cursor->next;
   lane->cursors = cursor;
}

void
modm_cursor_free (modm_cursor *cursor)
{
   modm_cursor_kill (cursor);
   modm_buffer_free (&cursor->batch);
   free (cursor);
}

void
modm_cursor_discard (modm_cursor *cursor, modm_client *client)
{
   if (!cursor->pool) {
      modm_client_settle (client);
      modm_cursor_free (cursor);
      return;
   }
   if (!modm_pool_is_here (cursor->pool))
      return; /* the parent's */
   modm_lane *lane = modm_lane_hold_at (cursor->pool, &cursor->lane);
   if (!lane) {
      modm_cursor_free (cursor);
      return;
   }
   cursor->job.work = MODM_DROP_CURSOR;
   cursor->job.subject = cursor;
   cursor->job.lane = lane;
   modm_pool_add (cursor->pool, &cursor->job);
}

/* How many documents one run may fetch. */
static void
set_limit (modm_cursor *cursor, const bson_t *options)
{
   bson_iter_t iter;
   cursor->limit = FIRST;
   if (bson_iter_init_find (&iter, options, "tailable") && bson_iter_as_bool (&iter)) {
      cursor->limit = 1; /* it waits for the next one */
      cursor->fixed = true;
   } else if (bson_iter_init_find (&iter, options, "batchSize") && bson_iter_as_int64 (&iter) > 0) {
      int64_t size = bson_iter_as_int64 (&iter);
      cursor->limit = size < LATER ? (uint32_t) size : LATER;
      cursor->fixed = true;
   }
}

static mongoc_cursor_t *
find (modm_op *op, modm_lane *lane, const bson_t *options, const mongoc_read_prefs_t *prefs,
      bson_error_t *error)
{
   bson_t body;
   bool listing = op->kind == MODM_OP_INDEXES;
   if (!listing && !modm_op_bson (&op->body, &body, error))
      return NULL;
   mongoc_collection_t *collection = modm_lane_collection (lane, op->database, op->collection);
   if (listing)
      return mongoc_collection_find_indexes_with_opts (collection, options);
   if (op->kind == MODM_OP_FIND)
      return mongoc_collection_find_with_opts (collection, &body, options, prefs);
   return mongoc_collection_aggregate (collection, MONGOC_QUERY_NONE, &body, options, prefs);
}

/* Makes a cursor of libmongoc's, which says what is wrong with it at the first document. */
static bool
make_cursor (modm_op *op, modm_lane *lane, const bson_t *options, const mongoc_read_prefs_t *prefs,
             bson_error_t *error)
{
   modm_cursor *cursor = calloc (1, sizeof *cursor);
   if (!cursor)
      return modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
   set_limit (cursor, options);
   cursor->handle = find (op, lane, options, prefs, error);
   if (!cursor->handle) {
      free (cursor);
      return false;
   }
   modm_cursor_attach (cursor, lane);
   cursor->session = op->session;
   op->cursor = cursor;
   return true;
}

static bool
open_cursor (modm_op *op, modm_lane *lane, bson_error_t *error)
{
   mongoc_read_prefs_t *prefs;
   if (!modm_op_prefs (op, &prefs, error))
      return false;
   bson_t *options = modm_op_options (op, error);
   bool ok = options &&
             (op->kind != MODM_OP_FIND || modm_few_run (op, lane->handle, options, prefs, error));
   if (ok && !op->cursor)
      ok = make_cursor (op, lane, options, prefs, error);
   if (options)
      bson_destroy (options);
   mongoc_read_prefs_destroy (prefs);
   return ok && op->cursor;
}

/* Copies documents until the limit; returns how many. */
static uint32_t
fetch (modm_cursor *cursor)
{
   const bson_t *document;
   uint32_t n = 0;
   modm_buffer_reset (&cursor->batch);
   cursor->at = 0;
   while (n < cursor->limit && cursor->batch.len < BYTES &&
          mongoc_cursor_next (cursor->handle, &document)) {
      modm_buffer_write (&cursor->batch, bson_get_data (document), document->len);
      n++;
   }
   if (!cursor->fixed)
      cursor->limit = LATER;
   return n;
}

bool
modm_cursor_run (modm_op *op, modm_lane *lane, bson_error_t *error)
{
   const bson_t *reply = NULL;
   if (op->held->closed)
      return true;
   if (!op->cursor && !open_cursor (op, lane, error))
      return false;
   modm_cursor *cursor = op->cursor;
   if (cursor->done || cursor->at < cursor->batch.len)
      return true;
   if (!cursor->handle)
      return modm_driver_error (error, MODM_ERROR_FORKED,
                                "the cursor belongs to the process before the fork");
   uint32_t n = fetch (cursor);
   if (cursor->batch.failed)
      return modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
   if (mongoc_cursor_error_document (cursor->handle, error, &reply)) {
      if (n)
         return true; /* the documents first: the error comes again in the next run */
      modm_op_reply (op, reply);
      cursor->done = true;
      modm_cursor_kill (cursor);
      return false;
   }
   if (!mongoc_cursor_more (cursor->handle)) {
      cursor->done = true;
      modm_cursor_kill (cursor);
   }
   return true;
}

bool
modm_op_document (modm_op *op, const uint8_t **document, size_t *len)
{
   modm_cursor *cursor = op->cursor;
   if (!cursor || cursor->at >= cursor->batch.len)
      return false;
   cursor->last = cursor->at;
   *document = cursor->batch.data + cursor->at;
   *len = (size_t) modm_load_i32 (*document);
   cursor->at += *len;
   return true;
}

bool
modm_op_last (modm_op *op, const uint8_t **document, size_t *len)
{
   const modm_cursor *cursor = op->cursor;
   if (!cursor || cursor->at == 0)
      return false;
   *document = cursor->batch.data + cursor->last;
   *len = (size_t) modm_load_i32 (*document);
   return true;
}

bool
modm_op_done (const modm_op *op)
{
   const modm_cursor *cursor = op->cursor;
   return op->held->closed || (cursor && cursor->done && cursor->at >= cursor->batch.len);
}

void
modm_op_close (modm_op *op)
{
   modm_buffer_free (&op->body);
   modm_buffer_free (&op->options);
   modm_buffer_free (&op->read_preference);
   if (op->cursor) {
      modm_cursor_discard (op->cursor, op->client);
      op->cursor = NULL;
      op->held->closed = true;
   }
}
