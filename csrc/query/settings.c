/* What some constructors of operators take as a last table: modm.near(point, {max_distance = 5}).
 */
#include "query/query_private.h"

typedef struct setting {
   const char *operator_name, *name;
   const char *stored; /* NULL: written by its operator's own function */
   int type;
} setting;

static const setting settings[] = {
   {"near", "max_distance", "$maxDistance", LUA_TNUMBER},
   {"near", "min_distance", "$minDistance", LUA_TNUMBER},
   {"within", "radius", NULL, LUA_TNUMBER},
   {"text", "language", "$language", LUA_TSTRING},
   {"text", "case_sensitive", "$caseSensitive", LUA_TBOOLEAN},
   {"text", "diacritic_sensitive", "$diacriticSensitive", LUA_TBOOLEAN},
   {NULL, NULL, NULL, LUA_TNIL}};

static const setting *
find (const modm_operator_row *row, const char *name)
{
   for (const setting *s = settings; s->name; s++)
      if (strcmp (s->operator_name, row->name) == 0 && strcmp (s->name, name) == 0)
         return s;
   return NULL;
}

/* The value of the setting is at the top. */
static void
check_one (lua_State *L, const modm_operator_row *row, const char *name)
{
   const setting *s = find (row, name);
   if (!s)
      luaL_error (L, "modm.%s has no option '%s'", row->name, name);
   else if (lua_type (L, -1) != s->type)
      luaL_error (L, "modm.%s: option '%s' must be a %s, got a %s", row->name, name,
                  lua_typename (L, s->type), luaL_typename (L, -1));
   else if (s->type == LUA_TNUMBER && !(lua_tonumber (L, -1) >= 0))
      luaL_error (L, "modm.%s: option '%s' must not be negative", row->name, name);
}

void
modm_settings_check (lua_State *L, int idx, const modm_operator_row *row)
{
   if (lua_isnoneornil (L, idx))
      return;
   if (lua_type (L, idx) != LUA_TTABLE)
      luaL_error (L, "modm.%s: a table of options expected, got a %s", row->name,
                  luaL_typename (L, idx));
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1)) {
      if (lua_type (L, -2) != LUA_TSTRING)
         luaL_error (L, "modm.%s: options have names", row->name);
      check_one (L, row, lua_tostring (L, -2));
   }
}

bool
modm_settings_append (modm_filter *c, int idx, const modm_operator_row *row)
{
   lua_State *L = c->L;
   bool ok = true;
   if (lua_type (L, idx) != LUA_TTABLE)
      return true;
   for (const setting *s = settings; ok && s->name; s++) {
      if (strcmp (s->operator_name, row->name) != 0 || !s->stored)
         continue;
      lua_getfield (L, idx, s->name);
      if (!lua_isnil (L, -1))
         ok =
            modm_append_value (L, lua_gettop (L), c->b, s->stored, strlen (s->stored), 0, &c->err);
      lua_pop (L, 1);
   }
   return ok;
}
