/* bench: what the C files share. The data are the same, to the byte, as those of modm.lua. */
#ifndef MODM_BENCH_H
#define MODM_BENCH_H

#include <mongoc/mongoc.h>
#include <stdbool.h>
#include <stdint.h>

enum {
   POOL = 1000,   /* different people; those beyond repeat them */
   TAGS = 5,      /* of a person */
   AUTHORS = 500, /* in the work `references` */
   BATCH = 1000,  /* documents or keys in one command */
   BOOKS = 2      /* of an author, in the work `cascade_delete` */
};

/* The groups of authors in cascade_delete. */
enum { GROUP_STAY, GROUP_WARM, GROUP_GONE };

typedef struct person {
   char name[32], nick[16], email[32];
   int32_t age;
   int64_t visits;
   double score;
   bool active;
   int64_t joined; /* milliseconds */
   bson_oid_t team;
   char street[24], city[16], zip[8];
   char tags[TAGS][8];
   int32_t level;
} person;

typedef struct bench {
   mongoc_client_t *client;
   mongoc_database_t *database;
   mongoc_collection_t *people, *authors, *books;
   person pool[POOL];
} bench;

void die (const char *what, const bson_error_t *error);
/* The i-th key, the same in every program. */
void key_of (uint32_t i, bson_oid_t *key);
/* The part of n that runs as warm-up. */
uint32_t warm_of (uint32_t n);

/* Fills the pool. */
void make_people (person *pool);
/* Appends the 12 fields and the class, as modm stores them. */
void append_person (bson_t *doc, const person *p);

/* Makes the data that a work needs. */
void prepare (bench *b, const char *work, uint32_t n);
/* Sums of hashes over all that a work has written, `_id` left out: to the byte, and of the fields'
 * values alone. */
typedef struct hashes {
   uint64_t bytes, values;
} hashes;
hashes verify (bench *b);

/* Reading. Moves to a key: keys come in stored order, so this looks back only when they do not. */
bool find (bson_iter_t *at, const bson_t *doc, const char *key);
/* The length of a string, 0 when it is none. */
uint32_t length_of (bson_iter_t *at, const bson_t *doc, const char *key);
/* The first `count` documents; ending a cursor ends the program if it failed. */
mongoc_cursor_t *find_first (mongoc_collection_t *collection, uint32_t count);
void finish (mongoc_cursor_t *cursor);

/* Works: each works on documents from..from+count-1 and returns its checksum. */
double references (bench *b, uint32_t from, uint32_t count);
double cascade_delete (bench *b, uint32_t from, uint32_t count);

#endif
