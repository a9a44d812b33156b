/* GeoJSON (RFC 7946): PointField to MultiPolygonField, and GeometryCollectionField. */
#include "field/field_private.h"

#include "field/geo.h"
#include "field/list.h"

#include <math.h>

static const modm_shape point = {"Point", NULL, false};
static const modm_shape line = {"LineString", &point, false};
static const modm_shape ring = {"LineString", &point, true};
static const modm_shape polygon = {"Polygon", &ring, false};
static const modm_shape points = {"MultiPoint", &point, false};
static const modm_shape lines = {"MultiLineString", &line, false};
static const modm_shape polygons = {"MultiPolygon", &polygon, false};
static const modm_shape *const shapes[] = {&point, &line,     &polygon, &points,
                                           &lines, &polygons, NULL};

const modm_shape *
modm_shape_named (const char *name, size_t len)
{
   for (int i = 0; shapes[i]; i++)
      if (strlen (shapes[i]->name) == len && memcmp (shapes[i]->name, name, len) == 0)
         return shapes[i];
   return NULL;
}

const modm_shape *
modm_shape_of (const modm_field *f)
{
   return modm_shape_named (f->kind->name, strlen (f->kind->name) - strlen ("Field"));
}

bool
modm_geo_is_text (lua_State *L, int idx, const char *text)
{
   size_t len;
   if (lua_type (L, idx) != LUA_TSTRING)
      return false;
   const char *found = lua_tolstring (L, idx, &len);
   return len == strlen (text) && memcmp (found, text, len) == 0;
}

/* ---- phase V ---- */

static bool
is_list (lua_State *L, int idx)
{
   modm_mark mark = modm_mark_test (L, idx);
   bool first = lua_rawgeti (L, idx, 1) != LUA_TNIL;
   lua_pop (L, 1);
   return mark == MODM_ARRAY || (mark == MODM_UNMARKED && first);
}

modm_outcome
modm_geo_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) v;
   const modm_shape *s = modm_shape_of (f);
   idx = lua_absindex (L, idx);
   if (lua_type (L, idx) != LUA_TTABLE)
      return modm_refuse (L, idx,
                          s ? "GeoJSON or a list of coordinates" : "GeoJSON or a list of it", err);
   if (modm_isblank (L, idx) || !is_list (L, idx))
      return MODM_SAME;
   lua_createtable (L, 0, 2);
   lua_pushstring (L, s ? s->name : MODM_GEO_COLLECTION);
   lua_setfield (L, -2, "type");
   lua_pushvalue (L, idx);
   lua_setfield (L, -2, s ? "coordinates" : "geometries");
   return MODM_CONVERTED;
}

bool
modm_kind_is_geometry (const modm_kind *kind)
{
   return kind->convert == modm_geo_convert;
}

/* Pushes the raw member of the table at idx. */
static void
push_member (lua_State *L, int idx, const char *name)
{
   lua_pushstring (L, name);
   lua_rawget (L, idx);
}

/* JSON, and so GeoJSON, has no NaN and no infinity (RFC 8259, 6). */
static bool
is_number (lua_State *L, int idx)
{
   int64_t n;
   if (lua_type (L, idx) != LUA_TNUMBER)
      return modm_int64_test (L, idx, &n);
   return isfinite ((double) lua_tonumber (L, idx));
}

/* Pushes "[1, 2]" for a list, of which it tells three items; else as any value is told. */
static const char *
describe_list (lua_State *L, int idx)
{
   enum { MOST = 3 };
   luaL_Buffer text;
   if (lua_isnil (L, idx)) {
      lua_pushliteral (L, "nil");
      return lua_tostring (L, -1);
   }
   if (lua_type (L, idx) != LUA_TTABLE)
      return modm_describe (L, idx);
   luaL_buffinit (L, &text);
   luaL_addstring (&text, "[");
   for (int i = 1; lua_rawgeti (L, idx, i) != LUA_TNIL; i++) {
      lua_pushstring (L, i > 1 ? ", " : "");
      if (i > MOST)
         lua_pushliteral (L, "...");
      else
         modm_describe (L, -2);
      lua_concat (L, 2);
      lua_remove (L, -2);
      luaL_addvalue (&text);
      if (i > MOST) {
         lua_pushnil (L);
         break;
      }
   }
   lua_pop (L, 1);
   luaL_addstring (&text, "]");
   luaL_pushresult (&text);
   return lua_tostring (L, -1);
}

