/* What the files of relation share. */
#ifndef MODM_RELATION_PRIVATE_H
#define MODM_RELATION_PRIVATE_H

#include "relation/relation.h"

/* ---- sets of keys (keys.c) ---- */

typedef struct modm_keys modm_keys;

enum { MODM_NO_KEY = UINT32_MAX };

modm_keys *modm_keys_push (lua_State *L);
modm_keys *modm_keys_check (lua_State *L, int idx);
uint32_t modm_keys_count (const modm_keys *k);
/* Adds a key unless it is there. Raises when there is no memory. */
void modm_keys_add (lua_State *L, modm_keys *k, const modm_element *e);
/* The index of a key, or MODM_NO_KEY. */
uint32_t modm_keys_find (const modm_keys *k, const modm_element *e);
/* The key of an index, borrowed until the next one is added. Its name is empty. */
void modm_keys_get (const modm_keys *k, uint32_t index, modm_element *e);
/* The functions of the core table, by file. */
extern const luaL_Reg modm_keys_functions[];
extern const luaL_Reg modm_keys_server_functions[];

/* ---- walking (walk.c) ---- */

typedef struct modm_walk modm_walk;

/* Called for each reference, or list of references, that is set: slot i of the document at doc.
 * `sub` is the index of the plan for what it refers to, or 0. */
typedef void (*modm_visit) (modm_walk *w, int doc, modm_document *d, uint32_t i, int sub);

struct modm_walk {
   lua_State *L;
   modm_visit visit;
   bool held_only;            /* leave embedded documents alone that nobody has read */
   int targets, out;          /* stack slots: see collect.c, held.c */
   int found;                 /* stack slot: the documents found of the target in hand */
   const modm_schema *target; /* of the last reference, and what belongs to it */
   modm_keys *keys;
   modm_buffer *scratch;
};

/* Visits the documents of the list at docs by the plan at `plan` (0: all references of this level).
 */
void modm_walk_documents (modm_walk *w, int docs, int plan);
/* What lists of lists are lists of. */
const modm_field *modm_walk_innermost (const modm_field *f);
/* Makes target, keys and found those of a reference's target, entering it in the table of targets.
 */
void modm_walk_aim (modm_walk *w, const modm_field *f);
/* Whether slot i of the document has been resolved. */
bool modm_walk_is_resolved (lua_State *L, int doc, const modm_document *d, uint32_t i);
/* True when slot i is as it was stored: its element is its value. */
bool modm_walk_stored (const modm_document *d, uint32_t i, modm_element *e);
/* The value at idx as a key of the target in hand; false when it is none. */
bool modm_walk_key (modm_walk *w, int idx, modm_element *e);

int modm_collect_l_collect (lua_State *L);
int modm_place_l_place (lua_State *L);
int modm_held_l_follow (lua_State *L);
int modm_held_l_loaded (lua_State *L);

#endif
