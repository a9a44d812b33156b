/* Making documents from what a program writes: names, positions, tables in stored form, bytes. */
#include "document/document_private.h"

/* The field that takes the n-th position: fields in order, without the implicit key. */
static const modm_field *
positional (const modm_schema *s, lua_Integer n)
{
   lua_Integer at = 0;
   for (uint32_t i = 0; i < s->n; i++)
      if (!(s->fields[i].flags & MODM_FIELD_IMPLICIT) && ++at == n)
         return &s->fields[i];
   return NULL;
}

static uint32_t
count_positions (const modm_schema *s)
{
   return s->n - (s->primary >= 0 && s->fields[s->primary].flags & MODM_FIELD_IMPLICIT ? 1 : 0);
}

/* Upvalues of a constructor. */
enum { SCHEMA = 1, METATABLE, NAMES };

/* The slot (from 1) of the key at the top but one: a field's name, or a position. */
static int
slot_of_key (lua_State *L, const modm_schema *s)
{
   int slot = 0;
   if (lua_type (L, -2) == LUA_TSTRING &&
       (slot = modm_schema_interned (s, lua_tostring (L, -2))) != 0)
      return slot;
   lua_pushvalue (L, -2);
   if (lua_rawget (L, lua_upvalueindex (NAMES)) == LUA_TNUMBER)
      slot = (int) lua_tointeger (L, -1);
   lua_pop (L, 1);
   if (slot)
      return slot;
   if (lua_type (L, -2) == LUA_TNUMBER) {
      int64_t n;
      const modm_field *f = modm_isinteger (L, -2, &n) ? positional (s, (lua_Integer) n) : NULL;
      if (!f)
         luaL_error (L, "%s: position %d given, but it has %d fields", s->name,
                     (int) lua_tointeger (L, -2), (int) count_positions (s));
      return f->id;
   }
   if (lua_type (L, -2) != LUA_TSTRING)
      luaL_error (L, "%s: field names must be strings, got a %s", s->name, luaL_typename (L, -2));
   return luaL_error (L, "%s has no field %s", s->name, modm_describe (L, -2));
}

/* Pops the value at the top into slot `slot` (from 1) of a new document. */
static void
give (lua_State *L, int values, modm_document *d, int slot)
{
   if (d->states[slot - 1] != MODM_UNSET)
      luaL_error (L, "%s: the field '%s' is given twice", d->schema->name,
                  d->schema->fields[slot - 1].name);
   d->states[slot - 1] = MODM_SET;
   modm_values_set (L, d, values, slot);
}

static void
give_positions (lua_State *L, int last, int values, modm_document *d)
{
   for (int i = 2; i <= last; i++) {
      const modm_field *f = positional (d->schema, i - 1);
      if (!f)
         luaL_error (L, "%s: got %d values for only %d fields", d->schema->name, last - 1,
                     (int) count_positions (d->schema));
      if (lua_isnil (L, i))
         continue;
      lua_pushvalue (L, i);
      give (L, values, d, f->id);
   }
}

/* Model(...): argument 1 is the class; then one table of names, or values by position. */
static int
l_construct (lua_State *L)
{
   const modm_schema *s = lua_touserdata (L, lua_upvalueindex (SCHEMA));
   int last = lua_gettop (L);
   modm_document *d = modm_document_new (L, s, lua_upvalueindex (METATABLE));
   modm_document_values (L, last + 1, d);
   if (last == 2 && lua_type (L, 2) == LUA_TTABLE) {
      for (lua_pushnil (L); lua_next (L, 2);)
         give (L, last + 2, d, slot_of_key (L, s));
   } else {
      give_positions (L, last, last + 2, d);
   }
   lua_settop (L, last + 1);
   return 1;
}

/* core.constructor(schema) -> the function that a class is called by. The metatable of its
 * documents is there already. */
static int
l_constructor (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1);
   lua_settop (L, 1);
   modm_schema_push_env (L, s);
   lua_rawgeti (L, 2, MODM_ENV_METATABLE);
   lua_rawgeti (L, 2, MODM_ENV_NAMES);
   lua_remove (L, 2);
   lua_pushcclosure (L, l_construct, NAMES);
   return 1;
}

/* core.from_table(schema, table in stored form) -> document */
static int
l_from_table (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1);
   luaL_checktype (L, 2, LUA_TTABLE);
   lua_settop (L, 2);
   lua_pushliteral (L, "_cls");
   lua_rawget (L, 2);
   size_t len;
   const char *cls = lua_type (L, 3) == LUA_TSTRING ? lua_tolstring (L, 3, &len) : NULL;
   const modm_schema *own = s;
   if (cls && !(own = modm_schema_class (L, s, cls, len)))
      luaL_error (L, "%s: _cls is '%s', which is neither %s nor a model that extends it", s->name,
                  cls, s->name);
   modm_document *d = modm_document_push (L, own);
   modm_document_fill (L, 4, d, 2);
   return 1;
}

/* core.from_bytes(schema, bytes) -> document, as if the server had sent it */
static int
l_from_bytes (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1);
   size_t len;
   const char *bytes = luaL_checklstring (L, 2, &len);
   modm_reader r;
   if (!modm_reader_init (&r, (const uint8_t *) bytes, len) ||
       (size_t) modm_load_i32 ((const uint8_t *) bytes) != len)
      return luaL_argerror (L, 2, "a BSON document expected");
   modm_document_load (L, s, 0, (const uint8_t *) bytes, len, NULL)->flags |= MODM_DOC_LOADED;
   return 1;
}

const luaL_Reg modm_document_construct_functions[] = {{"constructor", l_constructor},
                                                      {"from_table", l_from_table},
                                                      {"from_bytes", l_from_bytes},
                                                      {NULL, NULL}};
