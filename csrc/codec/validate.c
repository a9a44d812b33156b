/* Phase V: validates a document, converting as it goes, and gathers all errors in a tree that
 * mirrors it. What only Lua can call (validators, clean) is listed for it: C frames must not stand
 * below a callback that yields. */
#include "codec/codec_private.h"

#include "field/list.h"

#include <stdarg.h>
#include <stdio.h>

/* One step of the path from the document to the value in hand; they live on the C stack. */
typedef struct step {
   const struct step *up;
   const char *key; /* a field, or NULL for an item of a list */
   int index;
} step;

struct modm_validation {
   lua_State *L;
   int errors, pending; /* stack slots: a table, or nil while there is nothing */
   const step *at;
   int count; /* of errors */
   bool cascade;
};

static void
push_key (lua_State *L, const step *s)
{
   if (s->key)
      lua_pushstring (L, s->key);
   else
      lua_pushinteger (L, s->index);
}

/* Pushes the table at the path, making what is not there. */
static void
push_node (modm_validation *v, const step *s)
{
   lua_State *L = v->L;
   luaL_checkstack (L, 4, "errors");
   if (!s) {
      lua_pushvalue (L, v->errors);
      return;
   }
   push_node (v, s->up);
   push_key (L, s);
   if (lua_rawget (L, -2) == LUA_TNIL) {
      lua_pop (L, 1);
      lua_newtable (L);
      push_key (L, s);
      lua_pushvalue (L, -2);
      lua_rawset (L, -4);
   }
   lua_remove (L, -2);
}

void
modm_report (modm_validation *v, const char *format, ...)
{
   char message[512];
   va_list args;
   va_start (args, format);
   (void) vsnprintf (message, sizeof message, format, args);
   va_end (args);
   lua_State *L = v->L;
   if (lua_isnil (L, v->errors)) {
      lua_newtable (L);
      lua_replace (L, v->errors);
   }
   push_node (v, v->at);
   lua_pushstring (L, message);
   lua_rawseti (L, -2, (int) lua_rawlen (L, -2) + 1);
   lua_pop (L, 1);
   v->count++;
}

/* Adds the path of `s`, outermost first, to the list at the top. */
static void
append_path (lua_State *L, const step *s)
{
   if (!s)
      return;
   append_path (L, s->up);
   push_key (L, s);
   lua_rawseti (L, -2, (int) lua_rawlen (L, -2) + 1);
}

/* Lists something to be called: entry[name] = the value at the top (popped), entry.path. */
static void
add_pending (modm_validation *v, const char *name)
{
   lua_State *L = v->L;
   luaL_checkstack (L, 6, "callbacks");
   if (lua_isnil (L, v->pending)) {
      lua_newtable (L);
      lua_replace (L, v->pending);
   }
   lua_newtable (L);
   lua_insert (L, -2);
   lua_setfield (L, -2, name);
   lua_newtable (L);
   append_path (L, v->at);
   lua_setfield (L, -2, "path");
   lua_pushvalue (L, -1);
   lua_rawseti (L, v->pending, (int) lua_rawlen (L, v->pending) + 1);
}

static void
add_validators (modm_validation *v, int idx, const modm_field *f)
{
   lua_State *L = v->L;
   modm_field_push_env (L, f);
   lua_getfield (L, -1, "validators");
   lua_remove (L, -2);
   add_pending (v, "validators");
   lua_pushvalue (L, idx);
   lua_setfield (L, -2, "value");
   lua_pop (L, 1);
}

/* ---- choices: values, or pairs of value and label ---- */

static bool
is_equal (lua_State *L, int a, int b)
{
   if (lua_rawequal (L, a, b))
      return true;
   const modm_value *x = modm_value_test (L, a), *y = modm_value_test (L, b);
   return x && y && x->type == y->type && x->size == y->size &&
          memcmp (x->bytes, y->bytes, x->size) == 0;
}

