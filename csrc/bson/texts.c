/* Checks the texts of a document that is given to Lua as a whole, as it came from the server. */
#include "bson/bson_private.h"

static bool check (const uint8_t *document, size_t len, int depth, modm_error *err);

static bool
is_text (const uint8_t *value)
{
   return modm_utf8_check ((const char *) value + 4, (size_t) modm_load_i32 (value) - 1, NULL);
}

static bool
check_value (const modm_element *e, int depth, modm_error *err)
{
   size_t code;
   switch (e->type) {
   case MODM_BSON_STRING:
   case MODM_BSON_CODE:
   case MODM_BSON_SYMBOL:
   case MODM_BSON_DBPOINTER:
      return is_text (e->value) || modm_error_set (err, "not valid UTF-8");
   case MODM_BSON_DOCUMENT:
   case MODM_BSON_ARRAY:
      return check (e->value, e->size, depth + 1, err);
   case MODM_BSON_CODEWSCOPE:
      code = 8 + (size_t) modm_load_i32 (e->value + 4);
      return (is_text (e->value + 4) || modm_error_set (err, "not valid UTF-8")) &&
             check (e->value + code, e->size - code, depth + 1, err);
   default:
      return true;
   }
}

static bool
check (const uint8_t *document, size_t len, int depth, modm_error *err)
{
   modm_reader r;
   modm_element e;
   if (depth >= MODM_MAX_DEPTH || !modm_reader_init (&r, document, len))
      return true;
   while (modm_reader_next (&r, &e)) {
      if (!modm_utf8_check (e.key, e.key_len, NULL))
         return modm_error_set (err, "a key is not valid UTF-8");
      if (!check_value (&e, depth, err))
         return modm_error_at_key (err, e.key, e.key_len);
   }
   return true;
}

bool
modm_texts_check (const uint8_t *document, size_t len, modm_error *err)
{
   return check (document, len, 0, err);
}
