/* The tasks of the ODM benchmark over libmongoc alone: what modm's are compared with. */
#include <mongoc/mongoc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ITERATIONS = 10 };

typedef struct state {
   mongoc_collection_t *documents, *foreign;
   bson_t *data;        /* the document of the task */
   const char *field;   /* that is updated, or searched */
   bson_oid_t *keys;    /* of the documents, or what they are found by */
   unsigned operations; /* of an iteration */
   unsigned round;
} state;

static void
die (const char *what, const bson_error_t *error)
{
   fprintf (stderr, "odm-raw: %s%s%s\n", what, error ? ": " : "", error ? error->message : "");
   exit (1);
}

/* ---- documents ---- */

/* The text of a file, which the caller frees. */
static char *
read_file (const char *folder, const char *name)
{
   char path[4096], *text;
   (void) snprintf (path, sizeof path, "%s/%s.json", folder, name);
   FILE *file = fopen (path, "rb");
   if (!file || fseek (file, 0, SEEK_END) != 0)
      die (path, NULL);
   size_t size = (size_t) ftell (file);
   rewind (file);
   text = bson_malloc (size + 1);
   if (fread (text, 1, size, file) != size)
      die (path, NULL);
   text[size] = '\0';
   fclose (file);
   return text;
}

static bson_t *
load (const char *folder, const char *name)
{
   bson_error_t error;
   char *text = read_file (folder, name);
   bson_t *doc = bson_new_from_json ((const uint8_t *) text, -1, &error);
   if (!doc)
      die (name, &error);
   bson_free (text);
   return doc;
}

/* Copies a document, or one of an array, and appends a unique_id to each that holds texts. The key
 * of the searched one is given. */
static void
append_parts (bson_t *out, const bson_t *from, const char *searched, bson_oid_t *key)
{
   bson_iter_t at, inner;
   bson_iter_init (&at, from);
   while (bson_iter_next (&at)) {
      const char *name = bson_iter_key (&at);
      bson_t part, copy;
      const uint8_t *bytes;
      uint32_t len;
      if (strstr (name, "_array")) {
         bson_iter_array (&at, &len, &bytes);
         (void) bson_init_static (&part, bytes, len);
         BSON_APPEND_ARRAY_BEGIN (out, name, &copy);
         append_parts (&copy, &part, strstr (searched, "_array") ? "0" : "", key);
         bson_append_array_end (out, &copy);
         continue;
      }
      bson_iter_recurse (&at, &inner);
      BSON_APPEND_DOCUMENT_BEGIN (out, name, &copy);
      bson_iter_document (&at, &len, &bytes);
      (void) bson_init_static (&part, bytes, len);
      bson_concat (&copy, &part);
      if (!strstr (name, "_int_")) {
         bson_oid_t id;
         bson_oid_init (&id, NULL);
         BSON_APPEND_OID (&copy, "unique_id", &id);
         if (!strcmp (name, searched))
            *key = id;
      }
      bson_append_document_end (out, &copy);
   }
}

static void
create_foreign (state *s, bson_oid_t *key)
{
   bson_error_t error;
   bson_oid_init (key, NULL);
   bson_t *doc = BCON_NEW ("_id", BCON_OID (key), "name", "key");
   if (!mongoc_collection_insert_one (s->foreign, doc, NULL, NULL, &error))
      die ("insert", &error);
   bson_destroy (doc);
}

/* Inserts one document of the task; `key` gets what it is found by. */
static void
create_one (state *s, bson_oid_t *key)
{
   bson_t doc = BSON_INITIALIZER;
   bson_error_t error;
   bson_oid_t id;
   bson_oid_init (&id, NULL);
   *key = id;
   BSON_APPEND_OID (&doc, "_id", &id);
   if (bson_has_field (s->data, "embedded_str_doc_1")) {
      char searched[64];
      (void) snprintf (searched, sizeof searched, "%s", s->field);
      searched[strcspn (searched, ".")] = '\0';
      append_parts (&doc, s->data, searched, key);
   } else {
      bson_concat (&doc, s->data);
   }
   if (!strcmp (s->field, "field_fk")) {
      create_foreign (s, key);
      BSON_APPEND_OID (&doc, "field_fk", key);
   }
   if (!mongoc_collection_insert_one (s->documents, &doc, NULL, NULL, &error))
      die ("insert", &error);
   /* What is updated is found by its _id. */
   if (!strstr (s->field, "_id") && strcmp (s->field, "field_fk") != 0)
      *key = id;
   bson_destroy (&doc);
}

/* ---- tasks: the work of one iteration ---- */

static void
create (state *s)
{
   for (unsigned i = 0; i < s->operations; i++)
      create_one (s, &s->keys[i]);
}

static void
update (state *s)
{
   char value[32];
   (void) snprintf (value, sizeof value, "updated_value%u", ++s->round);
   for (unsigned i = 0; i < s->operations; i++) {
      bson_t filter = BSON_INITIALIZER, change = BSON_INITIALIZER, set;
      bson_error_t error;
      BSON_APPEND_OID (&filter, "_id", &s->keys[i]);
      BSON_APPEND_DOCUMENT_BEGIN (&change, "$set", &set);
      BSON_APPEND_UTF8 (&set, s->field, value);
      bson_append_document_end (&change, &set);
      if (!mongoc_collection_update_one (s->documents, &filter, &change, NULL, NULL, &error))
         die ("update", &error);
      bson_destroy (&change);
      bson_destroy (&filter);
   }
}

