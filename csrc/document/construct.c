/* Making documents from what a program writes: names, positions, tables in stored form, bytes. */
#include "document/document_private.h"

static void
assign_named (lua_State *L, int doc, modm_document *d, const modm_field *f, bool *given)
{
   uint32_t i = (uint32_t) f->id - 1;
   if (given[i])
      luaL_error (L, "%s: the field '%s' is given twice", d->schema->name, f->name);
   given[i] = true;
   modm_document_assign (L, doc, d, i);
}

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

static const modm_field *
field_of_key (lua_State *L, const modm_schema *s, int key)
{
   const modm_field *f = NULL;
   if (lua_type (L, key) == LUA_TSTRING) {
      f = modm_schema_named (L, s, key);
      if (!f)
         luaL_error (L, "%s has no field '%s'", s->name, lua_tostring (L, key));
   } else if (lua_type (L, key) == LUA_TNUMBER) {
      f = positional (s, lua_tointeger (L, key));
      if (!f)
         luaL_error (L, "%s: position %d given, but it has %d fields", s->name,
                     (int) lua_tointeger (L, key), (int) count_positions (s));
   } else {
      luaL_error (L, "%s: field names must be strings, got a %s", s->name, luaL_typename (L, key));
   }
   return f;
}

/* Fills the document at doc, the top, from the arguments first..: one table of names, or positions.
 */
static void
construct (lua_State *L, int doc, modm_document *d, int first)
{
   const modm_schema *s = d->schema;
   int top = lua_gettop (L) - 1; /* the document is at the top */
   bool *given = lua_newuserdata (L, s->n + 1);
   memset (given, 0, s->n + 1);
   if (top == first && lua_type (L, first) == LUA_TTABLE) {
      for (lua_pushnil (L); lua_next (L, first); lua_pop (L, 1)) {
         const modm_field *f = field_of_key (L, s, lua_gettop (L) - 1);
         lua_pushvalue (L, -1);
         assign_named (L, doc, d, f, given);
      }
   } else {
      for (int i = first; i <= top; i++) {
         const modm_field *f = positional (s, i - first + 1);
         if (!f)
            luaL_error (L, "%s: got %d values for only %d fields", s->name, top - first + 1,
                        (int) count_positions (s));
         if (lua_isnil (L, i))
            continue;
         lua_pushvalue (L, i);
         assign_named (L, doc, d, f, given);
      }
   }
   lua_pop (L, 1);
}

/* Model(...): upvalue 1 is the schema; argument 1 the class. */
static int
l_construct (lua_State *L)
{
   const modm_schema *s = lua_touserdata (L, lua_upvalueindex (1));
   modm_document *d = modm_document_push (L, s);
   construct (L, lua_gettop (L), d, 2);
   return 1;
}

/* core.constructor(schema) -> the function that a class is called by. */
static int
l_constructor (lua_State *L)
{
   modm_schema_check (L, 1);
   lua_pushvalue (L, 1);
   lua_pushcclosure (L, l_construct, 1);
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
   const modm_schema *own = cls ? modm_schema_class (L, s, cls, len) : s;
   if (!own)
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
   modm_document_load (L, s, (const uint8_t *) bytes, len, NULL)->flags |= MODM_DOC_LOADED;
   return 1;
}

const luaL_Reg modm_document_construct_functions[] = {{"constructor", l_constructor},
                                                      {"from_table", l_from_table},
                                                      {"from_bytes", l_from_bytes},
                                                      {NULL, NULL}};
