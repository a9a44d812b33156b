/* URIs and options of connect, drawn around a password. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* Keys are pieces of URIs; a piece is one of them, or any bytes. */
static void
add_pieces (lua_State *L, fuzz_input *in, uint32_t most)
{
   uint32_t n = fuzz_draw (in, most);
   for (uint32_t i = 0; i < n; i++) {
      fuzz_push_key (L, in);
      lua_concat (L, 2);
   }
}

static void
add (lua_State *L, const char *text)
{
   lua_pushstring (L, text);
   lua_concat (L, 2);
}

/* A secret: the password that no message may hold, with more around it. */
static void
add_secret (lua_State *L, fuzz_input *in)
{
   add_pieces (L, in, 3);
   add (L, "hunter2");
   add_pieces (L, in, 3);
}

/* Pushes the URI and how many secrets it has. */
static void
push_uri (lua_State *L, fuzz_input *in)
{
   int secrets = 0;
   lua_pushstring (L, fuzz_draw (in, 4) ? "mongodb://" : "mongodb+srv://");
   if (fuzz_draw (in, 2)) {
      add_pieces (L, in, 3);
      add (L, ":");
      add_secret (L, in);
      add (L, "@");
      secrets++;
   }
   add_pieces (L, in, 8);
   if (fuzz_draw (in, 8) == 1) {
      add (L, "?authMechanismProperties=AWS_SESSION_TOKEN:hunter2");
      secrets++;
   }
   lua_pushinteger (L, secrets);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
   lua_State *L = fuzz_state ("fuzz/connect.lua");
   fuzz_input in = {data, data + size, 6};
   push_uri (L, &in);
   if (fuzz_draw (&in, 2))
      fuzz_push_table (L, &in, 2);
   else
      lua_newtable (L);
   if (fuzz_draw (&in, 3) == 0) {
      lua_pushstring (L, fuzz_draw (&in, 2) ? "password" : "tls_certificate_key_file_password");
      lua_pushstring (L, "");
      add_secret (L, &in);
      lua_rawset (L, -3);
   }
   fuzz_judge (L, 3);
   return 0;
}
