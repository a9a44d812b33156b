/* Conditions to queries: names of fields with drawn data and operators, and MongoDB's own words. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The items of a filter are operators: all_of, any_of, none_of, text. */
static void
push_items (lua_State *L, fuzz_input *in)
{
   uint32_t n = fuzz_draw (in, 4);
   for (uint32_t i = 1; i <= n; i++) {
      fuzz_push_made (L, in, 1);
      lua_rawseti (L, -2, i);
   }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
   lua_State *L = fuzz_state ("fuzz/filter.lua");
   fuzz_input in = {data, data + size, 6};
   fuzz_push_table (L, &in, 1);
   if (fuzz_draw (&in, 3) == 0)
      push_items (L, &in);
   fuzz_judge (L, 1);
   return 0;
}
