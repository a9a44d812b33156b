/* core.schema: compiles a model's definition. */
#include "schema/schema_private.h"

static modm_class class_schema = "modm.Schema";
/* Registry key of the table of environments: environments[schema->env] holds one weakly, and
 * environments.n the last number given. The table has an integer reference, too, which is quicker.
 */
static const char environments;

const modm_schema *
modm_schema_test (lua_State *L, int idx)
{
   return modm_test (L, idx, &class_schema);
}

modm_schema *
modm_schema_check (lua_State *L, int idx)
{
   return modm_check (L, idx, &class_schema);
}

void
modm_schema_push_env (lua_State *L, const modm_schema *s)
{
   lua_rawgeti (L, LUA_REGISTRYINDEX, s->environments);
   lua_rawgeti (L, -1, s->env);
   lua_replace (L, -2);
}

void
modm_schema_push_metatable (lua_State *L, const modm_schema *s)
{
   modm_schema_push_env (L, s);
   lua_rawgeti (L, -1, MODM_ENV_METATABLE);
   lua_replace (L, -2);
}

void
modm_field_push_env (lua_State *L, const modm_field *f)
{
   modm_schema_push_env (L, f->schema);
   lua_rawgeti (L, -1, f->id);
   lua_remove (L, -2);
}

/* Moves def[name] into env[key]. */
static void
take (lua_State *L, int def, const char *name, int env, int key)
{
   lua_getfield (L, def, name);
   lua_rawseti (L, env, key);
}

static void
take_flags (lua_State *L, int def, modm_schema *s)
{
   static const struct {
      const char *name;
      uint32_t flag;
   } flags[] = {{"embedded", MODM_SCHEMA_EMBEDDED},
                {"final", MODM_SCHEMA_FINAL},
                {"ignore_unknown_fields", MODM_SCHEMA_IGNORE_UNKNOWN},
                {"cls_optional", MODM_SCHEMA_CLS_OPTIONAL},
                {"clean", MODM_SCHEMA_CLEAN}};
   for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
      lua_getfield (L, def, flags[i].name);
      if (lua_toboolean (L, -1))
         s->flags |= flags[i].flag;
      lua_pop (L, 1);
   }
}

static void
take_names (lua_State *L, int def, modm_schema *s)
{
   size_t len;
   lua_getfield (L, def, "name");
   s->name = luaL_checkstring (L, -1);
   lua_getfield (L, def, "cls");
   s->cls = lua_tolstring (L, -1, &len);
   s->cls_len = s->cls ? (uint32_t) len : 0;
   lua_getfield (L, def, "parent");
   if (!lua_isnil (L, -1))
      s->parent = modm_schema_check (L, -1);
   lua_pop (L, 3);
}

static bool
resolves (const modm_field *f)
{
   for (; f; f = f->inner)
      if ((f->flags & MODM_FIELD_CALL) || f->kind->role == MODM_REFERENCE ||
          f->kind->role == MODM_FILE)
         return true;
   return false;
}

static bool
calls_back (const modm_field *f)
{
   for (; f; f = f->inner)
      if (f->flags & (MODM_FIELD_CALL | MODM_FIELD_VALIDATORS))
         return true;
   return false;
}

static void
compile_fields (lua_State *L, int def, modm_schema *s, int env)
{
   lua_getfield (L, def, "fields");
   int list = lua_gettop (L);
   luaL_argcheck (L, lua_rawlen (L, list) < UINT16_MAX - 1, 1, "too many fields");
   s->n = (uint32_t) lua_rawlen (L, list);
   int ids = (int) s->n;
   size_t size = (s->n ? s->n : 1) * sizeof *s->fields;
   s->fields = memset (lua_newuserdata (L, size), 0, size);
   lua_rawgeti (L, env, MODM_ENV_ANCHORS);
   lua_insert (L, -2);
   lua_setfield (L, -2, "fields");
   lua_newtable (L);
   int names = lua_gettop (L);
   for (uint32_t i = 0; i < s->n; i++) {
      modm_field *f = &s->fields[i];
      f->schema = s;
      f->id = (int) i + 1;
      lua_rawgeti (L, list, f->id);
      modm_field_compile (L, lua_gettop (L), f, env, &ids);
      lua_getfield (L, -1, "name");
      lua_pushinteger (L, f->id);
      lua_rawset (L, names);
      lua_pop (L, 1);
      if (f->flags & MODM_FIELD_PRIMARY)
         s->primary = (int) i;
      s->flags |= resolves (f) ? MODM_SCHEMA_RESOLVES : 0;
      s->flags |= calls_back (f) ? MODM_SCHEMA_CALLBACKS : 0;
   }
   if (s->primary >= 0) {
      lua_pushinteger (L, s->primary + 1);
      lua_setfield (L, names, "pk");
   }
   lua_rawseti (L, env, MODM_ENV_NAMES);
}

