/* What has the server run JavaScript: refused in what a program writes in MongoDB's own words,
 * unless it says that this is meant. */
#include "query/query_private.h"

static bool
runs_javascript (const char *key)
{
   return strcmp (key, "$where") == 0 || strcmp (key, "$function") == 0 ||
          strcmp (key, "$accumulator") == 0;
}

/* The depth is bounded: these bytes were written by modm_append_document. */
static bool
refuse (const uint8_t *at, const uint8_t *end, modm_error *err)
{
   modm_element e;
   for (; modm_element_at (at, end, &e); at = e.value + e.size) {
      bool nested = e.type == MODM_BSON_DOCUMENT || e.type == MODM_BSON_ARRAY;
      if (runs_javascript (e.key))
         return modm_error_set (err,
                                "%s runs JavaScript on the server, which is refused unless the "
                                "call says javascript = true",
                                e.key);
      if (nested && !refuse (e.value + 4, e.value + e.size - 1, err))
         return false;
   }
   return true;
}

bool
modm_javascript_refuse (const modm_buffer *b, size_t start, size_t end, modm_error *err)
{
   return b->failed || refuse (b->data + start, b->data + end, err);
}

bool
modm_javascript_refuse_document (const modm_buffer *b, size_t start, modm_error *err)
{
   return b->failed || b->len == start || refuse (b->data + start + 4, b->data + b->len - 1, err);
}
