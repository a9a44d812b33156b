/* refresh_from_db: a document takes over what the server has now. */
#include "document/document_private.h"

/* Which fields are in the set of stored names at idx (all without one): an array at the top of the
 * stack. */
static bool *
push_named (lua_State *L, const modm_document *d, int names)
{
   bool *named = lua_newuserdata (L, d->schema->n + 1);
   for (uint32_t i = 0; i < d->schema->n; i++) {
      named[i] = true;
      if (!names)
         continue;
      const modm_field *f = &d->schema->fields[i];
      lua_pushlstring (L, f->mongo_name, f->mongo_len);
      lua_rawget (L, names);
      named[i] = lua_toboolean (L, -1);
      lua_pop (L, 1);
   }
   return named;
}

/* Copies the elements of a source whose field is named, or is not. */
static void
write_elements (const modm_schema *s, const modm_document *source, const bool *named, bool wanted,
                modm_buffer *b)
{
   modm_reader r;
   modm_element e;
   (void) modm_reader_init (&r, source->bytes, source->len);
   while (modm_reader_next (&r, &e)) {
      const modm_field *f = modm_schema_stored (s, e.key, e.key_len, 0);
      if ((f && named[f->id - 1]) == wanted)
         modm_write_element (b, &e);
   }
}

/* core.refresh(document, fresh document, names (set of stored names) or nil): the named fields, or
 * all, become what the server has; changes of the others stay. */
static int
l_refresh (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   const modm_document *fresh = modm_document_check (L, 2);
   bool all = !lua_istable (L, 3);
   luaL_argcheck (L, fresh->bytes, 2, "not read from a server");
   lua_settop (L, 3);
   modm_undo_refresh (L, 1, d);
   bool *named = push_named (L, d, all ? 0 : 3);
   modm_buffer *b = modm_buffer_push (L);
   modm_element cls;
   if (all) {
      modm_buffer_write (b, fresh->bytes, fresh->len);
   } else {
      size_t start = modm_write_begin (b);
      if (d->bytes)
         write_elements (d->schema, d, named, false, b);
      else if (d->schema->primary >= 0)
         named[d->schema->primary] = true; /* the key comes along */
      write_elements (d->schema, fresh, named, true, b);
      if (!d->bytes && modm_reader_find (fresh->bytes, fresh->len, "_cls", 4, &cls))
         modm_write_element (b, &cls);
      modm_write_end (b, start);
   }
   if (b->failed)
      return luaL_error (L, "not enough memory");
   uint8_t *bytes = memcpy (lua_newuserdata (L, b->len), b->data, b->len);
   modm_document_take_bytes (L, 1, d, bytes);
   modm_document_values (L, 1, d);
   int values = lua_gettop (L);
   bool first = !(d->flags & MODM_DOC_LOADED);
   for (uint32_t i = 0; i < d->schema->n; i++) {
      if (!named[i]) {
         if (first && modm_state_of (d->states[i]) == MODM_UNSET)
            d->states[i] = MODM_NOT_LOADED; /* it was made here, with a key set by hand */
         continue;
      }
      d->states[i] = d->offsets[i] ? MODM_STORED : MODM_UNSET;
      lua_pushnil (L);
      modm_values_set (L, d, values, (int) i + 1);
      lua_pushnil (L);
      modm_values_set (L, d, values, modm_resolved_at (d, i));
   }
   d->flags |= MODM_DOC_LOADED | (first && !all ? MODM_DOC_PARTIAL : 0);
   if (all)
      d->flags &= ~(uint32_t) (MODM_DOC_PARTIAL | MODM_DOC_UNSURE);
   return 0;
}

const luaL_Reg modm_document_refresh_functions[] = {{"refresh", l_refresh}, {NULL, NULL}};
