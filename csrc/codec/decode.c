/* Reading a slot: decoded, converted or given its default when it is first read. */
#include "codec/codec_private.h"

/* Keeps the value at the top (which stays) as that of slot i. */
static void
keep (lua_State *L, int idx, modm_document *d, uint32_t i, modm_state state)
{
   modm_document_values (L, idx, d);
   lua_pushvalue (L, -2);
   modm_values_set (L, d, -2, (int) i + 1);
   lua_pop (L, 1);
   d->states[i] = (uint8_t) (state | (d->states[i] & MODM_PART));
}

static void
push_held (lua_State *L, int idx, const modm_document *d, uint32_t i)
{
   modm_values_push (L, idx, d);
   (void) modm_values_get (L, d, -1, (int) i + 1);
   lua_replace (L, -2);
}

static void
read_stored (lua_State *L, int idx, modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   modm_element e;
   if (!modm_document_element (d, i, &e))
      luaL_error (L, "%s.%s: stored bytes are no BSON", d->schema->name, f->name);
   if (e.type == MODM_BSON_NULL) {
      lua_pushnil (L);
      return;
   }
   f->kind->push (L, f, &e);
   if (d->states[i] & MODM_PART)
      modm_document_mask_inner (L, idx, d, i);
   if (f->kind->keeps)
      keep (L, idx, d, i, MODM_READ);
}

/* The value as it was assigned becomes the field's own type; what cannot be converted stays as it
 * is. */
static void
read_assigned (lua_State *L, int idx, modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   modm_error err;
   push_held (L, idx, d, i);
   if (modm_isnull (L, -1))
      return;
   modm_outcome outcome = f->kind->convert (L, lua_gettop (L), f, NULL, &err);
   if (outcome == MODM_CONVERTED) {
      lua_remove (L, -2);
      keep (L, idx, d, i, MODM_CLEAN);
   } else if (outcome == MODM_SAME) {
      d->states[i] = (uint8_t) (MODM_CLEAN | (d->states[i] & MODM_PART));
   }
}

static void push_copy (lua_State *L, int idx, int depth);

/* Pushes a copy of the embedded document at idx. */
static void
push_document_copy (lua_State *L, int idx, const modm_document *d, int depth)
{
   modm_document *copy = modm_document_push (L, d->schema);
   int at = lua_gettop (L);
   copy->flags = d->flags & ~(uint32_t) MODM_DOC_OWN;
   memcpy (copy->offsets, d->offsets, d->schema->n * sizeof *d->offsets);
   modm_document_values (L, at, copy);
   if (d->bytes) {
      copy->bytes = memcpy (lua_newuserdata (L, d->len), d->bytes, d->len);
      copy->len = d->len;
      lua_rawseti (L, at + 1, modm_bytes_at (d));
   }
   if (d->flags & MODM_DOC_VALUES) {
      modm_values_push (L, idx, d);
      if (!(d->flags & MODM_DOC_HOLDS)) {
         lua_rawgeti (L, -1, MODM_VALUES_MASK);
         lua_rawseti (L, at + 1, MODM_VALUES_MASK);
      }
      for (int i = 1; i <= (int) d->schema->n; i++) {
         (void) modm_values_get (L, d, at + 2, i);
         push_copy (L, -1, depth + 1);
         lua_rawseti (L, at + 1, i);
         lua_pop (L, 1);
      }
   }
   memcpy (copy->states, d->states, d->schema->n);
   lua_settop (L, at);
}

/* A default that may change is copied, or all documents would share it. Marks stay. */
static void
push_copy (lua_State *L, int idx, int depth)
{
   idx = lua_absindex (L, idx);
   luaL_checkstack (L, 10, "a default");
   if (depth > MODM_MAX_DEPTH)
      luaL_error (L, "a default nested deeper than %d levels (or cyclic)", MODM_MAX_DEPTH);
   const modm_document *d = modm_document_test (L, idx);
   if (d && d->schema->flags & MODM_SCHEMA_EMBEDDED) {
      push_document_copy (L, idx, d, depth);
      return;
   }
   if (lua_type (L, idx) != LUA_TTABLE) {
      lua_pushvalue (L, idx);
      return;
   }
   lua_newtable (L);
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1)) {
      lua_pushvalue (L, -2);
      push_copy (L, -2, depth + 1);
      lua_rawset (L, -5);
   }
   if (lua_getmetatable (L, idx))
      lua_setmetatable (L, -2);
}

static modm_need
read_unset (lua_State *L, int idx, modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   if (f->flags & MODM_FIELD_CALL) {
      lua_pushnil (L);
      return MODM_NEED_DEFAULT;
   }
   if (f->flags & MODM_FIELD_DEFAULT) {
      modm_field_push_env (L, f);
      lua_getfield (L, -1, "default");
      push_copy (L, -1, 0);
      lua_replace (L, -3);
      lua_pop (L, 1);
      bool blank = modm_isblank (L, -1);
      if (!blank || lua_type (L, -1) == LUA_TTABLE)
         keep (L, idx, d, i, blank ? MODM_DEFAULTED : MODM_SET);
      if (blank)
         return MODM_NEED_NOTHING;
      lua_pop (L, 1);
      read_assigned (L, idx, d, i);
   } else if (f->kind->is_container) {
      lua_newtable (L);
      keep (L, idx, d, i, MODM_DEFAULTED);
   } else {
      lua_pushnil (L);
   }
   return MODM_NEED_NOTHING;
}

