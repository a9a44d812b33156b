/* The works over libmongoc and libbson alone: what modm is measured against. See README.md here. */
#include "bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

/* ---- reading ---- */

bool
find (bson_iter_t *at, const bson_t *doc, const char *key)
{
   return bson_iter_find (at, key) || bson_iter_init_find (at, doc, key);
}

uint32_t
length_of (bson_iter_t *at, const bson_t *doc, const char *key)
{
   uint32_t len = 0;
   if (find (at, doc, key) && BSON_ITER_HOLDS_UTF8 (at))
      (void) bson_iter_utf8 (at, &len);
   return len;
}

static double
sum_children (const bson_iter_t *parent)
{
   bson_iter_t at;
   double sum = 0;
   if (!bson_iter_recurse (parent, &at))
      return 0;
   while (bson_iter_next (&at)) {
      uint32_t len = 0;
      if (BSON_ITER_HOLDS_UTF8 (&at) && bson_iter_key (&at)[0] != '_') {
         (void) bson_iter_utf8 (&at, &len);
         sum += len;
      }
   }
   return sum;
}

static double
sum_all (const bson_t *doc, const bson_oid_t *team)
{
   bson_iter_t at;
   double sum = 0;
   bson_iter_init (&at, doc);
   sum += length_of (&at, doc, "name");
   sum += length_of (&at, doc, "nick");
   sum += length_of (&at, doc, "email");
   sum += find (&at, doc, "age") ? bson_iter_as_int64 (&at) : 0;
   sum += find (&at, doc, "visits") ? bson_iter_as_int64 (&at) : 0;
   sum += find (&at, doc, "score") ? bson_iter_as_double (&at) : 0;
   sum += find (&at, doc, "active") && bson_iter_as_bool (&at);
   sum += find (&at, doc, "joined") ? bson_iter_date_time (&at) / 1000 : 0;
   sum += find (&at, doc, "team") && BSON_ITER_HOLDS_OID (&at) &&
          bson_oid_equal (bson_iter_oid (&at), team);
   sum += find (&at, doc, "address") ? sum_children (&at) : 0;
   sum += find (&at, doc, "tags") ? sum_children (&at) : 0;
   sum += find (&at, doc, "level") ? bson_iter_as_int64 (&at) : 0;
   return sum;
}

static double
sum_three (const bson_t *doc)
{
   bson_iter_t at;
   double sum = 0;
   bson_iter_init (&at, doc);
   sum += length_of (&at, doc, "name");
   sum += find (&at, doc, "age") ? bson_iter_as_int64 (&at) : 0;
   sum += find (&at, doc, "active") && bson_iter_as_bool (&at);
   return sum;
}

void
finish (mongoc_cursor_t *cursor)
{
   bson_error_t error;
   if (mongoc_cursor_error (cursor, &error))
      die ("find", &error);
   mongoc_cursor_destroy (cursor);
}

mongoc_cursor_t *
find_first (mongoc_collection_t *collection, uint32_t count)
{
   bson_t filter = BSON_INITIALIZER;
   bson_t *opts = BCON_NEW ("limit", BCON_INT64 (count));
   mongoc_cursor_t *cursor = mongoc_collection_find_with_opts (collection, &filter, opts, NULL);
   bson_destroy (opts);
   bson_destroy (&filter);
   return cursor;
}

static double
read_all (bench *b, uint32_t from, uint32_t count)
{
   mongoc_cursor_t *cursor = find_first (b->people, count);
   const bson_t *doc;
   bson_oid_t team;
   double sum = 0;
   (void) from;
   key_of (0, &team);
   while (mongoc_cursor_next (cursor, &doc))
      sum += sum_all (doc, &team);
   finish (cursor);
   return sum;
}

static double
read_three (bench *b, uint32_t from, uint32_t count)
{
   mongoc_cursor_t *cursor = find_first (b->people, count);
   const bson_t *doc;
   double sum = 0;
   (void) from;
   while (mongoc_cursor_next (cursor, &doc))
      sum += sum_three (doc);
   finish (cursor);
   return sum;
}

