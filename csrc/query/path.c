/* Field names and dotted paths, translated to what is stored. */
#include "query/query_private.h"

const modm_field *
modm_path_innermost (const modm_field *f)
{
   while (f && f->kind->role == MODM_LIST)
      f = f->inner;
   return f;
}

static bool
append (modm_path *p, const char *text, size_t len, modm_error *err)
{
   if (p->len + len + 2 > sizeof p->stored)
      return modm_error_set (err, "a path of more than %d bytes", MODM_PATH_MAX);
   if (p->len)
      p->stored[p->len++] = '.';
   memcpy (p->stored + p->len, text, len);
   p->len += len;
   p->stored[p->len] = '\0';
   return true;
}

static bool
is_index (const char *text, size_t len)
{
   for (size_t i = 0; i < len; i++)
      if (text[i] < '0' || text[i] > '9')
         return false;
   return len > 0;
}

/* "$", "$[]" or "$[name]" */
static bool
is_position (const char *text, size_t len)
{
   if (len == 0 || text[0] != '$')
      return false;
   if (len == 1)
      return true;
   if (len < 3 || text[1] != '[' || text[len - 1] != ']')
      return false;
   for (size_t i = 2; i < len - 1; i++) {
      bool letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
      if (!letter && !is_index (text + i, 1))
         return false;
   }
   return true;
}

/* A step that stands for items of a list, whose field is f. */
static bool
position (modm_path *p, const modm_field *f, const char *text, size_t len, modm_error *err)
{
   if (len > 3) {
      if (p->n_named == MODM_PATH_NAMED)
         return modm_error_set (err, "a path with more than %d names in $[]", MODM_PATH_NAMED);
      p->named[p->n_named].name = text + 2;
      p->named[p->n_named].len = len - 3;
      p->named[p->n_named++].field = f;
   }
   p->field = f;
   p->schema = NULL;
   return append (p, text, len, err);
}

/* A field by its name in Lua or, as in PyMODM, by its stored name: no two fields share either. */
static const modm_field *
find (lua_State *L, const modm_schema *s, const char *name, size_t len)
{
   lua_pushlstring (L, name, len);
   const modm_field *f = modm_schema_named (L, s, -1);
   lua_pop (L, 1);
   return f ? f : modm_schema_stored (s, name, len, 0);
}

static bool
free_step (modm_path *p, const char *text, size_t len, modm_error *err)
{
   p->field = NULL;
   p->schema = NULL;
   if (p->positions && is_position (text, len))
      return position (p, NULL, text, len, err);
   if (len == 0 || text[0] == '$')
      return modm_error_set (err, "a step of a path cannot be empty or begin with $");
   return append (p, text, len, err);
}

static bool
no_way_into (const modm_field *f, modm_error *err)
{
   if (f->kind->role == MODM_REFERENCE)
      return modm_error_set (err,
                             "%s.%s is a reference: a query cannot look into what it refers to",
                             f->schema->name, f->name);
   return modm_error_set (err, "%s.%s is a %s and holds no fields", f->schema->name, f->name,
                          f->kind->name);
}

/* From a field to what is inside it. */
static bool
enter (lua_State *L, modm_path *p, const char *text, size_t len, modm_error *err)
{
   const modm_field *f = p->field;
   if (f->kind->role == MODM_LIST && is_index (text, len)) {
      p->field = f->inner;
      p->schema = NULL;
      return append (p, text, len, err);
   }
   if (f->kind->role == MODM_LIST && p->positions && is_position (text, len))
      return position (p, f->inner, text, len, err);
   f = modm_path_innermost (f);
   if (modm_path_is_free (f))
      return free_step (p, text, len, err);
   if (f->kind->role != MODM_EMBEDDED)
      return no_way_into (f, err);
   p->schema = modm_field_target (L, f);
   if (p->schema->cls && p->n_nested < MODM_PATH_NESTED)
      p->nested[p->n_nested++] = p->len;
   p->field = NULL;
   return true;
}

static bool
step (lua_State *L, modm_path *p, const char *text, size_t len, modm_error *err)
{
   if (!p->field && !p->schema)
      return free_step (p, text, len, err);
   if (p->field && !enter (L, p, text, len, err))
      return false;
   const modm_schema *s = p->schema;
   if (!s)
      return true; /* it was an index, or is inside a dict */
   const modm_field *f = find (L, s, text, len);
   if (!f) {
      lua_pushlstring (L, text, len);
      modm_error_set (err, "%s has no field '%.100s'", s->name, lua_tostring (L, -1));
      lua_pop (L, 1);
      return false;
   }
   p->field = f;
   p->schema = NULL;
   return append (p, f->mongo_name, f->mongo_len, err);
}

bool
modm_path_resolve (lua_State *L, int idx, modm_path *p, modm_error *err)
{
   size_t left;
   const char *at = lua_tolstring (L, idx, &left);
   if (memchr (at, '\0', left) || !modm_utf8_check (at, left, NULL))
      return modm_error_set (err, "the name of a field holds a NUL byte or is not UTF-8");
   for (;;) {
      const char *dot = memchr (at, '.', left);
      size_t len = dot ? (size_t) (dot - at) : left;
      if (!step (L, p, at, len, err))
         return false;
      if (!dot)
         return true;
      at = dot + 1;
      left -= len + 1;
   }
}
