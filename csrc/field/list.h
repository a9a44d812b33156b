/* The one question about lists that validation asks too. */
#ifndef MODM_FIELD_LIST_H
#define MODM_FIELD_LIST_H

#include "field/field.h"

/* The length of the list at idx; false, and why, for a table that is none: holes, other keys. */
bool modm_list_length (lua_State *L, int idx, uint32_t *n, modm_error *err);

#endif
