/* Constructors of operations for simple use: from tables of Lua, without a schema. */
#include "driver/driver_private.h"

void
modm_op_fill (lua_State *L, int idx, modm_buffer *b)
{
   modm_error err;
   modm_reader r;
   if (lua_isnoneornil (L, idx))
      return;
   if (lua_type (L, idx) == LUA_TSTRING) {
      size_t len;
      const char *bytes = lua_tolstring (L, idx, &len);
      modm_buffer_write (b, bytes, len);
      if (!b->failed && !modm_reader_init (&r, b->data, b->len))
         luaL_argerror (L, idx, "the string is no BSON document");
   } else {
      luaL_checktype (L, idx, LUA_TTABLE);
      if (!modm_append_document (L, idx, b, 0, &err)) {
         modm_error_push (L, &err);
         luaL_argerror (L, idx, lua_tostring (L, -1));
      }
   }
   if (b->failed)
      luaL_error (L, "not enough memory");
}

/* core.command(client, "read" | "write", database, command, options, read_preference) -> op */
static int
l_command (lua_State *L)
{
   static const char *const kinds[] = {"read", "write", NULL};
   lua_settop (L, 6);
   int kind = luaL_checkoption (L, 2, NULL, kinds);
   modm_op *op = modm_op_push (L, 1, kind == 0 ? MODM_OP_COMMAND_READ : MODM_OP_COMMAND_WRITE,
                               luaL_optstring (L, 3, NULL), NULL);
   modm_op_fill (L, 4, &op->body);
   modm_op_fill (L, 5, &op->options);
   modm_op_fill (L, 6, &op->read_preference);
   return 1;
}

/* A cursor over what argument 4 says: (client, database, collection, filter, options,
 * read_preference) */
static int
l_find (lua_State *L)
{
   lua_settop (L, 6);
   luaL_checkany (L, 4);
   modm_op *op =
      modm_op_push (L, 1, MODM_OP_FIND, luaL_optstring (L, 2, NULL), luaL_checkstring (L, 3));
   modm_op_fill (L, 4, &op->body);
   modm_op_fill (L, 5, &op->options);
   modm_op_fill (L, 6, &op->read_preference);
   return 1;
}

/* The same with a pipeline, a list, as argument 4. */
static int
l_aggregate (lua_State *L)
{
   modm_error err;
   lua_settop (L, 6);
   luaL_checktype (L, 4, LUA_TTABLE);
   modm_op *op =
      modm_op_push (L, 1, MODM_OP_AGGREGATE, luaL_optstring (L, 2, NULL), luaL_checkstring (L, 3));
   size_t start = modm_write_begin (&op->body);
   modm_write_key (&op->body, MODM_BSON_ARRAY, "pipeline", 8);
   if (!modm_append_array (L, 4, &op->body, 1, &err)) {
      modm_error_push (L, &err);
      luaL_argerror (L, 4, lua_tostring (L, -1));
   }
   modm_write_end (&op->body, start);
   modm_op_fill (L, 5, &op->options);
   modm_op_fill (L, 6, &op->read_preference);
   return 1;
}

/* A cursor over a collection's indexes: core.indexes(client, database, collection) */
static int
l_indexes (lua_State *L)
{
   modm_op_push (L, 1, MODM_OP_INDEXES, luaL_optstring (L, 2, NULL), luaL_checkstring (L, 3));
   return 1;
}

/* core.insert(client, database, collection, list, options) -> op */
static int
l_insert (lua_State *L)
{
   lua_settop (L, 5);
   luaL_checktype (L, 4, LUA_TTABLE);
   modm_op *op =
      modm_op_push (L, 1, MODM_OP_INSERT, luaL_optstring (L, 2, NULL), luaL_checkstring (L, 3));
   modm_op_fill (L, 5, &op->options);
   modm_buffer *one = modm_buffer_push (L); /* the limit of size holds for each document */
   int n = (int) lua_rawlen (L, 4);
   for (int i = 1; i <= n; i++) {
      modm_error err;
      lua_rawgeti (L, 4, i);
      modm_buffer_reset (one);
      if (!lua_istable (L, -1) || !modm_append_document (L, lua_gettop (L), one, 0, &err))
         return luaL_argerror (L, 4,
                               lua_istable (L, -1) ? err.message : "a list of documents expected");
      if (one->failed)
         return luaL_error (L, "not enough memory");
      modm_buffer_write (&op->body, one->data, one->len);
      lua_pop (L, 1);
   }
   if (op->body.failed)
      return luaL_error (L, "not enough memory");
   lua_pop (L, 1);
   return 1;
}

void
modm_simple_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"command", l_command},     {"find", l_find},
                                        {"aggregate", l_aggregate}, {"indexes", l_indexes},
                                        {"insert", l_insert},       {NULL, NULL}};
   modm_register (L, functions);
}
