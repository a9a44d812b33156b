/* What all value types share: layout, tags, equality, and the making of constructors. */
#include "bson/bson_private.h"

modm_class modm_value_classes[MODM_CLASSES] = {
   "modm.ObjectId",   "modm.DateTime",  "modm.Decimal128", "modm.Binary", "modm.Regex",
   "modm.JavaScript", "modm.Timestamp", "modm.MinKey",     "modm.MaxKey", "modm.Int64",
   "modm.Undefined",  "modm.Symbol",    "modm.DBPointer",
};

/* The class of each BSON type, plus one; 0 where there is none. */
static const uint8_t class_of[256] = {
   [MODM_BSON_OBJECTID] = MODM_CLASS_OBJECTID + 1,
   [MODM_BSON_DATE] = MODM_CLASS_DATETIME + 1,
   [MODM_BSON_DECIMAL128] = MODM_CLASS_DECIMAL128 + 1,
   [MODM_BSON_BINARY] = MODM_CLASS_BINARY + 1,
   [MODM_BSON_REGEX] = MODM_CLASS_REGEX + 1,
   [MODM_BSON_CODE] = MODM_CLASS_JAVASCRIPT + 1,
   [MODM_BSON_CODEWSCOPE] = MODM_CLASS_JAVASCRIPT + 1,
   [MODM_BSON_TIMESTAMP] = MODM_CLASS_TIMESTAMP + 1,
   [MODM_BSON_MINKEY] = MODM_CLASS_MINKEY + 1,
   [MODM_BSON_MAXKEY] = MODM_CLASS_MAXKEY + 1,
   [MODM_BSON_INT64] = MODM_CLASS_INT64 + 1,
   [MODM_BSON_UNDEFINED] = MODM_CLASS_UNDEFINED + 1,
   [MODM_BSON_SYMBOL] = MODM_CLASS_SYMBOL + 1,
   [MODM_BSON_DBPOINTER] = MODM_CLASS_DBPOINTER + 1,
};

/* Values need no room for a user value, which Lua 5.4 would else add to each. */
static void *
new_userdata (lua_State *L, size_t size)
{
#if MODM_HAS_INTEGERS
   return lua_newuserdatauv (L, size, 0);
#else
   return lua_newuserdata (L, size);
#endif
}

uint8_t *
modm_value_new (lua_State *L, uint8_t type, uint32_t size)
{
   if (!class_of[type])
      luaL_error (L, "no class for the BSON type %d", (int) type);
   modm_class *cls = &modm_value_classes[class_of[type] - 1];
   /* Never less than the struct, which the compiler may read whole. */
   size_t total = offsetof (modm_value, bytes) + size;
   modm_value *v = new_userdata (L, total < sizeof *v ? sizeof *v : total);
   v->tag.tag = cls;
   v->size = size;
   v->type = type;
   modm_class_push (L, cls);
   lua_setmetatable (L, -2);
   return v->bytes;
}

void
modm_value_push (lua_State *L, uint8_t type, const void *bytes, uint32_t size)
{
   uint8_t *to = modm_value_new (L, type, size);
   if (size)
      memcpy (to, bytes, size);
}

const modm_value *
modm_value_test (lua_State *L, int idx)
{
   const modm_value *v = lua_touserdata (L, idx);
   if (!v || lua_rawlen (L, idx) < sizeof *v)
      return NULL;
   uintptr_t tag = (uintptr_t) v->tag.tag, first = (uintptr_t) modm_value_classes;
   return tag >= first && tag < first + sizeof modm_value_classes ? v : NULL;
}

const modm_value *
modm_value_test_type (lua_State *L, int idx, uint8_t type)
{
   const modm_value *v = modm_value_test (L, idx);
   return v && v->type == type ? v : NULL;
}

const modm_value *
modm_value_check (lua_State *L, int idx, int class_index)
{
   return modm_check (L, idx, &modm_value_classes[class_index]);
}

int
modm_value_eq (lua_State *L)
{
   const modm_value *a = modm_value_test (L, 1), *b = modm_value_test (L, 2);
   lua_pushboolean (L, a && b && a->type == b->type && a->size == b->size &&
                          memcmp (a->bytes, b->bytes, a->size) == 0);
   return 1;
}

/* The constructor is called with its own table first, which it must not see. */
static int
mt_call (lua_State *L)
{
   lua_CFunction call = lua_tocfunction (L, lua_upvalueindex (1));
   lua_remove (L, 1);
   return call (L);
}

void
modm_value_constructor (lua_State *L, const char *name, lua_CFunction call, const luaL_Reg *statics)
{
   lua_newtable (L);
   if (statics)
      modm_register (L, statics);
   lua_createtable (L, 0, 3);
   lua_pushcfunction (L, call);
   lua_pushcclosure (L, mt_call, 1);
   lua_setfield (L, -2, "__call");
   lua_pushfstring (L, "modm.%s", name);
   lua_setfield (L, -2, "__metatable");
   modm_mark_refused (L, "a constructor is no value: it has to be called");
   lua_setmetatable (L, -2);
   lua_setfield (L, -2, name);
}

const char *
modm_check_text (lua_State *L, int idx, bool nul_allowed, size_t *len)
{
   if (lua_type (L, idx) != LUA_TSTRING)
      luaL_argerror (L, idx,
                     lua_pushfstring (L, "string expected, got %s", luaL_typename (L, idx)));
   const char *text = lua_tolstring (L, idx, len);
   luaL_argcheck (L, nul_allowed || !memchr (text, '\0', *len), idx, "must not hold a NUL byte");
   luaL_argcheck (L, modm_utf8_check (text, *len, NULL), idx, "not valid UTF-8");
   return text;
}

void
modm_hex_write (char *out, const uint8_t *bytes, size_t len)
{
   static const char digits[] = "0123456789abcdef";
   for (size_t i = 0; i < len; i++) {
      out[2 * i] = digits[bytes[i] >> 4];
      out[2 * i + 1] = digits[bytes[i] & 15];
   }
}

static int
hex_digit (char c)
{
   if (c >= '0' && c <= '9')
      return c - '0';
   if (c >= 'a' && c <= 'f')
      return c - 'a' + 10;
   return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
modm_hex_read (uint8_t *out, const char *text, size_t digits)
{
   for (size_t i = 0; i < digits; i += 2) {
      int high = hex_digit (text[i]), low = hex_digit (text[i + 1]);
      if (high < 0 || low < 0)
         return false;
      out[i / 2] = (uint8_t) (high << 4 | low);
   }
   return true;
}

const char *
modm_value_text (const uint8_t *bytes, size_t *len)
{
   *len = (size_t) modm_load_i32 (bytes) - 1;
   return (const char *) bytes + 4;
}
