/* What the files of bson share among themselves: reading, values, dates, marks. */
#ifndef MODM_BSON_PRIVATE_H
#define MODM_BSON_PRIVATE_H

#include "bson/bson.h"

/* ---- values ---- */

enum {
   MODM_CLASS_OBJECTID,
   MODM_CLASS_DATETIME,
   MODM_CLASS_DECIMAL128,
   MODM_CLASS_BINARY,
   MODM_CLASS_REGEX,
   MODM_CLASS_JAVASCRIPT,
   MODM_CLASS_TIMESTAMP,
   MODM_CLASS_MINKEY,
   MODM_CLASS_MAXKEY,
   MODM_CLASS_INT64,
   MODM_CLASS_UNDEFINED,
   MODM_CLASS_SYMBOL,
   MODM_CLASS_DBPOINTER,
   MODM_CLASSES
};

/* The names of the classes. All tags of values lie in this one array, so that a range check tells a
 * value from any other userdata. */
extern modm_class modm_value_classes[MODM_CLASSES];

/* Pushes a value with room for `size` bytes, which the caller fills in at once. */
uint8_t *modm_value_new (lua_State *L, uint8_t type, uint32_t size);
const modm_value *modm_value_check (lua_State *L, int idx, int class_index);
/* The metamethod __eq of all values. */
int modm_value_eq (lua_State *L);
/* Puts a constructor `name` into the table at the top: a table that is called (`call` sees the
 * arguments from index 1) and holds the functions `statics`. */
void modm_value_constructor (lua_State *L, const char *name, lua_CFunction call,
                             const luaL_Reg *statics);
/* A text argument as UTF-8, with or without NUL inside. */
const char *modm_check_text (lua_State *L, int idx, bool nul_allowed, size_t *len);
/* Writes 2 * len hexadecimal digits, no NUL. */
void modm_hex_write (char *out, const uint8_t *bytes, size_t len);
bool modm_hex_read (uint8_t *out, const char *text, size_t digits);
/* Length and text of the string that begins at `bytes`, inside a value. */
const char *modm_value_text (const uint8_t *bytes, size_t *len);

/* Each opens its class and puts its constructor, where it has one, into the table at the top. */
void modm_objectid_open (lua_State *L);
void modm_datetime_open (lua_State *L);
void modm_decimal128_open (lua_State *L);
void modm_binary_open (lua_State *L);
void modm_regex_open (lua_State *L);
void modm_code_open (lua_State *L);
void modm_timestamp_open (lua_State *L);
void modm_minmax_open (lua_State *L);
void modm_int64_open (lua_State *L);
void modm_dbref_open (lua_State *L);
void modm_deprecated_open (lua_State *L);
int modm_redact_l_redacted (lua_State *L); /* core.redacted */

/* ---- dates ---- */

typedef struct modm_calendar {
   int64_t year;
   int month, day, hour, minute, second, msec; /* from 1: month, day */
   int weekday, yearday;                       /* from 0: Sunday, 1 January */
} modm_calendar;

void modm_calendar_from (modm_calendar *c, int64_t ms);
/* False when a field is out of its range, or the result out of 64 bits. A second of 60 counts as
 * the next minute's first. */
bool modm_calendar_to (const modm_calendar *c, int64_t *ms);
enum { MODM_DATETIME_TEXT = 48 };
/* Writes ISO 8601 with NUL, returns its length. */
size_t modm_datetime_format (char out[MODM_DATETIME_TEXT], int64_t ms);

/* ---- marks ---- */

/* A mark is a metatable: [1..n] the keys in their order, [MODM_MARK_TAG] what it is,
 * [MODM_MARK_KINDS] the kinds of number, a string or nil. */
enum { MODM_MARK_TAG = 0, MODM_MARK_KINDS = -1 };

/* Kinds of number. One code an element, or after MODM_KIND_ALL one code for all elements. */
enum {
   MODM_KIND_NATURAL = '.',
   MODM_KIND_INT64 = 'l',  /* an integer that is written as int64 */
   MODM_KIND_DOUBLE = 'd', /* LuaJIT: a number that is written as double even when it is integral */
   MODM_KIND_NAN = 'n',    /* LuaJIT: a NaN whose eight bytes follow the code */
   MODM_KIND_DUPLICATE = 'x', /* the key comes again further on, and is written there */
   MODM_KIND_ALL = '*'
};

/* The NaN that is written for LuaJIT's only one. */
#define MODM_NAN_BITS INT64_C (0x7FF8000000000000)

typedef struct modm_kinds {
   const char *at, *end;
   bool all;
} modm_kinds;

/* Begins with the kinds of the mark at idx. The text stays the mark's. */
void modm_kinds_init (modm_kinds *k, lua_State *L, int mark);
/* The next element's code; after MODM_KIND_NAN *bits points to its bytes. */
char modm_kinds_next (modm_kinds *k, const char **bits);

/* What a scan over a document finds: enough to look for its mark. */
typedef struct modm_shape {
   uint32_t count, hash;
   char kind; /* of an array: natural, int64 or double for all, or 0: mixed */
} modm_shape;

/* False when the bytes are no BSON. */
bool modm_shape_scan (modm_shape *s, modm_reader r, bool array);
/* Pushes a mark that fits for an array, and for a document one that fits most probably: its reader
 * asks modm_mark_fits for each element, and when that says no, modm_mark_push_new. */
void modm_mark_push (lua_State *L, const modm_shape *s, const modm_reader *r, bool array);
void modm_mark_push_new (lua_State *L, const modm_shape *s, modm_reader r);
/* Pushes the key that the mark has at index i; true when e has that key, and the kind that *k comes
 * to. */
bool modm_mark_fits (lua_State *L, int mark, uint32_t i, modm_kinds *k, const modm_element *e);

/* Like modm_mark_test, and pushes the mark when there is one. */
modm_mark modm_mark_get (lua_State *L, int idx);
/* Why the table at idx is no value, for one whose metatable modm_mark_refused was told of; else
 * NULL. */
const char *modm_mark_refusal (lua_State *L, int idx);
/* Pops a list of keys and marks the table below it as a document with that order. */
void modm_mark_ordered (lua_State *L);
void modm_marks_open (lua_State *L);

#endif
