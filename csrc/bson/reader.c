/* Walks the elements of a document in borrowed bytes, trusting none of them. */
#include "bson/bson_private.h"

const uint8_t modm_fixed_sizes[256] = {
   [MODM_BSON_INT32] = 4,       [MODM_BSON_INT64] = 8,     [MODM_BSON_DOUBLE] = 8,
   [MODM_BSON_DATE] = 8,        [MODM_BSON_TIMESTAMP] = 8, [MODM_BSON_OBJECTID] = 12,
   [MODM_BSON_DECIMAL128] = 16,
};

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
   size_t name = modm_text_size (at, room);
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
   size_t code = modm_text_size (at + 4, (size_t) n - 4);
   if (!code)
      return 0;
   size_t rest = (size_t) n - 4 - code;
   return document_size (at + 4 + code, rest) == rest && rest ? (size_t) n : 0;
}

size_t
modm_value_size (uint8_t type, const uint8_t *at, size_t room)
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
   case MODM_BSON_STRING:
   case MODM_BSON_CODE:
   case MODM_BSON_SYMBOL:
      size = modm_text_size (at, room);
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

/* `end` is the document's final NUL, which ends every search for a NUL. */
bool
modm_element_at (const uint8_t *at, const uint8_t *end, modm_element *e)
{
   if (at >= end)
      return false;
   bool single = at[1] && !at[2]; /* as most keys of arrays are */
   return modm_element_read (at, end, single ? 1 : strlen ((const char *) at + 1), e);
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
