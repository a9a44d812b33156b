/* What is done to each document of a list, in one call: looking at what it is, validating, keys. */
#include "document/document_private.h"

/* Puts into the set at `metas` what Lua knows of the document's model. */
static void
note_meta (lua_State *L, int metas, const modm_document *d)
{
   modm_schema_push_env (L, d->schema);
   lua_rawgeti (L, -1, MODM_ENV_META);
   lua_pushboolean (L, 1);
   lua_rawset (L, metas);
   lua_pop (L, 1);
}

/* core.check_list(schema, list) -> the set of what Lua knows of the models of the documents in the
 * list | nil, the number of the first that is none of the schema's model or of one that extends it;
 * nil, 0 for a list with holes or other keys */
static int
l_check_list (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1), *last = NULL;
   luaL_checktype (L, 2, LUA_TTABLE);
   lua_settop (L, 2);
   lua_Integer n = (lua_Integer) lua_rawlen (L, 2), keys = 0;
   for (lua_pushnil (L); lua_next (L, 2); lua_pop (L, 1))
      keys++;
   lua_newtable (L);
   for (lua_Integer i = 1; i <= n && keys == n; i++) {
      lua_rawgeti (L, 2, (int) i);
      const modm_document *d = modm_document_test (L, 4);
      if (!d || !modm_schema_isa (d->schema, s)) {
         lua_pushnil (L);
         lua_pushinteger (L, i);
         return 2;
      }
      if (d->schema != last)
         note_meta (L, 3, d);
      last = d->schema;
      lua_settop (L, 3);
   }
   if (keys == n)
      return 1;
   lua_pushnil (L);
   lua_pushinteger (L, 0);
   return 2;
}

/* core.validate_list(list, first) -> nothing when all documents from `first` on are valid; else the
 * number of the first that is not, or for which Lua has something to call, and what core.validate
 * gives for it */
static int
l_validate_list (lua_State *L)
{
   enum { DOCUMENT = 2, ERRORS, PENDING, DUE };
   luaL_checktype (L, 1, LUA_TTABLE);
   lua_Integer i = luaL_checkinteger (L, 2), n = (lua_Integer) lua_rawlen (L, 1);
   for (; i <= n; i++) {
      lua_settop (L, 1);
      lua_rawgeti (L, 1, (int) i);
      modm_document *d = modm_document_check (L, DOCUMENT);
      lua_settop (L, PENDING);
      modm_document_defaults (L, DOCUMENT, d);
      if (lua_isnil (L, DUE)) {
         lua_settop (L, DOCUMENT);
         modm_document_validate (L, DOCUMENT, d, 0, false);
      }
      lua_settop (L, DUE);
      if (lua_isnil (L, ERRORS) && lua_isnil (L, PENDING) && lua_isnil (L, DUE))
         continue;
      lua_pushinteger (L, i);
      lua_replace (L, DOCUMENT);
      return DUE - DOCUMENT + 1;
   }
   return 0;
}

const luaL_Reg modm_document_many_functions[] = {
   {"check_list", l_check_list}, {"validate_list", l_validate_list}, {NULL, NULL}};
