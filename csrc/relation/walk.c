/* Walks over documents and those embedded in them, by a plan, to the references that they hold. */
#include "relation/relation_private.h"

static void visit_document (modm_walk *w, int doc, modm_document *d, int plan, int depth);

const modm_field *
modm_walk_innermost (const modm_field *f)
{
   while (f->inner)
      f = f->inner;
   return f;
}

/* Pushes what the plan has for the field; false when it leaves it out. *sub is where it lies, 0 for
 * nothing further. */
static bool
push_sub (lua_State *L, int plan, const modm_field *f, int *sub)
{
   *sub = 0;
   if (!plan)
      return true;
   lua_pushlstring (L, f->name, f->name_len);
   if (lua_rawget (L, plan) == LUA_TTABLE) {
      *sub = lua_gettop (L);
      return true;
   }
   lua_pushboolean (L, true);
   return lua_rawget (L, plan) != LUA_TNIL;
}

/* The embedded documents at or in the value at idx. */
static void
visit_value (modm_walk *w, int idx, int plan, int depth)
{
   lua_State *L = w->L;
   luaL_checkstack (L, 12, "a walk");
   if (depth > MODM_MAX_DEPTH)
      luaL_error (L, "nested deeper than %d levels (or cyclic)", MODM_MAX_DEPTH);
   modm_document *d = modm_document_test (L, idx);
   if (d && d->schema->flags & MODM_SCHEMA_EMBEDDED) {
      visit_document (w, idx, d, plan, depth);
   } else if (lua_type (L, idx) == LUA_TTABLE) {
      for (int i = 1; lua_rawgeti (L, idx, i) != LUA_TNIL; i++) {
         visit_value (w, lua_gettop (L), plan, depth + 1);
         lua_pop (L, 1);
      }
      lua_pop (L, 1);
   }
}

static void
visit_document (modm_walk *w, int doc, modm_document *d, int plan, int depth)
{
   lua_State *L = w->L;
   int top = lua_gettop (L), sub;
   luaL_checkstack (L, 20, "a document");
   for (uint32_t i = 0; i < d->schema->n; i++, lua_settop (L, top)) {
      const modm_field *f = &d->schema->fields[i];
      modm_role role = modm_walk_innermost (f)->kind->role;
      modm_state state = modm_state_of (d->states[i]);
      if ((role != MODM_REFERENCE && role != MODM_EMBEDDED) || state == MODM_UNSET ||
          state == MODM_NOT_LOADED || !push_sub (L, plan, f, &sub))
         continue;
      if (role == MODM_REFERENCE) {
         w->visit (w, doc, d, i, sub);
      } else if (!w->held_only || state != MODM_STORED) {
         (void) modm_document_read (L, doc, d, i);
         visit_value (w, lua_gettop (L), sub, depth + 1);
      }
   }
}

void
modm_walk_documents (modm_walk *w, int docs, int plan)
{
   lua_State *L = w->L;
   for (int i = 1; lua_rawgeti (L, docs, i) != LUA_TNIL; i++) {
      visit_document (w, lua_gettop (L), modm_document_check (L, -1), plan, 0);
      lua_pop (L, 1);
   }
   lua_pop (L, 1);
}

void
modm_walk_aim (modm_walk *w, const modm_field *f)
{
   lua_State *L = w->L;
   const modm_schema *target = modm_field_target (L, f);
   if (target == w->target)
      return;
   int top = lua_gettop (L);
   modm_schema_push_env (L, target);
   lua_rawgeti (L, -1, MODM_ENV_SCHEMA);
   lua_pushvalue (L, -1);
   if (lua_rawget (L, w->targets) == LUA_TNIL) {
      lua_newtable (L);
      (void) modm_keys_push (L);
      lua_setfield (L, -2, "keys");
      lua_rawgeti (L, top + 1, MODM_ENV_MODEL);
      lua_setfield (L, -2, "model");
      lua_pushvalue (L, top + 2);
      lua_pushvalue (L, -2);
      lua_rawset (L, w->targets);
      lua_pushvalue (L, -1);
      lua_rawseti (L, w->targets, (int) lua_rawlen (L, w->targets) + 1);
   }
   lua_getfield (L, -1, "keys");
   w->keys = modm_keys_check (L, -1); /* held by the table of targets */
   lua_getfield (L, -2, "found");
   lua_replace (L, w->found);
   w->target = target;
   lua_settop (L, top);
}

bool
modm_walk_is_resolved (lua_State *L, int doc, const modm_document *d, uint32_t i)
{
   if (!(d->flags & MODM_DOC_VALUES))
      return false;
   modm_getuservalue (L, doc);
   bool resolved = lua_rawgeti (L, -1, modm_resolved_at (d, i)) != LUA_TNIL;
   lua_pop (L, 2);
   return resolved;
}

bool
modm_walk_stored (const modm_document *d, uint32_t i, modm_element *e)
{
   modm_state state = modm_state_of (d->states[i]);
   bool stored =
      state == MODM_STORED || (state == MODM_READ && !d->schema->fields[i].kind->is_mutable);
   return stored && modm_document_element (d, i, e);
}

bool
modm_walk_key (modm_walk *w, int idx, modm_element *e)
{
   lua_State *L = w->L;
   modm_error err;
   modm_buffer *b = w->scratch;
   if (lua_isnil (L, idx) || modm_isnull (L, idx) || modm_document_referred (L, idx))
      return false;
   modm_buffer_reset (b);
   if (!modm_encode_field (L, idx, &w->target->fields[w->target->primary], b, "", 0, 0, &err))
      return false; /* it cannot be stored, so nothing has it as its key */
   modm_buffer_byte (b, 0);
   if (b->failed)
      luaL_error (L, "not enough memory");
   return modm_element_at (b->data, b->data + b->len - 1, e);
}
