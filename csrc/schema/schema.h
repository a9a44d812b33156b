/* schema: a model in C. Its fields in order, looked up by stored name; its place in the
 * inheritance.
 *
 * core.schema(definition) compiles one and gives a userdata of class modm.Schema. Its environment
 * is a Lua table that holds all that Lua must keep alive for it: for each field, under its id, a
 * table { default, choices, validators, model, target }; under the negative keys below the rest.
 * Nothing is malloc'd: arrays are userdata in the environment, names are Lua strings in it. A C
 * pointer to a schema stays good while any of its documents, fields or models is reachable from
 * Lua, since those hold the environment and it holds the schema; C finds the environment by its
 * number, in a table with weak values.
 */
#ifndef MODM_SCHEMA_H
#define MODM_SCHEMA_H

#include "field/field.h"

enum {
   MODM_SCHEMA_EMBEDDED = 1 << 0,
   MODM_SCHEMA_FINAL = 1 << 1,
   MODM_SCHEMA_IGNORE_UNKNOWN = 1 << 2,
   MODM_SCHEMA_CLS_OPTIONAL = 1 << 3, /* documents without _cls are of this model */
   MODM_SCHEMA_CLEAN = 1 << 4,        /* has a clean method in Lua */
   MODM_SCHEMA_RESOLVES =
      1 << 5, /* a read may have to run Lua or fetch: references, function defaults */
   MODM_SCHEMA_CALLBACKS = 1 << 6 /* some field has validators in Lua or a function default */
};

/* Keys of the environment besides the fields' ids. */
enum {
   MODM_ENV_METATABLE = 0, /* of its documents */
   MODM_ENV_NAMES = -1,    /* field name -> slot, "pk" included */
   MODM_ENV_METHODS = -2,  /* what documents find beside fields */
   MODM_ENV_CLASSES = -3,  /* stored _cls -> schema, of itself, its aliases and its descendants */
   MODM_ENV_MODEL = -4,    /* the Lua class */
   MODM_ENV_SCHEMA = -5,   /* the userdata */
   MODM_ENV_ANCHORS = -6,  /* what only has to stay alive */
   MODM_ENV_META = -8,     /* what Lua knows of the model: a table */
   MODM_ENV_RESOLVE = -7   /* function: a model or its name -> its schema, or an error */
};

struct modm_schema {
   modm_tag tag;
   const char *name; /* the model's full name */
   const char *cls;  /* stored under _cls; NULL for a final model */
   uint32_t cls_len;
   uint32_t flags;
   uint32_t n;         /* number of fields */
   modm_field *fields; /* in order; fields[i].id == i + 1 */
   int primary;        /* index of the primary key, -1 in most embedded models */
   uint32_t mask;
   uint16_t *table;           /* hash of mongo names, mask + 1 places: index + 1, 0 is free */
   uint16_t *interned;        /* the same by the addresses of the names in Lua */
   const modm_schema *parent; /* model it extends, or NULL */
   int environments, env;     /* where its environment is: registry[environments][env] */
   enum { MODM_UNKNOWN, MODM_NO, MODM_YES } calls; /* a function default in it or further in */
};

modm_schema *modm_schema_check (lua_State *L, int idx) __attribute__ ((returns_nonnull));
const modm_schema *modm_schema_test (lua_State *L, int idx);

/* Pushes the environment of a schema, of a field. */
void modm_schema_push_env (lua_State *L, const modm_schema *s);
void modm_field_push_env (lua_State *L, const modm_field *f);
/* Pushes the metatable of its documents. */
void modm_schema_push_metatable (lua_State *L, const modm_schema *s);

/* The field stored under a name, or NULL. `hint` is the index it is likely to have. */
const modm_field *modm_schema_stored (const modm_schema *s, const char *name, size_t len,
                                      uint32_t hint);
static inline uint32_t
modm_schema_place (const modm_schema *s, const char *name)
{
   return (uint32_t) ((uintptr_t) name >> 4 ^ (uintptr_t) name >> 12) & s->mask;
}
/* The slot (from 1) of the field whose name is this very string: Lua holds short strings that are
 * equal only once. 0: it may still be the name of one. */
static inline int
modm_schema_interned (const modm_schema *s, const char *name)
{
   uint32_t at = modm_schema_place (s, name);
   while (s->interned[at] && s->fields[s->interned[at] - 1].name != name)
      at = (at + 1) & s->mask;
   return s->interned[at];
}
/* The field that Lua calls by the string at idx ("pk" included), or NULL. */
const modm_field *modm_schema_named (lua_State *L, const modm_schema *s, int idx);
/* True when s is `ancestor` or descends from it. */
bool modm_schema_isa (const modm_schema *s, const modm_schema *ancestor);
/* The schema that stored bytes say they are (_cls), which must be s or a descendant; raises
 * otherwise. */
const modm_schema *modm_schema_of_bytes (lua_State *L, const modm_schema *s,
                                         const uint8_t *document, size_t len);
/* The schema that a _cls text at idx names within s; NULL when none. */
const modm_schema *modm_schema_class (lua_State *L, const modm_schema *s, const char *cls,
                                      size_t len);
/* The model that an embedded or reference field points to, looked up by name at first use; raises
 * ModelDoesNotExist. */
const modm_schema *modm_field_target (lua_State *L, const modm_field *f)
   __attribute__ ((returns_nonnull));

void modm_schema_open (lua_State *L);

#endif
