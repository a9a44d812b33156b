/* Gathers the keys of unresolved references. */
#include "relation/relation_private.h"

static void
collect_stored (modm_walk *w, const modm_field *f, const modm_element *e)
{
   modm_reader r;
   modm_element item;
   if (f->inner) {
      if (e->type == MODM_BSON_ARRAY && modm_reader_init (&r, e->value, e->size))
         while (modm_reader_next (&r, &item))
            collect_stored (w, f->inner, &item);
   } else if (e->type != MODM_BSON_NULL) {
      modm_keys_add (w->L, w->keys, e);
   }
}

/* The value at the top: a key, or a list of keys as deep as the field's. */
static void
collect_held (modm_walk *w, const modm_field *f)
{
   lua_State *L = w->L;
   modm_element e;
   luaL_checkstack (L, 6, "keys");
   if (f->inner) {
      if (lua_type (L, -1) != LUA_TTABLE)
         return;
      int list = lua_gettop (L);
      for (int i = 1; lua_rawgeti (L, list, i) != LUA_TNIL; i++) {
         collect_held (w, f->inner);
         lua_pop (L, 1);
      }
      lua_pop (L, 1);
   } else if (modm_walk_key (w, lua_gettop (L), &e) && e.type != MODM_BSON_NULL) {
      modm_keys_add (L, w->keys, &e);
   }
}

static void
collect (modm_walk *w, int doc, modm_document *d, uint32_t i, int sub)
{
   lua_State *L = w->L;
   const modm_field *f = &d->schema->fields[i];
   modm_element e;
   (void) sub;
   if (modm_walk_is_resolved (L, doc, d, i))
      return;
   modm_walk_aim (w, modm_walk_innermost (f));
   if (modm_walk_stored (d, i, &e)) {
      collect_stored (w, f, &e);
      return;
   }
   (void) modm_document_read (L, doc, d, i);
   collect_held (w, f);
   lua_pop (L, 1);
}

/* core.collect(documents, plan or nil, targets): adds to targets, a list of {model =, keys =} in
 * the order of their first use that has them by schema, too, the keys of references that are not
 * resolved yet. */
int
modm_collect_l_collect (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   luaL_checktype (L, 3, LUA_TTABLE);
   lua_settop (L, 4);
   modm_walk w = {
      .L = L, .visit = collect, .targets = 3, .found = 4, .scratch = modm_buffer_push (L)};
   modm_walk_documents (&w, 1, lua_istable (L, 2) ? 2 : 0);
   return 0;
}
