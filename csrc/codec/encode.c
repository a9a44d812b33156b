/* Phase E: a document to BSON. Runs no Lua and throws nothing. */
#include "codec/codec_private.h"

static void
copy_stored (const modm_document *d, uint32_t i, modm_buffer *b)
{
   modm_element e;
   const uint8_t *start = d->bytes + d->offsets[i];
   if (modm_document_element (d, i, &e))
      modm_buffer_write (b, start, (size_t) (e.value - start) + e.size);
}

bool
modm_encode_field (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                   size_t key_len, int depth, modm_error *err)
{
   return f->kind->append (L, lua_absindex (L, idx), f, b, key, key_len, depth, err);
}

/* Of what was loaded in part only a field of an embedded document can be saved changed: the rest
 * would become all there is. The slot's encoding begins at `start`, its value is at the top. */
static bool
check_part (lua_State *L, const modm_document *d, uint32_t i, const modm_buffer *b, size_t start,
            modm_error *err)
{
   const modm_field *f = &d->schema->fields[i];
   modm_state state = modm_state_of (d->states[i]);
   bool same = false;
   modm_element before, now;
   if (f->kind->role == MODM_EMBEDDED && state == MODM_READ)
      return true;
   const modm_document *value = modm_document_test (L, -1);
   if (value && f->kind->role == MODM_EMBEDDED && value->flags & MODM_DOC_PARTIAL)
      return modm_error_set (err, "holds a document of which only some fields were loaded");
   if (!(d->states[i] & MODM_PART) || b->failed)
      return true;
   if (modm_document_element (d, i, &before) &&
       modm_element_at (b->data + start, b->data + b->len, &now))
      same = f->kind->role != MODM_EMBEDDED && modm_same_value (f, &before, &now);
   return same ||
          modm_error_set (err, "was loaded in part (projection); it cannot be saved changed");
}

bool
modm_encode_slot (lua_State *L, int values, const modm_document *d, uint32_t i, modm_buffer *b,
                  int depth, modm_error *err)
{
   const modm_field *f = &d->schema->fields[i];
   modm_state state = modm_state_of (d->states[i]);
   if (state == MODM_UNSET || state == MODM_NOT_LOADED)
      return true;
   if (state == MODM_STORED || (state == MODM_READ && !f->kind->is_mutable)) {
      copy_stored (d, i, b);
      return true;
   }
   (void) modm_values_get (L, d, values, (int) i + 1);
   bool ok = true, parts = d->states[i] & MODM_PART || f->kind->role == MODM_EMBEDDED;
   size_t start = b->len;
   if (state != MODM_DEFAULTED || !modm_isblank (L, -1))
      ok = f->kind->append (L, values + 1, f, b, f->mongo_name, f->mongo_len, depth, err) &&
           (!parts || check_part (L, d, i, b, start, err));
   lua_pop (L, 1);
   return ok || modm_error_at_key (err, f->name, f->name_len);
}

/* Stored elements that are no fields are kept as they are (Meta.ignore_unknown_fields). */
static void
copy_unknown (const modm_document *d, modm_buffer *b)
{
   modm_reader r;
   modm_element e;
   (void) modm_reader_init (&r, d->bytes, d->len);
   while (modm_reader_next (&r, &e))
      if (!modm_schema_stored (d->schema, e.key, e.key_len, 0) &&
          !(e.key_len == 4 && memcmp (e.key, "_cls", 4) == 0))
         modm_write_element (b, &e);
}

static void
copy_cls (const modm_document *d, modm_buffer *b)
{
   modm_element e;
   if (modm_reader_find (d->bytes, d->len, "_cls", 4, &e))
      modm_write_element (b, &e);
}

/* True when its bytes still are its encoding. */
static bool
is_untouched (const modm_document *d)
{
   if (!d->bytes)
      return false;
   for (uint32_t i = 0; i < d->schema->n; i++) {
      modm_state state = modm_state_of (d->states[i]);
      bool changed = state == MODM_SET || state == MODM_CLEAN || state == MODM_DEFAULTED ||
                     (state == MODM_READ && d->schema->fields[i].kind->is_mutable) ||
                     (state == MODM_UNSET && d->offsets[i]);
      if (changed)
         return false;
   }
   return true;
}

void
modm_encode_end (const modm_document *d, modm_buffer *b, size_t start)
{
   if (d->flags & MODM_DOC_UNKNOWN)
      copy_unknown (d, b);
   if (d->flags & MODM_DOC_KEEPS_CLS) {
      copy_cls (d, b);
   } else if (d->schema->cls) {
      modm_write_string_element (b, "_cls", 4, d->schema->cls, d->schema->cls_len);
   }
   modm_write_end (b, start);
}

bool
modm_encode_document (lua_State *L, int idx, const modm_document *d, modm_buffer *b, int depth,
                      modm_error *err)
{
   if (depth > MODM_MAX_DEPTH || !lua_checkstack (L, 10))
      return modm_error_set (err, "nested deeper than %d levels (or cyclic)", MODM_MAX_DEPTH);
   if (is_untouched (d)) {
      modm_buffer_write (b, d->bytes, d->len);
      return true;
   }
   idx = lua_absindex (L, idx);
   int top = lua_gettop (L);
   if (d->flags & MODM_DOC_VALUES)
      modm_values_push (L, idx, d);
   size_t start = modm_write_begin (b);
   bool ok = true;
   for (uint32_t i = 0; ok && i < d->schema->n; i++)
      ok = modm_encode_slot (L, top + 1, d, i, b, depth, err);
   lua_settop (L, top);
   modm_encode_end (d, b, start);
   return ok;
}

bool
modm_encode_key_of (lua_State *L, int idx, const modm_document *d, modm_buffer *b, const char *key,
                    size_t key_len, modm_error *err)
{
   uint32_t i = (uint32_t) d->schema->primary;
   modm_state state = d->schema->primary < 0 ? MODM_UNSET : modm_state_of (d->states[i]);
   modm_element e;
   if (state == MODM_UNSET || state == MODM_NOT_LOADED || state == MODM_DEFAULTED) {
      return modm_error_set (err, "the %s referred to must be saved first", d->schema->name);
   }
   if (state == MODM_STORED || state == MODM_READ) {
      if (!modm_document_element (d, i, &e))
         return modm_error_set (err, "stored bytes are no BSON");
      modm_write_key (b, e.type, key, key_len);
      modm_buffer_write (b, e.value, e.size);
      return true;
   }
   modm_values_push (L, idx, d);
   (void) modm_values_get (L, d, -1, (int) i + 1);
   bool ok = modm_encode_field (L, -1, &d->schema->fields[i], b, key, key_len, 0, err);
   lua_pop (L, 2);
   return ok;
}
