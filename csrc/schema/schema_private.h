/* What the files of schema share. */
#ifndef MODM_SCHEMA_PRIVATE_H
#define MODM_SCHEMA_PRIVATE_H

#include "schema/schema.h"

/* Compiles the definition at `def` into f, its environment into that at `env`; inner fields take
 * the next id of *ids. Raises for what is wrong, naming the field. */
void modm_field_compile (lua_State *L, int def, modm_field *f, int env, int *ids);

/* Makes the hash of stored names. Raises when two fields share one. */
void modm_schema_index (lua_State *L, modm_schema *s, int env);

/* core.rules (rules.c) */
int modm_schema_l_rules (lua_State *L);

#endif
