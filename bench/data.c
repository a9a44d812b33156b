/* The data of the works: people, authors and books; making them in the database and hashing them.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
die (const char *what, const bson_error_t *error)
{
   fprintf (stderr, "raw: %s%s%s\n", what, error ? ": " : "", error ? error->message : "");
   exit (1);
}

static void
text (char *out, size_t size, const char *format, unsigned i)
{
   if (snprintf (out, size, format, i) >= (int) size)
      die ("a text is too long", NULL);
}
#define TEXT(out, format, i) text (out, sizeof (out), format, i)

void
key_of (uint32_t i, bson_oid_t *key)
{
   char hex[25];
   TEXT (hex, "6500000000000000%08x", i);
   bson_oid_init_from_string (key, hex);
}

uint32_t
warm_of (uint32_t n)
{
   return n < 10 ? 1 : n / 10;
}

void
make_people (person *pool)
{
   for (uint32_t i = 0; i < POOL; i++) {
      person *p = &pool[i];
      TEXT (p->name, "Zo\xc3\xab Person %04u", i);
      TEXT (p->nick, "nick-%u", i);
      TEXT (p->email, "person%u@example.com", i);
      p->age = 18 + (int32_t) i % 60;
      p->visits = INT64_C (10000000000) + i * 7919;
      p->score = i * 0.5;
      p->active = i % 3 == 0;
      p->joined = (INT64_C (1500000000) + i * 86400) * 1000;
      key_of (i % 10, &p->team);
      TEXT (p->street, "%u Long Street", i);
      TEXT (p->city, "City %u", i % 50);
      TEXT (p->zip, "%05u", i);
      for (uint32_t t = 0; t < TAGS; t++)
         TEXT (p->tags[t], "tag%u", (i + t) % 20);
      p->level = (int32_t) i % 7;
   }
}

void
append_person (bson_t *doc, const person *p)
{
   static const char *const indices[TAGS] = {"0", "1", "2", "3", "4"};
   bson_t child;
   BSON_APPEND_UTF8 (doc, "name", p->name);
   BSON_APPEND_UTF8 (doc, "nick", p->nick);
   BSON_APPEND_UTF8 (doc, "email", p->email);
   BSON_APPEND_INT32 (doc, "age", p->age);
   BSON_APPEND_INT64 (doc, "visits", p->visits);
   BSON_APPEND_DOUBLE (doc, "score", p->score);
   BSON_APPEND_BOOL (doc, "active", p->active);
   BSON_APPEND_DATE_TIME (doc, "joined", p->joined);
   BSON_APPEND_OID (doc, "team", &p->team);
   BSON_APPEND_DOCUMENT_BEGIN (doc, "address", &child);
   BSON_APPEND_UTF8 (&child, "street", p->street);
   BSON_APPEND_UTF8 (&child, "city", p->city);
   BSON_APPEND_UTF8 (&child, "zip", p->zip);
   BSON_APPEND_UTF8 (&child, "_cls", "Address");
   bson_append_document_end (doc, &child);
   BSON_APPEND_ARRAY_BEGIN (doc, "tags", &child);
   for (int t = 0; t < TAGS; t++)
      bson_append_utf8 (&child, indices[t], 1, p->tags[t], -1);
   bson_append_array_end (doc, &child);
   BSON_APPEND_INT32 (doc, "level", p->level);
   BSON_APPEND_UTF8 (doc, "_cls", "Person");
}

/* ---- making them in the database ---- */

typedef void (*make_document) (bench *b, uint32_t i, uint32_t n, bson_t *doc);

static void
make_person (bench *b, uint32_t i, uint32_t n, bson_t *doc)
{
   (void) n;
   append_person (doc, &b->pool[i % POOL]);
}

static void
append_author (bson_t *doc, uint32_t i, int32_t group)
{
   char name[16];
   TEXT (name, "Author %u", i);
   BSON_APPEND_UTF8 (doc, "name", name);
   BSON_APPEND_INT32 (doc, "group", group);
   BSON_APPEND_UTF8 (doc, "_cls", "Author");
}

static void
append_book (bson_t *doc, uint32_t i, uint32_t author)
{
   char title[16];
   bson_oid_t key;
   TEXT (title, "Book %u", i);
   key_of (author, &key);
   BSON_APPEND_UTF8 (doc, "title", title);
   BSON_APPEND_INT32 (doc, "pages", 100 + (int32_t) i % 400);
   BSON_APPEND_OID (doc, "author", &key);
   BSON_APPEND_UTF8 (doc, "_cls", "Book");
}

static void
make_author (bench *b, uint32_t i, uint32_t n, bson_t *doc)
{
   (void) b;
   (void) n;
   append_author (doc, i, GROUP_STAY);
}

static void
make_book (bench *b, uint32_t i, uint32_t n, bson_t *doc)
{
   (void) b;
   (void) n;
   append_book (doc, i, i * 7 % AUTHORS);
}

/* First those of the warm-up, then the measured ones, then some that stay. */
static void
make_grouped_author (bench *b, uint32_t i, uint32_t n, bson_t *doc)
{
   uint32_t warm = warm_of (n);
   (void) b;
   append_author (doc, i, i < warm ? GROUP_WARM : i < warm + n ? GROUP_GONE : GROUP_STAY);
}

