/* Statements of updates and deletes: taken out of an operation, and put together into a larger one.
 */
#include "query/query_private.h"

/* core.statement(op) -> the first statement of an update or delete, in bytes. */
int
modm_statement_l_statement (lua_State *L)
{
   const modm_op *op = modm_op_check (L, 1);
   modm_element list, statement;
   modm_reader r;
   bool found = modm_reader_find (op->body.data, op->body.len, "updates", 7, &list) ||
                modm_reader_find (op->body.data, op->body.len, "deletes", 7, &list);
   if (!found || !modm_reader_init (&r, list.value, list.size) ||
       !modm_reader_next (&r, &statement))
      return luaL_error (L, "the operation is no update or delete");
   lua_pushlstring (L, (const char *) statement.value, statement.size);
   return 1;
}

/* core.statements(client, database, collection, "update" or "delete", statements, ordered, options)
 * -> op | nil, message. */
int
modm_statement_l_statements (lua_State *L)
{
   modm_error err;
   const char *command = luaL_checkstring (L, 4);
   bool update = strcmp (command, "update") == 0;
   luaL_checktype (L, 5, LUA_TTABLE);
   lua_settop (L, 7);
   modm_op *op = modm_query_op (L, MODM_OP_COMMAND_WRITE);
   modm_buffer *b = &op->body;
   size_t n = lua_rawlen (L, 5), start = modm_write_begin (b);
   modm_write_string (b, command, op->collection, strlen (op->collection));
   modm_write_key (b, MODM_BSON_ARRAY, update ? "updates" : "deletes", 7);
   size_t list = modm_write_begin (b);
   for (uint32_t i = 0; i < n; i++) {
      size_t len;
      lua_rawgeti (L, 5, (int) i + 1);
      const uint8_t *bytes = modm_query_bytes (L, -1, &len);
      modm_write_index_key (b, MODM_BSON_DOCUMENT, i);
      modm_buffer_write (b, bytes, len);
      lua_pop (L, 1);
   }
   modm_write_end (b, list);
   modm_write_bool (b, "ordered", lua_toboolean (L, 6));
   modm_write_end (b, start);
   if (b->failed)
      return luaL_error (L, "not enough memory");
   return modm_query_options (L, 7, &op->options, &err) ? 1 : modm_query_fail (L, &err);
}
