/* Walks the elements of a document in borrowed bytes, trusting none of them. */
#include "bson/bson_private.h"

/* The size of a string's value (length, text, NUL) within `room` bytes, or 0. */
static size_t
string_size (const uint8_t *at, size_t room)
{
   if (room < 5)
      return 0;
   int32_t n = modm_load_i32 (at);
   if (n < 1 || (size_t) n > room - 4 || at[4 + n - 1] != '\0')
      return 0;
   return 4 + (size_t) n;
}

static size_t
document_size (const uint8_t *at, size_t room)
{
   if (room < 5)
      return 0;
   int32_t n = modm_load_i32 (at);
   return n >= 5 && (size_t) n <= room && at[n - 1] == '\0' ? (size_t) n : 0;
}

static size_t
binary_size (const uint8_t *at, size_t room)
{
   if (room < 5)
      return 0;
   int32_t n = modm_load_i32 (at);
   if (n < 0 || (size_t) n > room - 5)
      return 0;
   /* The old subtype 2 repeats the length inside. */
   if (at[4] == 2 && (n < 4 || modm_load_i32 (at + 5) != n - 4))
      return 0;
   return 5 + (size_t) n;
}

/* Two texts that end with NUL. The NUL behind the room ends a search that would leave it. */
static size_t
regex_size (const uint8_t *at, size_t room)
{
   size_t pattern = strlen ((const char *) at) + 1;
   if (pattern >= room)
      return 0;
   size_t size = pattern + strlen ((const char *) at + pattern) + 1;
   return size <= room ? size : 0;
}

static size_t
dbpointer_size (const uint8_t *at, size_t room)
{
   size_t name = string_size (at, room);
   return name && room - name >= 12 ? name + 12 : 0;
}

static size_t
scoped_size (const uint8_t *at, size_t room)
{
   if (room < 14)
      return 0;
   int32_t n = modm_load_i32 (at);
   if (n < 14 || (size_t) n > room)
      return 0;
   size_t code = string_size (at + 4, (size_t) n - 4);
   if (!code)
      return 0;
   size_t rest = (size_t) n - 4 - code;
   return document_size (at + 4 + code, rest) == rest && rest ? (size_t) n : 0;
}

/* The value's size, or more than `room` when there is no such value. */
static size_t
value_size (uint8_t type, const uint8_t *at, size_t room)
{
   size_t size;
   switch (type) {
   case MODM_BSON_UNDEFINED:
   case MODM_BSON_NULL:
   case MODM_BSON_MINKEY:
   case MODM_BSON_MAXKEY:
      return 0;
   case MODM_BSON_BOOL:
      return room >= 1 && at[0] <= 1 ? 1 : SIZE_MAX;
   case MODM_BSON_INT32:
      return 4;
   case MODM_BSON_DOUBLE:
   case MODM_BSON_DATE:
   case MODM_BSON_TIMESTAMP:
   case MODM_BSON_INT64:
      return 8;
   case MODM_BSON_OBJECTID:
      return 12;
   case MODM_BSON_DECIMAL128:
      return 16;
   case MODM_BSON_STRING:
   case MODM_BSON_CODE:
   case MODM_BSON_SYMBOL:
      size = string_size (at, room);
      break;
   case MODM_BSON_DOCUMENT:
   case MODM_BSON_ARRAY:
      size = document_size (at, room);
      break;
   case MODM_BSON_BINARY:
      size = binary_size (at, room);
      break;
   case MODM_BSON_REGEX:
      size = regex_size (at, room);
      break;
   case MODM_BSON_DBPOINTER:
      size = dbpointer_size (at, room);
      break;
   case MODM_BSON_CODEWSCOPE:
      size = scoped_size (at, room);
      break;
   default:
      return SIZE_MAX;
   }
   return size ? size : SIZE_MAX;
}

static inline bool
read_element (const uint8_t *at, const uint8_t *end, size_t key_len, modm_element *e)
{
   const uint8_t *value = at + 1 + key_len + 1;
   if (value > end)
      return false;
   size_t room = (size_t) (end - value);
   size_t size = value_size (*at, value, room);
   if (size > room)
      return false;
   e->type = *at;
   e->key = (const char *) at + 1;
   e->key_len = (uint32_t) key_len;
   e->value = value;
   e->size = (uint32_t) size;
   return true;
}

/* `end` is the document's final NUL, which ends every search for a NUL. */
bool
modm_element_at (const uint8_t *at, const uint8_t *end, modm_element *e)
{
   return at < end && read_element (at, end, strlen ((const char *) at + 1), e);
}

/* memcmp of a few bytes, without the call: most keys are short. */
static inline bool
same_bytes (const uint8_t *a, const char *b, size_t n)
{
   uint32_t x, y, v, w;
   if (n < 4 || n > 8)
      return memcmp (a, b, n) == 0;
   memcpy (&x, a, 4);
   memcpy (&y, b, 4);
   memcpy (&v, a + n - 4, 4);
   memcpy (&w, b + n - 4, 4);
   return x == y && v == w;
}

bool
modm_reader_next_named (modm_reader *r, modm_element *e, const char *key, size_t key_len)
{
   /* the NUL behind the key belongs to what is compared */
   if ((size_t) (r->end - r->at) < key_len + 2 || !same_bytes (r->at + 1, key, key_len + 1) ||
       !read_element (r->at, r->end, key_len, e))
      return false;
   r->at = e->value + e->size;
   return true;
}

bool
modm_reader_init (modm_reader *r, const uint8_t *document, size_t len)
{
   size_t size = document_size (document, len);
   r->bad = size == 0;
   r->at = document + (size ? 4 : 0);
   r->end = document + (size ? size - 1 : 0);
   return size != 0;
}

bool
modm_reader_next (modm_reader *r, modm_element *e)
{
   if (r->at == r->end)
      return false;
   if (!modm_element_at (r->at, r->end, e)) {
      r->bad = true;
      r->at = r->end;
      return false;
   }
   r->at = e->value + e->size;
   return true;
}

bool
modm_reader_find (const uint8_t *document, size_t len, const char *key, size_t key_len,
                  modm_element *e)
{
   modm_reader r;
   if (!modm_reader_init (&r, document, len))
      return false;
   while (modm_reader_next (&r, e))
      if (e->key_len == key_len && memcmp (e->key, key, key_len) == 0)
         return true;
   return false;
}

bool
modm_reader_check (const uint8_t *document, size_t len, int depth)
{
   modm_reader r;
   modm_element e;
   if (depth >= MODM_MAX_DEPTH || !modm_reader_init (&r, document, len))
      return false;
   while (modm_reader_next (&r, &e)) {
      const uint8_t *nested = e.value;
      if (e.type == MODM_BSON_CODEWSCOPE)
         nested += 8 + (size_t) modm_load_i32 (e.value + 4);
      else if (e.type != MODM_BSON_DOCUMENT && e.type != MODM_BSON_ARRAY)
         continue;
      if (!modm_reader_check (nested, (size_t) (e.value + e.size - nested), depth + 1))
         return false;
   }
   return !r.bad;
}
