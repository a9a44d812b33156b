/* Two encodings of a document compared, as the update that leads from the one to the other. */
#include "codec/codec_private.h"

#include <stdlib.h>

/* The three parts of an update, written side by side. */
typedef struct update {
   modm_buffer set, unset, push;
   char *path; /* "address.", or "" at the top */
   size_t path_len, path_cap;
   bool failed, again; /* again: it may be said twice, so without $push */
} update;

static bool
same_element (const modm_element *a, const modm_element *b)
{
   return a->type == b->type && a->size == b->size && memcmp (a->value, b->value, a->size) == 0;
}

/* ---- equality ---- */

static bool
is_integer (const modm_element *e, int64_t *n)
{
   if (e->type == MODM_BSON_INT32)
      *n = modm_load_i32 (e->value);
   else if (e->type == MODM_BSON_INT64)
      *n = modm_load_i64 (e->value);
   return e->type == MODM_BSON_INT32 || e->type == MODM_BSON_INT64;
}

static bool
same_number (const modm_element *a, const modm_element *b)
{
   int64_t m, n;
   bool whole = is_integer (a, &m);
   if (is_integer (b, &n))
      return whole ? m == n : a->type == MODM_BSON_DOUBLE && same_number (b, a);
   if (!whole || b->type != MODM_BSON_DOUBLE)
      return false;
   double d = modm_load_double (b->value);
   return d >= -MODM_EXACT_MAX && d <= MODM_EXACT_MAX && d == (double) (int64_t) d &&
          (int64_t) d == m;
}

/* The values in two documents or arrays; those of embedded documents in any order. */
static bool
same_inside (const modm_field *f, const modm_element *a, const modm_element *b)
{
   const modm_schema *s = f->kind->role == MODM_EMBEDDED ? f->target : NULL;
   modm_reader r, q;
   modm_element x, y;
   uint32_t left = 0;
   if (!modm_reader_init (&r, a->value, a->size) || !modm_reader_init (&q, b->value, b->size))
      return false;
   while (modm_reader_next (&q, &y))
      left++;
   (void) modm_reader_init (&q, b->value, b->size);
   for (; modm_reader_next (&r, &x); left--) {
      const modm_field *inner = s ? modm_schema_stored (s, x.key, x.key_len, 0) : f->inner;
      bool found =
         s ? modm_reader_find (b->value, b->size, x.key, x.key_len, &y) : modm_reader_next (&q, &y);
      if (!found || !modm_same_value (inner, &x, &y))
         return false;
   }
   return left == 0 && !r.bad;
}

bool
modm_same_value (const modm_field *f, const modm_element *a, const modm_element *b)
{
   if (same_element (a, b))
      return true;
   if (!f)
      return false;
   if (a->type == b->type &&
       ((a->type == MODM_BSON_ARRAY && f->inner) ||
        (a->type == MODM_BSON_DOCUMENT && f->kind->role == MODM_EMBEDDED && f->target)))
      return same_inside (f, a, b);
   return same_number (a, b);
}

/* ---- the update ---- */

static void
write_path_key (update *u, modm_buffer *part, uint8_t type, const modm_element *e)
{
   modm_buffer_byte (part, type);
   modm_buffer_write (part, u->path, u->path_len);
   modm_buffer_write (part, e->key, (size_t) e->key_len + 1);
}

static void
write_set (update *u, const modm_element *e)
{
   write_path_key (u, &u->set, e->type, e);
   modm_buffer_write (&u->set, e->value, e->size);
}

static bool
enter (update *u, const modm_element *e)
{
   size_t need = u->path_len + e->key_len + 1;
   if (need > u->path_cap) {
      char *grown = realloc (u->path, need * 2);
      if (!grown)
         return false;
      u->path = grown;
      u->path_cap = need * 2;
   }
   memcpy (u->path + u->path_len, e->key, e->key_len);
   u->path[need - 1] = '.';
   u->path_len = need;
   return true;
}

/* When `after` is `before` with items added at its end: where the added ones begin. */
static bool
grew (const modm_element *before, const modm_element *after, const uint8_t **added,
      size_t *added_len)
{
   size_t head = before->size - 5; /* without length and final NUL */
   if (before->type != MODM_BSON_ARRAY || after->type != MODM_BSON_ARRAY ||
       after->size <= before->size || memcmp (before->value + 4, after->value + 4, head) != 0)
      return false;
   *added = after->value + 4 + head;
   *added_len = after->size - 5 - head;
   return true;
}

static void
write_push (update *u, const modm_element *e, const uint8_t *added, size_t added_len)
{
   const uint8_t *end = added + added_len;
   modm_element item;
   write_path_key (u, &u->push, MODM_BSON_DOCUMENT, e);
   size_t outer = modm_write_begin (&u->push);
   modm_write_key (&u->push, MODM_BSON_ARRAY, "$each", 5);
   size_t inner = modm_write_begin (&u->push);
   for (uint32_t i = 0; added < end && modm_element_at (added, end, &item); i++) {
      modm_write_index_key (&u->push, item.type, i);
      modm_buffer_write (&u->push, item.value, item.size);
      added = item.value + item.size;
   }
   modm_write_end (&u->push, inner);
   modm_write_end (&u->push, outer);
}

static void compare (update *u, const modm_schema *s, const uint8_t *before, size_t before_len,
                     const uint8_t *after, size_t after_len);

