/* The document as storage: its bytes, slots and values. */
#include "codec/codec_private.h"

modm_class modm_document_class = "modm.Document";

modm_document *
modm_document_referred (lua_State *L, int idx)
{
   modm_document *d = modm_document_test (L, idx);
   return d && !(d->schema->flags & MODM_SCHEMA_EMBEDDED) ? d : NULL;
}

/* Pushes a record with room for bytes behind it and for user values, without a metatable. */
static modm_document *
push_record (lua_State *L, const modm_schema *s, size_t room, int user_values)
{
   size_t head = sizeof (modm_document) + s->n * sizeof (uint32_t) + s->n;
   modm_document *d = modm_newuserdata (L, head + room, user_values);
   memset (d, 0, head);
   d->schema = s;
   d->states = (uint8_t *) (d->offsets + s->n);
   d->tag.tag = &modm_document_class;
   return d;
}

modm_document *
modm_document_new (lua_State *L, const modm_schema *s, int metatable)
{
   enum { MOST = 1000 }; /* user values; Lua's own limit is higher */
   luaL_checkstack (L, 10, "a document");
   bool holds = MODM_HAS_USER_VALUES && s->n < MOST && !(s->flags & MODM_SCHEMA_RESOLVES);
   modm_document *d = push_record (L, s, 0, holds ? (int) s->n + 1 : 1);
   if (holds)
      d->flags = MODM_DOC_OWN;
   lua_pushvalue (L, metatable);
   lua_setmetatable (L, -2);
   return d;
}

modm_document *
modm_document_push (lua_State *L, const modm_schema *s)
{
   luaL_checkstack (L, 10, "a document");
   modm_document *d = push_record (L, s, 0, 1);
   modm_schema_push_metatable (L, s);
   lua_setmetatable (L, -2);
   return d;
}

/* What one walk over the bytes found. */
typedef struct index_result {
   bool bad;
   bool own_cls; /* _cls is as this model writes it */
   bool foreign; /* _cls names another model, or this one by an alias */
   bool unknown;
   modm_element first_unknown;
} index_result;

static bool
is_cls (const modm_element *e)
{
   return e->key_len == 4 && memcmp (e->key, "_cls", 4) == 0;
}

static void
note_other (const modm_schema *s, const modm_element *e, index_result *r)
{
   if (is_cls (e)) {
      size_t len = 0;
      const char *cls = e->type == MODM_BSON_STRING ? modm_element_text (e, &len) : "";
      r->own_cls = s->cls && len == s->cls_len && memcmp (cls, s->cls, len) == 0;
      r->foreign = !r->own_cls;
   } else if (!r->unknown) {
      r->first_unknown = *e;
      r->unknown = true;
   }
}

/* Notes where the elements begin whose keys are those of the slots from *slot on, in their order.
 * Returns where it ended. */
static const uint8_t *
index_in_order (modm_document *d, const uint8_t *at, const uint8_t *end, uint32_t *slot)
{
   const modm_schema *s = d->schema;
   uint32_t i = *slot;
   const uint8_t *next;
   while ((next = modm_element_skip (at, end, s->fields[i].mongo_name, s->fields[i].mongo_len))) {
      d->offsets[i] = (uint32_t) (at - d->bytes);
      at = next;
      i = i + 1 < s->n ? i + 1 : 0;
   }
   *slot = i;
   return at;
}

/* Finds each slot's element, and keeps in flags what else there is. */
static index_result
index_bytes (modm_document *d)
{
   index_result result = {0};
   modm_reader r;
   modm_element e;
   const modm_schema *s = d->schema;
   uint32_t slot = s->primary >= 0 ? (uint32_t) s->primary : 0;
   result.bad = !modm_reader_init (&r, d->bytes, d->len);
   while (!result.bad) {
      if (s->n > 0)
         r.at = index_in_order (d, r.at, r.end, &slot);
      const uint8_t *at = r.at;
      if (!modm_reader_next (&r, &e))
         break;
      /* no field is stored as _cls */
      const modm_field *f = is_cls (&e) ? NULL : modm_schema_stored (s, e.key, e.key_len, 0);
      if (!f) {
         note_other (s, &e, &result);
         continue;
      }
      d->offsets[f->id - 1] = (uint32_t) (at - d->bytes);
      slot = (uint32_t) f->id < s->n ? (uint32_t) f->id : 0;
   }
   result.bad = result.bad || r.bad;
   d->flags &= ~(uint32_t) (MODM_DOC_UNKNOWN | MODM_DOC_KEEPS_CLS);
   if (result.unknown)
      d->flags |= MODM_DOC_UNKNOWN;
   if (!result.own_cls)
      d->flags |= MODM_DOC_KEEPS_CLS;
   return result;
}