/* Small documents, each walked once from end to end. */
static double
check (bench *b, uint32_t from, uint32_t count)
{
   mongoc_cursor_t *cursor = find_first (b->authors, count);
   const bson_t *doc;
   double sum = 0;
   (void) from;
   while (mongoc_cursor_next (cursor, &doc)) {
      bson_iter_t at;
      bson_iter_init (&at, doc);
      while (bson_iter_next (&at))
         sum += bson_iter_key_len (&at);
   }
   finish (cursor);
   return sum;
}

static double
get_by_key (bench *b, uint32_t from, uint32_t count)
{
   bson_t *opts = BCON_NEW ("limit", BCON_INT64 (1), "singleBatch", BCON_BOOL (true));
   double sum = 0;
   for (uint32_t i = from; i < from + count; i++) {
      bson_t filter = BSON_INITIALIZER;
      bson_oid_t key;
      const bson_t *doc;
      key_of (i, &key);
      BSON_APPEND_OID (&filter, "_id", &key);
      mongoc_cursor_t *cursor = mongoc_collection_find_with_opts (b->people, &filter, opts, NULL);
      if (mongoc_cursor_next (cursor, &doc))
         sum += sum_three (doc);
      finish (cursor);
      bson_destroy (&filter);
   }
   bson_destroy (opts);
   return sum;
}

/* ---- writing ---- */

static double
encode (bench *b, uint32_t from, uint32_t count)
{
   bson_t doc = BSON_INITIALIZER;
   double sum = 0;
   for (uint32_t i = from; i < from + count; i++) {
      bson_reinit (&doc);
      append_person (&doc, &b->pool[i % POOL]);
      sum += doc.len;
   }
   bson_destroy (&doc);
   return sum;
}

static void
begin_person (bench *b, uint32_t i, bson_t *doc)
{
   bson_oid_t key;
   bson_reinit (doc);
   bson_oid_init (&key, NULL);
   BSON_APPEND_OID (doc, "_id", &key);
   append_person (doc, &b->pool[i % POOL]);
}

static double
bulk_insert (bench *b, uint32_t from, uint32_t count)
{
   bson_t *docs[BATCH];
   bson_error_t error;
   uint32_t len = 0, done = 0;
   for (uint32_t i = 0; i < BATCH; i++)
      docs[i] = bson_new ();
   for (uint32_t i = from; i < from + count; i++) {
      begin_person (b, i, docs[len++]);
      if (len < BATCH && i + 1 < from + count)
         continue;
      if (!mongoc_collection_insert_many (b->people, (const bson_t **) docs, len, NULL, NULL,
                                          &error))
         die ("insert", &error);
      done += len;
      len = 0;
   }
   for (uint32_t i = 0; i < BATCH; i++)
      bson_destroy (docs[i]);
   return done;
}

static double
save_each (bench *b, uint32_t from, uint32_t count)
{
   bson_t doc = BSON_INITIALIZER;
   bson_error_t error;
   for (uint32_t i = from; i < from + count; i++) {
      begin_person (b, i, &doc);
      if (!mongoc_collection_insert_one (b->people, &doc, NULL, NULL, &error))
         die ("insert", &error);
   }
   bson_destroy (&doc);
   return count;
}

static double
change_one (bench *b, uint32_t from, uint32_t count)
{
   double sum = 0;
   for (uint32_t i = from; i < from + count; i++) {
      bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER, set;
      bson_error_t error;
      bson_oid_t key;
      int32_t age = b->pool[i % POOL].age + 1;
      key_of (i, &key);
      BSON_APPEND_OID (&filter, "_id", &key);
      BSON_APPEND_DOCUMENT_BEGIN (&update, "$set", &set);
      BSON_APPEND_INT32 (&set, "age", age);
      bson_append_document_end (&update, &set);
      if (!mongoc_collection_update_one (b->people, &filter, &update, NULL, NULL, &error))
         die ("update", &error);
      bson_destroy (&update);
      bson_destroy (&filter);
      sum += age;
   }
   return sum;
}

