/* Finding fields and models: by stored name, by Lua name, by _cls. */
#include "schema/schema_private.h"

static uint32_t
hash (const char *name, size_t len)
{
   uint32_t h = 2166136261u; /* FNV-1a */
   for (size_t i = 0; i < len; i++)
      h = (h ^ (unsigned char) name[i]) * 16777619u;
   return h;
}

static bool
is_named (const modm_field *f, const char *name, size_t len)
{
   return f->mongo_len == len && memcmp (f->mongo_name, name, len) == 0;
}

void
modm_schema_index (lua_State *L, modm_schema *s, int env)
{
   uint32_t size = 8;
   while (size < s->n * 2)
      size *= 2;
   s->mask = size - 1;
   s->table = lua_newuserdata (L, 2 * size * sizeof *s->table);
   memset (s->table, 0, 2 * size * sizeof *s->table);
   s->interned = s->table + size;
   lua_rawgeti (L, env, MODM_ENV_ANCHORS);
   lua_insert (L, -2);
   lua_setfield (L, -2, "table");
   lua_pop (L, 1);
   for (uint32_t i = 0; i < s->n; i++) {
      const modm_field *f = &s->fields[i];
      const modm_field *other = modm_schema_stored (s, f->mongo_name, f->mongo_len, UINT32_MAX);
      if (other)
         luaL_error (L, "%s: '%s' cannot have the same mongo_name of existing field '%s'", s->name,
                     f->name, other->name);
      uint32_t at = hash (f->mongo_name, f->mongo_len) & s->mask;
      while (s->table[at])
         at = (at + 1) & s->mask;
      s->table[at] = (uint16_t) (i + 1);
      for (at = modm_schema_place (s, f->name); s->interned[at];)
         at = (at + 1) & s->mask;
      s->interned[at] = (uint16_t) (i + 1);
   }
}

const modm_field *
modm_schema_stored (const modm_schema *s, const char *name, size_t len, uint32_t hint)
{
   if (hint < s->n && is_named (&s->fields[hint], name, len))
      return &s->fields[hint];
   for (uint32_t at = hash (name, len) & s->mask; s->table[at]; at = (at + 1) & s->mask)
      if (is_named (&s->fields[s->table[at] - 1], name, len))
         return &s->fields[s->table[at] - 1];
   return NULL;
}

const modm_field *
modm_schema_named (lua_State *L, const modm_schema *s, int idx)
{
   if (lua_type (L, idx) != LUA_TSTRING)
      return NULL;
   idx = lua_absindex (L, idx);
   modm_schema_push_env (L, s);
   lua_rawgeti (L, -1, MODM_ENV_NAMES);
   lua_pushvalue (L, idx);
   lua_rawget (L, -2);
   int slot = (int) lua_tointeger (L, -1);
   lua_pop (L, 3);
   return slot > 0 ? &s->fields[slot - 1] : NULL;
}

bool
modm_schema_isa (const modm_schema *s, const modm_schema *ancestor)
{
   for (; s; s = s->parent)
      if (s == ancestor)
         return true;
   return false;
}

const modm_schema *
modm_schema_class (lua_State *L, const modm_schema *s, const char *cls, size_t len)
{
   if (s->cls && s->cls_len == len && memcmp (cls, s->cls, len) == 0)
      return s;
   modm_schema_push_env (L, s);
   lua_rawgeti (L, -1, MODM_ENV_CLASSES);
   lua_pushlstring (L, cls, len);
   lua_rawget (L, -2);
   const modm_schema *found = modm_schema_test (L, -1);
   lua_pop (L, 3);
   return found;
}

const modm_schema *
modm_schema_of_bytes (lua_State *L, const modm_schema *s, const uint8_t *document, size_t len)
{
   modm_element e;
   if (!modm_reader_find (document, len, "_cls", 4, &e))
      return s;
   if (e.type == MODM_BSON_STRING) {
      size_t n;
      const char *cls = modm_element_text (&e, &n);
      const modm_schema *found = modm_schema_class (L, s, cls, n);
      if (found)
         return found;
      lua_pushlstring (L, cls, n);
   } else {
      lua_pushliteral (L, "a value that is no string");
   }
   luaL_error (
      L,
      "%s: a stored document says that it is of the model '%s' (_cls), which is neither %s nor a "
      "model that extends it",
      s->name, lua_tostring (L, -1), s->name);
   return NULL;
}

const modm_schema *
modm_field_target (lua_State *L, const modm_field *f)
{
   if (f->target)
      return f->target;
   modm_field_push_env (L, f);
   modm_schema_push_env (L, f->schema);
   lua_rawgeti (L, -1, MODM_ENV_RESOLVE);
   lua_getfield (L, -3, "model");
   lua_call (L, 1, 1); /* raises ModelDoesNotExist */
   const modm_schema *found = modm_schema_check (L, -1);
   bool embedded = found->flags & MODM_SCHEMA_EMBEDDED;
   if (embedded != (f->kind->role == MODM_EMBEDDED))
      luaL_error (L, "%s.%s: %s is no %s", f->schema->name, f->name, found->name,
                  embedded ? "model with a collection" : "embedded model");
   ((modm_field *) (uintptr_t) f)->target = found;
   lua_setfield (L, -3, "target");
   lua_pop (L, 2);
   return f->target;
}
