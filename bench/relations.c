/* The works of raw.c that follow references: resolving them, and deleting what refers. */
#include "bench.h"

#include <string.h>

/* ---- references ---- */

enum { PLACES = 2048 }; /* of the table of one batch; a power of two, twice the batch */

typedef struct author {
   bson_oid_t key;
   bool used;
   uint32_t worth; /* the checksum of its fields */
} author;

typedef struct batch {
   author authors[PLACES];
   uint32_t of_book[BATCH]; /* place of the author of each book */
   uint32_t len;
   bson_t query, in, keys; /* {_id: {$in: [keys]}} */
   uint32_t n_keys;
} batch;

/* The place of a key in the table: where it is, or where it goes. */
static uint32_t
place_of (const batch *t, const bson_oid_t *key)
{
   uint32_t at = bson_oid_hash (key) & (PLACES - 1);
   while (t->authors[at].used && !bson_oid_equal (&t->authors[at].key, key))
      at = (at + 1) & (PLACES - 1);
   return at;
}

static void
batch_begin (batch *t)
{
   memset (t->authors, 0, sizeof t->authors);
   t->len = t->n_keys = 0;
   bson_init (&t->query);
   BSON_APPEND_DOCUMENT_BEGIN (&t->query, "_id", &t->in);
   BSON_APPEND_ARRAY_BEGIN (&t->in, "$in", &t->keys);
}

static void
batch_add (batch *t, const bson_oid_t *key)
{
   uint32_t at = place_of (t, key);
   if (!t->authors[at].used) {
      const char *index;
      char buffer[16];
      size_t len = bson_uint32_to_string (t->n_keys++, &index, buffer, sizeof buffer);
      bson_append_oid (&t->keys, index, (int) len, key);
      t->authors[at].used = true;
      t->authors[at].key = *key;
   }
   t->of_book[t->len++] = at;
}

/* Fetches the authors of the batch and returns the checksum of all its books' authors. */
static double
batch_end (batch *t, mongoc_collection_t *authors)
{
   const bson_t *doc;
   bson_iter_t at;
   double sum = 0;
   bson_append_array_end (&t->in, &t->keys);
   bson_append_document_end (&t->query, &t->in);
   mongoc_cursor_t *cursor = mongoc_collection_find_with_opts (authors, &t->query, NULL, NULL);
   while (mongoc_cursor_next (cursor, &doc)) {
      bson_iter_init (&at, doc);
      if (!find (&at, doc, "_id") || !BSON_ITER_HOLDS_OID (&at))
         continue;
      author *a = &t->authors[place_of (t, bson_iter_oid (&at))];
      a->worth = length_of (&at, doc, "name");
      a->worth += find (&at, doc, "group") ? (uint32_t) bson_iter_as_int64 (&at) : 0;
   }
   finish (cursor);
   for (uint32_t i = 0; i < t->len; i++)
      sum += t->authors[t->of_book[i]].worth;
   bson_destroy (&t->query);
   return sum;
}

double
references (bench *b, uint32_t from, uint32_t count)
{
   batch *t = bson_malloc (sizeof *t);
   mongoc_cursor_t *cursor = find_first (b->books, count);
   const bson_t *doc;
   bson_iter_t at;
   double sum = 0;
   (void) from;
   batch_begin (t);
   while (mongoc_cursor_next (cursor, &doc)) {
      bson_iter_init (&at, doc);
      sum += find (&at, doc, "pages") ? bson_iter_as_int64 (&at) : 0;
      if (find (&at, doc, "author") && BSON_ITER_HOLDS_OID (&at))
         batch_add (t, bson_iter_oid (&at));
      if (t->len == BATCH) {
         sum += batch_end (t, b->authors);
         batch_begin (t);
      }
   }
   sum += batch_end (t, b->authors);
   finish (cursor);
   bson_free (t);
   return sum;
}

/* ---- delete rules ---- */

static double
delete_where_in (mongoc_collection_t *collection, const char *field, const bson_t *keys)
{
   bson_t filter = BSON_INITIALIZER, in, reply;
   bson_error_t error;
   bson_iter_t at;
   double deleted = 0;
   BSON_APPEND_DOCUMENT_BEGIN (&filter, field, &in);
   BSON_APPEND_ARRAY (&in, "$in", keys);
   bson_append_document_end (&filter, &in);
   if (!mongoc_collection_delete_many (collection, &filter, NULL, &reply, &error))
      die ("delete", &error);
   if (bson_iter_init_find (&at, &reply, "deletedCount"))
      deleted = (double) bson_iter_as_int64 (&at);
   bson_destroy (&reply);
   bson_destroy (&filter);
   return deleted;
}

/* Deletes a batch of authors, then their books. Returns the number of authors. */
static double
delete_authors (bench *b, bson_t *keys, uint32_t len)
{
   double deleted = len ? delete_where_in (b->authors, "_id", keys) : 0;
   if (len)
      delete_where_in (b->books, "author", keys);
   bson_reinit (keys);
   return deleted;
}

double
cascade_delete (bench *b, uint32_t from, uint32_t count)
{
   bson_t *filter = BCON_NEW ("group", BCON_INT32 (from ? GROUP_GONE : GROUP_WARM));
   bson_t *opts = BCON_NEW ("projection", "{", "_id", BCON_INT32 (1), "}");
   bson_t keys = BSON_INITIALIZER;
   mongoc_cursor_t *cursor = mongoc_collection_find_with_opts (b->authors, filter, opts, NULL);
   const bson_t *doc;
   bson_iter_t at;
   uint32_t len = 0;
   double deleted = 0;
   (void) count;
   while (mongoc_cursor_next (cursor, &doc)) {
      const char *index;
      char buffer[16];
      size_t index_len = bson_uint32_to_string (len, &index, buffer, sizeof buffer);
      if (!bson_iter_init_find (&at, doc, "_id") || !BSON_ITER_HOLDS_OID (&at))
         continue;
      bson_append_oid (&keys, index, (int) index_len, bson_iter_oid (&at));
      if (++len == BATCH) {
         deleted += delete_authors (b, &keys, len);
         len = 0;
      }
   }
   deleted += delete_authors (b, &keys, len);
   finish (cursor);
   bson_destroy (&keys);
   bson_destroy (opts);
   bson_destroy (filter);
   return deleted;
}
