/* bson: BSON without a schema, both ways, and the value types that Lua lacks.
 *
 * Three layers. reader.c walks the elements of a document in borrowed bytes, checking every length.
 * writer.c appends elements to a modm_buffer. append.c and push.c turn Lua values into elements and
 * back.
 *
 * A value type (ObjectId, DateTime, ...) is one userdata class each, and all share one layout,
 * modm_value: the BSON type and the very bytes that the value has in a document. So writing one is
 * a copy, and equality is a comparison of bytes; each type's file adds its constructors and methods
 * only. Values are immutable.
 *
 * Tables: an array or document that was read keeps its mark, the metatable: modm's array mark or an
 * object mark. A mark (marks.c) is shared by all tables of the same shape and remembers the order
 * of keys, and the kinds of number that Lua alone would lose (an int64 that would fit 32 bits;
 * under LuaJIT an integral double), so that what is read and written again unchanged has the same
 * bytes.
 *
 * Appending is phase E: it calls no Lua, throws nothing, touches only raw tables, and returns false
 * with the error's path filled in. Pushing may throw for want of memory.
 */
#ifndef MODM_BSON_H
#define MODM_BSON_H

#include "base/base.h"

enum {
   MODM_BSON_DOUBLE = 0x01,
   MODM_BSON_STRING = 0x02,
   MODM_BSON_DOCUMENT = 0x03,
   MODM_BSON_ARRAY = 0x04,
   MODM_BSON_BINARY = 0x05,
   MODM_BSON_UNDEFINED = 0x06,
   MODM_BSON_OBJECTID = 0x07,
   MODM_BSON_BOOL = 0x08,
   MODM_BSON_DATE = 0x09,
   MODM_BSON_NULL = 0x0A,
   MODM_BSON_REGEX = 0x0B,
   MODM_BSON_DBPOINTER = 0x0C,
   MODM_BSON_CODE = 0x0D,
   MODM_BSON_SYMBOL = 0x0E,
   MODM_BSON_CODEWSCOPE = 0x0F,
   MODM_BSON_INT32 = 0x10,
   MODM_BSON_TIMESTAMP = 0x11,
   MODM_BSON_INT64 = 0x12,
   MODM_BSON_DECIMAL128 = 0x13,
   MODM_BSON_MAXKEY = 0x7F,
   MODM_BSON_MINKEY = 0xFF
};

/* ---- reading bytes ---- */

/* One element; key and value point into the document's bytes. The key ends with NUL. */
typedef struct modm_element {
   const char *key;
   const uint8_t *value;
   uint32_t key_len;
   uint32_t size; /* of the value */
   uint8_t type;
} modm_element;

typedef struct modm_reader {
   const uint8_t *at, *end; /* end: the document's final NUL */
   bool bad;                /* the bytes were no BSON */
} modm_reader;

/* Begins a document of at most len bytes; false (and bad) when its frame is wrong. */
bool modm_reader_init (modm_reader *r, const uint8_t *document, size_t len);
/* The next element; false at the end or when the bytes are wrong (then bad). Checks that strings
 * end with NUL and that lengths stay inside; UTF-8 and nested documents are looked at when they are
 * read. */
bool modm_reader_next (modm_reader *r, modm_element *e);
/* True when the document, which is so deep in others, and all that is nested in it are well formed,
 * and no more than 180 levels. */
bool modm_reader_check (const uint8_t *document, size_t len, int depth);
/* Finds a key in a document; false when it is not there. */
bool modm_reader_find (const uint8_t *document, size_t len, const char *key, size_t key_len,
                       modm_element *e);
/* The element whose type byte is at `at`, which must not lie behind end (that of a checked
 * document). */
bool modm_element_at (const uint8_t *at, const uint8_t *end, modm_element *e);

/* The size of a string's value (length, text, NUL) within `room` bytes, or 0. */
static inline size_t
modm_text_size (const uint8_t *at, size_t room)
{
   if (room < 5)
      return 0;
   size_t n = (uint32_t) modm_load_i32 (at);
   return n >= 1 && n <= room - 4 && at[4 + n - 1] == '\0' ? 4 + n : 0;
}

/* The sizes of the types whose values are all of one, and 0 for the others. */
extern const uint8_t modm_fixed_sizes[256];
/* The size of a value of another type, or more than `room` when there is no such value. */
size_t modm_value_size (uint8_t type, const uint8_t *at, size_t room);

