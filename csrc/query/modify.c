/* findAndModify: one document is changed, replaced or deleted, and comes back. */
#include "query/query_private.h"

/* core.find_and_modify(client, database, collection, filter, update or nil, members, options) -> op
 * | nil, message. Without an update the document is deleted. Members are the command's: sort,
 * fields, new, upsert, ... */
int
modm_modify_l_modify (lua_State *L)
{
   size_t len;
   modm_error err;
   lua_settop (L, 7);
   modm_op *op = modm_query_op (L, MODM_OP_COMMAND_WRITE);
   modm_buffer *b = &op->body;
   const uint8_t *filter = modm_query_bytes (L, 4, &len);
   size_t start = modm_write_begin (b);
   modm_write_string (b, "findAndModify", op->collection, strlen (op->collection));
   modm_write_document (b, "query", filter, len);
   if (lua_isnil (L, 5))
      modm_write_bool (b, "remove", true);
   else if (!modm_write_update (L, 5, "update", false, b, &err))
      return modm_query_fail (L, &err);
   if (!modm_write_members (L, 6, b, &err) || !modm_query_options (L, 7, &op->options, &err))
      return modm_query_fail (L, &err);
   modm_write_end (b, start);
   return modm_query_size (op, &err) ? 1 : modm_query_fail (L, &err);
}

/* What the reply of the command says under lastErrorObject.updatedExisting. */
static bool
was_there (const modm_op *op)
{
   modm_element e, existing;
   return modm_reader_find (op->reply.data, op->reply.len, "lastErrorObject", 15, &e) &&
          e.type == MODM_BSON_DOCUMENT &&
          modm_reader_find (e.value, e.size, "updatedExisting", 15, &existing) &&
          existing.type == MODM_BSON_BOOL && existing.value[0];
}

/* core.modified(op, schema or nil, projection or nil) -> the document, of the schema or a table, or
 * nil when there was none; whether it was there before. Raises for one that cannot be read. */
int
modm_modify_l_modified (lua_State *L)
{
   const modm_op *op = modm_op_check (L, 1);
   const modm_schema *s = lua_isnoneornil (L, 2) ? NULL : modm_schema_check (L, 2);
   modm_mask mask = {false, NULL, 0};
   modm_element e;
   lua_settop (L, 3);
   if (!lua_isnil (L, 3)) {
      mask.spec = modm_query_bytes (L, 3, &mask.len);
      mask.include = modm_find_includes (mask.spec, mask.len);
   }
   if (!op->reply.len || !modm_reader_find (op->reply.data, op->reply.len, "value", 5, &e) ||
       e.type != MODM_BSON_DOCUMENT)
      lua_pushnil (L);
   else if (s)
      modm_document_load (L, s, 0, e.value, e.size, mask.spec ? &mask : NULL)->flags |=
         MODM_DOC_LOADED;
   else
      modm_query_push_row (L, e.value, e.size);
   lua_pushboolean (L, op->reply.len && was_there (op));
   return 2;
}
