/* What validation finds: a tree of errors, and a list of what Lua has to call. */
#include "codec/codec_private.h"

#include <stdarg.h>
#include <stdio.h>

static void
push_key (lua_State *L, const modm_step *s)
{
   if (s->key)
      lua_pushstring (L, s->key);
   else
      lua_pushinteger (L, s->index);
}

/* Pushes the table at the path, making what is not there. */
static void
push_node (modm_validation *v, const modm_step *s)
{
   lua_State *L = v->L;
   luaL_checkstack (L, 4, "errors");
   if (!s) {
      lua_pushvalue (L, v->errors);
      return;
   }
   push_node (v, s->up);
   push_key (L, s);
   if (lua_rawget (L, -2) == LUA_TNIL) {
      lua_pop (L, 1);
      lua_newtable (L);
      push_key (L, s);
      lua_pushvalue (L, -2);
      lua_rawset (L, -4);
   }
   lua_remove (L, -2);
}

void
modm_report (modm_validation *v, const char *format, ...)
{
   char message[512];
   va_list args;
   va_start (args, format);
   size_t len = (size_t) vsnprintf (message, sizeof message, format, args);
   va_end (args);
   if (len >= sizeof message) { /* cut, but not in the middle of a character */
      for (len = sizeof message - 1; ((uint8_t) message[len - 1] & 0xC0) == 0x80;)
         len--;
      message[len - ((uint8_t) message[len - 1] >= 0xC0)] = '\0';
   }
   lua_State *L = v->L;
   if (lua_isnil (L, v->errors)) {
      lua_newtable (L);
      lua_replace (L, v->errors);
   }
   push_node (v, v->at);
   lua_pushstring (L, message);
   lua_rawseti (L, -2, (int) lua_rawlen (L, -2) + 1);
   lua_pop (L, 1);
   v->count++;
}

/* Adds the path of `s`, outermost first, to the list at the top. */
static void
append_path (lua_State *L, const modm_step *s)
{
   if (!s)
      return;
   append_path (L, s->up);
   push_key (L, s);
   lua_rawseti (L, -2, (int) lua_rawlen (L, -2) + 1);
}

void
modm_validation_add (modm_validation *v, const char *name)
{
   lua_State *L = v->L;
   luaL_checkstack (L, 6, "callbacks");
   if (lua_isnil (L, v->pending)) {
      lua_newtable (L);
      lua_replace (L, v->pending);
   }
   lua_newtable (L);
   lua_insert (L, -2);
   lua_setfield (L, -2, name);
   lua_newtable (L);
   append_path (L, v->at);
   lua_setfield (L, -2, "path");
   lua_pushvalue (L, -1);
   lua_rawseti (L, v->pending, (int) lua_rawlen (L, v->pending) + 1);
}
