/* The metatable of a model's documents: reading and assigning by name, ==, tostring, iteration. */
#include "document/document_private.h"

/* Upvalues of __index and __newindex. LEVEL is where __index is called from: 1, or 2 behind the
 * function that Lua wrapped it in. */
enum { NAMES = 1, METHODS = 2, LEVEL = 3 };

/* The slot (from 1) of the field that the key at 2 names, or 0. */
static int
slot_of_key (lua_State *L, const modm_schema *s)
{
   if (lua_type (L, 2) != LUA_TSTRING)
      return 0;
   int slot = modm_schema_interned (s, lua_tostring (L, 2));
   if (slot)
      return slot;
   lua_pushvalue (L, 2);
   lua_rawget (L, lua_upvalueindex (NAMES));
   slot = (int) lua_tointeger (L, -1);
   lua_pop (L, 1);
   return slot <= (int) s->n ? slot : 0;
}

/* Raises the message at the top at a level. */
static int
raise_at (lua_State *L, int level)
{
   luaL_where (L, level);
   lua_insert (L, -2);
   lua_concat (L, 2);
   return lua_error (L);
}

static int
refuse_name (lua_State *L, const modm_document *d, int level)
{
   if (lua_type (L, 2) == LUA_TSTRING)
      lua_pushfstring (L, "%s has no field %s", d->schema->name, modm_describe (L, 2));
   else
      lua_pushfstring (L, "%s: field names are strings, got a %s", d->schema->name,
                       luaL_typename (L, 2));
   return raise_at (L, level);
}

/* What is no field: a method, or nothing. */
static int
push_method (lua_State *L, const modm_document *d)
{
   lua_settop (L, 2);
   lua_pushvalue (L, 2);
   lua_gettable (L, lua_upvalueindex (METHODS));
   if (lua_isnil (L, -1))
      return refuse_name (L, d, (int) lua_tointeger (L, lua_upvalueindex (LEVEL)));
   return 1;
}

/* document[name] -> value, or value and what it needs of Lua. */
static int
mt_index (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   int slot = slot_of_key (L, d->schema);
   if (!slot)
      return push_method (L, d);
   uint32_t i = (uint32_t) slot - 1;
   if (modm_document_push_stored (L, d, i))
      return 1;
   if (modm_state_of (d->states[i]) == MODM_NOT_LOADED) {
      modm_document_push_not_loaded (L, d, i);
      return raise_at (L, (int) lua_tointeger (L, lua_upvalueindex (LEVEL)));
   }
   if (d->schema->fields[i].kind->is_mutable)
      modm_undo_touch (L, 1, d);
   modm_need need = modm_document_read (L, 1, d, i);
   if (need == MODM_NEED_NOTHING)
      return 1;
   lua_pushinteger (L, need);
   return 2;
}

static int
mt_newindex (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   lua_settop (L, 3);
   int slot = slot_of_key (L, d->schema);
   if (!slot)
      return refuse_name (L, d, 1);
   modm_undo_touch (L, 1, d);
   modm_document_assign (L, 1, d, (uint32_t) slot - 1);
   return 0;
}

/* Writes the document at idx into b; false when something in it has no BSON form. */
static bool
encode (lua_State *L, int idx, const modm_document *d, modm_buffer *b)
{
   modm_error err;
   return modm_encode_document (L, idx, d, b, 0, &err) && !b->failed;
}

/* Embedded documents are equal by what they hold, as their fields convert it. */
static bool
same_content (lua_State *L, modm_document *a, modm_document *b)
{
   modm_document_convert (L, 1, a);
   modm_document_convert (L, 2, b);
   modm_buffer *x = modm_buffer_push (L), *y = modm_buffer_push (L);
   bool same = false;
   return encode (L, 1, a, x) && encode (L, 2, b, y) &&
          modm_diff (a->schema, x->data, x->len, y->data, y->len, modm_buffer_push (L), &same) &&
          same;
}

/* Others by model and key; two without a key are never equal. */
static bool
same_key (lua_State *L, modm_document *a, modm_document *b)
{
   if (!modm_schema_isa (a->schema, b->schema) && !modm_schema_isa (b->schema, a->schema))
      return false;
   modm_document_peek_pk (L, 1, a);
   modm_document_peek_pk (L, 2, b);
#if MODM_HAS_INTEGERS
   return !lua_isnil (L, -1) && lua_compare (L, -1, -2, LUA_OPEQ);
#else
   return !lua_isnil (L, -1) && lua_equal (L, -1, -2);
#endif
}

/* In the registry: __eq, the same for all models, since LuaJIT asks for nothing else. */
static const char eq_key;

static int
mt_eq (lua_State *L)
{
   modm_document *a = modm_document_test (L, 1), *b = modm_document_test (L, 2);
   bool embedded =
      a && b && a->schema->flags & MODM_SCHEMA_EMBEDDED && b->schema->flags & MODM_SCHEMA_EMBEDDED;
   lua_settop (L, 2);
   lua_pushboolean (L,
                    a && b && (a == b || (embedded ? same_content (L, a, b) : same_key (L, a, b))));
   return 1;
}

