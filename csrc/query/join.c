/* The class filter, and the conditions of a queryset put together. */
#include "query/query_private.h"

#include <stdlib.h>

static int
by_text (const void *a, const void *b)
{
   return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* So many names need no array of their own. */
#define FEW_CLASSES 8

/* Pushes what holds the names that count as the model: its own first, the others sorted. They are
 * in `few` where that is enough for them. The environment keeps the strings. */
static const char **
push_classes (lua_State *L, const modm_schema *s, const char **few, size_t *n)
{
   size_t count = 0, at = 1;
   modm_schema_push_env (L, s);
   lua_rawgeti (L, -1, MODM_ENV_CLASSES);
   int classes = lua_gettop (L);
   for (lua_pushnil (L); lua_next (L, classes); lua_pop (L, 1))
      count++;
   const char **names = few;
   if (count < FEW_CLASSES)
      lua_pushnil (L);
   else
      names = lua_newuserdata (L, (count + 1) * sizeof *names);
   names[0] = s->cls;
   for (lua_pushnil (L); lua_next (L, classes); lua_pop (L, 1))
      if (lua_type (L, -2) == LUA_TSTRING && strcmp (lua_tostring (L, -2), s->cls) != 0)
         names[at++] = lua_tostring (L, -2);
   qsort (names + 1, at - 1, sizeof *names, by_text);
   *n = at;
   lua_replace (L, classes - 1);
   lua_settop (L, classes - 1);
   return names;
}

/* Documents without a _cls are of the base, not of the models that extend it. */
static bool
takes_nameless (const modm_schema *s)
{
   return (s->flags & MODM_SCHEMA_CLS_OPTIONAL) &&
          !(s->parent && (s->parent->flags & MODM_SCHEMA_CLS_OPTIONAL));
}

bool
modm_query_append_class (lua_State *L, const modm_schema *s, modm_buffer *b)
{
   size_t n;
   if (!s->cls)
      return false;
   const char *few[FEW_CLASSES], **names = push_classes (L, s, few, &n);
   bool nameless = takes_nameless (s);
   if (n == 1 && !nameless) {
      modm_write_string (b, "_cls", names[0], strlen (names[0]));
   } else {
      modm_write_key (b, MODM_BSON_DOCUMENT, "_cls", 4);
      size_t in = modm_write_begin (b);
      modm_write_key (b, MODM_BSON_ARRAY, "$in", 3);
      size_t list = modm_write_begin (b);
      for (uint32_t i = 0; i < n; i++) {
         modm_write_index_key (b, MODM_BSON_STRING, i);
         modm_write_text (b, names[i], strlen (names[i]));
      }
      if (nameless)
         modm_write_index_key (b, MODM_BSON_NULL, (uint32_t) n);
      modm_write_end (b, list);
      modm_write_end (b, in);
   }
   lua_pop (L, 1);
   return true;
}

static int
push_bytes (lua_State *L, modm_buffer *b)
{
   bool failed = b->failed;
   if (!failed)
      lua_pushlstring (L, (const char *) b->data, b->len);
   modm_scratch_release (b);
   if (failed)
      return luaL_error (L, "not enough memory");
   return 1;
}

/* core.class_filter(schema) -> bytes | nil for a final model */
int
modm_join_l_class (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1);
   if (!s->cls)
      return 0;
   modm_buffer *b = modm_scratch_acquire (L);
   size_t start = modm_write_begin (b);
   (void) modm_query_append_class (L, s, b);
   modm_write_end (b, start);
   return push_bytes (L, b);
}

/* core.class_name(schema) -> what its documents have under _cls | nil */
int
modm_join_l_name (lua_State *L)
{
   lua_pushstring (L, modm_schema_check (L, 1)->cls);
   return 1;
}

static void
append_and (lua_State *L, int list, const modm_schema *s, uint32_t n, modm_buffer *b)
{
   size_t len;
   modm_write_key (b, MODM_BSON_ARRAY, "$and", 4);
   size_t array = modm_write_begin (b);
   for (uint32_t i = 0; i < n; i++) {
      lua_rawgeti (L, list, i + 1);
      const uint8_t *bytes = modm_query_bytes (L, -1, &len);
      modm_write_index_key (b, MODM_BSON_DOCUMENT, i);
      modm_buffer_write (b, bytes, len);
      lua_pop (L, 1);
   }
   if (s->cls) {
      modm_write_index_key (b, MODM_BSON_DOCUMENT, n);
      size_t start = modm_write_begin (b);
      (void) modm_query_append_class (L, s, b);
      modm_write_end (b, start);
   }
   modm_write_end (b, array);
}

void
modm_query_join (lua_State *L, int list, const modm_schema *s, modm_buffer *b)
{
   uint32_t n = (uint32_t) lua_rawlen (L, list);
   if (n == 1 && !s->cls) {
      size_t len;
      lua_rawgeti (L, list, 1);
      const uint8_t *bytes = modm_query_bytes (L, -1, &len);
      modm_buffer_write (b, bytes, len);
      lua_pop (L, 1);
      return;
   }
   size_t start = modm_write_begin (b);
   if (n == 0)
      (void) modm_query_append_class (L, s, b);
   else
      append_and (L, list, s, n, b);
   modm_write_end (b, start);
}

/* core.join(schema, list of bytes) -> bytes: all the conditions, and the class filter. */
int
modm_join_l_join (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1);
   luaL_checktype (L, 2, LUA_TTABLE);
   modm_buffer *b = modm_scratch_acquire (L);
   modm_query_join (L, 2, s, b);
   return push_bytes (L, b);
}