/* The size of the value of the element at `at`, whose key has this length; false when it does not
 * end before `end`. */
static inline bool
modm_element_size (const uint8_t *at, const uint8_t *end, size_t key_len, size_t *size)
{
   const uint8_t *value = at + key_len + 2;
   if (value > end)
      return false;
   size_t room = (size_t) (end - value);
   *size = *at == MODM_BSON_STRING ? modm_text_size (value, room) : modm_fixed_sizes[*at];
   if (*size == 0)
      *size = modm_value_size (*at, value, room);
   return *size <= room;
}

/* Such an element. */
static inline bool
modm_element_read (const uint8_t *at, const uint8_t *end, size_t key_len, modm_element *e)
{
   size_t size;
   if (!modm_element_size (at, end, key_len, &size))
      return false;
   e->type = *at;
   e->key = (const char *) at + 1;
   e->key_len = (uint32_t) key_len;
   e->value = at + key_len + 2;
   e->size = (uint32_t) size;
   return true;
}

/* memcmp of a few bytes, without the call: most keys are short. */
static inline bool
modm_same_bytes (const void *a, const void *b, size_t n)
{
   uint32_t x, y, v, w;
   if (n < 4 || n > 8)
      return memcmp (a, b, n) == 0;
   memcpy (&x, a, 4);
   memcpy (&y, b, 4);
   memcpy (&v, (const char *) a + n - 4, 4);
   memcpy (&w, (const char *) b + n - 4, 4);
   return x == y && v == w;
}

/* What follows the element at `at` if its key is the one given: cheaper where the order of keys is
 * known. NULL when it is not, or when the bytes are wrong. */
static inline const uint8_t *
modm_element_skip (const uint8_t *at, const uint8_t *end, const char *key, size_t key_len)
{
   size_t size;
   /* the NUL behind the key belongs to what is compared */
   bool found = (size_t) (end - at) >= key_len + 2 && modm_same_bytes (at + 1, key, key_len + 1) &&
                modm_element_size (at, end, key_len, &size);
   return found ? at + key_len + 2 + size : NULL;
}

/* A string element's text (STRING, CODE, SYMBOL). */
static inline const char *
modm_element_text (const modm_element *e, size_t *len)
{
   *len = e->size - 5;
   return (const char *) e->value + 4;
}

/* ---- writing bytes ---- */

/* Begin writes a placeholder for the length and returns where it stands; end fills it in. */
size_t modm_write_begin (modm_buffer *b);
void modm_write_end (modm_buffer *b, size_t start);
/* Type byte, key, NUL. */
void modm_write_key (modm_buffer *b, uint8_t type, const char *key, size_t key_len);
/* The key of an array's item, in decimal: inside of `room`, *len characters, without a NUL. */
enum { MODM_INDEX_KEY = 10 };
const char *modm_index_key (char room[MODM_INDEX_KEY], uint32_t index, size_t *len);
void modm_write_index_key (modm_buffer *b, uint8_t type, uint32_t index); /* "0", "1", ... */
void modm_write_i32 (modm_buffer *b, int32_t value);
void modm_write_i64 (modm_buffer *b, int64_t value);
void modm_write_double (modm_buffer *b, double value);
/* A string's value part: length, text, NUL. */
void modm_write_text (modm_buffer *b, const char *text, size_t len);
/* Whole elements. */
void modm_write_string (modm_buffer *b, const char *key, const char *text, size_t len);
void modm_write_string_element (modm_buffer *b, const char *key, size_t key_len, const char *text,
                                size_t len);
void modm_write_int (modm_buffer *b, const char *key, int64_t value); /* int32 where it fits */
void modm_write_bool (modm_buffer *b, const char *key, bool value);
void modm_write_document (modm_buffer *b, const char *key, const uint8_t *document, size_t len);
void modm_write_element (modm_buffer *b, const modm_element *e);

/* ---- values ---- */

typedef struct modm_value {
   modm_tag tag;
   uint32_t size;
   uint8_t type;
   uint8_t bytes[];
} modm_value;

/* The value at idx, of any modm value type, or NULL. */
const modm_value *modm_value_test (lua_State *L, int idx);
/* The same of one BSON type. */
const modm_value *modm_value_test_type (lua_State *L, int idx, uint8_t type);
/* Pushes a value of a type that has a class. */
void modm_value_push (lua_State *L, uint8_t type, const void *bytes, uint32_t size);