static void
make_owned_book (bench *b, uint32_t i, uint32_t n, bson_t *doc)
{
   (void) b;
   (void) n;
   append_book (doc, i, i / BOOKS);
}

static void
insert (mongoc_collection_t *collection, bson_t *const docs[], uint32_t len)
{
   bson_error_t error;
   if (!mongoc_collection_insert_many (collection, (const bson_t **) docs, len, NULL, NULL, &error))
      die ("insert", &error);
}

/* Makes `count` documents; n is the size of the work. */
static void
fill (bench *b, mongoc_collection_t *collection, uint32_t count, uint32_t n, make_document make)
{
   bson_t *docs[BATCH];
   bson_oid_t key;
   uint32_t len = 0;
   for (uint32_t i = 0; i < BATCH; i++)
      docs[i] = bson_new ();
   for (uint32_t i = 0; i < count; i++) {
      bson_reinit (docs[len]);
      key_of (i, &key);
      BSON_APPEND_OID (docs[len], "_id", &key);
      make (b, i, n, docs[len++]);
      if (len == BATCH || i + 1 == count) {
         insert (collection, docs, len);
         len = 0;
      }
   }
   for (uint32_t i = 0; i < BATCH; i++)
      bson_destroy (docs[i]);
}

/* An index on books.author, so that the server's search is no part of what is measured. */
static void
index_books (bench *b)
{
   bson_error_t error;
   bson_t *command = BCON_NEW ("createIndexes", "books", "indexes", "[", "{", "key", "{", "author",
                               BCON_INT32 (1), "}", "name", BCON_UTF8 ("author_1"), "}", "]");
   if (!mongoc_database_write_command_with_opts (b->database, command, NULL, NULL, &error))
      die ("createIndexes", &error);
   bson_destroy (command);
}

void
prepare (bench *b, const char *work, uint32_t n)
{
   bson_error_t error;
   if (!mongoc_database_drop (b->database, &error))
      die ("dropDatabase", &error);
   if (!strcmp (work, "references")) {
      fill (b, b->authors, AUTHORS, n, make_author);
      fill (b, b->books, n, n, make_book);
   } else if (!strcmp (work, "check")) {
      fill (b, b->authors, n + warm_of (n), n, make_author);
   } else if (!strcmp (work, "cascade_delete")) {
      uint32_t all = n + 2 * warm_of (n);
      index_books (b);
      fill (b, b->authors, all, n, make_grouped_author);
      fill (b, b->books, all * BOOKS, n, make_owned_book);
   } else if (!strncmp (work, "read_", 5) || !strcmp (work, "get_by_key") ||
              !strcmp (work, "change_one")) {
      fill (b, b->people, n + warm_of (n), n, make_person);
   }
}

/* ---- what is stored ---- */

static uint64_t
fnv1a (const uint8_t *bytes, size_t len)
{
   uint64_t hash = UINT64_C (14695981039346656037);
   for (size_t i = 0; i < len; i++)
      hash = (hash ^ bytes[i]) * UINT64_C (1099511628211);
   return hash;
}

/* The same for documents that differ in the order of their fields and in what keys and classes they
 * have: programs of other kinds choose these themselves. */
static uint64_t
hash_values (const bson_t *doc)
{
   uint64_t sum = 0;
   bson_iter_t at, inside;
   bson_iter_init (&at, doc);
   while (bson_iter_next (&at)) {
      const char *key = bson_iter_key (&at);
      if (!strcmp (key, "_id") || !strcmp (key, "_cls"))
         continue;
      if (bson_iter_recurse (&at, &inside)) {
         bson_t child;
         bson_init_static (&child, inside.raw, inside.len);
         sum += (fnv1a ((const uint8_t *) key, strlen (key)) ^ hash_values (&child)) *
                UINT64_C (1099511628211);
      } else {
         sum += fnv1a (at.raw + at.off, at.next_off - at.off);
      }
   }
   return sum;
}

static void
hash_collection (mongoc_collection_t *collection, hashes *sums)
{
   bson_t all = BSON_INITIALIZER;
   mongoc_cursor_t *cursor = mongoc_collection_find_with_opts (collection, &all, NULL, NULL);
   const bson_t *doc;
   bson_error_t error;
   while (mongoc_cursor_next (cursor, &doc)) {
      bson_t rest = BSON_INITIALIZER;
      bson_copy_to_excluding_noinit (doc, &rest, "_id", NULL);
      uint64_t values = hash_values (&rest);
      sums->bytes += fnv1a (bson_get_data (&rest), rest.len);
      sums->values += fnv1a ((const uint8_t *) &values, sizeof values);
      bson_destroy (&rest);
   }
   if (mongoc_cursor_error (cursor, &error))
      die ("find", &error);
   mongoc_cursor_destroy (cursor);
   bson_destroy (&all);
}

hashes
verify (bench *b)
{
   hashes sums = {0};
   hash_collection (b->people, &sums);
   hash_collection (b->authors, &sums);
   hash_collection (b->books, &sums);
   return sums;
}
