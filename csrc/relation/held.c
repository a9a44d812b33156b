/* The documents that references hold: resolved ones, and instances that were assigned. */
#include "relation/relation_private.h"

/* Adds the document at the top, popped, to the list at `list`, which remembers what it has. */
static void
add_once (lua_State *L, int list)
{
   lua_pushvalue (L, -1);
   if (lua_rawget (L, list) == LUA_TNIL) {
      lua_pushvalue (L, -2);
      lua_pushboolean (L, true);
      lua_rawset (L, list);
      lua_pushvalue (L, -2);
      lua_rawseti (L, list, (int) lua_rawlen (L, list) + 1);
   }
   lua_pop (L, 2);
}

/* Adds the documents at or in the value at idx. */
static void
add_held (lua_State *L, int idx, int list, int depth)
{
   luaL_checkstack (L, 8, "documents");
   if (modm_document_referred (L, idx)) {
      lua_pushvalue (L, idx);
      add_once (L, list);
   } else if (lua_type (L, idx) == LUA_TTABLE && depth <= MODM_MAX_DEPTH) {
      for (int i = 1; lua_rawgeti (L, idx, i) != LUA_TNIL; i++) {
         add_held (L, lua_gettop (L), list, depth + 1);
         lua_pop (L, 1);
      }
      lua_pop (L, 1);
   }
}

/* What slot i holds: in the value itself, or what it was resolved to. */
static void
add_slot (lua_State *L, int doc, const modm_document *d, uint32_t i, int list)
{
   int top = lua_gettop (L);
   if (!(d->flags & MODM_DOC_VALUES))
      return;
   modm_getuservalue (L, doc);
   lua_rawgeti (L, top + 1, (int) i + 1);
   add_held (L, top + 2, list, 0);
   lua_rawgeti (L, top + 1, modm_resolved_at (d, i));
   add_held (L, top + 3, list, 0);
   lua_settop (L, top);
}

static bool
is_empty (lua_State *L, int table)
{
   lua_pushnil (L);
   if (!lua_next (L, table))
      return true;
   lua_pop (L, 2);
   return false;
}

/* Adds {docs = {}, plan = plan} to the list `out` and pushes its docs, which are out[plan], too. */
static void
push_part (lua_State *L, int out, int plan)
{
   lua_newtable (L);
   lua_pushvalue (L, plan);
   lua_pushvalue (L, -2);
   lua_rawset (L, out);
   lua_createtable (L, 0, 2);
   lua_pushvalue (L, -2);
   lua_setfield (L, -2, "docs");
   lua_pushvalue (L, plan);
   lua_setfield (L, -2, "plan");
   lua_rawseti (L, out, (int) lua_rawlen (L, out) + 1);
}

static void
follow (modm_walk *w, int doc, modm_document *d, uint32_t i, int sub)
{
   lua_State *L = w->L;
   if (!sub || is_empty (L, sub))
      return;
   lua_pushvalue (L, sub);
   if (lua_rawget (L, w->out) == LUA_TNIL)
      push_part (L, w->out, sub);
   add_slot (L, doc, d, i, lua_gettop (L));
}

/* core.follow(documents, plan, out): adds to out, a list of {docs =, plan =} that has the lists of
 * documents by plan, too, what the next level of the plan begins with. */
int
modm_held_l_follow (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   luaL_checktype (L, 2, LUA_TTABLE);
   luaL_checktype (L, 3, LUA_TTABLE);
   lua_settop (L, 3);
   modm_walk w = {.L = L, .visit = follow, .out = 3};
   modm_walk_documents (&w, 1, 2);
   return 0;
}

static void
gather (modm_walk *w, int doc, modm_document *d, uint32_t i, int sub)
{
   (void) sub;
   add_slot (w->L, doc, d, i, w->out);
}

/* core.loaded(list of documents, out): adds to the list `out` the documents that are held through
 * references, each once. */
int
modm_held_l_loaded (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   luaL_checktype (L, 2, LUA_TTABLE);
   lua_settop (L, 2);
   modm_walk w = {.L = L, .visit = gather, .held_only = true, .out = 2};
   modm_walk_documents (&w, 1, 0);
   return 0;
}
