/* The values that a distinct command brought, as the field that they are of reads them. */
#include "query/query_private.h"

/* Pushes a value; null where there is nothing to say, so that a list of them has no holes. */
static void
push_read (lua_State *L, const modm_field *f, const modm_element *e)
{
   if (f && e->type != MODM_BSON_NULL)
      f->kind->push (L, f, e);
   else
      modm_push_value (L, e);
   if (lua_isnil (L, -1)) {
      lua_pop (L, 1);
      lua_pushlightuserdata (L, NULL);
   }
}

/* core.distinct_values(op, schema, name) -> list. The server gives the items of lists, not lists.
 */
int
modm_distinct_l_values (lua_State *L)
{
   modm_error err;
   modm_element list, e;
   modm_reader r;
   const modm_op *op = modm_op_check (L, 1);
   modm_path p = {.schema = modm_schema_check (L, 2)};
   luaL_checktype (L, 3, LUA_TSTRING);
   lua_settop (L, 3);
   if (!modm_path_resolve (L, 3, &p, &err))
      return luaL_error (L, "%s", err.message);
   const modm_field *f = p.field && p.field->kind->role == MODM_LIST ? p.field->inner : p.field;
   lua_newtable (L);
   if (!op->reply.len || !modm_reader_find (op->reply.data, op->reply.len, "values", 6, &list) ||
       !modm_reader_init (&r, list.value, list.size))
      return 1;
   for (int n = 1; modm_reader_next (&r, &e); n++) {
      push_read (L, f, &e);
      lua_rawseti (L, 4, n);
   }
   return 1;
}
