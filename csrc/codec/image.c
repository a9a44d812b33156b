/* Images of documents: the struct of one as it was, and its values, for undo.c. */
#include "codec/codec_private.h"

static modm_class class_image = "modm.Image";

void
modm_image_push (lua_State *L, const modm_document *d)
{
   size_t n = d->schema->n;
   modm_image *im = lua_newuserdata (L, sizeof *im + n * sizeof *d->offsets + n);
   im->tag.tag = &class_image;
   im->schema = d->schema;
   im->bytes = d->bytes;
   im->len = d->len;
   im->flags = d->flags;
   memcpy (im->offsets, d->offsets, n * sizeof *d->offsets);
   memcpy (im->offsets + n, d->states, n);
}

const modm_image *
modm_image_of (lua_State *L, int key, const modm_document *d)
{
   luaL_checktype (L, 2, LUA_TTABLE);
   lua_rawgeti (L, 2, key);
   if (lua_isnil (L, -1))
      return NULL;
   const modm_image *im = modm_test (L, -1, &class_image);
   luaL_argcheck (L, im && im->schema == d->schema, 2, "an entry of another document");
   return im;
}

void
modm_image_take (modm_document *d, const modm_image *im)
{
   d->bytes = im->bytes;
   d->len = im->len;
   d->flags = (im->flags & ~(uint32_t) MODM_DOC_OWN) | (d->flags & MODM_DOC_OWN);
   memcpy (d->offsets, im->offsets, d->schema->n * sizeof *d->offsets);
}

void
modm_image_push_values (lua_State *L, int idx, const modm_document *d)
{
   if (!(d->flags & MODM_DOC_HOLDS)) {
      modm_getuservalue (L, idx);
      return;
   }
   lua_createtable (L, modm_bytes_at (d), 0);
   for (int i = 1; i <= modm_bytes_at (d); i++) {
      (void) modm_values_get (L, d, idx, i);
      lua_rawseti (L, -2, i);
   }
}

void
modm_image_take_values (lua_State *L, const modm_document *d)
{
   if (!(d->flags & MODM_DOC_HOLDS)) {
      modm_setuservalue (L, 1);
      return;
   }
   for (int i = 1; i <= modm_bytes_at (d); i++) {
      lua_rawgeti (L, -1, i);
      modm_values_set (L, d, 1, i);
   }
   lua_pop (L, 1);
}
