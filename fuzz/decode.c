/* decode: any bytes become Lua values or an error. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
   lua_State *L = fuzz_state ("fuzz/decode.lua");
   lua_pushlstring (L, (const char *) data, size);
   fuzz_judge (L, 1);
   return 0;
}