static void
refuse_unknown (lua_State *L, const modm_schema *s, const modm_element *e)
{
   lua_pushlstring (L, e->key, e->key_len);
   luaL_error (L,
               "%s: a stored document has the field '%s', which the model does not declare "
               "(Meta.ignore_unknown_fields = true allows it)",
               s->name, lua_tostring (L, -1));
}

modm_document *
modm_document_load (lua_State *L, const modm_schema *s, int metatable, const uint8_t *bytes,
                    size_t len, const modm_mask *mask)
{
   luaL_checkstack (L, 10, "a document");
   modm_document *d = push_record (L, s, len, 1);
   if (metatable)
      lua_pushvalue (L, metatable);
   else
      modm_schema_push_metatable (L, s);
   lua_setmetatable (L, -2);
   uint8_t *copy = d->states + s->n;
   memcpy (copy, bytes, len);
   d->bytes = copy;
   d->len = (uint32_t) len;
   index_result found = index_bytes (d);
   if (found.bad)
      luaL_error (L, "%s: stored bytes are no BSON", s->name);
   if (found.foreign) {
      const modm_schema *own = modm_schema_of_bytes (L, s, bytes, len);
      if (own != s) {
         d = modm_document_load (L, own, 0, bytes, len, mask);
         lua_remove (L, -2);
         return d;
      }
   }
   if (found.unknown && !(s->flags & MODM_SCHEMA_IGNORE_UNKNOWN))
      refuse_unknown (L, s, &found.first_unknown);
   for (uint32_t i = 0; i < s->n; i++)
      d->states[i] = d->offsets[i] ? MODM_STORED : MODM_UNSET;
   if (mask)
      modm_document_mask (L, -1, d, mask);
   return d;
}

void
modm_document_values (lua_State *L, int idx, modm_document *d)
{
   if (d->flags & MODM_DOC_VALUES) {
      modm_values_push (L, idx, d);
      return;
   }
   idx = lua_absindex (L, idx);
   /* room for its bytes, too, when it can be saved by itself */
   lua_createtable (L, (int) d->schema->n + (d->schema->flags & MODM_SCHEMA_EMBEDDED ? 0 : 1), 0);
   lua_pushvalue (L, -1);
   modm_setuservalue (L, idx);
   d->flags |= MODM_DOC_VALUES;
}

void
modm_document_assign (lua_State *L, int idx, modm_document *d, uint32_t i)
{
   idx = lua_absindex (L, idx);
   bool unset = lua_isnil (L, -1);
   uint8_t part = d->states[i] & MODM_PART;
   d->flags |= MODM_DOC_ASSIGNED;
   if (unset && !(d->flags & MODM_DOC_VALUES)) {
      lua_pop (L, 1);
      d->states[i] = (uint8_t) (MODM_UNSET | part);
      return;
   }
   modm_document_values (L, idx, d);
   if (d->schema->flags & MODM_SCHEMA_RESOLVES) {
      lua_pushnil (L);
      lua_rawseti (L, -2, modm_resolved_at (d, i));
   }
   lua_insert (L, -2);
   modm_values_set (L, d, -2, (int) i + 1);
   lua_pop (L, 1);
   d->states[i] = (uint8_t) ((unset ? MODM_UNSET : MODM_SET) | part);
}

