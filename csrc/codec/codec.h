/* codec: walks a schema over a document; the hot room. Reading a slot, converting what was
 * assigned, validating (phase V), encoding (phase E) and comparing two encodings (diff).
 *
 * A document is one userdata: this struct, then its slots' offsets and states, then usually the
 * bytes it came with. Its user value, made when first needed, is a table `values`: [i] the decoded
 * or assigned value of slot i; [n + 1] the userdata that holds the bytes once they no longer are
 * the ones behind the struct, alone or with those of others that were inserted with it; [n + 1 + i]
 * what a reference was resolved to (false: it points nowhere). Where Lua can, a document that a
 * program constructs has no such table but as many user values (MODM_DOC_HOLDS), unless its model
 * RESOLVES. Nothing of a document is malloc'd, so it needs no __gc.
 */
#ifndef MODM_CODEC_H
#define MODM_CODEC_H

#include "schema/schema.h"

typedef enum modm_state {
   MODM_UNSET,     /* undefined */
   MODM_STORED,    /* in bytes, not decoded */
   MODM_READ,      /* in bytes, and decoded in values[i], perhaps changed in place */
   MODM_SET,       /* values[i] as it was assigned */
   MODM_CLEAN,     /* values[i] assigned and converted */
   MODM_DEFAULTED, /* values[i] is an empty default that was handed out: unset while it stays empty
                    */
   MODM_NOT_LOADED /* left out by the projection it was read with */
} modm_state;

/* Beside the state: the projection took a part of the value only ("comments.author", $slice), so
 * that a change of it cannot be saved but within an embedded document. */
enum { MODM_PART = 0x80 };

static inline modm_state
modm_state_of (uint8_t state)
{
   return (modm_state) (state & ~MODM_PART);
}

enum {
   MODM_DOC_LOADED = 1 << 0, /* came from the server, or was saved: bytes are what the server has */
   MODM_DOC_PARTIAL = 1 << 1,   /* read with a projection: never saved as a whole */
   MODM_DOC_VALUES = 1 << 2,    /* has its values table */
   MODM_DOC_UNKNOWN = 1 << 3,   /* bytes hold elements that are no fields */
   MODM_DOC_KEEPS_CLS = 1 << 4, /* bytes have no _cls, or an alias: it stays as it is */
   MODM_DOC_UNSURE = 1 << 5,    /* a save failed, and the server may have it all the same */
   MODM_DOC_ASSIGNED = 1 << 6,  /* a field was assigned since the last encoding to be saved */
   MODM_DOC_HOLDS = 1 << 7      /* its values are user values of its own, not in a table */
};

/* What a document keeps, and no image of it has. */
enum { MODM_DOC_OWN = MODM_DOC_VALUES | MODM_DOC_HOLDS };

typedef struct modm_document {
   modm_tag tag;
   const modm_schema *schema;
   const uint8_t *bytes; /* or NULL */
   uint32_t len;
   uint32_t flags;
   uint8_t *states;    /* n: modm_state */
   uint32_t offsets[]; /* n: where in bytes the slot's element begins */
} modm_document;

/* The projection that a document was read with: its specification, {stored name: 1 or 0, ...}. */
typedef struct modm_mask {
   bool include;        /* the named fields are there; else the named ones are not */
   const uint8_t *spec; /* a checked BSON document; names may be dotted */
   size_t len;
} modm_mask;

/* ---- the document as storage (record.c) ---- */

/* Pushes a new document without values: with the metatable at an index, and made to be filled; or
 * of its schema. */
modm_document *modm_document_new (lua_State *L, const modm_schema *s, int metatable);
modm_document *modm_document_push (lua_State *L, const modm_schema *s);
/* Pushes a document of (a descendant of) s with a copy of the bytes, LOADED when from the server.
 * The schema's metatable may be given, by its place on the stack (0: it is looked up). `mask` says
 * what a projection left out, or is NULL. Raises for unknown fields and a foreign _cls. */