/* Whether the documents are of one model, so that they can be compared field by field. */
static bool
same_class (const modm_element *a, const modm_element *b)
{
   modm_element x, y;
   bool has = modm_reader_find (a->value, a->size, "_cls", 4, &x);
   return has == modm_reader_find (b->value, b->size, "_cls", 4, &y) &&
          (!has || same_element (&x, &y));
}

static void
changed (update *u, const modm_schema *s, const modm_element *before, const modm_element *after)
{
   const uint8_t *added;
   size_t added_len, outer = u->path_len;
   const modm_field *f = s ? modm_schema_stored (s, after->key, after->key_len, 0) : NULL;
   bool embedded = f && f->kind->role == MODM_EMBEDDED && before->type == MODM_BSON_DOCUMENT &&
                   after->type == MODM_BSON_DOCUMENT && same_class (before, after);
   if (!embedded && modm_same_value (f, before, after))
      return;
   if (!u->again && grew (before, after, &added, &added_len)) {
      write_push (u, after, added, added_len);
   } else if (embedded && after->size > 5 && enter (u, after)) {
      compare (u, f->target, before->value, before->size, after->value, after->size);
      u->path_len = outer;
   } else {
      write_set (u, after);
   }
}

static bool
same_name (const modm_element *a, const modm_element *b)
{
   return a->key_len == b->key_len && memcmp (a->key, b->key, a->key_len) == 0;
}

/* The element of `e`'s key in a document that is walked beside it: most often the next one, or that
 * behind it, when one is in another place (the server moves _id to the front). */
static bool
find_beside (modm_reader *r, const uint8_t *document, size_t len, const modm_element *e,
             modm_element *found)
{
   modm_reader ahead = *r;
   for (int i = 0; i < 2 && modm_reader_next (&ahead, found); i++) {
      if (same_name (found, e)) {
         *r = ahead;
         return true;
      }
   }
   return modm_reader_find (document, len, e->key, e->key_len, found);
}

/* What `before` has and `after` has not. */
static void
compare_gone (update *u, const uint8_t *before, size_t before_len, const uint8_t *after,
              size_t after_len)
{
   modm_reader r, beside;
   modm_element e, other;
   (void) modm_reader_init (&r, before, before_len);
   (void) modm_reader_init (&beside, after, after_len);
   while (modm_reader_next (&r, &e)) {
      if (find_beside (&beside, after, after_len, &e, &other))
         continue;
      write_path_key (u, &u->unset, MODM_BSON_STRING, &e);
      modm_write_text (&u->unset, "", 0);
   }
   u->failed |= r.bad;
}

static uint32_t
count_elements (const uint8_t *document, size_t len)
{
   modm_reader r;
   modm_element e;
   uint32_t n = 0;
   (void) modm_reader_init (&r, document, len);
   while (modm_reader_next (&r, &e))
      n++;
   return r.bad ? UINT32_MAX : n;
}

static void
compare (update *u, const modm_schema *s, const uint8_t *before, size_t before_len,
         const uint8_t *after, size_t after_len)
{
   modm_reader r, beside;
   modm_element e, other;
   uint32_t found = 0;
   if (!modm_reader_init (&r, after, after_len) ||
       !modm_reader_init (&beside, before, before_len)) {
      u->failed = true;
      return;
   }
   while (modm_reader_next (&r, &e)) {
      bool there = find_beside (&beside, before, before_len, &e, &other);
      found += there;
      if (!there)
         write_set (u, &e);
      else if (!same_element (&other, &e))
         changed (u, s, &other, &e);
   }
   u->failed |= r.bad;
   if (found != count_elements (before, before_len))
      compare_gone (u, before, before_len, after, after_len);
}

static void
write_operator (modm_buffer *out, const char *name, modm_buffer *part)
{
   modm_write_end (part, 0);
   if (part->len > 5)
      modm_write_document (out, name, part->data, part->len);
}

static bool
diff (update u, const modm_schema *s, const uint8_t *before, size_t before_len,
      const uint8_t *after, size_t after_len, modm_buffer *out, bool *same)
{
   *same = before_len == after_len && memcmp (before, after, before_len) == 0;
   if (*same)
      return true;
   (void) modm_write_begin (&u.set);
   (void) modm_write_begin (&u.unset);
   (void) modm_write_begin (&u.push);
   compare (&u, s, before, before_len, after, after_len);
   *same = u.set.len == 4 && u.unset.len == 4 && u.push.len == 4;
   if (!*same) {
      size_t start = modm_write_begin (out);
      write_operator (out, "$set", &u.set);
      write_operator (out, "$unset", &u.unset);
      write_operator (out, "$push", &u.push);
      modm_write_end (out, start);
   }
   bool ok = !u.failed && !u.set.failed && !u.unset.failed && !u.push.failed && !out->failed;
   modm_buffer_free (&u.set);
   modm_buffer_free (&u.unset);
   modm_buffer_free (&u.push);
   free (u.path);
   return ok;
}

bool
modm_diff (const modm_schema *s, const uint8_t *before, size_t before_len, const uint8_t *after,
           size_t after_len, modm_buffer *out, bool *same)
{
   return diff ((update){0}, s, before, before_len, after, after_len, out, same);
}

bool
modm_diff_again (const modm_schema *s, const uint8_t *before, size_t before_len,
                 const uint8_t *after, size_t after_len, modm_buffer *out, bool *same)
{
   return diff ((update){.again = true}, s, before, before_len, after, after_len, out, same);
}
