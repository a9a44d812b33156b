/* Phases V and E in one walk, for new documents that are inserted many at a time: what fits its
 * field is written where it is looked at, and what does not takes the long way, slot by slot. */
#include "codec/codec_private.h"

#include "field/list.h"

/* Writes a value that fits, or does once it is converted. What was converted is not kept. */
static bool
put_scalar (lua_State *L, int idx, const modm_field *f, modm_buffer *out, const char *key,
            size_t key_len)
{
   modm_error err;
   if (f->flags & (MODM_FIELD_CHOICES | MODM_FIELD_VALIDATORS))
      return false;
   int type = lua_type (L, idx);
   bool plain = type == LUA_TNUMBER || type == LUA_TSTRING; /* no conversion of these runs Lua */
   if (plain && f->kind->put && f->kind->put (L, idx, f, out, key, key_len))
      return true;
   if (!f->kind->fits (L, idx, f)) {
      if (!plain || modm_isblank (L, idx))
         return false;
      if (f->kind->convert (L, idx, f, NULL, &err) != MODM_CONVERTED ||
          !f->kind->fits (L, idx = lua_gettop (L), f))
         return false;
   }
   return f->kind->append (L, idx, f, out, key, key_len, 0, &err);
}

/* Writes a list whose items are in their order, and all fit. */
static bool
put_list (lua_State *L, int idx, const modm_field *f, modm_buffer *out)
{
   char room[MODM_INDEX_KEY];
   bool more = true, fits = true;
   uint32_t n = 0;
   if (!modm_list_may_fit (L, idx, f))
      return false;
   size_t len, before = out->len;
   modm_write_key (out, MODM_BSON_ARRAY, f->mongo_name, f->mongo_len);
   size_t start = modm_write_begin (out);
   lua_pushnil (L);
   int item = lua_gettop (L) + 1;
   for (; fits && (fits = modm_list_next (L, idx, n + 1, &more)) && more; n++) {
      const char *key = modm_index_key (room, n, &len);
      fits = put_scalar (L, item, f->inner, out, key, len);
      lua_settop (L, item - 1);
   }
   modm_write_end (out, start);
   if (!fits || n == 0)
      out->len = before;
   return fits && n > 0;
}

/* Writes a new embedded document, whatever it holds. */
static bool
put_embedded (modm_validation *v, int idx, const modm_field *f)
{
   modm_document *d = modm_document_test (v->L, idx);
   if (!d || d->bytes || !f->target || !modm_schema_isa (d->schema, f->target) ||
       f->flags & (MODM_FIELD_CHOICES | MODM_FIELD_VALIDATORS))
      return false;
   modm_write_key (v->out, MODM_BSON_DOCUMENT, f->mongo_name, f->mongo_len);
   modm_validate_document (v, idx, d, 0);
   return true;
}

/* The quick way for a slot: writes what was assigned, when it is sure to be valid. */
static bool
put_slot (modm_validation *v, int values, const modm_document *d, uint32_t i)
{
   lua_State *L = v->L;
   const modm_field *f = &d->schema->fields[i];
   if (d->states[i] == MODM_UNSET)
      return !(f->flags & (MODM_FIELD_REQUIRED | MODM_FIELD_DEFAULT));
   if (d->states[i] != MODM_SET && d->states[i] != MODM_CLEAN)
      return false;
   (void) modm_values_get (L, d, values, (int) i + 1);
   if (f->kind->fits)
      return put_scalar (L, values + 1, f, v->out, f->mongo_name, f->mongo_len);
   if (f->inner)
      return put_list (L, values + 1, f, v->out);
   return f->kind->role == MODM_EMBEDDED && put_embedded (v, values + 1, f);
}

void
modm_write_slot (modm_validation *v, int idx, int values, modm_document *d, uint32_t i)
{
   modm_error err;
   modm_buffer *out = v->out;
   if (put_slot (v, values, d, i))
      return;
   lua_settop (v->L, values);
   v->out = NULL; /* what is inside the value is written with it */
   modm_validate_slot (v, idx, values, d, i);
   lua_settop (v->L, values);
   if (modm_encode_slot (v->L, values, d, i, out, v->depth - 1, &err))
      v->out = out;
}

bool
modm_document_write_valid (lua_State *L, int idx, modm_document *d, modm_buffer *b)
{
   if (d->bytes)
      return false;
   idx = lua_absindex (L, idx);
   lua_pushnil (L);
   lua_pushnil (L);
   int top = lua_gettop (L);
   modm_validation v = {.L = L, .errors = top - 1, .pending = top, .out = b};
   modm_validate_document (&v, idx, d, 0);
   bool valid = v.out && lua_isnil (L, v.errors) && lua_isnil (L, v.pending);
   lua_settop (L, top - 2);
   return valid;
}