void
modm_document_fill (lua_State *L, int doc, modm_document *d, int idx)
{
   const modm_schema *s = d->schema;
   luaL_checkstack (L, 10, "a document");
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1)) {
      if (lua_type (L, -2) != LUA_TSTRING)
         luaL_error (L, "%s: a document's table has a key of type %s", s->name,
                     luaL_typename (L, -2));
      size_t len;
      const char *name = lua_tolstring (L, -2, &len);
      const modm_field *f = modm_schema_stored (s, name, len, 0);
      if (f) {
         lua_pushvalue (L, -1);
         modm_document_assign (L, doc, d, (uint32_t) f->id - 1);
      } else if (strcmp (name, "_cls") != 0 && !(s->flags & MODM_SCHEMA_IGNORE_UNKNOWN)) {
         luaL_error (L, "%s: there is no field stored as '%s'", s->name, name);
      }
   }
}

/* Keeps an instance that was assigned to a reference as what the reference is resolved to. */
static void
keep_resolved (lua_State *L, int values, const modm_document *d)
{
   for (uint32_t i = 0; i < d->schema->n; i++) {
      if (d->schema->fields[i].kind->role != MODM_REFERENCE)
         continue;
      lua_rawgeti (L, values, (int) i + 1);
      if (modm_document_referred (L, -1))
         lua_rawseti (L, values, modm_resolved_at (d, i));
      else
         lua_pop (L, 1);
   }
}

void
modm_document_take_bytes (lua_State *L, int idx, modm_document *d, const uint8_t *bytes)
{
   idx = lua_absindex (L, idx);
   int block = lua_gettop (L);
   modm_document_values (L, idx, d);
   lua_pushvalue (L, block);
   modm_values_set (L, d, -2, modm_bytes_at (d));
   d->bytes = bytes;
   d->len = (uint32_t) modm_load_i32 (d->bytes);
   memset (d->offsets, 0, d->schema->n * sizeof *d->offsets);
   (void) index_bytes (d); /* our own encoding */
   lua_settop (L, block - 1);
}

/* Whether a list was written as the program gave it, which may do with it what it likes now. */
static bool
is_given_list (const modm_field *f, modm_state state)
{
   return state == MODM_SET && f->inner && f->inner->kind->fits;
}

/* What a slot is once its value was saved: stored, or still held because it may change in place, or
 * because it is an empty default, which is not stored. A new key is stored now. */
static void
settle (lua_State *L, int values, modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   modm_state state = modm_state_of (d->states[i]);
   uint8_t part = d->states[i] & MODM_PART;
   bool held =
      state == MODM_READ || state == MODM_SET || state == MODM_CLEAN || state == MODM_DEFAULTED;
   if (!d->offsets[i] && held) {
      d->states[i] = (uint8_t) (MODM_DEFAULTED | part);
   } else if (held && f->kind->is_mutable && !is_given_list (f, state)) {
      d->states[i] = (uint8_t) (MODM_READ | part);
   } else if (held || (d->offsets[i] && state == MODM_UNSET)) {
      lua_pushnil (L);
      modm_values_set (L, d, values, (int) i + 1);
      d->states[i] = (uint8_t) (MODM_STORED | part);
   }
}

/* What was assigned while the save was under way was not saved: then all slots stay as they are,
 * and the next save finds what differs. */
void
modm_document_rebase (lua_State *L, int idx, modm_document *d, const uint8_t *bytes)
{
   idx = lua_absindex (L, idx);
   modm_undo_save (L, idx, d);
   if (d->schema->flags & MODM_SCHEMA_RESOLVES) {
      modm_document_values (L, idx, d);
      keep_resolved (L, lua_gettop (L), d);
      lua_pop (L, 1);
   }
   modm_document_take_bytes (L, idx, d, bytes);
   /* from here on nothing allocates, so nothing can fail half way */
   modm_document_values (L, idx, d);
   for (uint32_t i = 0; i < d->schema->n && !(d->flags & MODM_DOC_ASSIGNED); i++)
      settle (L, lua_gettop (L), d, i);
   lua_pop (L, 1);
   d->flags |= MODM_DOC_LOADED;
   d->flags &= ~(uint32_t) MODM_DOC_UNSURE;
}
