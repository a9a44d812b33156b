/* The operations that change what a queryset finds: update and delete commands. */
#include "query/query_private.h"

bool
modm_write_members (lua_State *L, int idx, modm_buffer *b, modm_error *err)
{
   size_t start = b->len;
   if (!modm_query_options (L, idx, b, err))
      return false;
   if (!b->failed && b->len > start) { /* without the frame */
      memmove (b->data + start, b->data + start + 4, b->len - start - 5);
      b->len -= 5;
   }
   return true;
}

bool
modm_write_update (lua_State *L, int idx, const char *key, bool javascript, modm_buffer *b,
                   modm_error *err)
{
   if (lua_type (L, idx) == LUA_TSTRING) {
      size_t len;
      const uint8_t *bytes = modm_query_bytes (L, idx, &len);
      modm_write_document (b, key, bytes, len);
      return true;
   }
   bool pipeline = lua_rawgeti (L, idx, 1) != LUA_TNIL;
   lua_pop (L, 1);
   modm_write_key (b, pipeline ? MODM_BSON_ARRAY : MODM_BSON_DOCUMENT, key, strlen (key));
   size_t start = b->len;
   bool ok =
      pipeline ? modm_append_array (L, idx, b, 1, err) : modm_append_document (L, idx, b, 1, err);
   return ok && (javascript || modm_javascript_refuse_document (b, start, err));
}

static bool
is_key (const modm_element *id)
{
   modm_element first;
   modm_reader r;
   if (id->type != MODM_BSON_DOCUMENT)
      return id->type != MODM_BSON_REGEX;
   return modm_reader_init (&r, id->value, id->size) && modm_reader_next (&r, &first) &&
          first.key[0] != '$';
}

/* Whether a filter finds one document at most: by the key itself, be it one of several conditions
 * that must all hold. */
static bool
finds_one (const uint8_t *filter, size_t len)
{
   modm_element e, part;
   modm_reader r;
   if (modm_reader_find (filter, len, "_id", 3, &e))
      return is_key (&e);
   if (!modm_reader_find (filter, len, "$and", 4, &e) || !modm_reader_init (&r, e.value, e.size))
      return false;
   while (modm_reader_next (&r, &part))
      if (finds_one (part.value, part.size))
         return true;
   return false;
}

/* Has a statement of many documents be one of a single document where it finds no other: drivers
 * send only those again after a fault. Another collation may find several keys. */
static void
narrow (modm_buffer *b, size_t statement, const uint8_t *filter, size_t len)
{
   modm_element e;
   if (b->failed || !finds_one (filter, len) ||
       modm_reader_find (b->data + statement, b->len - statement, "collation", 9, &e))
      return;
   if (modm_reader_find (b->data + statement, b->len - statement, "multi", 5, &e))
      b->data[e.value - b->data] = false;
   if (modm_reader_find (b->data + statement, b->len - statement, "limit", 5, &e))
      b->data[e.value - b->data] = 1;
}

/* A command with one statement: {update: collection, updates: [{q, ...}], ordered: true}. `update`
 * is the index of the update, or 0 to delete; the statement's options are at `options`. */
static bool
append_command (lua_State *L, modm_op *op, int update, int options, bool javascript,
                modm_error *err)
{
   size_t len;
   modm_buffer *b = &op->body;
   const uint8_t *filter = modm_query_bytes (L, 4, &len);
   size_t start = modm_write_begin (b);
   modm_write_string (b, update ? "update" : "delete", op->collection, strlen (op->collection));
   modm_write_key (b, MODM_BSON_ARRAY, update ? "updates" : "deletes", 7);
   size_t list = modm_write_begin (b);
   modm_write_index_key (b, MODM_BSON_DOCUMENT, 0);
   size_t statement = modm_write_begin (b);
   modm_write_document (b, "q", filter, len);
   if (!update)
      modm_write_int (b, "limit", 0);
   else if (!modm_write_update (L, update, "u", javascript, b, err))
      return false;
   size_t members = b->len;
   if (!modm_write_members (L, options, b, err) ||
       !(javascript || modm_javascript_refuse (b, members, b->len, err)))
      return false;
   modm_write_end (b, statement);
   narrow (b, statement, filter, len);
   modm_write_end (b, list);
   modm_write_bool (b, "ordered", true);
   modm_write_end (b, start);
   return true;
}

/* core.update(client, database, collection, filter, update, statement's options, options,
 * javascript) -> op | nil, message. The update is a table in the server's words, or bytes. */
int
modm_write_l_update (lua_State *L)
{
   modm_error err;
   luaL_checkany (L, 5);
   lua_settop (L, 8);
   bool javascript = lua_toboolean (L, 8);
   modm_op *op = modm_query_op (L, MODM_OP_COMMAND_WRITE);
   if (!append_command (L, op, 5, 6, javascript, &err) ||
       !modm_query_options (L, 7, &op->options, &err) ||
       !(javascript || modm_javascript_refuse_document (&op->options, 0, &err)) ||
       !modm_query_size (op, &err))
      return modm_query_fail (L, &err);
   return 1;
}

/* core.delete(client, database, collection, filter, statement's options, options) -> op | nil,
 * message */
int
modm_write_l_delete (lua_State *L)
{
   modm_error err;
   lua_settop (L, 6);
   modm_op *op = modm_query_op (L, MODM_OP_COMMAND_WRITE);
   if (!append_command (L, op, 0, 5, false, &err) ||
       !modm_query_options (L, 6, &op->options, &err) || !modm_query_size (op, &err))
      return modm_query_fail (L, &err);
   return 1;
}

/* core.write_result(op) -> documents found (n), documents modified (nModified) */
int
modm_write_l_result (lua_State *L)
{
   const modm_op *op = modm_op_check (L, 1);
   lua_pushinteger (L, (lua_Integer) modm_query_reply_int (op, "n"));
   lua_pushinteger (L, (lua_Integer) modm_query_reply_int (op, "nModified"));
   return 2;
}
