/* Finds of one or two documents, as get and first ask: by one plain command. libmongoc's cursors
 * would twice copy what they know of the server, which costs as much as all the rest of it. */
#include "driver/driver_private.h"

#include <stdlib.h>

/* Whether a key is empty, at any depth: a cursor refuses that. */
static bool
has_empty_key (const uint8_t *document, size_t len)
{
   modm_reader r;
   modm_element e;
   bool found = !modm_reader_init (&r, document, len);
   while (!found && modm_reader_next (&r, &e)) {
      bool inner = e.type == MODM_BSON_DOCUMENT || e.type == MODM_BSON_ARRAY;
      found = e.key_len == 0 || (inner && has_empty_key (e.value, e.size));
   }
   return found || r.bad;
}

/* Whether it asks for so few, outside of sessions, and with no option that libmongoc's cursors have
 * a part in. */
static bool
is_for_few (const bson_t *filter, const bson_t *options)
{
   static const char *const plain[] = {"projection",  "sort",      "skip", "collation", "hint",
                                       "readConcern", "maxTimeMS", "let",  "comment",   NULL};
   bson_iter_t iter;
   int64_t limit = 0;
   bson_iter_init (&iter, options);
   while (bson_iter_next (&iter)) {
      if (strcmp (bson_iter_key (&iter), "limit") == 0 && BSON_ITER_HOLDS_INT (&iter))
         limit = bson_iter_as_int64 (&iter);
      else if (!modm_is_one_of (bson_iter_key (&iter), plain))
         return false;
   }
   return (limit == 1 || limit == 2) && !has_empty_key (bson_get_data (filter), filter->len) &&
          !has_empty_key (bson_get_data (options), options->len);
}

/* Copies the documents of a reply; gives the server's cursor, which is 0 when these are all. */
static int64_t
take_documents (const bson_t *reply, modm_buffer *batch)
{
   bson_iter_t cursor, iter, document;
   bson_t one;
   int64_t id = 0;
   if (!bson_iter_init_find (&cursor, reply, "cursor") || !bson_iter_recurse (&cursor, &iter))
      return 0;
   while (bson_iter_next (&iter)) {
      if (strcmp (bson_iter_key (&iter), "id") == 0)
         id = bson_iter_as_int64 (&iter);
      else if (strcmp (bson_iter_key (&iter), "firstBatch") == 0 &&
               bson_iter_recurse (&iter, &document))
         while (bson_iter_next (&document) && modm_bson_borrow (&document, &one))
            modm_buffer_write (batch, bson_get_data (&one), one.len);
   }
   return id;
}

/* Two documents may be more than a batch holds: then a cursor has to do it, and the server's is
 * closed. Should this come to another server, the server closes it by itself in some minutes. */
static void
forget (const modm_op *op, mongoc_client_t *handle, const mongoc_read_prefs_t *prefs, int64_t id)
{
   bson_t command = BSON_INITIALIZER, list;
   BSON_APPEND_UTF8 (&command, "killCursors", op->collection);
   BSON_APPEND_ARRAY_BEGIN (&command, "cursors", &list);
   BSON_APPEND_INT64 (&list, "0", id);
   bson_append_array_end (&command, &list);
   (void) mongoc_client_command_simple (handle, op->database, &command, prefs, NULL, NULL);
   bson_destroy (&command);
}

/* Runs the command. What the server has is in the operation's cursor, unless it has more. */
static bool
ask (modm_op *op, mongoc_client_t *handle, const bson_t *command, const bson_t *options,
     const mongoc_read_prefs_t *prefs, bson_error_t *error)
{
   bson_t reply;
   modm_cursor *cursor = calloc (1, sizeof *cursor);
   if (!cursor)
      return modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
   bool ok = mongoc_client_read_command_with_opts (handle, op->database, command, prefs, options,
                                                   &reply, error);
   int64_t id = ok ? take_documents (&reply, &cursor->batch) : 0;
   if (!ok)
      modm_op_reply (op, &reply);
   else if (cursor->batch.failed)
      ok = modm_driver_error (error, MODM_ERROR_MEMORY, "not enough memory");
   bson_destroy (&reply);
   if (id) {
      forget (op, handle, prefs, id);
      modm_cursor_free (cursor);
   } else {
      cursor->done = true;
      op->cursor = cursor;
   }
   return ok;
}

bool
modm_few_run (modm_op *op, mongoc_client_t *handle, const bson_t *options,
              const mongoc_read_prefs_t *prefs, bson_error_t *error)
{
   bson_t filter, command = BSON_INITIALIZER;
   if (!modm_op_bson (&op->body, &filter, error))
      return false;
   if (!is_for_few (&filter, options))
      return true;
   BSON_APPEND_UTF8 (&command, "find", op->collection);
   BSON_APPEND_DOCUMENT (&command, "filter", &filter);
   bool ok = ask (op, handle, &command, options, prefs, error);
   bson_destroy (&command);
   return ok;
}
