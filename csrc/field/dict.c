/* Documents without a model: DictField, OrderedDictField. */
#include "field/field_private.h"

modm_outcome
modm_dict_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   (void) f;
   (void) v;
   if (lua_type (L, idx) != LUA_TTABLE || modm_mark_test (L, idx) == MODM_ARRAY)
      return modm_refuse (L, idx, "a table with string keys", err);
   return MODM_SAME;
}

/* A key that a server would take for a path or an operator. */
static const char *
key_fault (const char *key, size_t len)
{
   if (len > 0 && key[0] == '$')
      return "start with a dollar sign";
   if (memchr (key, '.', len))
      return "contain the dot (.) character";
   if (memchr (key, '\0', len))
      return "contain the null character";
   return NULL;
}

/* Each document takes 5 bytes at least: with more of them it cannot be stored. A few tables that
 * hold each other many times come to that. */
enum { MOST_TABLES = MODM_MAX_DOCUMENT / 5 };

static bool
check_keys (lua_State *L, int idx, modm_validation *v, int depth, uint32_t *tables)
{
   idx = lua_absindex (L, idx);
   if (depth > MODM_MAX_DEPTH || !lua_checkstack (L, 8)) {
      modm_report (v, "nested deeper than %d levels (or cyclic).", MODM_MAX_DEPTH);
      return false;
   }
   if (++*tables > MOST_TABLES) {
      modm_report (v, "more than %d tables.", MOST_TABLES);
      return false;
   }
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1)) {
      if (lua_type (L, -2) == LUA_TSTRING) {
         size_t len;
         const char *key = lua_tolstring (L, -2, &len);
         const char *fault = key_fault (key, len);
         if (fault) {
            modm_report (v, "Dictionary keys cannot %s, '%s'.", fault, key);
            lua_pop (L, 2);
            return false;
         }
      } else if (depth == 0) {
         modm_report (v, "Dictionary keys must be strings, not %s.", luaL_typename (L, -2));
         lua_pop (L, 2);
         return false;
      }
      if (lua_type (L, -1) == LUA_TTABLE && !check_keys (L, -1, v, depth + 1, tables)) {
         lua_pop (L, 2);
         return false;
      }
   }
   return true;
}

void
modm_dict_check (lua_State *L, int idx, const modm_field *f, modm_validation *v)
{
   uint32_t tables = 0;
   (void) f;
   (void) check_keys (L, idx, v, 0, &tables);
}

/* The same rule over stored bytes. */
static bool
stored_keys_fit (const uint8_t *document, size_t len, bool is_array, int depth)
{
   modm_reader r;
   modm_element e;
   if (depth > MODM_MAX_DEPTH || !modm_reader_init (&r, document, len))
      return false;
   while (modm_reader_next (&r, &e)) {
      if (!is_array && (key_fault (e.key, e.key_len) || !modm_utf8_check (e.key, e.key_len, NULL)))
         return false;
      if ((e.type == MODM_BSON_DOCUMENT || e.type == MODM_BSON_ARRAY) &&
          !stored_keys_fit (e.value, e.size, e.type == MODM_BSON_ARRAY, depth + 1))
         return false;
   }
   return !r.bad;
}

bool
modm_dict_accepts (const modm_field *f, const modm_element *e)
{
   (void) f;
   return e->type == MODM_BSON_DOCUMENT && e->size > 5 &&
          stored_keys_fit (e->value, e->size, false, 0);
}

bool
modm_dict_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                  size_t key_len, int depth, modm_error *err)
{
   (void) f;
   if (lua_type (L, idx) != LUA_TTABLE || modm_mark_test (L, idx) == MODM_ARRAY)
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   modm_write_key (b, MODM_BSON_DOCUMENT, key, key_len);
   return modm_append_document (L, idx, b, depth + 1, err);
}

void
modm_dict_describe (lua_State *L, const modm_field *f)
{
   lua_newtable (L);
   lua_newtable (L);
   lua_setfield (L, -2, "^(?!\\$)[^.]*\\z");
   lua_setfield (L, -2, "patternProperties");
   lua_pushboolean (L, false);
   lua_setfield (L, -2, "additionalProperties");
   modm_rule_unsaid (L, "keys", "no dot and no leading $ in the keys of what lies inside");
   (void) f;
}
