/* What the files of codec share. */
#ifndef MODM_CODEC_PRIVATE_H
#define MODM_CODEC_PRIVATE_H

#include "codec/codec.h"

/* Makes what the fields left out of a partly loaded value NOT_LOADED: the document, or list of
 * documents, at idx. */
void modm_document_mark_partial (lua_State *L, int idx);

/* Appends the primary key of the document at idx as an element. */
bool modm_encode_key_of (lua_State *L, int idx, const modm_document *d, modm_buffer *b,
                         const char *key, size_t key_len, modm_error *err);

#endif
