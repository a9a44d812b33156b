/* Walks over a document and the documents embedded in it: converting without validating, finding
 * the function defaults that are due. */
#include "codec/codec_private.h"

typedef void (*visit) (lua_State *L, int idx, modm_document *d, int out);

/* Calls fn for each document at or in the value at idx (a document, or a list of them to any
 * depth). */
static void
each_document (lua_State *L, int idx, visit fn, int out, int depth)
{
   luaL_checkstack (L, 10, "a walk");
   idx = lua_absindex (L, idx);
   modm_document *d = modm_document_test (L, idx);
   if (depth > MODM_MAX_DEPTH)
      return; /* validation and encoding say so */
   if (d && d->schema->flags & MODM_SCHEMA_EMBEDDED) {
      fn (L, idx, d, out);
   } else if (lua_type (L, idx) == LUA_TTABLE) {
      for (int i = 1; lua_rawgeti (L, idx, i) != LUA_TNIL; i++) {
         each_document (L, -1, fn, out, depth + 1);
         lua_pop (L, 1);
      }
      lua_pop (L, 1);
   }
}

static const modm_field *
innermost (const modm_field *f)
{
   while (f->inner)
      f = f->inner;
   return f;
}

/* Whether slot i holds documents that were made or changed in Lua. */
static bool
holds_documents (const modm_document *d, uint32_t i)
{
   modm_state state = modm_state_of (d->states[i]);
   return innermost (&d->schema->fields[i])->kind->role == MODM_EMBEDDED && state != MODM_UNSET &&
          state != MODM_NOT_LOADED;
}

static void
convert (lua_State *L, int idx, modm_document *d, int out)
{
   (void) out;
   luaL_checkstack (L, 20, "a document");
   for (uint32_t i = 0; i < d->schema->n; i++) {
      modm_state state = modm_state_of (d->states[i]);
      if (state != MODM_SET && !(holds_documents (d, i) && state != MODM_STORED))
         continue;
      if (state == MODM_SET)
         (void) modm_document_read (L, idx, d, i);
      else
         modm_document_peek (L, idx, d, i);
      if (holds_documents (d, i))
         each_document (L, -1, convert, 0, 0);
      lua_pop (L, 1);
   }
}

void
modm_document_convert (lua_State *L, int idx, modm_document *d)
{
   convert (L, lua_absindex (L, idx), d, 0);
}

/* Whether documents of the schema, or those in them, may have a function default. */
static bool
may_call (lua_State *L, const modm_schema *s, int depth)
{
   enum { DEEPEST = 8 }; /* models may embed each other */
   if (s->calls != MODM_UNKNOWN)
      return s->calls == MODM_YES;
   bool found = false;
   for (uint32_t i = 0; i < s->n && !found; i++) {
      const modm_field *f = innermost (&s->fields[i]);
      found = s->fields[i].flags & MODM_FIELD_CALL;
      if (!found && f->kind->role == MODM_EMBEDDED && depth < DEEPEST)
         found = may_call (L, modm_field_target (L, f), depth + 1);
   }
   if (depth == 0 || found)
      ((modm_schema *) s)->calls = found ? MODM_YES : MODM_NO;
   return found;
}

static void
add_default (lua_State *L, int idx, const modm_field *f, int out)
{
   lua_pushvalue (L, idx);
   lua_rawseti (L, out, (int) lua_rawlen (L, out) + 1);
   lua_pushstring (L, f->name);
   lua_rawseti (L, out, (int) lua_rawlen (L, out) + 1);
}

static void
find_defaults (lua_State *L, int idx, modm_document *d, int out)
{
   if (!may_call (L, d->schema, 0))
      return;
   luaL_checkstack (L, 20, "a document");
   for (uint32_t i = 0; i < d->schema->n; i++) {
      const modm_field *f = &d->schema->fields[i];
      if (f->flags & MODM_FIELD_CALL && modm_state_of (d->states[i]) == MODM_UNSET) {
         add_default (L, idx, f, out);
      } else if (holds_documents (d, i) && may_call (L, modm_field_target (L, innermost (f)), 0)) {
         (void) modm_document_read (L, idx, d, i);
         each_document (L, -1, find_defaults, out, 0);
         lua_pop (L, 1);
      }
   }
}

void
modm_document_defaults (lua_State *L, int idx, modm_document *d)
{
   idx = lua_absindex (L, idx);
   if (!may_call (L, d->schema, 0)) {
      lua_pushnil (L);
      return;
   }
   lua_newtable (L);
   find_defaults (L, idx, d, lua_gettop (L));
}