static void
find (state *s)
{
   bson_t *opts = BCON_NEW ("limit", BCON_INT64 (1), "singleBatch", BCON_BOOL (true));
   for (unsigned i = 0; i < s->operations; i++) {
      bson_t filter = BSON_INITIALIZER;
      const bson_t *doc;
      BSON_APPEND_OID (&filter, s->field, &s->keys[i]);
      mongoc_cursor_t *cursor =
         mongoc_collection_find_with_opts (s->documents, &filter, opts, NULL);
      if (!mongoc_cursor_next (cursor, &doc))
         die ("a document was not found", NULL);
      mongoc_cursor_destroy (cursor);
      bson_destroy (&filter);
   }
   bson_destroy (opts);
}

typedef struct task {
   const char *name, *data, *collection, *field;
   void (*run) (state *s);
} task;

static const task tasks[] = {
   {"small_create", "small_doc", "small", "", create},
   {"small_update", "small_doc", "small", "field1", update},
   {"small_find", "small_doc", "small", "_id", find},
   {"small_find_fk", "small_doc", "small", "field_fk", find},
   {"large_create", "large_doc", "large", "", create},
   {"large_update", "large_doc", "large", "field1", update},
   {"nested_create", "large_doc_nested", "nested", "", create},
   {"nested_update", "large_doc_nested", "nested", "embedded_str_doc_1.field1", update},
   {"nested_find", "large_doc_nested", "nested", "embedded_str_doc_1.unique_id", find},
   {"nested_find_array", "large_doc_nested", "nested", "embedded_str_doc_array.unique_id", find},
};

/* ---- running ---- */

/* The index that the models in modm.lua declare for what is searched. */
static void
make_index (mongoc_database_t *database, const char *collection, const char *field)
{
   bson_error_t error;
   bson_t *command = BCON_NEW ("createIndexes", collection, "indexes", "[", "{", "key", "{", field,
                               BCON_INT32 (1), "}", "name", BCON_UTF8 (field), "}", "]");
   if (!mongoc_database_write_command_with_opts (database, command, NULL, NULL, &error))
      die ("createIndexes", &error);
   bson_destroy (command);
}

static double
wall_clock (void)
{
   struct timespec now;
   clock_gettime (CLOCK_MONOTONIC, &now);
   return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/* Prints the wall time of each iteration. */
static void
measure (state *s, void (*run) (state *s), double seconds)
{
   double total = 0;
   unsigned count = 0;
   if (run != create)
      create (s);
   do {
      double wall = wall_clock ();
      bson_error_t error;
      run (s);
      wall = wall_clock () - wall;
      printf ("%.6f\n", wall);
      total += wall;
      count++;
      if (run == create && !mongoc_collection_drop (s->documents, &error))
         die ("drop", &error);
   } while (total < seconds || (count < ITERATIONS && total < 2 * seconds));
}

static void
run_task (const task *t, mongoc_database_t *database, char **arguments)
{
   state s = {.field = t->field, .operations = (unsigned) strtoul (arguments[0], NULL, 10)};
   s.keys = bson_malloc0 (s.operations * sizeof *s.keys);
   s.data = load (arguments[2], t->data);
   s.documents = mongoc_database_get_collection (database, t->collection);
   s.foreign = mongoc_database_get_collection (database, "key");
   if (t->run == find && strcmp (t->field, "_id") != 0)
      make_index (database, t->collection, t->field);
   measure (&s, t->run, strtod (arguments[1], NULL));
   mongoc_collection_destroy (s.foreign);
   mongoc_collection_destroy (s.documents);
   bson_destroy (s.data);
   bson_free (s.keys);
}

/* odm-raw TASK OPERATIONS SECONDS FOLDER, in the database that MODM_URI names; odm-raw drop. */
int
main (int argc, char **argv)
{
   const char *uri = getenv ("MODM_URI"), *name = argc > 1 ? argv[1] : "";
   bson_error_t error;
   mongoc_init ();
   mongoc_uri_t *parsed = uri ? mongoc_uri_new_with_error (uri, &error) : NULL;
   if (!parsed)
      die ("MODM_URI is not set, or not valid", NULL);
   mongoc_client_t *client = mongoc_client_new_from_uri (parsed);
   mongoc_database_t *database =
      mongoc_client_get_database (client, mongoc_uri_get_database (parsed));
   if (argc == 2 && !strcmp (name, "drop") && !mongoc_database_drop (database, &error))
      die ("drop", &error);
   for (size_t i = 0; argc == 5 && i < sizeof tasks / sizeof *tasks; i++) {
      if (!strcmp (tasks[i].name, name))
         run_task (&tasks[i], database, argv + 2);
   }
   mongoc_database_destroy (database);
   mongoc_client_destroy (client);
   mongoc_uri_destroy (parsed);
   mongoc_cleanup ();
   return 0;
}
