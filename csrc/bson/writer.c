/* Appends elements to a buffer. */
#include "bson/bson.h"

size_t
modm_write_begin (modm_buffer *b)
{
   size_t start = b->len;
   modm_write_i32 (b, 0);
   return start;
}

void
modm_write_end (modm_buffer *b, size_t start)
{
   modm_buffer_byte (b, 0);
   if (!b->failed)
      modm_store_i32 (b->data + start, (int32_t) (b->len - start));
}

void
modm_write_key (modm_buffer *b, uint8_t type, const char *key, size_t key_len)
{
   if (!modm_buffer_reserve (b, key_len + 2))
      return;
   uint8_t *at = b->data + b->len;
   *at++ = type;
   memcpy (at, key, key_len);
   at[key_len] = '\0';
   b->len += key_len + 2;
}

const char *
modm_index_key (char room[MODM_INDEX_KEY], uint32_t index, size_t *len)
{
   size_t at = MODM_INDEX_KEY;
   do {
      room[--at] = (char) ('0' + index % 10);
      index /= 10;
   } while (index);
   *len = MODM_INDEX_KEY - at;
   return room + at;
}

void
modm_write_index_key (modm_buffer *b, uint8_t type, uint32_t index)
{
   char room[MODM_INDEX_KEY];
   size_t len;
   const char *key = modm_index_key (room, index, &len);
   modm_write_key (b, type, key, len);
}

void
modm_write_i32 (modm_buffer *b, int32_t value)
{
   if (modm_buffer_reserve (b, 4)) {
      modm_store_i32 (b->data + b->len, value);
      b->len += 4;
   }
}

void
modm_write_i64 (modm_buffer *b, int64_t value)
{
   if (modm_buffer_reserve (b, 8)) {
      modm_store_i64 (b->data + b->len, value);
      b->len += 8;
   }
}

void
modm_write_double (modm_buffer *b, double value)
{
   int64_t bits;
   memcpy (&bits, &value, sizeof bits);
   modm_write_i64 (b, bits);
}

void
modm_write_text (modm_buffer *b, const char *text, size_t len)
{
   if (!modm_buffer_reserve (b, len + 5))
      return;
   uint8_t *at = b->data + b->len;
   modm_store_i32 (at, (int32_t) (len + 1));
   memcpy (at + 4, text, len);
   at[4 + len] = '\0';
   b->len += len + 5;
}

/* In one step, as most elements are strings. */
void
modm_write_string_element (modm_buffer *b, const char *key, size_t key_len, const char *text,
                           size_t len)
{
   size_t size = 1 + key_len + 1 + 4 + len + 1;
   if (!modm_buffer_reserve (b, size))
      return;
   uint8_t *at = b->data + b->len;
   *at++ = MODM_BSON_STRING;
   memcpy (at, key, key_len);
   at += key_len;
   *at++ = '\0';
   modm_store_i32 (at, (int32_t) (len + 1));
   memcpy (at + 4, text, len);
   at[4 + len] = '\0';
   b->len += size;
}

void
modm_write_string (modm_buffer *b, const char *key, const char *text, size_t len)
{
   modm_write_string_element (b, key, strlen (key), text, len);
}

void
modm_write_int (modm_buffer *b, const char *key, int64_t value)
{
   bool small = value >= INT32_MIN && value <= INT32_MAX;
   modm_write_key (b, small ? MODM_BSON_INT32 : MODM_BSON_INT64, key, strlen (key));
   if (small)
      modm_write_i32 (b, (int32_t) value);
   else
      modm_write_i64 (b, value);
}

void
modm_write_bool (modm_buffer *b, const char *key, bool value)
{
   modm_write_key (b, MODM_BSON_BOOL, key, strlen (key));
   modm_buffer_byte (b, value);
}

void
modm_write_document (modm_buffer *b, const char *key, const uint8_t *document, size_t len)
{
   modm_write_key (b, MODM_BSON_DOCUMENT, key, strlen (key));
   modm_buffer_write (b, document, len);
}

void
modm_write_element (modm_buffer *b, const modm_element *e)
{
   modm_write_key (b, e->type, e->key, e->key_len);
   modm_buffer_write (b, e->value, e->size);
}
