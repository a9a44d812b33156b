/* Inserts: libmongoc splits them at the server's limits, and retries them. */
#include "driver/driver_private.h"

#include <stdlib.h>

static size_t
count_documents (const modm_buffer *body)
{
   size_t n = 0;
   for (size_t at = 0; at < body->len; n++)
      at += (size_t) modm_load_i32 (body->data + at);
   return n;
}

static bool
insert (modm_op *op, modm_lane *lane, const bson_t **documents, size_t n, bson_error_t *error)
{
   bson_t reply;
   bson_t *options = modm_op_options (op, error);
   if (!options)
      return false;
   BSON_APPEND_BOOL (options, "validate", false); /* our rooms have done so */
   mongoc_collection_t *collection = modm_lane_collection (lane, op->database, op->collection);
   bool ok = mongoc_collection_insert_many (collection, documents, n, options, &reply, error);
   modm_op_bulk_reply (op, &reply, false);
   bson_destroy (&reply);
   bson_destroy (options);
   return ok;
}

/* Lays libmongoc's views over the documents in the body, which stay where they are. */
bool
modm_insert_run (modm_op *op, modm_lane *lane, bson_error_t *error)
{
   size_t n = count_documents (&op->body);
   if (!n)
      return modm_driver_error (error, MODM_ERROR_BSON, "there is no document to insert");
   bson_t *views = aligned_alloc (_Alignof(bson_t), n * sizeof *views);
   const bson_t **documents = calloc (n, sizeof (void *));
   bool ok = views && documents;
   if (!ok)
      modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
   const uint8_t *at = op->body.data;
   for (size_t i = 0; ok && i < n; i++) {
      size_t len = (size_t) modm_load_i32 (at);
      (void) bson_init_static (&views[i], at, len); /* our rooms wrote it, and whole */
      documents[i] = &views[i];
      at += len;
   }
   ok = ok && insert (op, lane, documents, n, error);
   free (views);
   free (documents);
   return ok;
}
