/* Walks over a document and the documents embedded in it: converting without validating, finding
 * the function defaults that are due. */
#include "codec/codec_private.h"

typedef struct walk {
   lua_State *L;
   void (*visit) (struct walk *w, int idx, modm_document *d);
   int out;
   int depth;
   bool too_deep; /* or cyclic: nothing more is visited. Validation and encoding say so */
} walk;

/* Visits the embedded documents at or in the value at idx, which is one of field f. */
static void
each_document (walk *w, int idx, const modm_field *f)
{
   lua_State *L = w->L;
   luaL_checkstack (L, 10, "a walk");
   modm_document *d = modm_document_test (L, idx);
   if (d && d->schema->flags & MODM_SCHEMA_EMBEDDED) {
      w->too_deep = w->too_deep || w->depth >= MODM_MAX_DEPTH;
      if (w->too_deep)
         return;
      w->depth++;
      w->visit (w, idx, d);
      w->depth--;
   } else if (f->inner && lua_type (L, idx) == LUA_TTABLE) {
      int top = lua_gettop (L);
      for (int i = 1; !w->too_deep && lua_rawgeti (L, idx, i) != LUA_TNIL; i++) {
         each_document (w, top + 1, f->inner);
         lua_settop (L, top);
      }
      lua_settop (L, top);
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
convert (walk *w, int idx, modm_document *d)
{
   lua_State *L = w->L;
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
         each_document (w, lua_gettop (L), &d->schema->fields[i]);
      lua_pop (L, 1);
   }
}

void
modm_document_convert (lua_State *L, int idx, modm_document *d)
{
   walk w = {.L = L, .visit = convert};
   convert (&w, lua_absindex (L, idx), d);
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
      ((modm_schema *) (uintptr_t) s)->calls = found ? MODM_YES : MODM_NO;
   return found;
}

static void
add_name (lua_State *L, int idx, const modm_field *f, int out)
{
   lua_pushvalue (L, idx);
   lua_rawseti (L, out, (int) lua_rawlen (L, out) + 1);
   lua_pushstring (L, f->name);
   lua_rawseti (L, out, (int) lua_rawlen (L, out) + 1);
}

static void
find_defaults (walk *w, int idx, modm_document *d)
{
   lua_State *L = w->L;
   if (!may_call (L, d->schema, 0))
      return;
   luaL_checkstack (L, 20, "a document");
   for (uint32_t i = 0; i < d->schema->n; i++) {
      const modm_field *f = &d->schema->fields[i];
      if (f->flags & MODM_FIELD_CALL && modm_state_of (d->states[i]) == MODM_UNSET) {
         add_name (L, idx, f, w->out);
      } else if (holds_documents (d, i) && may_call (L, modm_field_target (L, innermost (f)), 0)) {
         (void) modm_document_read (L, idx, d, i);
         each_document (w, lua_gettop (L), f);
         lua_pop (L, 1);
      }
   }
}

void
modm_document_defaults (lua_State *L, int idx, modm_document *d)
{
   idx = lua_absindex (L, idx);
   if (may_call (L, d->schema, 0)) {
      lua_newtable (L);
      walk w = {.L = L, .visit = find_defaults, .out = lua_gettop (L)};
      find_defaults (&w, idx, d);
      if (lua_rawlen (L, -1) > 0)
         return;
      lua_pop (L, 1);
   }
   lua_pushnil (L);
}

static void
find_files (walk *w, int idx, modm_document *d)
{
   lua_State *L = w->L;
   luaL_checkstack (L, 20, "a document");
   for (uint32_t i = 0; i < d->schema->n; i++) {
      const modm_field *f = &d->schema->fields[i];
      modm_state state = modm_state_of (d->states[i]);
      if (f->kind->role == MODM_FILE && (state == MODM_SET || state == MODM_CLEAN)) {
         modm_document_peek (L, idx, d, i);
         bool waits = modm_file_test (L, -1);
         lua_pop (L, 1);
         if (waits)
            add_name (L, idx, f, w->out);
      } else if (holds_documents (d, i) && state != MODM_STORED) {
         modm_document_peek (L, idx, d, i);
         each_document (w, lua_gettop (L), f);
         lua_pop (L, 1);
      }
   }
}

void
modm_document_files (lua_State *L, int idx, modm_document *d)
{
   idx = lua_absindex (L, idx);
   lua_newtable (L);
   walk w = {.L = L, .visit = find_files, .out = lua_gettop (L)};
   find_files (&w, idx, d);
}
