/* The operations that read, and handing out what they fetched. */
#include "query/query_private.h"

/* core.query_find(client, database, collection, filter, options, read_preference) -> op | nil,
 * message. The filter is bytes; options (sort, skip, limit, projection, ...) and read preference
 * are tables or nil. */
int
modm_find_l_find (lua_State *L)
{
   size_t len;
   modm_error err;
   lua_settop (L, 6);
   const uint8_t *filter = modm_query_bytes (L, 4, &len);
   modm_op *op = modm_query_op (L, MODM_OP_FIND);
   modm_buffer_write (&op->body, filter, len);
   if (!modm_query_options (L, 5, &op->options, &err) ||
       !modm_query_options (L, 6, &op->read_preference, &err) || !modm_query_size (op, &err))
      return modm_query_fail (L, &err);
   return 1;
}

/* A limit beside the options that were written, or alone. */
static void
append_limit (modm_buffer *b, int64_t limit)
{
   if (b->len)
      b->len--; /* they go on */
   else
      (void) modm_write_begin (b);
   modm_write_int (b, "limit", limit);
   modm_write_end (b, 0);
}

/* core.queryset_find(client, database, collection, schema, conditions, limit, options,
 * read_preference) -> op | nil, message: the same for the conditions of a queryset, a list of
 * bytes, with the class filter. The limit may be nil. */
int
modm_find_l_queryset (lua_State *L)
{
   modm_error err;
   lua_settop (L, 8);
   const modm_schema *s = modm_schema_check (L, 4);
   luaL_checktype (L, 5, LUA_TTABLE);
   int64_t limit = 0;
   modm_op *op = modm_query_op (L, MODM_OP_FIND);
   modm_query_join (L, 5, s, &op->body);
   bool limited = !lua_isnil (L, 6);
   if (limited && !modm_int64_test (L, 6, &limit)) {
      modm_error_set (&err, "the limit is no whole number of 64 bits");
      return modm_query_fail (L, &err);
   }
   if (!modm_query_options (L, 7, &op->options, &err))
      return modm_query_fail (L, &err);
   if (limited)
      append_limit (&op->options, limit);
   if (!modm_query_options (L, 8, &op->read_preference, &err) || !modm_query_size (op, &err))
      return modm_query_fail (L, &err);
   return 1;
}

/* The stages at argument 5 as the array of a pipeline, after a $match of the filter at 4 (nil:
 * none), which is compiled already. */
static bool
append_pipeline (lua_State *L, bool javascript, modm_buffer *b, modm_error *err)
{
   uint32_t at = 0;
   size_t len, n = lua_rawlen (L, 5);
   modm_write_key (b, MODM_BSON_ARRAY, "pipeline", 8);
   size_t start = modm_write_begin (b);
   if (!lua_isnil (L, 4)) {
      const uint8_t *filter = modm_query_bytes (L, 4, &len);
      modm_write_index_key (b, MODM_BSON_DOCUMENT, at++);
      size_t stage = modm_write_begin (b);
      modm_write_document (b, "$match", filter, len);
      modm_write_end (b, stage);
   }
   for (uint32_t i = 1; i <= n; i++) {
      modm_write_index_key (b, MODM_BSON_DOCUMENT, at++);
      lua_rawgeti (L, 5, (int) i);
      size_t stage = b->len;
      bool ok = modm_append_document (L, lua_gettop (L), b, 2, err) &&
                (javascript || modm_javascript_refuse_document (b, stage, err));
      lua_pop (L, 1);
      if (!ok)
         return modm_error_at_index (err, i);
   }
   modm_write_end (b, start);
   return true;
}

static int
pipeline_op (lua_State *L, modm_op_kind kind)
{
   modm_error err;
   luaL_checktype (L, 5, LUA_TTABLE);
   lua_settop (L, 8);
   bool javascript = lua_toboolean (L, 8);
   modm_op *op = modm_query_op (L, kind);
   size_t start = modm_write_begin (&op->body);
   if (!append_pipeline (L, javascript, &op->body, &err) ||
       !modm_query_options (L, 6, &op->options, &err) ||
       !(javascript || modm_javascript_refuse_document (&op->options, 0, &err)) ||
       !modm_query_options (L, 7, &op->read_preference, &err) || !modm_query_size (op, &err))
      return modm_query_fail (L, &err);
   modm_write_end (&op->body, start);
   return 1;
}

/* core.query_aggregate(client, database, collection, filter or nil, stages, options,
 * read_preference, javascript) -> op | nil, message */
