/* Fields that hold documents or point to them. What they do needs documents, so codec provides it
 * by modm_hooks; here are the kinds' functions for the table. */
#include "field/field_private.h"

modm_outcome
modm_embedded_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                       modm_error *err)
{
   (void) v;
   return modm_hooks.embedded_convert (L, idx, f, err);
}

bool
modm_embedded_accepts (const modm_field *f, const modm_element *e)
{
   return modm_hooks.embedded_accepts (f, e);
}

bool
modm_embedded_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                      size_t key_len, int depth, modm_error *err)
{
   return modm_hooks.embedded_append (L, idx, f, b, key, key_len, depth, err);
}

void
modm_embedded_push (lua_State *L, const modm_field *f, const modm_element *e)
{
   modm_hooks.embedded_push (L, f, e);
}

modm_outcome
modm_reference_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                        modm_error *err)
{
   (void) v;
   return modm_hooks.reference_convert (L, idx, f, err);
}

bool
modm_reference_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                       size_t key_len, int depth, modm_error *err)
{
   return modm_hooks.reference_append (L, idx, f, b, key, key_len, depth, err);
}

bool
modm_reference_accepts (const modm_field *f, const modm_element *e)
{
   return modm_hooks.reference_accepts (f, e);
}

void
modm_reference_push (lua_State *L, const modm_field *f, const modm_element *e)
{
   modm_hooks.reference_push (L, f, e);
}
