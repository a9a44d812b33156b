/* Two documents, drawn or as bytes, to the update that leads from the one to the other. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Sets a key of both documents, which are below the two values at the top, or of one. */
static void
set_key (lua_State *L, fuzz_input *in, int before, uint32_t how)
{
   fuzz_push_key (L, in);
   fuzz_push_value (L, in, 1);
   for (int i = 0; i < 2; i++) {
      if (how == 1 + (uint32_t) i)
         continue;
      lua_pushvalue (L, -2);
      if (i == 1 && how == 3)
         fuzz_push_value (L, in, 1);
      else
         lua_pushvalue (L, -2);
      lua_rawset (L, before + i);
   }
   lua_settop (L, before + 1);
}

/* A list, and the same with more behind. */
static void
set_grown (lua_State *L, fuzz_input *in, int before)
{
   uint32_t n = fuzz_draw (in, 4), more = fuzz_draw (in, 4);
   fuzz_push_key (L, in);
   lua_newtable (L);
   lua_newtable (L);
   for (uint32_t i = 1; i <= n + more; i++) {
      fuzz_push_value (L, in, 2);
      if (i <= n) {
         lua_pushvalue (L, -1);
         lua_rawseti (L, -4, i);
      }
      lua_rawseti (L, -2, i);
   }
   lua_pushvalue (L, -3);
   lua_insert (L, -2);
   lua_rawset (L, before + 1);
   lua_rawset (L, before);
}

static void
push_documents (lua_State *L, fuzz_input *in)
{
   uint32_t n = fuzz_draw (in, 8);
   lua_newtable (L);
   int before = lua_gettop (L);
   lua_newtable (L);
   for (uint32_t i = 0; i < n; i++) {
      uint32_t how = fuzz_draw (in, 6);
      if (how == 4)
         set_grown (L, in, before);
      else
         set_key (L, in, before, how);
   }
}

static void
push_bytes (lua_State *L, fuzz_input *in)
{
   size_t len;
   const char *before = fuzz_draw_text (in, &len);
   lua_pushlstring (L, before, len);
   lua_pushlstring (L, (const char *) in->at, (size_t) (in->end - in->at));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
   lua_State *L = fuzz_state ("fuzz/diff.lua");
   fuzz_input in = {data, data + size, 6};
   if (fuzz_draw (&in, 4) == 0)
      push_bytes (L, &in);
   else
      push_documents (L, &in);
   fuzz_judge (L, 2);
   return 0;
}
