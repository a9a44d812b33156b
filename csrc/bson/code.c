/* JavaScript: code, with a scope or without. */
#include "bson/bson_private.h"

/* Encodes the scope at idx behind the code; pushes the value. */
static void
push_scoped (lua_State *L, int idx, const char *code, size_t len)
{
   modm_error err;
   modm_buffer *b = modm_buffer_push (L);
   size_t start = modm_write_begin (b);
   modm_write_text (b, code, len);
   if (!modm_append_document (L, idx, b, 1, &err)) {
      modm_error_push (L, &err);
      luaL_argerror (L, idx, lua_tostring (L, -1));
   }
   modm_store_i32 (b->data + start, (int32_t) b->len);
   modm_value_push (L, MODM_BSON_CODEWSCOPE, b->data, (uint32_t) b->len);
   modm_buffer_free (b);
   lua_remove (L, -2);
}

static int
l_new (lua_State *L)
{
   size_t len;
   const char *code = modm_check_text (L, 1, true, &len);
   if (!lua_isnoneornil (L, 2)) {
      luaL_checktype (L, 2, LUA_TTABLE);
      push_scoped (L, 2, code, len);
      return 1;
   }
   luaL_argcheck (L, len <= MODM_MAX_DOCUMENT, 1, "too long for a document");
   uint8_t *p = modm_value_new (L, MODM_BSON_CODE, (uint32_t) (len + 5));
   modm_store_i32 (p, (int32_t) (len + 1));
   memcpy (p + 4, code, len + 1);
   return 1;
}

static int
l_code (lua_State *L)
{
   size_t len;
   const modm_value *v = modm_value_check (L, 1, MODM_CLASS_JAVASCRIPT);
   const char *code = modm_value_text (v->bytes + (v->type == MODM_BSON_CODEWSCOPE ? 4 : 0), &len);
   lua_pushlstring (L, code, len);
   return 1;
}

static int
l_scope (lua_State *L)
{
   const modm_value *v = modm_value_check (L, 1, MODM_CLASS_JAVASCRIPT);
   if (v->type != MODM_BSON_CODEWSCOPE)
      return 0;
   size_t head = 8 + (size_t) modm_load_i32 (v->bytes + 4);
   modm_push_document (L, v->bytes + head, v->size - head);
   return 1;
}

void
modm_code_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {
      {"__eq", modm_value_eq}, {"__tostring", l_code}, {NULL, NULL}};
   static const luaL_Reg methods[] = {{"code", l_code}, {"scope", l_scope}, {NULL, NULL}};
   modm_class_new (L, &modm_value_classes[MODM_CLASS_JAVASCRIPT], metamethods, methods);
   modm_value_constructor (L, "JavaScript", l_new, NULL);
}
