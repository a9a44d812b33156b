/* What the files of codec share. */
#ifndef MODM_CODEC_PRIVATE_H
#define MODM_CODEC_PRIVATE_H

#include "codec/codec.h"

/* What the values table has besides those of slots, see codec.h. */
enum { MODM_VALUES_BYTES = 0, MODM_VALUES_MASK = -2 };

/* Marks what a projection left out: a slot that is not in the bytes may be unset, or not loaded. */
void modm_document_mask (lua_State *L, int idx, modm_document *d, const modm_mask *mask);
/* The same for the documents in the value at the top, just read from slot i, of which the
 * projection took a part. */
void modm_document_mask_inner (lua_State *L, int idx, const modm_document *d, uint32_t i);
/* Whether two stored values of a field (NULL: of none) are the same to who reads them: numbers by
 * their value, embedded documents in any order of keys. */
bool modm_same_value (const modm_field *f, const modm_element *a, const modm_element *b);

/* Reports a value that is none of the field's choices. */
void modm_check_choices (lua_State *L, modm_validation *v, int idx, const modm_field *f);

/* Appends the primary key of the document at idx as an element. */
bool modm_encode_key_of (lua_State *L, int idx, const modm_document *d, modm_buffer *b,
                         const char *key, size_t key_len, modm_error *err);

void modm_undo_open (lua_State *L);

#endif