/* Conversions that fields use; false without a message when the value at idx cannot be one. They
 * may throw only for want of memory. */
/* ObjectId, 24 hexadecimal digits, 12 bytes. */
bool modm_objectid_from (lua_State *L, int idx, uint8_t out[12]);
/* DateTime, seconds, os.date table, ISO 8601. */
bool modm_datetime_from (lua_State *L, int idx, int64_t *ms);
/* Decimal128, number, Int64, text. */
bool modm_decimal128_from (lua_State *L, int idx, uint8_t out[16]);
/* Binary of subtype 3 or 4, text, 16 bytes. */
bool modm_uuid_from (lua_State *L, int idx, uint8_t out[16]);
bool modm_datetime_parse (const char *text, size_t len, int64_t *ms);
void modm_objectid_new (uint8_t out[12]);
static inline void
modm_datetime_push (lua_State *L, int64_t ms)
{
   uint8_t bytes[8];
   modm_store_i64 (bytes, ms);
   modm_value_push (L, MODM_BSON_DATE, bytes, 8);
}
/* Pushes a Binary. Raises when it is longer than a document may be. */
void modm_binary_push (lua_State *L, uint8_t subtype, const void *data, size_t len);
/* Pushes an int64: an integer; under LuaJIT a number up to 2^53, else a modm.Int64. */
void modm_int64_push (lua_State *L, int64_t value);
/* An integer that is exact: an integral Lua number within 64 bits, or a modm.Int64. */
bool modm_int64_test (lua_State *L, int idx, int64_t *out);

/* ---- marks ---- */

typedef enum modm_mark { MODM_UNMARKED, MODM_ARRAY, MODM_OBJECT } modm_mark;
/* What the table at idx is marked as; a foreign metatable counts as no mark. */
modm_mark modm_mark_test (lua_State *L, int idx);
/* Marks the table at the top. */
void modm_mark_array (lua_State *L);
void modm_mark_object (lua_State *L);
/* modm.null, the light userdata NULL. */
static inline bool
modm_isnull (lua_State *L, int idx)
{
   return lua_islightuserdata (L, idx) && lua_touserdata (L, idx) == NULL;
}

/* ---- Lua values to BSON and back ---- */

/* Appends the Lua value at idx under the key. nil is left out by the callers. An error's path
 * begins inside the value, with Lua's indices (from 1) in lists: the caller puts the key before. */
bool modm_append_value (lua_State *L, int idx, modm_buffer *b, const char *key, size_t key_len,
                        int depth, modm_error *err);
/* Appends the table at idx as a whole document (no key). */
bool modm_append_document (lua_State *L, int idx, modm_buffer *b, int depth, modm_error *err);
/* Appends the table at idx as a whole array (no key): a list without holes. */
bool modm_append_array (lua_State *L, int idx, modm_buffer *b, int depth, modm_error *err);

/* How a userdata that is no modm_value (a document of a model) is appended, which codec
 * provides. Returns false with an error. */
typedef bool (*modm_append_hook) (lua_State *L, int idx, modm_buffer *b, const char *key,
                                  size_t key_len, int depth, modm_error *err);
extern const modm_append_hook modm_append_foreign;

/* Pushes an element's value: numbers, strings and booleans as Lua's, null as modm.null, documents
 * and arrays as marked tables, else a value. Raises for bytes that are no BSON and for depth over
 * 180. The caller has 3 free slots on the stack. */
void modm_push_value (lua_State *L, const modm_element *e);
/* Pushes a whole document as a marked table. */
void modm_push_document (lua_State *L, const uint8_t *document, size_t len);
/* The same of a command or a reply, which may have documents in it that are 180 levels deep, or
 * 200, the server's own limit. */
void modm_push_message (lua_State *L, const uint8_t *document, size_t len);

/* True for well-formed UTF-8 (NUL allowed); *chars gets the number of characters when chars is not
 * NULL. */
bool modm_utf8_check (const char *text, size_t len, size_t *chars);

/* Has tables with the metatable at the top refused as values, and why. */
void modm_mark_refused (lua_State *L, const char *why);

/* False, with the path, when a text or key of the document, at any depth, is not UTF-8. Bytes that
 * are no BSON, or nested too deep, are left to whoever reads them. */
bool modm_texts_check (const uint8_t *document, size_t len, modm_error *err);

/* Opens the room: classes and, into the table at the top, constructors and functions. */
void modm_bson_open (lua_State *L);

#endif
