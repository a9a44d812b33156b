/* What the files of GeoJSON share: the shapes of coordinates. */
#ifndef MODM_FIELD_GEO_H
#define MODM_FIELD_GEO_H

#include "field/field.h"

#define MODM_GEO_COLLECTION "GeometryCollection"

/* A geometry's coordinates, or a part of them: a list of parts, or a pair of numbers. */
typedef struct modm_shape {
   const char *name;
   const struct modm_shape *part; /* NULL for a pair */
   bool closed;                   /* begins and ends with the same point */
} modm_shape;

/* NULL for a type that is none, and for a collection. */
const modm_shape *modm_shape_named (const char *name, size_t len);
/* The shape of a field, by its kind's name; NULL for that of collections. */
const modm_shape *modm_shape_of (const modm_field *f);
/* Whether the value at idx is this string. Throws nothing. */
bool modm_geo_is_text (lua_State *L, int idx, const char *text);

#endif