static void
check_pair (lua_State *L, int idx, uint32_t n, modm_validation *v)
{
   int top = lua_gettop (L);
   if (n != 2) {
      modm_report (v, "Point is not a pair: %s", describe_list (L, idx));
      lua_settop (L, top);
      return;
   }
   for (int i = 1; i <= 2; i++) {
      lua_rawgeti (L, idx, i);
      if (!is_number (L, top + 1))
         modm_report (v, "coordinate value must be a number, not %s", modm_describe (L, top + 1));
      lua_settop (L, top);
   }
}

/* Whether two pairs are the same point; what is no pair of numbers was reported already. */
static bool
is_same_point (lua_State *L, int a, int b)
{
   bool same = lua_type (L, a) == lua_type (L, b);
   for (int i = 1; same && lua_type (L, a) == LUA_TTABLE && i <= 2; i++) {
      int64_t x, y;
      lua_rawgeti (L, a, i);
      lua_rawgeti (L, b, i);
      same = lua_rawequal (L, -1, -2) ||
             (modm_int64_test (L, -2, &x) && modm_int64_test (L, -1, &y) && x == y);
      lua_pop (L, 2);
   }
   return same;
}

static void
check_closed (lua_State *L, int idx, uint32_t n, modm_validation *v)
{
   int top = lua_gettop (L);
   lua_rawgeti (L, idx, 1);
   lua_rawgeti (L, idx, (int) n);
   if (!is_same_point (L, top + 1, top + 2)) {
      const char *first = describe_list (L, top + 1), *last = describe_list (L, top + 2);
      modm_report (v, "LineString must start and end at the same Point: %s, %s", first, last);
   }
   lua_settop (L, top);
}

/* Reports all that is wrong with the coordinates at idx. */
static void
check_shape (lua_State *L, int idx, const modm_shape *s, modm_validation *v)
{
   modm_error err;
   uint32_t n;
   luaL_checkstack (L, 16, "coordinates");
   if (!modm_list_length (L, idx, &n, &err)) {
      modm_report (v, "%s is %s", s->name, err.message);
   } else if (!s->part) {
      check_pair (L, idx, n, v);
   } else if (n == 0) {
      modm_report (v, "%s must contain at least one %s.", s->name, s->part->name);
   } else {
      for (uint32_t i = 1; i <= n; i++) {
         lua_rawgeti (L, idx, (int) i);
         check_shape (L, lua_gettop (L), s->part, v);
         lua_pop (L, 1);
      }
      if (s->closed)
         check_closed (L, idx, n, v);
   }
}

static void
check_geometry (lua_State *L, int idx, const modm_shape *s, modm_validation *v)
{
   push_member (L, idx, "coordinates");
   check_shape (L, lua_gettop (L), s, v);
   lua_pop (L, 1);
}

/* One of a collection, which may be of any type but a collection. */
static void
check_member (lua_State *L, int idx, modm_validation *v)
{
   int top = lua_gettop (L);
   const modm_shape *s = NULL;
   if (lua_type (L, idx) != LUA_TTABLE) {
      modm_report (v, "not GeoJSON: %s", modm_describe (L, idx));
   } else {
      size_t len;
      push_member (L, idx, "type");
      if (lua_type (L, -1) == LUA_TSTRING) {
         const char *name = lua_tolstring (L, -1, &len);
         s = modm_shape_named (name, len);
      }
      if (s)
         check_geometry (L, idx, s, v);
      else
         modm_report (v, "Invalid GeoJSON type: %s.", describe_list (L, top + 1));
   }
   lua_settop (L, top);
}

