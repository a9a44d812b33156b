/* What validation asks of lists too. */
#ifndef MODM_FIELD_LIST_H
#define MODM_FIELD_LIST_H

#include "field/field.h"

/* The length of the list at idx; false, and why, for a table that is none: holes, other keys. */
bool modm_list_length (lua_State *L, int idx, uint32_t *n, modm_error *err);
/* Steps through a table as lua_next does (a nil at the top begins): pops the key and pushes the
 * next and its value. *more is false at the end, and then nothing is pushed. False, with the key
 * popped, for what is not the item `at`: an order of its own, a hole, or no list at all. */
bool modm_list_next (lua_State *L, int idx, uint32_t at, bool *more);

#endif