modm_document *modm_document_load (lua_State *L, const modm_schema *s, int metatable,
                                   const uint8_t *bytes, size_t len, const modm_mask *mask);
extern modm_class modm_document_class;
static inline modm_document *
modm_document_test (lua_State *L, int idx)
{
   return modm_test (L, idx, &modm_document_class);
}
static inline modm_document *
modm_document_check (lua_State *L, int idx)
{
   return modm_check (L, idx, &modm_document_class);
}
/* A document as a reference holds it; NULL for its key, which may be an embedded document. */
modm_document *modm_document_referred (lua_State *L, int idx);
/* Where slot i (from 0) has in the values table what it was resolved to. */
static inline int
modm_resolved_at (const modm_document *d, uint32_t i)
{
   return (int) (d->schema->n + i + 2);
}
/* Pushes what has the values: the table, or the document itself. */
static inline void
modm_values_push (lua_State *L, int idx, const modm_document *d)
{
   if (d->flags & MODM_DOC_HOLDS)
      lua_pushvalue (L, idx);
   else
      modm_getuservalue (L, idx);
}
/* The same, making the table first. */
void modm_document_values (lua_State *L, int idx, modm_document *d);
/* Push, and set to the value at the top (popped), what is under a number in what was pushed so. */
static inline int
modm_values_get (lua_State *L, const modm_document *d, int values, int at)
{
#if MODM_HAS_USER_VALUES
   if (d->flags & MODM_DOC_HOLDS)
      return lua_getiuservalue (L, values, at);
#endif
   (void) d;
   return lua_rawgeti (L, values, at);
}
static inline void
modm_values_set (lua_State *L, const modm_document *d, int values, int at)
{
#if MODM_HAS_USER_VALUES
   if (d->flags & MODM_DOC_HOLDS) {
      lua_setiuservalue (L, values, at);
      return;
   }
#endif
   (void) d;
   lua_rawseti (L, values, at);
}
/* Takes new bytes, which lie in the userdata at the top (popped), into which stored slots then
 * point; what is held stays as it is. */
void modm_document_take_bytes (lua_State *L, int idx, modm_document *d, const uint8_t *bytes);
/* The same after a save: the bytes are its encoding, and what the server has. */
void modm_document_rebase (lua_State *L, int idx, modm_document *d, const uint8_t *bytes);
/* The stored element of slot i. */
static inline bool
modm_document_element (const modm_document *d, uint32_t i, modm_element *e)
{
   return d->offsets[i] && modm_element_read (d->bytes + d->offsets[i], d->bytes + d->len,
                                              d->schema->fields[i].mongo_len, e);
}
/* Pops the value at the top into slot i, as assigned. */
void modm_document_assign (lua_State *L, int idx, modm_document *d, uint32_t i);
/* Fills slots from the table at idx with stored names ("tables in stored form"); raises for unknown
 * ones. */
void modm_document_fill (lua_State *L, int doc, modm_document *d, int idx);

/* ---- reading (decode.c) ---- */

/* What reading a slot still needs from Lua. */
typedef enum modm_need {
   MODM_NEED_NOTHING,
   MODM_NEED_DEFAULT,
   MODM_NEED_REFERENCE,
   MODM_NEED_REFERENCES,
   MODM_NEED_FILE
} modm_need;

/* Pushes the value of slot i as the user sees it, converting and keeping it on first read. What it
 * needs is returned; then the pushed value is the stored key, the list, or nil. Raises for a slot
 * that was not loaded. */
modm_need modm_document_read (lua_State *L, int idx, modm_document *d, uint32_t i);
/* What most reads are, and so without a call: pushes the value of a slot that lies in the bytes and
 * is decoded each time. False, and nothing pushed, for all other slots. */
