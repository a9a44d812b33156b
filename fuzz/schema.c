/* Definitions of models, drawn, through the Lua face; and instances of what can be defined. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Most values are fields: the makers are their constructors. */
static void
push_definition (lua_State *L, fuzz_input *in)
{
   uint32_t n = fuzz_draw (in, 8);
   lua_newtable (L);
   for (uint32_t i = 0; i < n; i++) {
      fuzz_push_key (L, in);
      if (fuzz_draw (in, 32) != 31)
         fuzz_push_made (L, in, 1);
      else
         fuzz_push_value (L, in, 1);
      lua_rawset (L, -3);
   }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
   lua_State *L = fuzz_state ("fuzz/schema.lua");
   fuzz_input in = {data, data + size, 6};
   lua_pushinteger (L, (lua_Integer) fuzz_draw (&in, 256));
   push_definition (L, &in);
   fuzz_push_table (L, &in, 0);
   fuzz_push_table (L, &in, 0);
   fuzz_judge (L, 4);
   return 0;
}
