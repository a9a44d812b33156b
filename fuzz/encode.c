/* Lua tables to encode: lists, documents, deep, cyclic, sparse, with metatables, modm's values. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
   lua_State *L = fuzz_state ("fuzz/encode.lua");
   fuzz_input in = {data, data + size, 6};
   fuzz_push_table (L, &in, 0);
   fuzz_judge (L, 1);
   return 0;
}
