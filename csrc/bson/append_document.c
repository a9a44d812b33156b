/* Lua tables to BSON: what a table is, and documents in their remembered order.
 *
 * Keys that no mark has in order are written in the order of their bytes, since Lua's own order
 * changes from run to run. They are encoded as lua_next gives them, then their bytes are put in
 * order. */
#include "bson/append_private.h"

#include <stdlib.h>

enum { INLINE_SLOTS = 16 };

/* An element that was encoded out of order. */
typedef struct slot {
   const char *key;
   uint32_t start, size;
} slot;

typedef struct slots {
   slot *list;
   size_t count, cap;
   slot first[INLINE_SLOTS];
} slots;

/* A key of a mark. */
typedef struct known {
   const char *text;
   size_t len;
} known;

/* The key at the top is no string. */
static bool
bad_key (lua_State *L, modm_error *err)
{
   if (lua_type (L, -1) != LUA_TNUMBER)
      return modm_error_set (err, "a document with a key that is a %s", luaL_typename (L, -1));
   return modm_error_set (
      err,
      "the key %.14g is a number: a list with a hole at 1, or a document with a key "
      "that is no string",
      (double) lua_tonumber (L, -1));
}

/* ---- the keys that a mark has ---- */

/* These keys are not checked again: they were read from BSON, or checked when the mark was made. */
static bool
append_known (lua_State *L, int idx, int mark, modm_buffer *b, size_t *written, int depth,
              modm_error *err)
{
   int n = (int) lua_rawlen (L, mark), top = lua_gettop (L) + 1;
   modm_kinds kinds;
   modm_kinds_init (&kinds, L, mark);
   for (int i = 1; i <= n; i++) {
      modm_item item;
      bool ok = true;
      item.kind = modm_kinds_next (&kinds, &item.bits);
      if (item.kind == MODM_KIND_DUPLICATE || lua_rawgeti (L, mark, i) != LUA_TSTRING)
         continue;
      item.key = lua_tolstring (L, top, &item.key_len);
      int type = lua_rawget (L, idx);
      if (type != LUA_TNIL) {
         ok = modm_append_item (L, top, type, b, &item, depth, err) ||
              modm_error_at_key (err, item.key, item.key_len);
         ++*written;
      }
      lua_pop (L, 1);
      if (!ok)
         return false;
   }
   return true;
}

size_t
modm_append_count (lua_State *L, int idx)
{
   size_t count = 0;
   lua_pushnil (L);
   for (; lua_next (L, idx); count++)
      lua_pop (L, 1);
   return count;
}

static int
by_text (const void *a, const void *b)
{
   const known *p = a, *q = b;
   if (p->len != q->len)
      return p->len < q->len ? -1 : 1;
   return memcmp (p->text, q->text, p->len);
}

/* The mark's keys, sorted, for asking which keys it has not. The caller frees them. */
static bool
list_known (lua_State *L, int mark, known **list, size_t *count)
{
   size_t n = mark ? lua_rawlen (L, mark) : 0;
   *count = 0;
   *list = NULL;
   if (!n)
      return true;
   *list = malloc (n * sizeof **list);
   if (!*list)
      return false;
   for (size_t i = 1; i <= n; i++) {
      if (lua_rawgeti (L, mark, (int) i) == LUA_TSTRING) {
         known *k = &(*list)[(*count)++];
         k->text = lua_tolstring (L, -1, &k->len);
      }
      lua_pop (L, 1);
   }
   qsort (*list, *count, sizeof **list, by_text);
   return true;
}

/* ---- the others ---- */

static bool
add_slot (slots *s, size_t start, size_t size)
{
   if (s->count == s->cap) {
      slot *old = s->list == s->first ? NULL : s->list;
      slot *bigger = realloc (old, 2 * s->cap * sizeof *bigger);
      if (!bigger)
         return false;
      if (!old)
         memcpy (bigger, s->first, sizeof s->first);
      s->list = bigger;
      s->cap *= 2;
   }
   s->list[s->count++] = (slot){NULL, (uint32_t) start, (uint32_t) size};
   return true;
}

static int
by_key (const void *a, const void *b)
{
   return strcmp (((const slot *) a)->key, ((const slot *) b)->key);
}

/* Puts the elements from `start` to the end in the order of their keys, by way of the free room
 * behind. */
static void
sort_elements (modm_buffer *b, slots *s, size_t start)
{
   size_t size = b->len - start;
   if (s->count < 2 || !modm_buffer_reserve (b, size))
      return;
   for (size_t i = 0; i < s->count; i++)
      s->list[i].key = (const char *) b->data + s->list[i].start + 1;
   qsort (s->list, s->count, sizeof *s->list, by_key);
   uint8_t *to = b->data + b->len;
   for (size_t i = 0; i < s->count; i++) {
      memcpy (to, b->data + s->list[i].start, s->list[i].size);
      to += s->list[i].size;
   }
   memcpy (b->data + start, b->data + b->len, size);
}

/* Appends the pair at the top unless its key is known. */
static bool
append_other (lua_State *L, modm_buffer *b, const known *list, size_t count, slots *s, int depth,
              modm_error *err)
{
   modm_item item = {NULL, 0, MODM_KIND_NATURAL, NULL};
   known key;
   size_t start = b->len;
   if (lua_type (L, -2) != LUA_TSTRING) {
      lua_pushvalue (L, -2);
      bad_key (L, err);
      lua_pop (L, 1);
      return false;
   }
   key.text = item.key = lua_tolstring (L, -2, &item.key_len);
   key.len = item.key_len;
   if (count && bsearch (&key, list, count, sizeof key, by_text))
      return true;
   if (memchr (key.text, '\0', key.len))
      return modm_error_set (err, "a key holds a NUL byte");
   if (!modm_utf8_check (key.text, key.len, NULL))
      return modm_error_set (err, "a key is not valid UTF-8");
   if (!modm_append_item (L, lua_gettop (L), lua_type (L, -1), b, &item, depth, err))
      return modm_error_at_key (err, item.key, item.key_len);
   return add_slot (s, start, b->len - start) || modm_error_set (err, "not enough memory");
}

static bool
append_others (lua_State *L, int idx, int mark, modm_buffer *b, int depth, modm_error *err)
{
   slots s;
   known *list;
   size_t count, start = b->len;
   bool ok = list_known (L, mark, &list, &count) || modm_error_set (err, "not enough memory");
   s.list = s.first;
   s.count = 0;
   s.cap = INLINE_SLOTS;
   lua_pushnil (L);
   while (ok && lua_next (L, idx)) {
      ok = append_other (L, b, list, count, &s, depth, err);
      lua_pop (L, 1);
   }
   if (ok)
      sort_elements (b, &s, start);
   else
      lua_pop (L, 1);
   if (s.list != s.first)
      free (s.list);
   free (list);
   return ok;
}

bool
modm_append_pairs (lua_State *L, int idx, int mark, modm_buffer *b, int depth, modm_error *err)
{
   size_t written = 0;
   if (mark && !append_known (L, idx, mark, b, &written, depth, err))
      return false;
   return (mark && written == modm_append_count (L, idx)) ||
          append_others (L, idx, mark, b, depth, err);
}
