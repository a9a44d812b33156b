/* Documents of which a projection fetched only some fields: what was left out, also of the
 * documents embedded in them, which are read later. */
#include "codec/codec_private.h"

/* True for what leaves a name out of a projection that names what is in: {_id: 0}. */
static bool
is_false (const modm_element *e)
{
   for (uint32_t i = 0; i < e->size; i++)
      if (e->value[i])
         return false;
   return true;
}

/* Whether the mask names the field as a whole; *part is set when it names something inside. */
static bool
names_field (const modm_mask *mask, const modm_field *f, bool *part)
{
   modm_reader r;
   modm_element e;
   bool whole = false;
   (void) modm_reader_init (&r, mask->spec, mask->len);
   while (modm_reader_next (&r, &e)) {
      if (e.key_len < f->mongo_len || memcmp (e.key, f->mongo_name, f->mongo_len) != 0)
         continue;
      bool plain = e.type != MODM_BSON_DOCUMENT; /* {$slice: ...} takes a part */
      if (e.key_len == f->mongo_len && plain)
         whole = whole || !mask->include || !is_false (&e);
      else if (e.key_len == f->mongo_len || e.key[f->mongo_len] == '.')
         *part = true;
   }
   return whole;
}

/* Keeps the mask with the document, as a string: '+' or '-', then the specification. */
static void
keep_mask (lua_State *L, int idx, modm_document *d, const modm_mask *mask)
{
   modm_buffer *b = modm_buffer_push (L);
   modm_buffer_byte (b, mask->include ? '+' : '-');
   modm_buffer_write (b, mask->spec, mask->len);
   if (b->failed)
      luaL_error (L, "not enough memory");
   modm_document_values (L, idx, d);
   lua_pushlstring (L, (const char *) b->data, b->len);
   lua_rawseti (L, -2, MODM_VALUES_MASK);
   lua_pop (L, 2);
}

void
modm_document_mask (lua_State *L, int idx, modm_document *d, const modm_mask *mask)
{
   const modm_schema *s = d->schema;
   bool parts = false;
   idx = lua_absindex (L, idx);
   for (uint32_t i = 0; i < s->n; i++) {
      bool part = false;
      bool whole = names_field (mask, &s->fields[i], &part);
      if (d->states[i] == MODM_UNSET && (mask->include ? !whole && !part : whole))
         d->states[i] = MODM_NOT_LOADED;
      else if (part && d->offsets[i] && !(mask->include && whole))
         d->states[i] |= MODM_PART;
      parts = parts || d->states[i] & MODM_PART;
   }
   d->flags |= MODM_DOC_PARTIAL;
   if (parts)
      keep_mask (L, idx, d, mask);
}

/* Copies what a specification says about what is inside field f. */
static void
write_inner_spec (const uint8_t *spec, size_t len, const modm_field *f, modm_buffer *b)
{
   modm_reader r;
   modm_element e;
   size_t start = modm_write_begin (b);
   (void) modm_reader_init (&r, spec, len);
   while (modm_reader_next (&r, &e)) {
      if (e.key_len <= f->mongo_len || e.key[f->mongo_len] != '.' ||
          memcmp (e.key, f->mongo_name, f->mongo_len) != 0)
         continue;
      e.key += f->mongo_len + 1;
      e.key_len -= f->mongo_len + 1;
      modm_write_element (b, &e);
   }
   modm_write_end (b, start);
}

/* Masks the documents at or in the value at idx, one of field f. */
static void
mask_value (lua_State *L, int idx, const modm_field *f, const modm_mask *mask)
{
   modm_document *d = modm_document_test (L, idx);
   luaL_checkstack (L, 8, "a list");
   if (d) {
      modm_document_mask (L, idx, d, mask);
   } else if (f->inner && lua_type (L, idx) == LUA_TTABLE) {
      for (int i = 1; lua_rawgeti (L, idx, i) != LUA_TNIL; i++) {
         mask_value (L, lua_gettop (L), f->inner, mask);
         lua_pop (L, 1);
      }
      lua_pop (L, 1);
   }
}

void
modm_document_mask_inner (lua_State *L, int idx, const modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   int value = lua_gettop (L);
   size_t len;
   modm_getuservalue (L, idx);
   lua_rawgeti (L, -1, MODM_VALUES_MASK);
   const char *kept = lua_tolstring (L, -1, &len);
   modm_buffer *b = modm_buffer_push (L);
   write_inner_spec ((const uint8_t *) kept + 1, len - 1, f, b);
   if (b->failed)
      luaL_error (L, "not enough memory");
   modm_mask mask = {kept[0] == '+', b->data, b->len};
   if (b->len > 5)
      mask_value (L, value, f, &mask);
   lua_settop (L, value);
}
