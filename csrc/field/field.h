/* field: the kinds of field. kinds.c holds THE table, one row a kind; each kind or close family has
 * a small file with its functions.
 *
 * A modm_field is one declared field, owned by its schema: plain C, no Lua references. What it has
 * of Lua (its default, choices, validators, a late-bound model) lies in its schema's environment, a
 * Lua table, under field->id (see schema.h).
 *
 * A kind's functions, by phase:
 *
 * - compile, at definition: reads the kind's own options from a Lua table; raises for wrong ones.
 * - convert, phase V: turns what the user assigned into the field's own type. May run Lua
 *   (__tostring).
 * - check, phase V: built-in validators on a converted value; adds messages.
 * - fits, phase V: quick look at a value of Lua's, true when it is surely of the field's own type,
 *   no blank, and valid as it stands: the common case, in as few calls of Lua as there can be.
 * - put, phases V and E: writes a number or text in one look, if it fits or would be converted,
 *   without making what it is converted to; false, and nothing written, where that takes another
 *   look. For kinds whose values mostly are given so.
 * - accepts: quick look at stored bytes, true when they are surely valid as they stand.
 * - append, phase E: writes a value; runs no Lua, throws nothing. An error's path begins inside the
 *   value, by Lua's indices in lists: the caller puts the key before it. What is not of the field's
 *   type, null too, goes to modm_append_value.
 * - push: decodes stored bytes; must take whatever is stored, also what the field would refuse.
 * - describe: says the field's own rules in keywords of $jsonSchema, in the table at the top of the
 *   stack, and in the list below it what such a schema cannot say. It may refuse more than the
 * field does (what would be converted), but nothing that the field stores. A kind of one type needs
 * none.
 */
#ifndef MODM_FIELD_H
#define MODM_FIELD_H

#include "bson/bson.h"

typedef struct modm_field modm_field;
typedef struct modm_schema modm_schema;

typedef enum modm_outcome {
   MODM_SAME,      /* the value at idx is of the field's type already */
   MODM_CONVERTED, /* the converted value was pushed */
   MODM_REFUSED    /* it cannot be converted: err->message says what was expected */
} modm_outcome;

/* What an option of a constructor may be, for its check in Lua, the stubs and the docs. */
typedef struct modm_option {
   const char *name;
   const char *type; /* a LuaLS type: "integer", "boolean", "string", "modm.Field", ... */
   const char *doc;
} modm_option;

/* Where phase V puts what it finds; see validate.c of codec. */
typedef struct modm_validation modm_validation;

/* What a walk has to know of a kind: whether it holds others. */
typedef enum modm_role {
   MODM_VALUE,
   MODM_LIST,
   MODM_EMBEDDED,
   MODM_REFERENCE,
   MODM_FILE
} modm_role;

typedef struct modm_kind {
   const char *name;
   const char *older_name; /* kept for users of earlier versions of PyMODM; or NULL */
   const char *value;      /* the LuaLS type of its values */
   const char *accepts_text;
   const char *stored_text;
   const char
      *bson_types; /* $jsonSchema's names of what it is stored as; NULL: as its model says */
   const modm_option *options; /* its own, besides the common ones; ends with a NULL name */
   modm_role role;
   bool keeps;      /* a decoded value stays in the slot: it is a table, a document or a userdata */
   bool is_mutable; /* such a value may change in place: it is encoded and compared at each save */
   bool is_container; /* unset, it reads as a new empty table; empty tables are no blanks to it */
   const char
      *inner_kind; /* a list whose items are always of this kind, with this field's options */
   void (*compile) (lua_State *L, int options, modm_field *f);
   modm_outcome (*convert) (lua_State *L, int idx, const modm_field *f, modm_validation *v,
                            modm_error *err);
   void (*check) (lua_State *L, int idx, const modm_field *f, modm_validation *v);
   bool (*fits) (lua_State *L, int idx, const modm_field *f);
   bool (*put) (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                size_t key_len);
   bool (*accepts) (const modm_field *f, const modm_element *e);
   bool (*append) (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                   size_t key_len, int depth, modm_error *err);
   void (*push) (lua_State *L, const modm_field *f, const modm_element *e);
   void (*describe) (lua_State *L, const modm_field *f);
} modm_kind;

