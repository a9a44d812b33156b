/* What the files that append share. */
#ifndef MODM_BSON_APPEND_PRIVATE_H
#define MODM_BSON_APPEND_PRIVATE_H

#include "bson/bson_private.h"

/* Where a value goes, and which kind its number had when it was read. */
typedef struct modm_item {
   const char *key;
   size_t key_len;
   char kind;
   const char *bits; /* of a NaN */
} modm_item;

/* All take absolute indices, and leave the stack as it was. */
/* The value at idx, whose Lua type the caller knows. */
bool modm_append_item (lua_State *L, int idx, int type, modm_buffer *b, const modm_item *item,
                       int depth, modm_error *err);
/* A table as an element, array or document by its mark or its keys. */
bool modm_append_table (lua_State *L, int idx, modm_buffer *b, const modm_item *item, int depth,
                        modm_error *err);
/* A table without a key, as what the caller wants it to be. */
bool modm_append_whole (lua_State *L, int idx, modm_buffer *b, modm_mark wanted, int depth,
                        modm_error *err);
/* The number of keys that the table at idx has. */
size_t modm_append_count (lua_State *L, int idx);
/* The elements of a list; `mark` is 0 when it has none. */
bool modm_append_list (lua_State *L, int idx, int mark, modm_buffer *b, int depth, modm_error *err);
/* The elements of a document; `mark` is 0 when it has none. */
bool modm_append_pairs (lua_State *L, int idx, int mark, modm_buffer *b, int depth,
                        modm_error *err);

#endif
