/* Gives references the documents that were found for their keys. */
#include "relation/relation_private.h"

/* Pushes what was found for a key, nil when it points nowhere; false when nobody asked for it. */
static bool
push_found (modm_walk *w, const modm_field *f, const modm_element *key)
{
   lua_State *L = w->L;
   uint32_t index = key->type == MODM_BSON_NULL ? MODM_NO_KEY : modm_keys_find (w->keys, key);
   if (index == MODM_NO_KEY || !lua_istable (L, w->found))
      return false;
   lua_rawgeti (L, w->found, (int) index + 1);
   const modm_document *d = modm_document_test (L, -1);
   if (d && !modm_schema_isa (d->schema, w->target))
      luaL_error (L, "%s.%s refers to a %s, but the document with this key is a %s",
                  f->schema->name, f->name, w->target->name, d->schema->name);
   return true;
}

/* Sets what slot i was resolved to: the value at the top, popped. */
static void
resolve (lua_State *L, int doc, modm_document *d, uint32_t i)
{
   modm_document_values (L, doc, d);
   lua_insert (L, -2);
   lua_rawseti (L, -2, modm_resolved_at (d, i));
   lua_pop (L, 1);
}

static void
place_one (modm_walk *w, int doc, modm_document *d, uint32_t i)
{
   lua_State *L = w->L;
   const modm_field *f = &d->schema->fields[i];
   modm_element e;
   bool has_key = modm_walk_stored (d, i, &e);
   if (!has_key) {
      (void) modm_document_read (L, doc, d, i);
      has_key = modm_walk_key (w, lua_gettop (L), &e);
   }
   if (!has_key || !push_found (w, f, &e))
      return;
   if (lua_isnil (L, -1)) {
      lua_pop (L, 1);
      lua_pushboolean (L, false);
   }
   resolve (L, doc, d, i);
}

/* Replaces keys by documents in the list at the top; true when every key was asked for. */
static bool
place_list (modm_walk *w, const modm_field *f)
{
   lua_State *L = w->L;
   int list = lua_gettop (L);
   bool all = true;
   modm_element e;
   luaL_checkstack (L, 8, "keys");
   if (lua_type (L, list) != LUA_TTABLE)
      return true;
   for (int i = 1; lua_rawgeti (L, list, i) != LUA_TNIL; i++) {
      if (f->inner->inner) {
         all = place_list (w, f->inner) && all;
      } else if (modm_walk_key (w, list + 1, &e)) {
         bool asked = push_found (w, f, &e);
         if (asked && !lua_isnil (L, -1))
            lua_rawseti (L, list, i);
         all = all && asked;
      }
      lua_settop (L, list);
   }
   lua_settop (L, list);
   return all;
}

static void
place (modm_walk *w, int doc, modm_document *d, uint32_t i, int sub)
{
   lua_State *L = w->L;
   const modm_field *f = &d->schema->fields[i];
   (void) sub;
   if (modm_walk_is_resolved (L, doc, d, i))
      return;
   modm_walk_aim (w, modm_walk_innermost (f));
   if (!f->inner) {
      place_one (w, doc, d, i);
      return;
   }
   (void) modm_document_read (L, doc, d, i);
   if (lua_type (L, -1) == LUA_TTABLE && place_list (w, f)) {
      lua_pushboolean (L, true);
      resolve (L, doc, d, i);
   }
}

/* core.place(documents, plan or nil, targets): targets as core.collect filled it, each with
 * `found`, the list of documents beside its keys. A list's keys are replaced in the list itself;
 * one that points nowhere stays. */
int
modm_place_l_place (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   luaL_checktype (L, 3, LUA_TTABLE);
   lua_settop (L, 4);
   modm_walk w = {
      .L = L, .visit = place, .targets = 3, .found = 4, .scratch = modm_buffer_push (L)};
   modm_walk_documents (&w, 1, lua_istable (L, 2) ? 2 : 0);
   return 0;
}