/* ---- running ---- */

typedef double (*run) (bench *b, uint32_t from, uint32_t count);

static const struct {
   const char *name;
   run run;
} works[] = {{"read_all", read_all},
             {"read_three", read_three},
             {"encode", encode},
             {"bulk_insert", bulk_insert},
             {"save_each", save_each},
             {"change_one", change_one},
             {"get_by_key", get_by_key},
             {"references", references},
             {"cascade_delete", cascade_delete},
             {"check", check}};

static double
wall_clock (void)
{
   struct timespec now;
   clock_gettime (CLOCK_MONOTONIC, &now);
   return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* User and system time of this process. */
static double
cpu_clock (void)
{
   struct rusage usage;
   getrusage (RUSAGE_SELF, &usage);
   return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
          (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Runs a work on a tenth to warm up and then on n, and prints: work, n, wall, CPU, checksum. */
static void
measure (bench *b, const char *name, uint32_t n)
{
   uint32_t warm = warm_of (n);
   for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
      if (strcmp (works[i].name, name) != 0)
         continue;
      works[i].run (b, 0, warm);
      double wall = wall_clock (), cpu = cpu_clock ();
      double sum = works[i].run (b, warm, n);
      cpu = cpu_clock () - cpu;
      wall = wall_clock () - wall;
      printf ("%s %" PRIu32 " %.6f %.6f %.1f\n", name, n, wall, cpu, sum);
      return;
   }
   die ("no such work", NULL);
}

static void
print_hashes (hashes sums)
{
   printf ("%016" PRIx64 " %016" PRIx64 "\n", sums.bytes, sums.values);
}

static void
open_bench (bench *b, const char *text)
{
   bson_error_t error;
   mongoc_uri_t *uri = mongoc_uri_new_with_error (text, &error);
   if (!uri)
      die ("MODM_URI", &error);
   const char *name = mongoc_uri_get_database (uri);
   if (!name)
      die ("MODM_URI names no database", NULL);
   b->client = mongoc_client_new_from_uri (uri);
   b->database = mongoc_client_get_database (b->client, name);
   b->people = mongoc_database_get_collection (b->database, "people");
   b->authors = mongoc_database_get_collection (b->database, "authors");
   b->books = mongoc_database_get_collection (b->database, "books");
   make_people (b->pool);
   mongoc_uri_destroy (uri);
}

static void
close_bench (bench *b)
{
   mongoc_collection_destroy (b->books);
   mongoc_collection_destroy (b->authors);
   mongoc_collection_destroy (b->people);
   mongoc_database_destroy (b->database);
   mongoc_client_destroy (b->client);
}

/* raw WORK N, raw prepare WORK N, raw verify, raw drop: in the database that MODM_URI names, which
 * is emptied by `prepare` and `drop`. */
int
main (int argc, char **argv)
{
   static bench b;
   const char *uri = getenv ("MODM_URI"), *what = argc > 1 ? argv[1] : "";
   if (!uri)
      die ("MODM_URI is not set", NULL);
   mongoc_init ();
   open_bench (&b, uri);
   if (argc == 4 && !strcmp (what, "prepare"))
      prepare (&b, argv[2], (uint32_t) strtoul (argv[3], NULL, 10));
   else if (argc == 2 && !strcmp (what, "verify"))
      print_hashes (verify (&b));
   else if (argc == 2 && !strcmp (what, "drop"))
      prepare (&b, "", 0);
   else if (argc == 3)
      measure (&b, what, (uint32_t) strtoul (argv[2], NULL, 10));
   else
      die ("usage: raw WORK N | prepare WORK N | verify | drop", NULL);
   close_bench (&b);
   mongoc_cleanup ();
   return 0;
}