static void
check_choices (modm_validation *v, int idx, const modm_field *f)
{
   lua_State *L = v->L;
   int top = lua_gettop (L);
   modm_field_push_env (L, f);
   lua_getfield (L, -1, "choices");
   int choices = lua_gettop (L), n = (int) lua_rawlen (L, choices);
   luaL_Buffer text;
   bool found = n == 0;
   for (int i = 1; i <= n && !found; i++) {
      lua_rawgeti (L, choices, i);
      if (lua_type (L, -1) == LUA_TTABLE)
         lua_rawgeti (L, -1, 1);
      found = is_equal (L, idx, lua_gettop (L));
      lua_settop (L, choices);
   }
   if (!found) {
      luaL_buffinit (L, &text);
      for (int i = 1; i <= n; i++) {
         luaL_addstring (&text, i > 1 ? ", " : "");
         lua_rawgeti (L, choices, i);
         if (lua_type (L, -1) == LUA_TTABLE) {
            lua_rawgeti (L, -1, 1);
            lua_remove (L, -2);
         }
         modm_describe (L, -1);
         lua_remove (L, -2);
         luaL_addvalue (&text);
      }
      luaL_pushresult (&text);
      modm_report (v, "%s is not a choice. Choices are [%s].", modm_describe (L, idx),
                   lua_tostring (L, -2));
   }
   lua_settop (L, top);
}

/* ---- values ---- */

static void validate_document (modm_validation *v, int idx, modm_document *d, int exclude);

/* What is checked of a value once it is converted. */
static void
check_value (modm_validation *v, int idx, const modm_field *f)
{
   lua_State *L = v->L;
   int before = v->count;
   modm_document *d = modm_document_test (L, idx);
   if (d && f->kind->role == MODM_EMBEDDED) {
      validate_document (v, idx, d, 0);
   } else if (d && f->kind->role == MODM_REFERENCE && !v->cascade) {
      modm_state state = modm_state_of (d->states[d->schema->primary]);
      if (state == MODM_UNSET || state == MODM_DEFAULTED)
         modm_report (v, "the %s referred to must be saved first.", d->schema->name);
   }
   if (f->flags & MODM_FIELD_CHOICES)
      check_choices (v, idx, f);
   if (v->count != before)
      return;
   if (f->flags & MODM_FIELD_VALIDATORS)
      add_validators (v, idx, f);
   if (f->kind->check)
      f->kind->check (L, idx, f, v);
}

static void push_validated (modm_validation *v, int idx, const modm_field *f, bool own);

/* Pushes the list with its items converted: the very list when the document owns it, else a new
 * one. */
static void
push_validated_list (modm_validation *v, int idx, const modm_field *f, bool own)
{
   lua_State *L = v->L;
   modm_error err;
   uint32_t n;
   if (!modm_list_length (L, idx, &n, &err)) {
      modm_report (v, "%s", err.message);
      lua_pushvalue (L, idx);
      return;
   }
   luaL_checkstack (L, 10, "a list");
   if (own)
      lua_pushvalue (L, idx);
   else
      lua_createtable (L, (int) n, 0);
   int list = lua_gettop (L), before = v->count;
   step here = {v->at, NULL, 0};
   v->at = &here;
   for (uint32_t i = 1; i <= n; i++) {
      here.index = (int) i;
      lua_rawgeti (L, idx, i);
      push_validated (v, list + 1, f->inner, own);
      lua_rawseti (L, list, (int) i);
      lua_settop (L, list);
   }
   v->at = here.up;
   if (v->count == before)
      check_value (v, list, f);
}

/* Pushes the value at idx as the field has it, having reported what is wrong with it. */
static void
push_validated (modm_validation *v, int idx, const modm_field *f, bool own)
{
   lua_State *L = v->L;
   modm_error err;
   luaL_checkstack (L, 10, "a value");
   if (modm_isblank (L, idx)) {
      if (!(f->flags & MODM_FIELD_BLANK)) {
         modm_report (v, "must not be blank (was: %s).", modm_describe (L, idx));
         lua_pop (L, 1);
      }
      lua_pushvalue (L, idx);
   } else if (f->inner && lua_type (L, idx) == LUA_TTABLE) {
      push_validated_list (v, idx, f, own);
   } else {
      switch (f->kind->convert (L, idx, f, v, &err)) {
      case MODM_REFUSED:
         modm_report (v, "%s", err.message);
         lua_pushvalue (L, idx);
         return;
      case MODM_SAME:
         lua_pushvalue (L, idx);
         break;
      case MODM_CONVERTED:
         break;
      }
      check_value (v, lua_gettop (L), f);
   }
}

/* ---- documents ---- */

/* True when the stored bytes of slot i are surely valid and nobody changed what was read of them.
 */
static bool
is_surely_valid (const modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   modm_state state = modm_state_of (d->states[i]);
   modm_element e;
   return (state == MODM_STORED || (state == MODM_READ && !f->kind->is_mutable)) &&
          !(f->flags & (MODM_FIELD_CHOICES | MODM_FIELD_VALIDATORS)) &&
          modm_document_element (d, i, &e) && f->kind->accepts (f, &e);
}

