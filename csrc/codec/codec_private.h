/* What the files of codec share. */
#ifndef MODM_CODEC_PRIVATE_H
#define MODM_CODEC_PRIVATE_H

#include "codec/codec.h"

/* What the values table has besides those of slots, see codec.h. */
enum { MODM_VALUES_MASK = -2 };

static inline int
modm_bytes_at (const modm_document *d)
{
   return (int) d->schema->n + 1;
}

/* Marks what a projection left out: a slot that is not in the bytes may be unset, or not loaded. */
void modm_document_mask (lua_State *L, int idx, modm_document *d, const modm_mask *mask);
/* The same for the documents in the value at the top, just read from slot i, of which the
 * projection took a part. */
void modm_document_mask_inner (lua_State *L, int idx, const modm_document *d, uint32_t i);
/* Whether two stored values of a field (NULL: of none) are the same to who reads them: numbers by
 * their value, embedded documents in any order of keys. */
bool modm_same_value (const modm_field *f, const modm_element *a, const modm_element *b);

/* ---- validation (validate.c, report.c) ---- */

/* One step of the path from the document to the value in hand; they live on the C stack. */
typedef struct modm_step {
   const struct modm_step *up;
   const char *key; /* a field, or NULL for an item of a list */
   int index;
} modm_step;

struct modm_validation {
   lua_State *L;
   int errors, pending; /* stack slots: a table, or nil while there is nothing */
   int document;        /* the stack slot of the innermost document; 0 without one */
   const modm_step *at;
   int count; /* of errors */
   int depth; /* of documents in documents */
   bool cascade;
   bool too_deep;    /* said once: nothing more is looked at */
   modm_buffer *out; /* where a new document is written as it is validated, or NULL */
};

/* Lists something to be called: entry[name] = the value at the top, entry.path. The entry takes the
 * value's place. */
void modm_validation_add (modm_validation *v, const char *name);
void modm_validate_document (modm_validation *v, int idx, modm_document *d, int exclude);
/* Slot i of the document at idx; its values, or nil, are at `values`. */
void modm_validate_slot (modm_validation *v, int idx, int values, modm_document *d, uint32_t i);
/* The same, and writes it to v->out, which is no longer there where that is not possible (put.c).
 */
void modm_write_slot (modm_validation *v, int idx, int values, modm_document *d, uint32_t i);
/* Whether the value is a list of which a quick look at the items says all. */
bool modm_list_may_fit (lua_State *L, int idx, const modm_field *f);
/* Reports a value that is none of the field's choices. */
void modm_check_choices (lua_State *L, modm_validation *v, int idx, const modm_field *f);

/* Appends slot i, whose value is in the table at `values` if it is held. */
bool modm_encode_slot (lua_State *L, int values, const modm_document *d, uint32_t i, modm_buffer *b,
                       int depth, modm_error *err);
/* Ends a document that began at `start`: appends what it has besides its slots. */
void modm_encode_end (const modm_document *d, modm_buffer *b, size_t start);
/* Appends the primary key of the document at idx as an element. */
bool modm_encode_key_of (lua_State *L, int idx, const modm_document *d, modm_buffer *b,
                         const char *key, size_t key_len, modm_error *err);

void modm_undo_open (lua_State *L);

/* ---- image.c ---- */

typedef struct modm_image {
   modm_tag tag;
   const modm_schema *schema;
   const uint8_t *bytes;
   uint32_t len, flags;
   uint32_t offsets[]; /* n, then the states */
} modm_image;

void modm_image_push (lua_State *L, const modm_document *d);
/* Pushes what is at `key` of the table at 2: the image of the document, else NULL; an error when it
 * is something else. */
const modm_image *modm_image_of (lua_State *L, int key, const modm_document *d);
/* Gives the document the bytes and what else an image has, but for states and the flags of its own.
 */
void modm_image_take (modm_document *d, const modm_image *im);
/* Pushes the table of values, or a new one of those that the document holds itself. */
void modm_image_push_values (lua_State *L, int idx, const modm_document *d);
/* Gives the document at 1 the values of such a table, at the top (popped). */
void modm_image_take_values (lua_State *L, const modm_document *d);

#endif