/* Turns the key at the top into what it was resolved to, or says that it is to be. */
static modm_need
resolve_one (lua_State *L, int idx, const modm_document *d, uint32_t i)
{
   if (lua_isnil (L, -1) || modm_document_referred (L, -1))
      return MODM_NEED_NOTHING;
   modm_getuservalue (L, idx); /* the key is held, so there is one */
   lua_rawgeti (L, -1, modm_resolved_at (d, i));
   lua_remove (L, -2);
   if (lua_isnil (L, -1)) {
      lua_pop (L, 1);
      return MODM_NEED_REFERENCE;
   }
   if (!modm_document_test (L, -1)) { /* false: it points nowhere */
      lua_pop (L, 1);
      lua_pushnil (L);
   }
   lua_replace (L, -2);
   return MODM_NEED_NOTHING;
}

/* Turns the id or modm.File at the top into the object that the field reads as, or says that it is
 * to be made. */
static modm_need
resolve_file (lua_State *L, int idx, const modm_document *d, uint32_t i)
{
   if (lua_isnil (L, -1))
      return MODM_NEED_NOTHING;
   modm_getuservalue (L, idx); /* the value is held, so there is one */
   lua_rawgeti (L, -1, modm_resolved_at (d, i));
   lua_remove (L, -2);
   bool made = !lua_isnil (L, -1);
   if (made)
      lua_replace (L, -2);
   else
      lua_pop (L, 1);
   return made ? MODM_NEED_NOTHING : MODM_NEED_FILE;
}

/* Whether the list at `list`, one of field f, has an item that is not resolved. */
static bool
has_key (lua_State *L, int list, const modm_field *f)
{
   bool found = false;
   luaL_checkstack (L, 4, "a list");
   for (int i = 1; !found && lua_rawgeti (L, list, i) != LUA_TNIL; i++) {
      int item = lua_gettop (L);
      if (f->inner->inner)
         found = lua_type (L, item) == LUA_TTABLE && has_key (L, item, f->inner);
      else
         found = !modm_document_referred (L, item) && !modm_isnull (L, item);
      lua_settop (L, item - 1);
   }
   if (!found)
      lua_pop (L, 1);
   return found;
}

static modm_need
resolve_list (lua_State *L, int idx, const modm_document *d, uint32_t i)
{
   int top = lua_gettop (L);
   if (lua_type (L, top) != LUA_TTABLE)
      return MODM_NEED_NOTHING;
   modm_getuservalue (L, idx);
   lua_rawgeti (L, -1, modm_resolved_at (d, i));
   bool done = !lua_isnil (L, -1);
   lua_settop (L, top);
   bool needed = !done && has_key (L, top, &d->schema->fields[i]);
   lua_settop (L, top);
   return needed ? MODM_NEED_REFERENCES : MODM_NEED_NOTHING;
}

void
modm_document_push_not_loaded (lua_State *L, const modm_document *d, uint32_t i)
{
   lua_pushfstring (L, "%s.%s was not loaded: the query left it out (refresh_from_db loads it)",
                    d->schema->name, d->schema->fields[i].name);
}

/* What the value at the top, of slot i, needs to be what it refers to. */
static modm_need
resolve (lua_State *L, int idx, const modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   if (f->kind->role == MODM_REFERENCE)
      return resolve_one (L, idx, d, i);
   if (f->kind->role == MODM_FILE)
      return resolve_file (L, idx, d, i);
   while (f->inner)
      f = f->inner;
   return f->kind->role == MODM_REFERENCE ? resolve_list (L, idx, d, i) : MODM_NEED_NOTHING;
}

modm_need
modm_document_read (lua_State *L, int idx, modm_document *d, uint32_t i)
{
   modm_need need = MODM_NEED_NOTHING;
   modm_state state = modm_state_of (d->states[i]);
   idx = lua_absindex (L, idx);
   switch (state) {
   case MODM_STORED:
      read_stored (L, idx, d, i);
      break;
   case MODM_READ:
   case MODM_CLEAN:
   case MODM_DEFAULTED:
      push_held (L, idx, d, i);
      break;
   case MODM_SET:
      read_assigned (L, idx, d, i);
      break;
   case MODM_UNSET:
      need = read_unset (L, idx, d, i);
      break;
   case MODM_NOT_LOADED:
      modm_document_push_not_loaded (L, d, i);
      luaL_error (L, "%s", lua_tostring (L, -1));
   }
   if (state != MODM_STORED && modm_isnull (L, -1)) { /* null reads as nil, as of what is stored */
      lua_pop (L, 1);
      lua_pushnil (L);
   }
   if (need != MODM_NEED_NOTHING || !(d->schema->flags & MODM_SCHEMA_RESOLVES))
      return need;
   return resolve (L, idx, d, i);
}

void
modm_document_peek (lua_State *L, int idx, modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   modm_element e;
   switch (modm_state_of (d->states[i])) {
   case MODM_STORED:
      if (!modm_document_element (d, i, &e))
         luaL_error (L, "%s.%s: stored bytes are no BSON", d->schema->name, f->name);
      f->kind->push (L, f, &e);
      break;
   case MODM_READ:
   case MODM_CLEAN:
   case MODM_SET:
      push_held (L, idx, d, i);
      break;
   default:
      lua_pushnil (L);
   }
}

void
modm_document_peek_pk (lua_State *L, int idx, modm_document *d)
{
   int key = d->schema->primary;
   if (key >= 0 && modm_state_of (d->states[key]) != MODM_NOT_LOADED)
      modm_document_push_pk (L, idx, d);
   else
      lua_pushnil (L);
}

void
modm_document_push_pk (lua_State *L, int idx, modm_document *d)
{
   if (d->schema->primary < 0)
      lua_pushnil (L);
   else
      (void) modm_document_read (L, idx, d, (uint32_t) d->schema->primary);
}
