/* Keys to and from the server: as a filter, as what a find brought, as the documents of a model. */
#include "relation/relation_private.h"

/* The most bytes of keys that one command carries, each counted with what it costs besides. */
enum { MOST_BYTES = 4 * 1024 * 1024, COST = 9 };

/* core.keys_slice(set, from) -> to: how far one command can go. At least one key, unless there is
 * none. */
static int
l_slice (lua_State *L)
{
   const modm_keys *k = modm_keys_check (L, 1);
   uint32_t from = (uint32_t) luaL_checkinteger (L, 2), to = from;
   lua_Integer most = luaL_checkinteger (L, 3);
   size_t bytes = 0;
   modm_element e;
   for (; to < modm_keys_count (k) && (lua_Integer) (to - from) < most && bytes < MOST_BYTES;
        to++) {
      modm_keys_get (k, to, &e);
      bytes += e.size + COST;
   }
   lua_pushinteger (L, (lua_Integer) to);
   return 1;
}

static void
append_in (modm_buffer *b, const modm_keys *k, uint32_t from, uint32_t to)
{
   modm_element e;
   modm_write_key (b, MODM_BSON_ARRAY, "$in", 3);
   size_t list = modm_write_begin (b);
   for (uint32_t i = from; i < to; i++) {
      modm_keys_get (k, i, &e);
      modm_write_index_key (b, e.type, i - from);
      modm_buffer_write (b, e.value, e.size);
   }
   modm_write_end (b, list);
}

/* core.keys_filter(set, from, to, path) -> bytes: {path: {$in: keys}}. The path is a flat list of
 * names (dotted) and depths: how many lists deep the value lies. A list is looked into by
 * $elemMatch, which also reaches through lists of lists: {"comments", 1, "author", 0} gives
 * {comments: {$elemMatch: {author: {$in: keys}}}}. */
static int
l_filter (lua_State *L)
{
   enum { DEPTH = MODM_MAX_DEPTH };
   size_t open[2 * DEPTH], n = 0, len;
   const modm_keys *k = modm_keys_check (L, 1);
   uint32_t from = (uint32_t) luaL_checkinteger (L, 2), to = (uint32_t) luaL_checkinteger (L, 3);
   luaL_checktype (L, 4, LUA_TTABLE);
   luaL_argcheck (L, from <= to && to <= modm_keys_count (k), 3, "no such keys");
   modm_buffer *b = modm_buffer_push (L);
   open[n++] = modm_write_begin (b);
   for (int i = 1; lua_rawgeti (L, 4, i) == LUA_TSTRING; i += 2) {
      const char *name = lua_tolstring (L, -1, &len);
      modm_write_key (b, MODM_BSON_DOCUMENT, name, len);
      lua_rawgeti (L, 4, i + 1);
      lua_Integer depth = lua_tointeger (L, -1);
      lua_pop (L, 2);
      luaL_argcheck (L, depth >= 0 && n + (size_t) depth + 2 < 2 * DEPTH, 4, "too deep a path");
      open[n++] = modm_write_begin (b);
      while (depth-- > 0) {
         modm_write_key (b, MODM_BSON_DOCUMENT, "$elemMatch", 10);
         open[n++] = modm_write_begin (b);
      }
   }
   append_in (b, k, from, to);
   while (n > 0)
      modm_write_end (b, open[--n]);
   if (b->failed)
      return luaL_error (L, "not enough memory");
   lua_pushlstring (L, (const char *) b->data, b->len);
   modm_buffer_free (b);
   return 1;
}

/* core.keys_take(set, op) -> done: adds the keys of the documents that were fetched. */
static int
l_take (lua_State *L)
{
   modm_keys *k = modm_keys_check (L, 1);
   modm_op *op = modm_op_check (L, 2);
   const uint8_t *document;
   size_t len;
   modm_element e;
   while (modm_op_document (op, &document, &len))
      if (modm_reader_find (document, len, "_id", 3, &e))
         modm_keys_add (L, k, &e);
   lua_pushboolean (L, modm_op_done (op));
   return 1;
}

/* core.keys_found(set, op, schema, found) -> done: puts the documents that were fetched into the
 * table, each at the index of its key plus 1. Raises for one that cannot be read. */
static int
l_found (lua_State *L)
{
   const modm_keys *k = modm_keys_check (L, 1);
   modm_op *op = modm_op_check (L, 2);
   const modm_schema *s = modm_schema_check (L, 3);
   const uint8_t *document;
   size_t len;
   modm_element e;
   luaL_checktype (L, 4, LUA_TTABLE);
   while (modm_op_document (op, &document, &len)) {
      uint32_t index =
         modm_reader_find (document, len, "_id", 3, &e) ? modm_keys_find (k, &e) : MODM_NO_KEY;
      if (index == MODM_NO_KEY)
         continue;
      modm_document_load (L, s, 0, document, len, NULL)->flags |= MODM_DOC_LOADED;
      lua_rawseti (L, 4, (int) index + 1);
   }
   lua_pushboolean (L, modm_op_done (op));
   return 1;
}

const luaL_Reg modm_keys_server_functions[] = {{"keys_slice", l_slice},
                                               {"keys_filter", l_filter},
                                               {"keys_take", l_take},
                                               {"keys_found", l_found},
                                               {NULL, NULL}};
