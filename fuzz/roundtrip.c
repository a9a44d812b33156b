/* decode-encode-decode: what was read is written as the same bytes. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static bool
comes_twice (modm_reader later, const modm_element *e)
{
   modm_element other;
   while (modm_reader_next (&later, &other))
      if (other.key_len == e->key_len && memcmp (other.key, e->key, e->key_len) == 0)
         return true;
   return false;
}

/* Whether a Lua table can hold all of it: no key twice, items by number. What is no BSON is not. */
static bool
is_regular (const uint8_t *document, size_t len, bool array, int depth)
{
   modm_reader r;
   modm_element e;
   char room[MODM_INDEX_KEY];
   size_t key_len;
   if (depth > 200 || len < 5 || !modm_reader_init (&r, document, len))
      return false;
   for (uint32_t i = 0; modm_reader_next (&r, &e); i++) {
      const char *key = modm_index_key (room, i, &key_len);
      bool nested = e.type == MODM_BSON_DOCUMENT || e.type == MODM_BSON_ARRAY;
      if (array ? e.key_len != key_len || memcmp (e.key, key, key_len) != 0 : comes_twice (r, &e))
         return false;
      if (nested && !is_regular (e.value, e.size, e.type == MODM_BSON_ARRAY, depth + 1))
         return false;
   }
   return !r.bad;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
   lua_State *L = fuzz_state ("fuzz/roundtrip.lua");
   lua_pushlstring (L, (const char *) data, size);
   lua_pushboolean (L, is_regular (data, size, false, 0));
   fuzz_judge (L, 2);
   return 0;
}
