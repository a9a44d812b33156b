/* Replies: kept with the operation, those of libmongoc's write functions in the shape of the
 * server's. */
#include "driver/driver_private.h"

void
modm_op_reply (modm_op *op, const bson_t *reply)
{
   modm_buffer_reset (&op->reply);
   if (reply && !bson_empty (reply))
      modm_buffer_write (&op->reply, bson_get_data (reply), reply->len);
}

bool
modm_is_one_of (const char *key, const char *const *names)
{
   for (; *names; names++)
      if (strcmp (key, *names) == 0)
         return true;
   return false;
}

/* The first of writeConcernErrors, under the name that it has in a command's reply. */
static void
append_concern_error (bson_t *out, const bson_iter_t *errors)
{
   bson_iter_t iter;
   if (bson_iter_recurse (errors, &iter) && bson_iter_next (&iter))
      bson_append_iter (out, "writeConcernError", -1, &iter);
}

/* The key that update_one tells of, as a command's reply does. */
static void
append_upserted (bson_t *out, const bson_iter_t *id)
{
   bson_t list, one;
   BSON_APPEND_ARRAY_BEGIN (out, "upserted", &list);
   BSON_APPEND_DOCUMENT_BEGIN (&list, "0", &one);
   BSON_APPEND_INT32 (&one, "index", 0);
   bson_append_iter (&one, "_id", 3, id);
   bson_append_document_end (&list, &one);
   bson_append_array_end (out, &list);
}

void
modm_op_bulk_reply (modm_op *op, const bson_t *reply, bool update)
{
   static const char *const counts[] = {"insertedCount", "nInserted", "nMatched",
                                        "nRemoved",      "nUpserted", "matchedCount",
                                        "upsertedCount", NULL};
   static const char *const kept[] = {"upserted", "errorLabels", NULL};
   bson_t out = BSON_INITIALIZER;
   bson_iter_t iter;
   int64_t n = 0;
   bool counted = false;
   for (bson_iter_init (&iter, reply); bson_iter_next (&iter);) {
      const char *key = bson_iter_key (&iter);
      if (modm_is_one_of (key, counts)) {
         counted = true;
         n += bson_iter_as_int64 (&iter);
      } else if (update && (!strcmp (key, "nModified") || !strcmp (key, "modifiedCount"))) {
         BSON_APPEND_INT64 (&out, "nModified", bson_iter_as_int64 (&iter));
      } else if (strcmp (key, "upsertedId") == 0) {
         append_upserted (&out, &iter);
      } else if (strcmp (key, "writeConcernErrors") == 0) {
         append_concern_error (&out, &iter);
      } else if (modm_is_one_of (key, kept)) {
         bson_append_iter (&out, NULL, 0, &iter);
      } else if (strcmp (key, "writeErrors") == 0) {
         bson_iter_t first;
         if (bson_iter_recurse (&iter, &first) && bson_iter_next (&first))
            bson_append_iter (&out, NULL, 0, &iter);
      }
   }
   if (counted)
      BSON_APPEND_INT64 (&out, "n", n);
   modm_op_reply (op, &out);
   bson_destroy (&out);
}

/* Takes code and message of an error document. */
static bool
take_error (const bson_iter_t *document, uint32_t domain, bson_error_t *error)
{
   bson_iter_t iter;
   const char *message = "the server gave no message";
   uint32_t code = 0;
   if (!BSON_ITER_HOLDS_DOCUMENT (document) || !bson_iter_recurse (document, &iter))
      return false;
   while (bson_iter_next (&iter)) {
      if (strcmp (bson_iter_key (&iter), "code") == 0)
         code = (uint32_t) bson_iter_as_int64 (&iter);
      else if (strcmp (bson_iter_key (&iter), "errmsg") == 0 && BSON_ITER_HOLDS_UTF8 (&iter))
         message = bson_iter_utf8 (&iter, NULL);
   }
   bson_set_error (error, domain, code, "%s", message);
   return true;
}

bool
modm_reply_check (const bson_t *reply, bson_error_t *error)
{
   bson_iter_t iter, first;
   if (bson_iter_init_find (&iter, reply, "writeErrors") && BSON_ITER_HOLDS_ARRAY (&iter) &&
       bson_iter_recurse (&iter, &first) && bson_iter_next (&first))
      return !take_error (&first, MONGOC_ERROR_SERVER, error);
   if (bson_iter_init_find (&iter, reply, "writeConcernError"))
      return !take_error (&iter, MONGOC_ERROR_WRITE_CONCERN, error);
   return true;
}
