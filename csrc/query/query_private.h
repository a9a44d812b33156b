/* What the files of query share. */
#ifndef MODM_QUERY_PRIVATE_H
#define MODM_QUERY_PRIVATE_H

#include "query/query.h"

/* ---- paths (path.c) ---- */

enum { MODM_PATH_MAX = 512, MODM_PATH_NESTED = 8, MODM_PATH_NAMED = 4 };

/* A name as it is stored, and what it leads to. Begins as {.schema = s}; without a schema anything
 * goes. */
typedef struct modm_path {
   const modm_schema *schema; /* whose fields the first step names */
   const modm_field *field;   /* what it has come to; NULL: anything, as inside a dict */
   char stored[MODM_PATH_MAX];
   size_t len;
   size_t nested[MODM_PATH_NESTED]; /* lengths of the prefixes that lead to embedded documents with
                                       a _cls */
   int n_nested;
   bool positions; /* a path of an update: $, $[] and $[name] stand for items of a list */
   struct {
      const char *name; /* inside of the path that was given */
      size_t len;
      const modm_field *field; /* of the items; NULL: any */
   } named[MODM_PATH_NAMED];
   int n_named;
} modm_path;

/* Translates the string at idx. False, with a message, when it names no field. */
bool modm_path_resolve (lua_State *L, int idx, modm_path *p, modm_error *err);

/* What lists of lists are lists of: the innermost field, or NULL for a list of anything. */
const modm_field *modm_path_innermost (const modm_field *f);
/* True for a field that holds any document. */
static inline bool
modm_path_is_free (const modm_field *f)
{
   return !f || (f->kind->is_container && f->kind->role == MODM_VALUE);
}

/* ---- operators (operator.c) ---- */

typedef enum modm_shape_of {
   MODM_OF_VALUE,    /* one value, coerced by the field */
   MODM_OF_VALUES,   /* a list of them */
   MODM_OF_RANGE,    /* two of them */
   MODM_OF_ARGUMENT, /* what the constructor has checked, as it is */
   MODM_OF_PATTERN,  /* a regular expression and its options */
   MODM_OF_DIVISION, /* divisor, remainder */
   MODM_OF_OPERATOR, /* another operator */
   MODM_OF_ITEM,     /* a filter or an operator, for the items of a list */
   MODM_OF_PLACE,    /* a point, and how far from it */
   MODM_OF_REGION,   /* a geometry */
   MODM_OF_FILTERS,  /* filters; stands for itself, not under a field */
   MODM_OF_WORDS,    /* what to look for in texts; stands for itself */
   MODM_OF_EACH      /* items for a list; for updates, not for filters */
} modm_shape_of;

typedef struct modm_operator_row {
   const char *name;   /* modm.<name> */
   const char *stored; /* $name; of a range, that of the first value */
   modm_shape_of shape;
} modm_operator_row;

/* The row of the operator at idx, or NULL for any other value. */
const modm_operator_row *modm_operator_test (lua_State *L, int idx);
/* Pushes its operand number i (1 or 2). */
void modm_operator_push_operand (lua_State *L, int idx, int i);
/* core.operators() */
int modm_operator_l_all (lua_State *L);
void modm_operator_open (lua_State *L);

/* ---- filters (filter.c, condition.c) ---- */

typedef struct modm_filter {
   lua_State *L;
   modm_buffer *b; /* anchored, since conversion may throw */
   modm_error err;
   bool misuse; /* the error is the program's, not the data's */
} modm_filter;

/* Appends the filter at idx as a whole document; without a schema its names are not looked up. */
bool modm_filter_document (modm_filter *c, const modm_schema *s, int idx, int depth);
/* Appends the condition at idx, a value or an operator, as the element of a path. */
bool modm_filter_condition (modm_filter *c, const modm_path *p, int idx, int depth);
bool modm_filter_misuse (modm_filter *c, const char *format, ...)
   __attribute__ ((format (printf, 2, 3)));
/* The parts of a condition that updates have, too. A value or list of them for a field (NULL: any),
 * and a value for a field, under a key; and a look at the element that was written at `start`: a
 * document in it is data. */
