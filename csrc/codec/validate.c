/* Phase V: validates a document, converting as it goes, and gathers all errors in a tree that
 * mirrors it (report.c). What only Lua can call (validators, clean) is listed for it: C frames must
 * not stand below a callback that yields. A new document may be written in the same walk (put.c).
 */
#include "codec/codec_private.h"

#include "field/list.h"

static void
add_validators (modm_validation *v, int idx, const modm_field *f)
{
   lua_State *L = v->L;
   modm_field_push_env (L, f);
   lua_getfield (L, -1, "validators");
   lua_remove (L, -2);
   modm_validation_add (v, "validators");
   bool reads_otherwise = v->document && f->kind->role == MODM_FILE; /* as an object of Lua's */
   lua_pushvalue (L, reads_otherwise ? v->document : idx);
   lua_setfield (L, -2, reads_otherwise ? "document" : "value");
   lua_pop (L, 1);
}

/* ---- values ---- */

static void
check_unsaved (modm_validation *v, const modm_document *d)
{
   modm_state state = modm_state_of (d->states[d->schema->primary]);
   if (!v->cascade && (state == MODM_UNSET || state == MODM_DEFAULTED))
      modm_report (v, "the %s referred to must be saved first.", d->schema->name);
}

/* What is checked of a value once it is converted. */
static void
check_value (modm_validation *v, int idx, const modm_field *f)
{
   int before = v->count;
   modm_document *d;
   if (f->kind->role == MODM_EMBEDDED && (d = modm_document_test (v->L, idx)))
      modm_validate_document (v, idx, d, 0);
   else if (f->kind->role == MODM_REFERENCE && (d = modm_document_referred (v->L, idx)))
      check_unsaved (v, d);
   if (f->flags & MODM_FIELD_CHOICES)
      modm_check_choices (v->L, v, idx, f);
   if (v->count != before)
      return;
   if (f->flags & MODM_FIELD_VALIDATORS)
      add_validators (v, idx, f);
   if (f->kind->check)
      f->kind->check (v->L, idx, f, v);
}

static modm_outcome validate_value (modm_validation *v, int idx, const modm_field *f, bool own);

/* Validates the items of the list at idx and writes them, converted, to the list at `to`. */
static void
validate_items (modm_validation *v, int idx, int to, uint32_t n, const modm_field *inner, bool own)
{
   lua_State *L = v->L;
   modm_step here = {v->at, NULL, 0};
   v->at = &here;
   int item = lua_gettop (L) + 1;
   for (uint32_t i = 1; i <= n; i++) {
      here.index = (int) i;
      lua_rawgeti (L, idx, i);
      if (validate_value (v, item, inner, own) == MODM_CONVERTED || !own)
         lua_rawseti (L, to, (int) i);
      lua_settop (L, item - 1);
   }
   v->at = here.up;
}

/* A list with its items converted: the very list when the document owns it, else a new one. */
static modm_outcome
validate_list (modm_validation *v, int idx, const modm_field *f, bool own)
{
   lua_State *L = v->L;
   modm_error err;
   uint32_t n;
   if (!modm_list_length (L, idx, &n, &err)) {
      modm_report (v, "%s", err.message);
      return MODM_REFUSED;
   }
   luaL_checkstack (L, 20, "a list");
   int before = v->count, list = idx;
   if (!own) {
      lua_createtable (L, (int) n, 0);
      list = lua_gettop (L);
   }
   validate_items (v, idx, list, n, f->inner, own);
   if (v->count == before)
      check_value (v, list, f);
   return own ? MODM_SAME : MODM_CONVERTED;
}

bool
modm_list_may_fit (lua_State *L, int idx, const modm_field *f)
{
   return lua_type (L, idx) == LUA_TTABLE && f->inner && f->inner->kind->fits &&
          !(f->flags & (MODM_FIELD_CHOICES | MODM_FIELD_VALIDATORS)) &&
          modm_mark_test (L, idx) != MODM_OBJECT;
}

/* The quick look at a list: whether it has items, in their order, and all of them fit. Unless the
 * document owns it, a copy of such a list is pushed. */