int
modm_find_l_aggregate (lua_State *L)
{
   return pipeline_op (L, MODM_OP_AGGREGATE);
}

/* core.query_watch: the same for a change stream; the filter is one of changes. */
int
modm_find_l_watch (lua_State *L)
{
   return pipeline_op (L, MODM_OP_WATCH);
}

/* ---- what a projection left out ---- */

/* Whether an element of a projection makes it one of what is in (1) or of what is out (0); -1:
 * neither. */
static int
direction (const modm_element *e)
{
   modm_reader r;
   modm_element first;
   if (e->type == MODM_BSON_DOCUMENT && modm_reader_init (&r, e->value, e->size) &&
       modm_reader_next (&r, &first))
      return strcmp (first.key, "$slice") == 0 || strcmp (first.key, "$meta") == 0 ? -1 : 1;
   for (uint32_t i = 0; i < e->size; i++)
      if (e->value[i])
         return 1; /* a number or boolean that is not 0, or a computed value */
   return 0;
}

bool
modm_find_includes (const uint8_t *spec, size_t len)
{
   modm_reader r;
   modm_element e;
   int id = 0;
   if (!modm_reader_init (&r, spec, len))
      return false;
   while (modm_reader_next (&r, &e)) {
      int found = direction (&e);
      if (strcmp (e.key, "_id") == 0)
         id = found;
      else if (found >= 0)
         return found != 0;
   }
   return id == 1;
}

/* ---- documents ---- */

/* core.batch(op, schema or nil, projection or nil, into, n, most, bytes) -> n, done. Adds what was
 * fetched to the n documents in `into`, until it holds `most` or has grown by more than `bytes`
 * bytes: documents of the schema, or tables without one. Not done and none added: the operation has
 * to be run. A document that cannot be read raises, and those before it are in the table. */
int
modm_find_l_batch (lua_State *L)
{
   modm_op *op = modm_op_check (L, 1);
   const modm_schema *s = lua_isnil (L, 2) ? NULL : modm_schema_check (L, 2);
   modm_mask mask = {false, NULL, 0};
   luaL_checktype (L, 4, LUA_TTABLE);
   lua_Integer n = luaL_checkinteger (L, 5), most = luaL_checkinteger (L, 6);
   lua_Integer left = luaL_checkinteger (L, 7);
   lua_settop (L, 4);
   if (s && !lua_isnil (L, 3)) {
      mask.spec = modm_query_bytes (L, 3, &mask.len);
      mask.include = modm_find_includes (mask.spec, mask.len);
   }
   const uint8_t *document;
   size_t len;
   if (s)
      modm_schema_push_metatable (L, s);
   while (n < most && left > 0 && modm_op_document (op, &document, &len)) {
      if (s)
         modm_document_load (L, s, 5, document, len, mask.spec ? &mask : NULL)->flags |=
            MODM_DOC_LOADED;
      else
         modm_query_push_row (L, document, len);
      lua_rawseti (L, 4, (int) ++n);
      left -= (lua_Integer) len;
   }
   lua_pushinteger (L, n);
   lua_pushboolean (L, modm_op_done (op));
   return 2;
}

/* core.ids(op, most) -> a filter, in bytes, for the documents that were fetched, by their keys |
 * nil, done */
int
modm_find_l_ids (lua_State *L)
{
   modm_op *op = modm_op_check (L, 1);
   lua_Integer most = luaL_checkinteger (L, 2);
   const uint8_t *document;
   size_t len;
   uint32_t n = 0;
   modm_buffer *b = modm_buffer_push (L);
   size_t start = modm_write_begin (b);
   modm_write_key (b, MODM_BSON_DOCUMENT, "_id", 3);
   size_t in = modm_write_begin (b);
   modm_write_key (b, MODM_BSON_ARRAY, "$in", 3);
   size_t list = modm_write_begin (b);
   while ((lua_Integer) n < most && modm_op_document (op, &document, &len)) {
      modm_element e;
      if (!modm_reader_find (document, len, "_id", 3, &e))
         continue;
      modm_write_index_key (b, e.type, n++);
      modm_buffer_write (b, e.value, e.size);
   }
   modm_write_end (b, list);
   modm_write_end (b, in);
   modm_write_end (b, start);
   if (b->failed)
      return luaL_error (L, "not enough memory");
   if (n == 0) {
      lua_pushnil (L);
      lua_pushboolean (L, modm_op_done (op));
      return 2;
   }
   lua_pushlstring (L, (const char *) b->data, b->len);
   return 1;
}