/* Gives the environment a number, by which C finds it. */
static void
enter_env (lua_State *L, modm_schema *s, int env)
{
   lua_rawgetp (L, LUA_REGISTRYINDEX, &environments);
   lua_getfield (L, -1, "ref");
   s->environments = (int) lua_tointeger (L, -1);
   lua_getfield (L, -2, "n");
   s->env = (int) lua_tointeger (L, -1) + 1;
   lua_pushinteger (L, s->env);
   lua_setfield (L, -4, "n");
   lua_pop (L, 2);
   lua_pushvalue (L, env);
   lua_rawseti (L, -2, s->env);
   lua_pop (L, 1);
}

static void
new_env (lua_State *L, int def, modm_schema *s)
{
   lua_newtable (L);
   int env = lua_gettop (L);
   lua_pushvalue (L, env - 1);
   lua_rawseti (L, env, MODM_ENV_SCHEMA);
   lua_newtable (L);
   lua_pushvalue (L, def); /* the names point into its strings */
   lua_setfield (L, -2, "definition");
   lua_rawseti (L, env, MODM_ENV_ANCHORS);
   take (L, def, "methods", env, MODM_ENV_METHODS);
   take (L, def, "classes", env, MODM_ENV_CLASSES);
   take (L, def, "model", env, MODM_ENV_MODEL);
   take (L, def, "meta", env, MODM_ENV_META);
   take (L, def, "resolve", env, MODM_ENV_RESOLVE);
   enter_env (L, s, env);
}

/* core.schema(definition): name, cls, embedded, final, ignore_unknown_fields, cls_optional, clean,
 * parent, fields (list of {name, kind, options}), methods, classes, model, meta, resolve (function:
 * model or name -> schema). */
static int
l_schema (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   lua_settop (L, 1);
   modm_schema *s = modm_newuserdata (L, sizeof *s, 1);
   memset (s, 0, sizeof *s);
   modm_class_push (L, &class_schema);
   lua_setmetatable (L, 2);
   s->tag.tag = &class_schema;
   s->primary = -1;
   take_names (L, 1, s);
   take_flags (L, 1, s);
   new_env (L, 1, s);
   compile_fields (L, 1, s, 3);
   lua_settop (L, 3);
   modm_schema_index (L, s, 3);
   lua_pushvalue (L, 3);
   modm_setuservalue (L, 2);
   lua_settop (L, 2);
   return 1;
}

/* core.schema_clean(schema): its model has a clean method now. */
static int
l_schema_clean (lua_State *L)
{
   modm_schema_check (L, 1)->flags |= MODM_SCHEMA_CLEAN;
   return 0;
}

void
modm_schema_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"schema", l_schema},
                                        {"schema_clean", l_schema_clean},
                                        {"rules", modm_schema_l_rules},
                                        {NULL, NULL}};
   modm_class_new (L, &class_schema, NULL, NULL);
   lua_newtable (L);
   lua_newtable (L);
   lua_pushliteral (L, "v");
   lua_setfield (L, -2, "__mode");
   lua_setmetatable (L, -2);
   lua_pushvalue (L, -1);
   lua_pushinteger (L, luaL_ref (L, LUA_REGISTRYINDEX));
   lua_setfield (L, -2, "ref");
   lua_rawsetp (L, LUA_REGISTRYINDEX, &environments);
   modm_register (L, functions);
}