static bool
list_fits (lua_State *L, int idx, const modm_field *f, bool own)
{
   bool more = true, fits = true;
   uint32_t n = 0;
   if (!modm_list_may_fit (L, idx, f))
      return false;
   int top = lua_gettop (L), to = own ? 0 : top + 1;
   if (to)
      lua_createtable (L, (int) lua_rawlen (L, idx), 0);
   for (lua_pushnil (L); (fits = modm_list_next (L, idx, n + 1, &more)) && more; n++) {
      if (!(fits = modm_field_fits (L, -1, f->inner)))
         break;
      if (to)
         lua_rawseti (L, to, (int) n + 1);
      else
         lua_pop (L, 1);
   }
   fits = fits && n > 0;
   if (!fits)
      lua_settop (L, top);
   return fits;
}

/* A blank value, unless it becomes another: an empty table may be a document, "" is false. A list
 * or dict is blank when it is empty or null, but what a document was loaded with stays. */
static modm_outcome
validate_blank (modm_validation *v, int idx, const modm_field *f, bool own)
{
   lua_State *L = v->L;
   modm_error err;
   int top = lua_gettop (L);
   modm_outcome outcome = MODM_SAME;
   if (!lua_isnil (L, idx) && !modm_isnull (L, idx))
      outcome = f->kind->convert (L, idx, f, v, &err);
   if (outcome == MODM_CONVERTED && !modm_isblank (L, -1)) {
      check_value (v, lua_gettop (L), f);
      return MODM_CONVERTED;
   }
   lua_settop (L, top);
   bool stored = own && v->at->key;
   if (!(f->flags & MODM_FIELD_BLANK))
      modm_report (v, "must not be blank (was: %s).", modm_describe (L, idx));
   else if (f->kind->is_container && outcome == MODM_REFUSED && !stored)
      modm_report (v, "%s", err.message);
   else
      return MODM_SAME;
   lua_settop (L, top);
   return MODM_REFUSED;
}

/* Reports what is wrong with the value at idx, and pushes it as the field has it if that is
 * CONVERTED. There is room on the stack for a few values. */
