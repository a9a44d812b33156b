/* GeoJSON in BSON: which stored bytes are surely valid, and how tables are written. */
#include "field/field_private.h"

#include "field/geo.h"
#include "field/list.h"

#include <math.h>
#include <stdio.h>

/* ---- stored bytes: pairs of plain numbers, and no member that GeoJSON does not need ---- */

static bool
is_stored_number (const modm_element *e)
{
   if (e->type == MODM_BSON_DOUBLE)
      return isfinite (modm_load_double (e->value));
   return e->type == MODM_BSON_INT32 || e->type == MODM_BSON_INT64;
}

static bool
fits_shape (const modm_element *e, const modm_shape *s)
{
   modm_reader r;
   modm_element item, first, last;
   uint32_t n = 0;
   if (e->type != MODM_BSON_ARRAY || !modm_reader_init (&r, e->value, e->size))
      return false;
   memset (&first, 0, sizeof first);
   last = first;
   for (; modm_reader_next (&r, &item); n++) {
      if (s->part ? !fits_shape (&item, s->part) : !is_stored_number (&item))
         return false;
      first = n ? first : item;
      last = item;
   }
   if (r.bad || n == 0 || (!s->part && n != 2))
      return false;
   return !s->closed ||
          (first.size == last.size && memcmp (first.value, last.value, first.size) == 0);
}

static bool fits_members (const modm_element *e);

/* A document of type and coordinates, or of type and geometries where that is wanted: s is NULL
 * then. Any type of geometry will do with `any`. */
static bool
fits_geometry (const modm_element *e, const modm_shape *s, bool any)
{
   modm_reader r;
   modm_element type, body, more;
   size_t len;
   if (e->type != MODM_BSON_DOCUMENT || !modm_reader_init (&r, e->value, e->size) ||
       !modm_reader_next (&r, &type) || type.type != MODM_BSON_STRING ||
       strcmp (type.key, "type") != 0 || !modm_reader_next (&r, &body) ||
       modm_reader_next (&r, &more) || r.bad)
      return false;
   const char *name = modm_element_text (&type, &len);
   const modm_shape *found = modm_shape_named (name, len);
   if (any)
      s = found;
   if (s)
      return found == s && strcmp (body.key, "coordinates") == 0 && fits_shape (&body, s);
   return !any && len == strlen (MODM_GEO_COLLECTION) &&
          memcmp (name, MODM_GEO_COLLECTION, len) == 0 && strcmp (body.key, "geometries") == 0 &&
          fits_members (&body);
}

static bool
fits_members (const modm_element *e)
{
   modm_reader r;
   modm_element item;
   uint32_t n = 0;
   if (e->type != MODM_BSON_ARRAY || !modm_reader_init (&r, e->value, e->size))
      return false;
   for (; modm_reader_next (&r, &item); n++)
      if (!fits_geometry (&item, NULL, true))
         return false;
   return !r.bad && n > 0;
}

bool
modm_geo_accepts (const modm_field *f, const modm_element *e)
{
   return fits_geometry (e, modm_shape_of (f), false);
}

/* ---- phase E: a plain table of the two members is written with its type first ---- */

/* Pushes such a table's type, and its other member, and returns the name of that; else NULL, and
 * nothing. */
static const char *
push_both (lua_State *L, int idx)
{
   size_t count = 0;
   int top = lua_gettop (L);
   const char *name = NULL;
   if (lua_type (L, idx) != LUA_TTABLE || modm_mark_test (L, idx) != MODM_UNMARKED)
      return NULL;
   lua_pushnil (L); /* the type */
   lua_pushnil (L); /* the other */
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1)) {
      bool is_table = lua_type (L, -1) == LUA_TTABLE;
      count++;
      if (modm_geo_is_text (L, -2, "type"))
         lua_copy (L, -1, top + 1);
      else if (is_table && modm_geo_is_text (L, -2, "coordinates"))
         name = "coordinates";
      else if (is_table && modm_geo_is_text (L, -2, "geometries"))
         name = "geometries";
      if (is_table)
         lua_copy (L, -1, top + 2);
   }
   if (count == 2 && name && lua_type (L, top + 1) == LUA_TSTRING)
      return name;
   lua_settop (L, top);
   return NULL;
}

static bool append_geometry (lua_State *L, int idx, modm_buffer *b, const char *key, size_t key_len,
                             int depth, modm_error *err);

static bool
append_members (lua_State *L, int idx, modm_buffer *b, int depth, modm_error *err)
{
   uint32_t n;
   if (!modm_list_length (L, idx, &n, err))
      return false;
   modm_write_key (b, MODM_BSON_ARRAY, "geometries", strlen ("geometries"));
   size_t start = modm_write_begin (b);
   bool ok = true;
   for (uint32_t i = 0; ok && i < n; i++) {
      char key[16];
      int len = snprintf (key, sizeof key, "%u", i);
      lua_rawgeti (L, idx, (int) i + 1);
      ok = append_geometry (L, lua_gettop (L), b, key, (size_t) len, depth + 1, err) ||
           modm_error_at_index (err, i + 1);
      lua_pop (L, 1);
   }
   modm_write_end (b, start);
   return ok;
}

static bool
append_geometry (lua_State *L, int idx, modm_buffer *b, const char *key, size_t key_len, int depth,
                 modm_error *err)
{
   if (depth >= MODM_MAX_DEPTH || !lua_checkstack (L, 8))
      return modm_error_set (err, "nested deeper than %d levels (or cyclic)", MODM_MAX_DEPTH);
   const char *name = push_both (L, idx);
   if (!name)
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   int body = lua_gettop (L);
   modm_write_key (b, MODM_BSON_DOCUMENT, key, key_len);
   size_t start = modm_write_begin (b);
   bool ok = modm_append_value (L, body - 1, b, "type", strlen ("type"), depth + 1, err);
   if (!ok)
      name = "type";
   else if (strcmp (name, "geometries") == 0)
      ok = append_members (L, body, b, depth + 1, err);
   else
      ok = modm_append_value (L, body, b, name, strlen (name), depth + 1, err);
   lua_settop (L, body - 2);
   modm_write_end (b, start);
   return ok || modm_error_at_key (err, name, strlen (name));
}

bool
modm_geo_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                 size_t key_len, int depth, modm_error *err)
{
   (void) f;
   return append_geometry (L, lua_absindex (L, idx), b, key, key_len, depth, err);
}
