/* Change streams: the conditions of a queryset put to changes, and changes as Lua sees them. */
#include "query/query_private.h"

#include <stdio.h>

static const char *const logical[] = {"$and", "$or", "$nor"};

static bool
is_logical (const char *key)
{
   for (size_t i = 0; i < sizeof logical / sizeof *logical; i++)
      if (strcmp (key, logical[i]) == 0)
         return true;
   return false;
}

static bool append_under (modm_buffer *b, const char *prefix, const uint8_t *filter, size_t len,
                          modm_error *err);

/* The filters of an $and, $or or $nor. */
static bool
append_list (modm_buffer *b, const char *prefix, const modm_element *e, modm_error *err)
{
   modm_reader r;
   modm_element item;
   if (!modm_reader_init (&r, e->value, e->size))
      return modm_error_set (err, "%s takes a list of filters", e->key);
   size_t start = modm_write_begin (b);
   while (modm_reader_next (&r, &item)) {
      modm_write_key (b, item.type, item.key, item.key_len);
      if (!append_under (b, prefix, item.value, item.size, err))
         return false;
   }
   modm_write_end (b, start);
   return true;
}

/* A filter of documents as one of what a change has under `prefix`. */
static bool
append_under (modm_buffer *b, const char *prefix, const uint8_t *filter, size_t len,
              modm_error *err)
{
   modm_reader r;
   modm_element e;
   if (!modm_reader_init (&r, filter, len))
      return modm_error_set (err, "a filter expected");
   size_t start = modm_write_begin (b);
   while (modm_reader_next (&r, &e)) {
      char key[MODM_PATH_MAX + 32];
      if (is_logical (e.key)) {
         modm_write_key (b, e.type, e.key, e.key_len);
         if (!append_list (b, prefix, &e, err))
            return false;
         continue;
      }
      if (e.key[0] == '$')
         return modm_error_set (err, "%s cannot be watched for", e.key);
      int n = snprintf (key, sizeof key, "%s.%s", prefix, e.key);
      if (n < 0 || (size_t) n >= sizeof key)
         return modm_error_set (err, "a path of %u bytes is too long", e.key_len);
      modm_write_key (b, e.type, key, (size_t) n);
      modm_buffer_write (b, e.value, e.size);
   }
   modm_write_end (b, start);
   return true;
}

static void
append_text (modm_buffer *b, const char *key, const char *text)
{
   modm_write_string (b, key, text, strlen (text));
}

static void
append_null (modm_buffer *b, const char *key)
{
   modm_write_key (b, MODM_BSON_NULL, key, strlen (key));
}

/* Begins item n of a list of documents. */
static size_t
begin_item (modm_buffer *b, uint32_t n)
{
   modm_write_index_key (b, MODM_BSON_DOCUMENT, n);
   return modm_write_begin (b);
}

static size_t
begin_list (modm_buffer *b, const char *key)
{
   modm_write_key (b, MODM_BSON_ARRAY, key, strlen (key));
   return modm_write_begin (b);
}

/* {operationType: "delete", $or: [{fullDocumentBeforeChange: null}, filter]}: what was deleted is
 * known only where the server keeps images of before. */
static bool
append_deletions (modm_buffer *b, const uint8_t *filter, size_t len, modm_error *err)
{
   append_text (b, "operationType", "delete");
   size_t list = begin_list (b, "$or");
   size_t item = begin_item (b, 0);
   append_null (b, "fullDocumentBeforeChange");
   modm_write_end (b, item);
   modm_write_index_key (b, MODM_BSON_DOCUMENT, 1);
   bool ok = append_under (b, "fullDocumentBeforeChange", filter, len, err);
   modm_write_end (b, list);
   return ok;
}

/* {operationType: {$nin: [those of documents]}}: what happens to the whole collection. */
static void
append_others (modm_buffer *b)
{
   static const char *const kinds[] = {"insert", "update", "replace", "delete"};
   modm_write_key (b, MODM_BSON_DOCUMENT, "operationType", 13);
   size_t start = modm_write_begin (b), list = begin_list (b, "$nin");
   for (uint32_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
      modm_write_index_key (b, MODM_BSON_STRING, i);
      modm_write_text (b, kinds[i], strlen (kinds[i]));
   }
   modm_write_end (b, list);
   modm_write_end (b, start);
}

/* The changes of documents that the filter finds, and those of which nobody can say. */
static bool
append_match (modm_buffer *b, const uint8_t *filter, size_t len, modm_error *err)
{
   size_t list = begin_list (b, "$or"), item = begin_item (b, 0);
   append_others (b);
   modm_write_end (b, item);
   item = begin_item (b, 1);
   bool ok = append_deletions (b, filter, len, err);
   modm_write_end (b, item);
   item = begin_item (b, 2);
   append_text (b, "operationType", "update");
   append_null (b, "fullDocument");
   modm_write_end (b, item);
   modm_write_index_key (b, MODM_BSON_DOCUMENT, 3);
   ok = ok && append_under (b, "fullDocument", filter, len, err);
   modm_write_end (b, list);
   return ok;
}

/* core.watch_match(filter) -> bytes, for a $match of changes | nil, message */
int
modm_watch_l_match (lua_State *L)
{
   size_t len;
   modm_error err = {0};
   const uint8_t *filter = modm_query_bytes (L, 1, &len);
   modm_buffer *b = modm_buffer_push (L);
   size_t start = modm_write_begin (b);
   if (!append_match (b, filter, len, &err))
      return modm_query_fail (L, &err);
   modm_write_end (b, start);
   if (b->failed)
      return luaL_error (L, "not enough memory");
   lua_pushlstring (L, (const char *) b->data, b->len);
   return 1;
}

/* core.change(op, schema) -> the change that was fetched, its documents as the schema's | nil */
int
modm_watch_l_change (lua_State *L)
{
   modm_op *op = modm_op_check (L, 1);
   const modm_schema *s = modm_schema_check (L, 2);
   const uint8_t *change;
   size_t len;
   modm_reader r;
   modm_element e;
   lua_settop (L, 2);
   if (!modm_op_document (op, &change, &len) || !modm_reader_init (&r, change, len))
      return 0;
   modm_schema_push_metatable (L, s);
   lua_createtable (L, 0, 8);
   while (modm_reader_next (&r, &e)) {
      bool document =
         strcmp (e.key, "fullDocument") == 0 || strcmp (e.key, "fullDocumentBeforeChange") == 0;
      if (document && e.type == MODM_BSON_DOCUMENT)
         modm_document_load (L, s, 3, e.value, e.size, NULL)->flags |= MODM_DOC_LOADED;
      else if (document)
         continue;
      else
         modm_push_value (L, &e);
      lua_setfield (L, 4, e.key);
   }
   return 1;
}
