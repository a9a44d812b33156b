/* relation: references in batches, and the keys that delete rules carry.
 *
 * Resolving is three steps, of which C does the first and the last and Lua, which alone may wait,
 * the one between: collect.c walks over documents (walk.c) and gathers the keys of their unresolved
 * references, straight from stored bytes where it can, into one set of keys for each model referred
 * to; Lua asks for those documents; place.c gives every reference the document that was found. What
 * is walked is said by a plan, a table that mirrors paths: {author = {company = {}}}; [true] = true
 * in it adds all references of that level. held.c finds the documents that references hold, for the
 * next level of a plan and for saving with cascade.
 *
 * A set of keys (keys.c, class modm.Keys) holds BSON values without a Lua value for each. It owns
 * malloc'd memory and frees it when it is collected. Numbers of one value count as one key,
 * whatever their type, as they do to the server. Indices of keys begin at 0; the tables of found
 * documents that run beside a set begin at 1.
 *
 * Neither side trusts the other to stand still: while Lua waits, a program may assign other keys.
 * So a place is found anew by its key each time, and nothing but keys is remembered in between.
 */
#ifndef MODM_RELATION_H
#define MODM_RELATION_H

#include "codec/codec.h"
#include "driver/driver.h"

/* Registers the room's functions into the table at the top. */
void modm_relation_open (lua_State *L);

#endif