enum {
   MODM_FIELD_REQUIRED = 1 << 0,
   MODM_FIELD_BLANK = 1 << 1,
   MODM_FIELD_PRIMARY = 1 << 2,
   MODM_FIELD_DEFAULT = 1 << 3, /* has a constant default, in its environment */
   MODM_FIELD_CALL = 1 << 4,    /* has a function default */
   MODM_FIELD_CHOICES = 1 << 5,
   MODM_FIELD_VALIDATORS = 1 << 6, /* of the user's, in Lua */
   MODM_FIELD_STRICT = 1 << 7,
   MODM_FIELD_HAS_MIN = 1 << 8,
   MODM_FIELD_HAS_MAX = 1 << 9,
   MODM_FIELD_IMPLICIT = 1 << 10 /* the _id nobody declared */
};

struct modm_field {
   const modm_kind *kind;
   const char *name, *mongo_name;
   uint32_t name_len, mongo_len;
   uint32_t flags;
   int id; /* key of its environment; for a model's own fields also the slot, from 1 */
   union {
      struct {
         int64_t min, max;
      } integer;
      struct {
         double min, max;
      } number;
      struct {
         uint32_t min, max;
      } length;
      struct {
         uint8_t min[16], max[16];
      } decimal;
      uint8_t subtype; /* of binaries */
      int delete_rule;
      int protocol; /* AF_INET, AF_INET6, or AF_UNSPEC for both */
   } limit;
   modm_field *inner;         /* of a list */
   const modm_schema *schema; /* the one it belongs to */
   const modm_schema *target; /* of an embedded or reference field; NULL until it is first needed */
};

/* Whether the value at idx surely is valid as it stands; what Lua has to look at never is. */
static inline bool
modm_field_fits (lua_State *L, int idx, const modm_field *f)
{
   return f->kind->fits && !(f->flags & (MODM_FIELD_CHOICES | MODM_FIELD_VALIDATORS)) &&
          f->kind->fits (L, idx, f);
}

/* THE table; ends with a NULL name. */
extern const modm_kind modm_kinds[];
const modm_kind *modm_kind_find (const char *name);
/* Whether its values are GeoJSON. */
bool modm_kind_is_geometry (const modm_kind *kind);

/* True for nil, null, "", an empty table, empty binary. */
bool modm_isblank (lua_State *L, int idx);

/* Pushes a list of what a $jsonSchema cannot say, {rule =, why =}, and the table of what it can say
 * of the field's kind and limits. */
void modm_field_describe (lua_State *L, const modm_field *f);

/* True for a modm.File: a file that is not stored yet. */
bool modm_file_test (lua_State *L, int idx);
/* True for a modm.FieldFile: what a field with a file reads as. */
bool modm_field_file_test (lua_State *L, int idx);

/* Pushes a value's text for a message: strings quoted and cut at 60 bytes. */
const char *modm_describe (lua_State *L, int idx);

/* ---- phase V, provided by codec ---- */

/* Adds a message about the value that is being validated, at its place in the tree of errors. */
void modm_report (modm_validation *v, const char *format, ...)
   __attribute__ ((format (printf, 2, 3)));

/* What the kinds that hold documents need of codec, which provides it. */
typedef struct modm_document_hooks {
   modm_outcome (*embedded_convert) (lua_State *L, int idx, const modm_field *f, modm_error *err);
   bool (*embedded_accepts) (const modm_field *f, const modm_element *e);
   bool (*embedded_append) (lua_State *L, int idx, const modm_field *f, modm_buffer *b,
                            const char *key, size_t key_len, int depth, modm_error *err);
   void (*embedded_push) (lua_State *L, const modm_field *f, const modm_element *e);
   modm_outcome (*reference_convert) (lua_State *L, int idx, const modm_field *f, modm_error *err);
   bool (*reference_accepts) (const modm_field *f, const modm_element *e);
   bool (*reference_append) (lua_State *L, int idx, const modm_field *f, modm_buffer *b,
                             const char *key, size_t key_len, int depth, modm_error *err);
   void (*reference_push) (lua_State *L, const modm_field *f, const modm_element *e);
} modm_document_hooks;
extern const modm_document_hooks modm_hooks;

/* Into the table at the top: kinds(), the rows for lua/modm/fields.lua, stubs and docs. */
void modm_field_open (lua_State *L);

#endif
