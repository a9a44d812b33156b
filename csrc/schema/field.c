/* Compiles one field of a model from its definition in Lua. */
#include "schema/schema_private.h"

/* The string at key of the table at idx, or NULL. The table keeps it alive. */
static const char *
text_at (lua_State *L, int idx, const char *key)
{
   lua_getfield (L, idx, key);
   const char *text = lua_type (L, -1) == LUA_TSTRING ? lua_tostring (L, -1) : NULL;
   lua_pop (L, 1);
   return text;
}

static bool
truth_at (lua_State *L, int idx, const char *key, bool otherwise)
{
   bool given = lua_getfield (L, idx, key) != LUA_TNIL;
   bool value = given ? lua_toboolean (L, -1) : otherwise;
   lua_pop (L, 1);
   return value;
}

/* Copies options[key] into the environment at the top; true when there is one. */
static bool
keep (lua_State *L, int options, const char *key)
{
   bool given = lua_getfield (L, options, key) != LUA_TNIL;
   if (given) {
      lua_setfield (L, -2, key);
      return true;
   }
   lua_pop (L, 1);
   return false;
}

static void
check_stored_name (lua_State *L, const modm_field *f)
{
   const char *name = f->mongo_name;
   if (name[0] == '$')
      luaL_error (L, "%s.%s: a mongo_name cannot start with '$': '%s'", f->schema->name, f->name,
                  name);
   if (strchr (name, '.'))
      luaL_error (L, "%s.%s: a mongo_name cannot contain a dot: '%s'", f->schema->name, f->name,
                  name);
   if (strlen (name) != f->mongo_len)
      luaL_error (L, "%s.%s: a mongo_name cannot contain NUL", f->schema->name, f->name);
   if (!modm_utf8_check (name, f->mongo_len, NULL))
      luaL_error (L, "%s.%s: a mongo_name must be UTF-8", f->schema->name, f->name);
   bool is_id = strcmp (name, "_id") == 0;
   if ((f->flags & MODM_FIELD_PRIMARY) && !is_id)
      luaL_error (L, "%s.%s: the mongo_name of a primary key must be '_id'", f->schema->name,
                  f->name);
   if (!(f->flags & MODM_FIELD_PRIMARY) && is_id)
      luaL_error (L, "%s.%s: only the primary key is stored as '_id': set primary_key = true",
                  f->schema->name, f->name);
   if (strcmp (name, "_cls") == 0)
      luaL_error (L, "%s.%s: '_cls' is kept for the model's name", f->schema->name, f->name);
}

static void
compile_names (lua_State *L, int def, int options, modm_field *f)
{
   size_t len;
   lua_getfield (L, def, "name");
   f->name = lua_tolstring (L, -1, &len); /* the definition keeps it */
   f->name_len = (uint32_t) len;
   lua_pop (L, 1);
   bool primary = f->flags & MODM_FIELD_PRIMARY;
   f->mongo_name = primary ? "_id" : f->name;
   f->mongo_len = primary ? 3 : f->name_len;
   if (lua_getfield (L, options, "mongo_name") == LUA_TSTRING) {
      f->mongo_name = lua_tolstring (L, -1, &len);
      f->mongo_len = (uint32_t) len;
   }
   lua_pop (L, 1);
}

static void
compile_flags (lua_State *L, int options, modm_field *f)
{
   bool primary = truth_at (L, options, "primary_key", false);
   if (primary)
      f->flags |= MODM_FIELD_PRIMARY;
   if (truth_at (L, options, "required", primary))
      f->flags |= MODM_FIELD_REQUIRED;
   if (truth_at (L, options, "blank", f->kind->is_container))
      f->flags |= MODM_FIELD_BLANK;
   if (truth_at (L, options, "implicit", false)) {
      f->flags |= MODM_FIELD_IMPLICIT;
      f->flags &= ~(uint32_t) MODM_FIELD_REQUIRED;
   }
}

