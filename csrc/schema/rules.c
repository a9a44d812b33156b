/* core.rules: what a model's fields ask for, in words of $jsonSchema; lua/modm/server puts them
 * together. */
#include "schema/schema_private.h"

static void
set_flag (lua_State *L, const char *name, bool value)
{
   lua_pushboolean (L, value);
   lua_setfield (L, -2, name);
}

/* Puts into the table at the top the model that the field holds. */
static void
set_model (lua_State *L, const modm_field *f)
{
   modm_schema_push_env (L, modm_field_target (L, f));
   lua_rawgeti (L, -1, MODM_ENV_MODEL);
   lua_setfield (L, -3, "model");
   lua_pop (L, 1);
}

/* What a reference holds is looked at by its type, not by the limits of the key that it is. */
static void
describe (lua_State *L, const modm_field *f)
{
   modm_field key;
   if (f->kind->role == MODM_REFERENCE) {
      const modm_schema *target = modm_field_target (L, f);
      key = target->fields[target->primary];
      key.flags = f->flags & MODM_FIELD_BLANK;
      f = &key;
   }
   modm_field_describe (L, f);
}

static void
push_rules (lua_State *L, const modm_field *f)
{
   luaL_checkstack (L, 20, "rules");
   lua_newtable (L);
   describe (L, f);
   lua_setfield (L, -3, "rules");
   lua_setfield (L, -2, "unsaid");
   set_flag (L, "required", f->flags & MODM_FIELD_REQUIRED);
   set_flag (L, "blank", f->flags & MODM_FIELD_BLANK);
   set_flag (L, "container", f->kind->is_container);
   if (f->kind->role == MODM_EMBEDDED)
      set_model (L, f);
   if (f->inner) {
      push_rules (L, f->inner);
      lua_setfield (L, -2, "inner");
   }
}

/* core.rules(schema, name) -> {rules =, unsaid = {{rule =, why =}, ...}, required =, blank =,
 * container =, inner = the same of a list's items, model = of an embedded document} */
int
modm_schema_l_rules (lua_State *L)
{
   const modm_schema *s = modm_schema_check (L, 1);
   lua_settop (L, 2);
   const modm_field *f = modm_schema_named (L, s, 2);
   luaL_argcheck (L, f != NULL, 2, "no field of the model");
   push_rules (L, f);
   return 1;
}
