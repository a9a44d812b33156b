/* Tokens of pages: bytes as text for URLs, signed by HMAC-SHA256 where a key is given. */
#include "query/query_private.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { MAC = 32, MOST = 64 * 1024 };

/* The signature of bytes; false when the library has none. */
static bool
sign (uint8_t out[MAC], const char *key, size_t key_len, const uint8_t *bytes, size_t len)
{
   unsigned int n = 0;
   return HMAC (EVP_sha256 (), key, (int) key_len, bytes, len, out, &n) && n == MAC;
}

/* core.token(bytes, key or nil) -> text of A-Z a-z 0-9 - _ */
int
modm_token_l_make (lua_State *L)
{
   size_t len, key_len, at = 0;
   const char *bytes = luaL_checklstring (L, 1, &len);
   const char *key = luaL_optlstring (L, 2, NULL, &key_len);
   luaL_argcheck (L, len <= MOST, 1, "too long for a token");
   luaL_argcheck (L, !key || (key_len > 0 && key_len <= MOST), 2, "a key of 1 to 65536 bytes");
   uint8_t *plain = lua_newuserdata (L, MAC + len);
   if (key) {
      if (!sign (plain, key, key_len, (const uint8_t *) bytes, len))
         return luaL_error (L, "cannot sign");
      at = MAC;
   }
   memcpy (plain + at, bytes, len);
   char *text = lua_newuserdata (L, (at + len + 2) / 3 * 4 + 1);
   int n = EVP_EncodeBlock ((uint8_t *) text, plain, (int) (at + len));
   while (n > 0 && text[n - 1] == '=')
      n--;
   for (int i = 0; i < n; i++)
      text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
   lua_pushlstring (L, text, (size_t) n);
   return 1;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Whether each character is of the alphabet, and the bits of the last one that belong to no byte
 * are 0: one text for the same bytes. */
static bool
is_canonical (const char *text, size_t len)
{
   const char *at = alphabet;
   for (size_t i = 0; i < len; i++)
      if (!text[i] || !(at = strchr (alphabet, text[i])))
         return false;
   unsigned unused = len % 4 == 2 ? 15 : len % 4 == 3 ? 3 : 0;
   return len % 4 != 1 && !((unsigned) (at - alphabet) & unused);
}

/* Turns a token's text into bytes, whose number it returns; 0 when it is no such text. */
static size_t
decode (uint8_t *out, char *text, size_t len)
{
   size_t padded = (len + 3) / 4 * 4;
   if (!is_canonical (text, len))
      return 0;
   for (size_t i = 0; i < len; i++)
      text[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
   memset (text + len, '=', padded - len);
   int n = EVP_DecodeBlock (out, (uint8_t *) text, (int) padded);
   return n < 0 ? 0 : (size_t) n - (padded - len);
}

/* core.token_bytes(text, key or nil) -> the bytes | nil when this is no token, or not signed by the
 * key */
int
modm_token_l_read (lua_State *L)
{
   size_t len, key_len;
   uint8_t mac[MAC];
   const char *text = luaL_checklstring (L, 1, &len);
   const char *key = luaL_optlstring (L, 2, NULL, &key_len);
   luaL_argcheck (L, !key || (key_len > 0 && key_len <= MOST), 2, "a key of 1 to 65536 bytes");
   if (len == 0 || len > 2 * MOST)
      return 0;
   char *copy = lua_newuserdata (L, len + 4);
   uint8_t *plain = lua_newuserdata (L, len + 4);
   memcpy (copy, text, len);
   size_t n = decode (plain, copy, len);
   size_t at = key ? MAC : 0;
   if (n <= at)
      return 0;
   if (key && (!sign (mac, key, key_len, plain + at, n - at) || CRYPTO_memcmp (mac, plain, MAC)))
      return 0;
   lua_pushlstring (L, (const char *) plain + at, n - at);
   return 1;
}