static inline bool
modm_document_push_stored (lua_State *L, const modm_document *d, uint32_t i)
{
   const modm_field *f = &d->schema->fields[i];
   modm_element e;
   if (d->states[i] != MODM_STORED || f->kind->keeps || !modm_document_element (d, i, &e) ||
       e.type == MODM_BSON_NULL)
      return false;
   f->kind->push (L, f, &e);
   return true;
}
/* Pushes the value without defaults, references or conversion: the raw state, nil when unset. */
void modm_document_peek (lua_State *L, int idx, modm_document *d, uint32_t i);
/* Pushes the message of such an error. */
void modm_document_push_not_loaded (lua_State *L, const modm_document *d, uint32_t i);
/* Pushes the primary key's value (nil when it has none). Raises when it was not loaded. */
void modm_document_push_pk (lua_State *L, int idx, modm_document *d);
/* The same, but nil when it was not loaded. */
void modm_document_peek_pk (lua_State *L, int idx, modm_document *d);

/* ---- phase V (validate.c) ---- */

/* Converts all that was assigned, here and in embedded documents, without validating. */
void modm_document_convert (lua_State *L, int idx, modm_document *d);
/* Validates all fields but those in the set at `exclude` (0: none). Pushes the tree of errors or
 * nil, and the list of what Lua has still to call, in order, or nil: {validators=, path=, value= or
 * document=, to read it from} or {clean=document, path=}. With `cascade` an unsaved reference is no
 * error, since it will be saved first. */
void modm_document_validate (lua_State *L, int idx, modm_document *d, int exclude, bool cascade);
/* Validates the new document at idx, whose function defaults are not due, and appends its encoding
 * in the same walk. False when it is not new or not valid, cannot be encoded, or Lua has something
 * to call: then what was appended is of no use. What was assigned is left as it was where it fits.
 */
bool modm_document_write_valid (lua_State *L, int idx, modm_document *d, modm_buffer *b);
/* Pushes the list of documents and names whose function default is due: {document, name, ...}, or
 * nil. */
void modm_document_defaults (lua_State *L, int idx, modm_document *d);

/* Pushes the list of documents and names whose file is not stored yet: {document, name, ...}. */
void modm_document_files (lua_State *L, int idx, modm_document *d);

/* One value for one field, as queries do: pushes the converted value (or the value itself). False:
 * err says why. */
bool modm_field_convert (lua_State *L, int idx, const modm_field *f, modm_error *err);
/* The same for one that is to be stored, with all that validation looks at: pushes the converted
 * value, the tree of errors or nil, and what Lua has to call or nil. */
void modm_value_validate (lua_State *L, int idx, const modm_field *f);

/* ---- phase E (encode.c) ---- */

/* The whole document at idx into b. */
bool modm_encode_document (lua_State *L, int idx, const modm_document *d, modm_buffer *b, int depth,
                           modm_error *err);
/* A converted value for a field under the key; what is not of the field's type is written by its
 * own. */
bool modm_encode_field (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                        size_t key_len, int depth, modm_error *err);

/* ---- diff.c ---- */

/* Compares two encodings of a document of schema s and appends {$set, $unset, $push} to out. *same
 * when nothing differs (out stays as it was). False when there is no memory or bytes are no BSON.
 */
bool modm_diff (const modm_schema *s, const uint8_t *before, size_t before_len,
                const uint8_t *after, size_t after_len, modm_buffer *out, bool *same);
/* The same without $push: an update that may be said twice. */
bool modm_diff_again (const modm_schema *s, const uint8_t *before, size_t before_len,
                      const uint8_t *after, size_t after_len, modm_buffer *out, bool *same);

/* ---- undo.c: what a transaction that is not committed takes back ---- */

/* Where the running coroutine is in a transaction, notes what the document at idx is: before it is
 * changed or something is read that may be changed in place; before the server's state is taken
 * over; and before it counts as saved. */
void modm_undo_touch (lua_State *L, int idx, const modm_document *d);
void modm_undo_refresh (lua_State *L, int idx, const modm_document *d);
void modm_undo_save (lua_State *L, int idx, const modm_document *d);

/* Opens the room: registers its functions into the table at the top. */
void modm_codec_open (lua_State *L);

#endif