bool modm_filter_operand (modm_filter *c, const modm_field *f, int idx, const char *key,
                          size_t key_len, int depth);
bool modm_filter_value (modm_filter *c, const modm_field *f, int idx, const char *key,
                        size_t key_len, int depth);
bool modm_filter_check (modm_filter *c, size_t start);
/* The number of items of the list at idx; false when it has holes or other keys. */
bool modm_filter_length (modm_filter *c, int idx, uint32_t *n);
/* Pushes what holds an array of the string keys of the table at idx, sorted. They are in `few`
 * where that is enough for them. A key that cannot be a name is misuse. */
#define MODM_FILTER_FEW 8
const char **modm_filter_names (modm_filter *c, int idx, const char **few, size_t *n);
/* Pushes nil, the message, its path and whether it is misuse; returns 4. */
int modm_filter_fail (lua_State *L, const modm_filter *c);
/* Appends the elements of an operator of places at idx (geometry.c). */
bool modm_geometry_append (modm_filter *c, const modm_path *p, const modm_operator_row *row,
                           int idx);
/* The options of an operator (settings.c): raises for what they cannot be; appends those that are
 * the server's. */
void modm_settings_check (lua_State *L, int idx, const modm_operator_row *row);
bool modm_settings_append (modm_filter *c, int idx, const modm_operator_row *row);
int modm_filter_l_filter (lua_State *L);      /* core.filter */
int modm_filter_l_raw (lua_State *L);         /* core.raw_filter */
int modm_filter_l_stored_name (lua_State *L); /* core.stored_name */

/* ---- what runs JavaScript (javascript.c) ---- */

/* False, with a message, when a key of the elements from start to end of a buffer, at any depth,
 * has the server run JavaScript: $where, $function, $accumulator. */
bool modm_javascript_refuse (const modm_buffer *b, size_t start, size_t end, modm_error *err);
/* The same of the document from start to the buffer's end; there may be none. */
bool modm_javascript_refuse_document (const modm_buffer *b, size_t start, modm_error *err);

/* ---- updates (update.c, change.c) ---- */

typedef enum modm_change_shape {
   MODM_CHANGE_VALUE,  /* {name: value}, that the field accepts */
   MODM_CHANGE_NUMBER, /* {name: number}, converted; nobody knows what comes of it */
   MODM_CHANGE_ITEM,   /* {name: item or modm.each}, of a list */
   MODM_CHANGE_MATCH,  /* {name: item, operator or filter}: which items */
   MODM_CHANGE_END,    /* {name: 1 or -1} */
   MODM_CHANGE_RENAME, /* {name: name} */
   MODM_CHANGE_UNSET,  /* [name]; so is the last */
   MODM_CHANGE_DATE
} modm_change_shape;

typedef struct modm_change_row {
   const char *name, *stored;
   modm_change_shape shape;
} modm_change_row;

/* An update that is being compiled. `pending` and `named` are places on the stack. */
typedef struct modm_change {
   modm_filter c;
   const modm_schema *schema;
   const char *name; /* in hand */
   int pending;      /* what Lua has to call, a list, or nil */
   int named;        /* a table: name in $[name] -> the items' field, or false for any */
} modm_change;

/* Appends what an operator is given for one name, at idx, as the element of its path. */
bool modm_change_append (modm_change *ch, const modm_change_row *r, const modm_path *p, int idx);
int modm_change_l_changes (lua_State *L); /* core.changes */

/* ---- joining (join.c) ---- */

/* Appends a document of all the conditions in the list of bytes, and the class filter. */
void modm_query_join (lua_State *L, int list, const modm_schema *s, modm_buffer *b);
int modm_join_l_class (lua_State *L); /* core.class_filter */
int modm_join_l_name (lua_State *L);  /* core.class_name */
int modm_join_l_join (lua_State *L);  /* core.join */

/* ---- tokens of pages (token.c) ---- */

