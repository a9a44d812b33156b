/* Conditions of places: $near, $geoWithin, $geoIntersects. */
#include "query/query_private.h"

/* Metres in a radian on the sphere that the server reckons with. */
static const double EARTH = 6378100.0;

/* How many lists lie in each other at idx, down to a number. */
static int
depth_of (lua_State *L, int idx)
{
   int depth = 0, top = lua_gettop (L);
   lua_pushvalue (L, idx);
   while (lua_type (L, -1) == LUA_TTABLE && depth < 5) {
      lua_rawgeti (L, -1, 1);
      depth++;
   }
   bool number = lua_type (L, -1) == LUA_TNUMBER;
   lua_settop (L, top);
   return number ? depth : 0;
}

/* The kind of field whose values look like what is at idx: GeoJSON says it by its type, bare
 * coordinates by their depth. */
static const modm_kind *
kind_of (lua_State *L, int idx)
{
   static const char *const by_depth[] = {NULL, "PointField", "LineStringField", "PolygonField",
                                          "MultiPolygonField"};
   luaL_checkstack (L, 8, "a geometry");
   if (lua_type (L, idx) != LUA_TTABLE)
      return NULL;
   int depth = depth_of (L, idx);
   if (depth > 0)
      return depth <= 4 ? modm_kind_find (by_depth[depth]) : NULL;
   lua_pushliteral (L, "type");
   lua_rawget (L, idx);
   if (lua_type (L, -1) == LUA_TSTRING) {
      lua_pushliteral (L, "Field");
      lua_concat (L, 2);
   }
   const modm_kind *kind =
      lua_type (L, -1) == LUA_TSTRING ? modm_kind_find (lua_tostring (L, -1)) : NULL;
   lua_pop (L, 1);
   return kind && modm_kind_is_geometry (kind) ? kind : NULL;
}

/* A geometry that several of one kind make is of the kind, too: a region may be of many polygons.
 */
static bool
is_wanted (const modm_kind *kind, const char *wanted, bool several)
{
   const char *name = kind->name;
   size_t len = strlen (wanted);
   if (several && strncmp (name, "Multi", 5) == 0)
      name += 5;
   return strncmp (name, wanted, len) == 0 && strcmp (name + len, "Field") == 0;
}

/* Appends the geometry at idx as GeoJSON; `wanted` is its type, or NULL for any. */
static bool
append_geometry (modm_filter *c, int idx, const char *wanted, bool several, const char *key)
{
   lua_State *L = c->L;
   const modm_kind *kind = kind_of (L, idx);
   if (!kind || (wanted && !is_wanted (kind, wanted, several)))
      return modm_error_set (&c->err, "GeoJSON or coordinates of a %s expected",
                             wanted ? wanted : "geometry");
   const modm_field f = {.kind = kind};
   modm_element e;
   size_t start = c->b->len;
   modm_outcome outcome = kind->convert (L, idx, &f, NULL, &c->err);
   if (outcome == MODM_REFUSED)
      return false;
   int at = outcome == MODM_CONVERTED ? lua_gettop (L) : idx;
   bool ok = kind->append (L, at, &f, c->b, key, strlen (key), 0, &c->err);
   if (outcome == MODM_CONVERTED)
      lua_pop (L, 1);
   if (!ok || c->b->failed)
      return ok;
   if (!modm_element_at (c->b->data + start, c->b->data + c->b->len, &e) || !kind->accepts (&f, &e))
      return modm_error_set (&c->err, "no valid %.*s: pairs of numbers, and closed rings",
                             (int) (strlen (kind->name) - strlen ("Field")), kind->name);
   return true;
}

/* $near: {$geometry, $minDistance, $maxDistance} */
static bool
append_near (modm_filter *c, const modm_operator_row *row, int place, int options)
{
   size_t start;
   modm_write_key (c->b, MODM_BSON_DOCUMENT, row->stored, strlen (row->stored));
   start = modm_write_begin (c->b);
   bool ok = append_geometry (c, place, "Point", false, "$geometry");
   ok = ok && modm_settings_append (c, options, row);
   modm_write_end (c->b, start);
   return ok;
}

static double
number_of (const modm_element *e)
{
   switch (e->type) {
   case MODM_BSON_DOUBLE:
      return modm_load_double (e->value);
   case MODM_BSON_INT32:
      return modm_load_i32 (e->value);
   default:
      return (double) modm_load_i64 (e->value);
   }
}

static void
write_number (modm_buffer *b, const char *key, double value)
{
   modm_write_key (b, MODM_BSON_DOUBLE, key, strlen (key));
   modm_write_double (b, value);
}

/* Takes the coordinates of the Point whose element was written at `start`, and the element away. */
static void
take_point (modm_buffer *b, size_t start, double pair[2])
{
   modm_element e;
   modm_reader r;
   if (modm_element_at (b->data + start, b->data + b->len, &e) &&
       modm_reader_find (e.value, e.size, "coordinates", 11, &e) &&
       modm_reader_init (&r, e.value, e.size))
      for (int i = 0; i < 2 && modm_reader_next (&r, &e); i++)
         pair[i] = number_of (&e);
   b->len = start;
}

/* $geoWithin: {$centerSphere: [[x, y], radians]}. The point is written as GeoJSON first, which
 * checks it. */
static bool
append_circle (modm_filter *c, int place, double radius)
{
   modm_buffer *b = c->b;
   size_t start = b->len;
   double pair[2] = {0, 0};
   if (!append_geometry (c, place, "Point", false, "p"))
      return false;
   if (b->failed)
      return true;
   take_point (b, start, pair);
   modm_write_key (b, MODM_BSON_ARRAY, "$centerSphere", 13);
   size_t list = modm_write_begin (b);
   modm_write_key (b, MODM_BSON_ARRAY, "0", 1);
   size_t center = modm_write_begin (b);
   write_number (b, "0", pair[0]);
   write_number (b, "1", pair[1]);
   modm_write_end (b, center);
   write_number (b, "1", radius / EARTH);
   modm_write_end (b, list);
   return true;
}

/* $geoWithin, $geoIntersects: {$geometry} */
static bool
append_region (modm_filter *c, const modm_operator_row *row, int place, int options)
{
   lua_State *L = c->L;
   double radius = -1;
   if (lua_istable (L, options)) {
      lua_getfield (L, options, "radius");
      if (lua_type (L, -1) == LUA_TNUMBER)
         radius = lua_tonumber (L, -1);
      lua_pop (L, 1);
   }
   modm_write_key (c->b, MODM_BSON_DOCUMENT, row->stored, strlen (row->stored));
   size_t start = modm_write_begin (c->b);
   bool within = strcmp (row->name, "within") == 0;
   bool ok = radius >= 0 ? append_circle (c, place, radius)
                         : append_geometry (c, place, within ? "Polygon" : NULL, true, "$geometry");
   modm_write_end (c->b, start);
   return ok;
}

bool
modm_geometry_append (modm_filter *c, const modm_path *p, const modm_operator_row *row, int idx)
{
   const modm_field *f = modm_path_innermost (p->field);
   if (!modm_path_is_free (f) && !modm_kind_is_geometry (f->kind))
      return modm_filter_misuse (c, "modm.%s is for places: GeoJSON fields and dicts", row->name);
   modm_operator_push_operand (c->L, idx, 1);
   modm_operator_push_operand (c->L, idx, 2);
   int options = lua_gettop (c->L);
   bool ok = row->shape == MODM_OF_PLACE ? append_near (c, row, options - 1, options)
                                         : append_region (c, row, options - 1, options);
   lua_settop (c->L, options - 2);
   return ok;
}