/* Pushes the value of a slot for validation, null as null; false when it is undefined. */
static bool
push_defined (lua_State *L, int idx, modm_document *d, uint32_t i)
{
   modm_state state = modm_state_of (d->states[i]);
   const modm_field *f = &d->schema->fields[i];
   if (state == MODM_UNSET || (state == MODM_STORED && f->kind->is_mutable)) {
      (void) modm_document_read (L, idx, d,
                                 i); /* a default is set by this; what may change is kept */
      lua_pop (L, 1);
      state = modm_state_of (d->states[i]);
   }
   if (state == MODM_DEFAULTED) {
      modm_getuservalue (L, idx);
      lua_rawgeti (L, -1, (int) i + 1);
      lua_remove (L, -2);
      if (!modm_isblank (L, -1))
         return true;
      lua_pop (L, 1);
      return false;
   }
   if (state == MODM_UNSET)
      return false;
   modm_document_peek (L, idx, d, i);
   return true;
}

static void
validate_slot (modm_validation *v, int idx, modm_document *d, uint32_t i)
{
   lua_State *L = v->L;
   const modm_field *f = &d->schema->fields[i];
   int top = lua_gettop (L), before = v->count;
   if (is_surely_valid (d, i))
      return;
   if (!push_defined (L, idx, d, i)) {
      if (f->flags & MODM_FIELD_REQUIRED)
         modm_report (v, "field is required.");
      lua_settop (L, top);
      return;
   }
   modm_state state = modm_state_of (d->states[i]);
   push_validated (v, top + 1, f, state != MODM_SET);
   bool held = state != MODM_STORED && state != MODM_READ;
   if (held && v->count == before) {
      modm_getuservalue (L, idx);
      lua_pushvalue (L, -2);
      lua_rawseti (L, -2, (int) i + 1);
      d->states[i] = (uint8_t) (MODM_CLEAN | (d->states[i] & MODM_PART));
   }
   lua_settop (L, top);
}

static bool
is_excluded (lua_State *L, int exclude, const modm_field *f)
{
   if (!exclude)
      return false;
   lua_getfield (L, exclude, f->name);
   bool excluded = lua_toboolean (L, -1);
   lua_pop (L, 1);
   return excluded;
}

static int
depth_of (const step *s)
{
   int depth = 0;
   for (; s; s = s->up)
      depth++;
   return depth;
}

static void
validate_document (modm_validation *v, int idx, modm_document *d, int exclude)
{
   lua_State *L = v->L;
   const modm_schema *s = d->schema;
   int before = v->count;
   luaL_checkstack (L, 20, "a document");
   if (depth_of (v->at) > 2 * MODM_MAX_DEPTH) {
      modm_report (v, "nested deeper than %d levels (or cyclic).", MODM_MAX_DEPTH);
      return;
   }
   step here = {v->at, NULL, 0};
   v->at = &here;
   for (uint32_t i = 0; i < s->n; i++) {
      here.key = s->fields[i].name;
      if (modm_state_of (d->states[i]) != MODM_NOT_LOADED &&
          !is_excluded (L, exclude, &s->fields[i]))
         validate_slot (v, idx, d, i);
   }
   v->at = here.up;
   if (v->count == before && s->flags & MODM_SCHEMA_CLEAN) {
      lua_pushvalue (L, idx);
      add_pending (v, "clean");
      lua_pop (L, 1);
   }
}

void
modm_document_validate (lua_State *L, int idx, modm_document *d, int exclude, bool cascade)
{
   idx = lua_absindex (L, idx);
   lua_pushnil (L);
   lua_pushnil (L);
   modm_validation v = {
      .L = L, .errors = lua_gettop (L) - 1, .pending = lua_gettop (L), .cascade = cascade};
   validate_document (&v, idx, d, exclude);
}

bool
modm_field_convert (lua_State *L, int idx, const modm_field *f, modm_error *err)
{
   idx = lua_absindex (L, idx);
   modm_outcome outcome =
      modm_isnull (L, idx) ? MODM_SAME : f->kind->convert (L, idx, f, NULL, err);
   if (outcome == MODM_REFUSED)
      return false;
   if (outcome == MODM_SAME)
      lua_pushvalue (L, idx);
   return true;
}