/* Whether slot i of the document at 1 is set: a default counts once it is filled. */
static bool
is_set (lua_State *L, const modm_document *d, uint32_t i)
{
   modm_state state = modm_state_of (d->states[i]);
   if (state != MODM_DEFAULTED)
      return state != MODM_UNSET && state != MODM_NOT_LOADED;
   modm_values_push (L, 1, d);
   (void) modm_values_get (L, d, -1, (int) i + 1);
   bool filled = !modm_isblank (L, -1);
   lua_pop (L, 2);
   return filled;
}

/* Pushes the text of slot i: a reference shows its key, an embedded document its model. */
static void
push_text (lua_State *L, modm_document *d, uint32_t i)
{
   int top = lua_gettop (L);
   if (modm_state_of (d->states[i]) == MODM_DEFAULTED) {
      modm_values_push (L, 1, d);
      (void) modm_values_get (L, d, -1, (int) i + 1);
   } else {
      modm_document_peek (L, 1, d, i);
   }
   modm_document *other = modm_document_test (L, -1);
   if (other && d->schema->fields[i].kind->role == MODM_REFERENCE) {
      modm_document_peek_pk (L, -1, other);
      other = NULL;
   }
   if (other)
      lua_pushfstring (L, "%s(...)", other->schema->name);
   else
      modm_describe (L, -1);
   lua_replace (L, top + 1);
   lua_settop (L, top + 1);
}

/* Model(field=value, ...) of the fields that are set. */
static int
mt_tostring (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   luaL_Buffer text;
   const char *between = "";
   lua_settop (L, 1);
   luaL_buffinit (L, &text);
   luaL_addstring (&text, d->schema->name);
   luaL_addstring (&text, "(");
   for (uint32_t i = 0; i < d->schema->n; i++) {
      if (!is_set (L, d, i))
         continue;
      push_text (L, d, i);
      lua_pushfstring (L, "%s%s=%s", between, d->schema->fields[i].name, lua_tostring (L, -1));
      lua_remove (L, -2);
      luaL_addvalue (&text);
      between = ", ";
   }
   luaL_addstring (&text, ")");
   luaL_pushresult (&text);
   return 1;
}

/* core.document_next(document, name or nil) -> the name of the next field that is set, or nil */
static int
l_next (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   uint32_t i = 0;
   lua_settop (L, 2);
   if (!lua_isnil (L, 2)) {
      const modm_field *f = modm_schema_named (L, d->schema, 2);
      if (!f)
         return refuse_name (L, d, 1);
      i = (uint32_t) f->id;
   }
   while (i < d->schema->n && !is_set (L, d, i))
      i++;
   if (i == d->schema->n)
      lua_pushnil (L);
   else
      lua_pushstring (L, d->schema->fields[i].name);
   return 1;
}

/* core.document_class(schema, wrap?): makes the metatable; wrap(read) gives the function that
 * __index is. */
static int
l_document_class (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1);
   static const luaL_Reg metamethods[] = {{"__tostring", mt_tostring}, {NULL, NULL}};
   lua_settop (L, 2);
   modm_schema_push_env (L, s);
   lua_newtable (L);
   modm_register (L, metamethods);
   lua_rawgetp (L, LUA_REGISTRYINDEX, &eq_key);
   lua_setfield (L, 4, "__eq");
   lua_pushliteral (L, "modm.Document");
   lua_setfield (L, 4, "__metatable");
   lua_pushliteral (L, "modm.Document");
   lua_setfield (L, 4, "__name");
   lua_pushvalue (L, 3);
   lua_rawseti (L, 4, 1); /* keeps the environment, and so the schema */
   if (!lua_isnil (L, 2))
      lua_pushvalue (L, 2);
   lua_rawgeti (L, 3, MODM_ENV_NAMES);
   lua_rawgeti (L, 3, MODM_ENV_METHODS);
   lua_pushinteger (L, lua_isnil (L, 2) ? 1 : 2);
   lua_pushcclosure (L, mt_index, 3);
   if (!lua_isnil (L, 2))
      lua_call (L, 1, 1);
   lua_setfield (L, 4, "__index");
   lua_rawgeti (L, 3, MODM_ENV_NAMES);
   lua_pushcclosure (L, mt_newindex, 1);
   lua_setfield (L, 4, "__newindex");
   lua_settop (L, 4);
   lua_rawseti (L, 3, MODM_ENV_METATABLE);
   return 0;
}

const luaL_Reg modm_document_class_functions[] = {
   {"document_class", l_document_class}, {"document_next", l_next}, {NULL, NULL}};

void
modm_document_open (lua_State *L)
{
   lua_pushcfunction (L, mt_eq);
   lua_rawsetp (L, LUA_REGISTRYINDEX, &eq_key);
   modm_register (L, modm_document_class_functions);
   modm_register (L, modm_document_construct_functions);
   modm_register (L, modm_document_many_functions);
   modm_register (L, modm_document_refresh_functions);
   modm_register (L, modm_document_state_functions);
}
