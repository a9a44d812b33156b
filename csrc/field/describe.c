/* What Lua reads of the kinds: the rows of the table, and a field's rules in words of $jsonSchema.
 */
#include "field/field_private.h"

#include <math.h>

static void
push_types (lua_State *L, const char *names)
{
   int n = 0;
   lua_newtable (L);
   for (const char *end; *names; names = *end ? end + 1 : end) {
      end = names + strcspn (names, " ");
      lua_pushlstring (L, names, (size_t) (end - names));
      lua_rawseti (L, -2, ++n);
   }
   if (n == 1) { /* a name stands for a list of one */
      lua_rawgeti (L, -1, 1);
      lua_replace (L, -2);
   }
}

void
modm_field_describe (lua_State *L, const modm_field *f)
{
   luaL_checkstack (L, 10, "rules");
   lua_newtable (L);
   lua_newtable (L);
   if (f->kind->bson_types) {
      push_types (L, f->kind->bson_types);
      lua_setfield (L, -2, "bsonType");
   }
   if (f->kind->describe)
      f->kind->describe (L, f);
}

void
modm_rule_text (lua_State *L, const char *keyword, const char *text)
{
   lua_pushstring (L, text);
   lua_setfield (L, -2, keyword);
}

void
modm_rule_integer (lua_State *L, const char *keyword, int64_t n)
{
   modm_int64_push (L, n);
   lua_setfield (L, -2, keyword);
}

void
modm_rule_not (lua_State *L)
{
   lua_newtable (L);
   lua_newtable (L);
   lua_pushvalue (L, -3);
   lua_rawseti (L, -2, 1);
   lua_setfield (L, -2, "enum");
   lua_setfield (L, -3, "not");
   lua_pop (L, 1);
}

void
modm_rule_not_nan (lua_State *L)
{
   lua_pushnumber (L, (lua_Number) NAN);
   modm_rule_not (L);
}

void
modm_rule_unsaid (lua_State *L, const char *rule, const char *why)
{
   lua_newtable (L);
   modm_rule_text (L, "rule", rule);
   modm_rule_text (L, "why", why);
   lua_rawseti (L, -3, (int) lua_rawlen (L, -3) + 1);
}

/* ---- the table ---- */

static void
set_text (lua_State *L, const char *key, const char *text)
{
   if (text) {
      lua_pushstring (L, text);
      lua_setfield (L, -2, key);
   }
}

static void
push_options (lua_State *L, const modm_option *options)
{
   lua_newtable (L);
   for (int i = 0; options[i].name; i++) {
      lua_newtable (L);
      set_text (L, "name", options[i].name);
      set_text (L, "type", options[i].type);
      set_text (L, "doc", options[i].doc);
      lua_rawseti (L, -2, i + 1);
   }
}

static int
l_kinds (lua_State *L)
{
   lua_newtable (L);
   for (int i = 0; modm_kinds[i].name; i++) {
      const modm_kind *k = &modm_kinds[i];
      lua_newtable (L);
      set_text (L, "name", k->name);
      set_text (L, "older_name", k->older_name);
      set_text (L, "value", k->value);
      set_text (L, "accepts", k->accepts_text);
      set_text (L, "stored", k->stored_text);
      set_text (L, "bson_types", k->bson_types);
      push_options (L, k->options);
      lua_setfield (L, -2, "options");
      lua_rawseti (L, -2, i + 1);
   }
   return 1;
}

void
modm_field_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"kinds", l_kinds},
                                        {"file_class", modm_file_l_class},
                                        {"image", modm_file_l_image},
                                        {NULL, NULL}};
   modm_register (L, functions);
}