/* Pushes the environment of the field. */
static void
compile_env (lua_State *L, int options, modm_field *f)
{
   lua_newtable (L);
   if (keep (L, options, "default")) {
      lua_getfield (L, -1, "default");
      f->flags |= lua_isfunction (L, -1) ? MODM_FIELD_CALL : MODM_FIELD_DEFAULT;
      lua_pop (L, 1);
   }
   if (keep (L, options, "choices"))
      f->flags |= MODM_FIELD_CHOICES;
   if (keep (L, options, "validators"))
      f->flags |= MODM_FIELD_VALIDATORS;
   keep (L, options, "model");
   lua_pushvalue (L, options); /* the names point into its strings */
   lua_setfield (L, -2, "options");
   int64_t rule = 0;
   if (lua_getfield (L, options, "on_delete") != LUA_TNIL && modm_int64_test (L, -1, &rule))
      f->limit.delete_rule = (int) rule;
   lua_pop (L, 1);
}

static const modm_kind *
kind_at (lua_State *L, int def)
{
   const char *name = text_at (L, def, "kind");
   const modm_kind *kind = name ? modm_kind_find (name) : NULL;
   if (!kind)
      luaL_error (L, "a field made by modm.fields expected");
   return kind;
}

static modm_field *
push_inner (lua_State *L, const modm_field *outer, int env, int *ids)
{
   modm_field *inner = lua_newuserdata (L, sizeof *inner);
   memset (inner, 0, sizeof *inner);
   inner->schema = outer->schema;
   inner->name = outer->name;
   inner->name_len = outer->name_len;
   inner->mongo_name = outer->mongo_name;
   inner->mongo_len = outer->mongo_len;
   inner->id = ++*ids;
   lua_rawgeti (L, env, MODM_ENV_ANCHORS);
   lua_pushvalue (L, -2);
   lua_rawseti (L, -2, inner->id);
   lua_pop (L, 2);
   return inner;
}

static void compile_kind (lua_State *L, int options, modm_field *f, int env, int *ids, int depth);

static void
compile_inner (lua_State *L, int options, modm_field *f, int env, int *ids, int depth)
{
   luaL_checkstack (L, 10, "a field");
   if (depth > MODM_MAX_DEPTH)
      luaL_error (L, "%s.%s: lists nested deeper than %d levels", f->schema->name, f->name,
                  MODM_MAX_DEPTH);
   if (f->kind->inner_kind) {
      f->inner = push_inner (L, f, env, ids);
      f->inner->kind = modm_kind_find (f->kind->inner_kind);
      compile_kind (L, options, f->inner, env, ids, depth);
      f->inner->flags = 0;
   } else if (lua_getfield (L, options, "field") != LUA_TNIL) {
      int def = lua_gettop (L);
      f->inner = push_inner (L, f, env, ids);
      f->inner->kind = kind_at (L, def);
      lua_getfield (L, def, "options");
      compile_flags (L, lua_gettop (L), f->inner);
      compile_kind (L, lua_gettop (L), f->inner, env, ids, depth);
      lua_pop (L, 2);
   } else {
      lua_pop (L, 1);
   }
}

static void
compile_kind (lua_State *L, int options, modm_field *f, int env, int *ids, int depth)
{
   compile_env (L, options, f);
   lua_rawseti (L, env, f->id);
   if (f->kind->compile)
      f->kind->compile (L, options, f);
   if (f->kind->role == MODM_LIST)
      compile_inner (L, options, f, env, ids, depth + 1);
}

void
modm_field_compile (lua_State *L, int def, modm_field *f, int env, int *ids)
{
   luaL_checkstack (L, 20, "a field");
   int top = lua_gettop (L);
   f->kind = kind_at (L, def);
   lua_getfield (L, def, "options");
   int options = lua_gettop (L);
   compile_flags (L, options, f);
   compile_names (L, def, options, f);
   check_stored_name (L, f);
   compile_kind (L, options, f, env, ids, 0);
   lua_settop (L, top);
}
