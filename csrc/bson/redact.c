/* The shape of a document as text: its keys, and a question mark for each value. */
#include "bson/bson_private.h"

#include <stdio.h>

/* A command is as deep as it likes, a log line is not. */
enum { DEEP = 24, LONG = 2048 };

typedef struct text {
   char *out;
   size_t len;
} text;

static void
put (text *t, const char *s, size_t n)
{
   if (n > LONG - t->len)
      n = LONG - t->len;
   memcpy (t->out + t->len, s, n);
   t->len += n;
}

static void
put_string (text *t, const char *s, size_t n)
{
   put (t, "\"", 1);
   for (size_t i = 0; i < n; i++) {
      char escaped[8];
      unsigned char c = (unsigned char) s[i];
      if (c == '"' || c == '\\')
         put (t, escaped, (size_t) snprintf (escaped, sizeof escaped, "\\%c", c));
      else if (c < 0x20)
         put (t, escaped, (size_t) snprintf (escaped, sizeof escaped, "\\u%04x", c));
      else
         put (t, s + i, 1);
   }
   put (t, "\"", 1);
}

static void put_document (text *t, const modm_element *e, bool array, int depth);

static void
put_value (text *t, const modm_element *e, int depth)
{
   bool array = e->type == MODM_BSON_ARRAY;
   if ((array || e->type == MODM_BSON_DOCUMENT) && depth < DEEP)
      put_document (t, e, array, depth);
   else
      put (t, "\"?\"", 3);
}

/* An array's item that looks like the one before is left out, so that lists of any length have one
 * shape. */
static void
put_document (text *t, const modm_element *whole, bool array, int depth)
{
   modm_reader r;
   modm_element e;
   size_t last = 0, last_len = 0;
   put (t, array ? "[" : "{", 1);
   bool more = modm_reader_init (&r, whole->value, whole->size) && modm_reader_next (&r, &e);
   for (bool first = true; more && t->len < LONG; more = modm_reader_next (&r, &e)) {
      size_t before = t->len;
      if (!first)
         put (t, ",", 1);
      if (!array) {
         put_string (t, e.key, e.key_len);
         put (t, ":", 1);
      }
      size_t at = t->len;
      put_value (t, &e, depth + 1);
      if (array && !first && t->len - at == last_len &&
          memcmp (t->out + at, t->out + last, last_len) == 0) {
         t->len = before;
         continue;
      }
      last = at;
      last_len = t->len - at;
      first = false;
   }
   put (t, array ? "]" : "}", 1);
}

/* core.redacted(table) -> JSON of its keys, with "?" for each value; at most 2048 bytes */
int
modm_redact_l_redacted (lua_State *L)
{
   modm_error err;
   char out[LONG];
   luaL_checktype (L, 1, LUA_TTABLE);
   modm_buffer *b = modm_buffer_push (L);
   if (!modm_append_document (L, 1, b, 0, &err))
      return luaL_error (L, "%s", err.message);
   if (b->failed)
      return luaL_error (L, "not enough memory");
   modm_element whole = {.value = b->data, .size = (uint32_t) b->len};
   text t = {out, 0};
   put_document (&t, &whole, false, 0);
   lua_pushlstring (L, out, t.len);
   return 1;
}