static void
check_collection (lua_State *L, int idx, modm_validation *v)
{
   modm_error err;
   uint32_t n;
   push_member (L, idx, "geometries");
   int list = lua_gettop (L);
   if (!modm_list_length (L, list, &n, &err))
      modm_report (v, "%s is %s", MODM_GEO_COLLECTION, err.message);
   else if (n == 0)
      modm_report (v, "%s must contain at least one geometry.", MODM_GEO_COLLECTION);
   else
      for (uint32_t i = 1; i <= n; i++) {
         lua_rawgeti (L, list, (int) i);
         check_member (L, list + 1, v);
         lua_settop (L, list);
      }
   lua_pop (L, 1);
}

void
modm_geo_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   const modm_shape *s = modm_shape_of (f);
   const char *wanted = s ? s->name : MODM_GEO_COLLECTION;
   idx = lua_absindex (L, idx);
   luaL_checkstack (L, 16, "GeoJSON");
   push_member (L, idx, "type");
   bool fits = modm_geo_is_text (L, -1, wanted);
   if (!fits) {
      modm_report (v, "GeoJSON type must be '%s', not %s", wanted,
                   describe_list (L, lua_gettop (L)));
      lua_pop (L, 1);
   }
   lua_pop (L, 1);
   if (!fits)
      return;
   if (s)
      check_geometry (L, idx, s, v);
   else
      check_collection (L, idx, v);
}

/* ---- in words of $jsonSchema ---- */

static void
push_list_rule (lua_State *L)
{
   lua_newtable (L);
   modm_rule_text (L, "bsonType", "array");
   modm_rule_integer (L, "minItems", 1);
}

/* Pushes the rules of coordinates. */
static void
push_shape_rule (lua_State *L, const modm_shape *s)
{
   static const char *const numbers[] = {"double", "int", "long", NULL};
   luaL_checkstack (L, 6, "rules");
   push_list_rule (L);
   if (s->part) {
      push_shape_rule (L, s->part);
   } else {
      modm_rule_integer (L, "minItems", 2);
      modm_rule_integer (L, "maxItems", 2);
      lua_newtable (L);
      lua_newtable (L);
      for (int i = 0; numbers[i]; i++) {
         lua_pushstring (L, numbers[i]);
         lua_rawseti (L, -2, i + 1);
      }
      lua_setfield (L, -2, "bsonType");
   }
   lua_setfield (L, -2, "items");
}

/* Into the table at the top: a geometry of this type, whose other member has the rules at the top
 * (popped). */
static void
rule_geometry (lua_State *L, const char *type, const char *member)
{
   lua_newtable (L);
   lua_insert (L, -2);
   lua_setfield (L, -2, member);
   lua_newtable (L);
   lua_newtable (L);
   lua_pushstring (L, type);
   lua_rawseti (L, -2, 1);
   lua_setfield (L, -2, "enum");
   lua_setfield (L, -2, "type");
   lua_setfield (L, -2, "properties");
   modm_rule_text (L, "bsonType", "object");
   lua_newtable (L);
   lua_pushliteral (L, "type");
   lua_rawseti (L, -2, 1);
   lua_pushstring (L, member);
   lua_rawseti (L, -2, 2);
   lua_setfield (L, -2, "required");
}

/* Pushes the rules of the list of geometries. */
static void
push_members_rule (lua_State *L)
{
   push_list_rule (L);
   lua_newtable (L);
   lua_newtable (L);
   for (int i = 0; shapes[i]; i++) {
      lua_newtable (L);
      push_shape_rule (L, shapes[i]);
      rule_geometry (L, shapes[i]->name, "coordinates");
      lua_rawseti (L, -2, i + 1);
   }
   lua_setfield (L, -2, "anyOf");
   lua_setfield (L, -2, "items");
}

void
modm_geo_describe (lua_State *L, const modm_field *f)
{
   const modm_shape *s = modm_shape_of (f);
   luaL_checkstack (L, 12, "rules");
   if (s) {
      push_shape_rule (L, s);
      rule_geometry (L, s->name, "coordinates");
   } else {
      push_members_rule (L);
      rule_geometry (L, MODM_GEO_COLLECTION, "geometries");
   }
   if (!s || s == &polygon || s == &polygons)
      modm_rule_unsaid (L, "ring", "a ring ends with the point that it begins with");
}