int modm_token_l_make (lua_State *L); /* core.token */
int modm_token_l_read (lua_State *L); /* core.token_bytes */

/* ---- operations ---- */

/* Pushes an operation whose client, database and collection are arguments 1 to 3. */
modm_op *modm_query_op (lua_State *L, modm_op_kind kind);
/* Appends the table at idx, or nothing for nil, as one document. */
bool modm_query_options (lua_State *L, int idx, modm_buffer *b, modm_error *err);
/* Pushes nil and the message; returns 2. */
int modm_query_fail (lua_State *L, const modm_error *err);
/* The BSON document that is the string at idx. */
const uint8_t *modm_query_bytes (lua_State *L, int idx, size_t *len);
/* Pushes a document as a table; raises where a text in it is not UTF-8, which could not be written
 * again. */
void modm_query_push_row (lua_State *L, const uint8_t *document, size_t len);
/* False, with a message, for an operation that is more than the server takes at once. */
bool modm_query_size (const modm_op *op, modm_error *err);
/* An integer of the operation's reply, or 0. */
int64_t modm_query_reply_int (const modm_op *op, const char *key);

/* Whether a projection names what is there, and not what is left out. */
bool modm_find_includes (const uint8_t *spec, size_t len);
int modm_find_l_find (lua_State *L);
int modm_find_l_queryset (lua_State *L);
int modm_find_l_aggregate (lua_State *L);
int modm_find_l_watch (lua_State *L);
int modm_find_l_batch (lua_State *L);
int modm_typed_l_typed (lua_State *L);
int modm_find_l_ids (lua_State *L);
int modm_distinct_l_values (lua_State *L); /* core.distinct_values */
int modm_watch_l_match (lua_State *L);     /* core.watch_match */
int modm_watch_l_change (lua_State *L);    /* core.change */
/* Appends the members of the table at idx (nil: none) to an open document. */
bool modm_write_members (lua_State *L, int idx, modm_buffer *b, modm_error *err);
/* Appends the update at idx under a key: bytes that modm has compiled, or a table of operators or a
 * pipeline, in which JavaScript is refused unless it is allowed. */
bool modm_write_update (lua_State *L, int idx, const char *key, bool javascript, modm_buffer *b,
                        modm_error *err);
int modm_write_l_update (lua_State *L);
int modm_write_l_delete (lua_State *L);
int modm_write_l_result (lua_State *L);
int modm_modify_l_modify (lua_State *L);        /* core.find_and_modify */
int modm_modify_l_modified (lua_State *L);      /* core.modified */
int modm_statement_l_statement (lua_State *L);  /* core.statement */
int modm_statement_l_statements (lua_State *L); /* core.statements */
int modm_save_l_plan (lua_State *L);
int modm_save_l_save (lua_State *L);
int modm_save_l_saved (lua_State *L);
int modm_save_l_unsure (lua_State *L);
int modm_bulk_l_insert (lua_State *L);
int modm_bulk_l_save_new (lua_State *L);
int modm_bulk_l_inserted (lua_State *L);

/* ---- documents that are written (save.c) ---- */

enum { MODM_ID_ELEMENT = 17 }; /* bytes of {_id: ObjectId} without its frame */

/* False, with a message, when the document's encoding, of len bytes, is more than the server takes.
 */
bool modm_save_size (size_t len, modm_error *err);
/* The document at idx; raises for anything else, and for an embedded one, which has no key. */
modm_document *modm_save_check (lua_State *L, int idx);
/* Whether it has no primary key yet: one of ours is due. */
bool modm_save_needs_key (const modm_document *d);
/* Whether one of ours fits its primary key. */
bool modm_save_key (const modm_document *d, modm_error *err);
/* Writes a new _id element. */
void modm_save_new_id (uint8_t out[MODM_ID_ELEMENT]);
/* Notes of the document at idx that the server may or may not have what was sent for it: it takes
 * the key that it had there, so that it is not stored twice, and its next update is one that may be
 * said twice. */
void modm_save_unsure (lua_State *L, int idx, modm_document *d, const uint8_t *bytes, size_t len);

#endif