static modm_outcome
validate_value (modm_validation *v, int idx, const modm_field *f, bool own)
{
   lua_State *L = v->L;
   modm_error err;
   if (modm_field_fits (L, idx, f))
      return MODM_SAME;
   bool list = f->inner && lua_type (L, idx) == LUA_TTABLE;
   if (list_fits (L, idx, f, own))
      return own ? MODM_SAME : MODM_CONVERTED;
   if (modm_isblank (L, idx))
      return validate_blank (v, idx, f, own);
   if (list)
      return validate_list (v, idx, f, own);
   modm_outcome outcome = MODM_SAME;
   if (f->kind->role != MODM_FILE || !own) /* else it is an id as a storage gave it */
      outcome = f->kind->convert (L, idx, f, v, &err);
   if (outcome == MODM_REFUSED)
      modm_report (v, "%s", err.message);
   else
      check_value (v, outcome == MODM_SAME ? idx : lua_gettop (L), f);
   return outcome;
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

static void
check_required (modm_validation *v, const modm_field *f)
{
   if (f->flags & MODM_FIELD_REQUIRED)
      modm_report (v, "field is required.");
}

/* A value that is only in the bytes and cannot change in place. */
static void
validate_stored (modm_validation *v, int idx, modm_document *d, uint32_t i)
{
   modm_document_peek (v->L, idx, d, i);
   (void) validate_value (v, lua_gettop (v->L), &d->schema->fields[i], true);
}

/* A value in the document's values, kept converted. */
static void
validate_held (modm_validation *v, int values, modm_document *d, uint32_t i)
{
   lua_State *L = v->L;
   const modm_field *f = &d->schema->fields[i];
   int before = v->count;
   modm_state state = modm_state_of (d->states[i]);
   int value = values + 1;
   (void) modm_values_get (L, d, values, (int) i + 1);
   if (state == MODM_DEFAULTED && modm_isblank (L, value)) {
      check_required (v, f);
      return;
   }
   modm_outcome outcome = validate_value (v, value, f, state != MODM_SET);
   if (v->count != before)
      return;
   if (outcome == MODM_CONVERTED)
      modm_values_set (L, d, values, (int) i + 1);
   if (state != MODM_READ)
      d->states[i] = (uint8_t) (MODM_CLEAN | (d->states[i] & MODM_PART));
}

/* The quick look at what was assigned: whether it surely is valid as it stands. */
static bool
assigned_fits (lua_State *L, int values, modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   bool own = d->states[i] == MODM_CLEAN;
   if (!own && d->states[i] != MODM_SET)
      return false;
   (void) modm_values_get (L, d, values, (int) i + 1);
   if (!(f->inner ? list_fits (L, values + 1, f, own) : modm_field_fits (L, values + 1, f)))
      return false;
   if (f->inner && !own)
      modm_values_set (L, d, values, (int) i + 1);
   d->states[i] = MODM_CLEAN;
   return true;
}

void
modm_validate_slot (modm_validation *v, int idx, int values, modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   modm_state state = modm_state_of (d->states[i]);
   if (is_surely_valid (d, i) || assigned_fits (v->L, values, d, i))
      return;
   lua_settop (v->L, values);
   if ((state == MODM_UNSET && f->flags & MODM_FIELD_DEFAULT) ||
       (state == MODM_STORED && f->kind->is_mutable)) {
      /* reading sets a default, and keeps what may change */
      (void) modm_document_read (v->L, idx, d, i);
      modm_document_values (v->L, idx, d);
      lua_replace (v->L, values);
      lua_pop (v->L, 1);
      state = modm_state_of (d->states[i]);
   }
   if (state == MODM_UNSET)
      check_required (v, f);
   else if (state == MODM_STORED || (state == MODM_READ && !f->kind->is_mutable))
      validate_stored (v, idx, d, i);
   else
      validate_held (v, values, d, i);
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

void
modm_validate_document (modm_validation *v, int idx, modm_document *d, int exclude)
{
   lua_State *L = v->L;
   const modm_schema *s = d->schema;
   int before = v->count, values = lua_gettop (L) + 1, outer = v->document;
   luaL_checkstack (L, 20, "a document");
   if (!v->too_deep && v->depth >= MODM_MAX_DEPTH) {
      modm_report (v, "nested deeper than %d levels (or cyclic).", MODM_MAX_DEPTH);
      v->too_deep = true;
   }
   if (v->too_deep)
      return;
   if (d->flags & MODM_DOC_VALUES)
      modm_values_push (L, idx, d);
   else
      lua_pushnil (L);
   modm_step here = {v->at, NULL, 0};
   v->at = &here;
   v->document = idx;
   v->depth++;
   size_t start = v->out ? modm_write_begin (v->out) : 0;
   for (uint32_t i = 0; i < s->n; i++) {
      here.key = s->fields[i].name;
      if (modm_state_of (d->states[i]) != MODM_NOT_LOADED &&
          !is_excluded (L, exclude, &s->fields[i])) {
         (v->out ? modm_write_slot : modm_validate_slot) (v, idx, values, d, i);
         lua_settop (L, values);
      }
   }
   if (v->out)
      modm_encode_end (d, v->out, start);
   v->depth--;
   v->document = outer;
   v->at = here.up;
   if (v->count == before && s->flags & MODM_SCHEMA_CLEAN) {
      lua_pushvalue (L, idx);
      modm_validation_add (v, "clean");
   }
   lua_settop (L, values - 1);
}

void
modm_document_validate (lua_State *L, int idx, modm_document *d, int exclude, bool cascade)
{
   idx = lua_absindex (L, idx);
   lua_pushnil (L);
   lua_pushnil (L);
   modm_validation v = {
      .L = L, .errors = lua_gettop (L) - 1, .pending = lua_gettop (L), .cascade = cascade};
   modm_validate_document (&v, idx, d, exclude);
}

void
modm_value_validate (lua_State *L, int idx, const modm_field *f)
{
   idx = lua_absindex (L, idx);
   luaL_checkstack (L, 20, "a value");
   lua_pushvalue (L, idx);
   lua_pushnil (L);
   lua_pushnil (L);
   int value = lua_gettop (L) - 2;
   modm_validation v = {.L = L, .errors = value + 1, .pending = value + 2};
   if (validate_value (&v, idx, f, false) == MODM_CONVERTED)
      lua_replace (L, value);
   lua_settop (L, value + 2);
}
