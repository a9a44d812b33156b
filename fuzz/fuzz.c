/* What the targets share: the Lua state, the judge, and values drawn from bytes. */
#include "fuzz.h"

#include <lualib.h>
#include <sanitizer/lsan_interface.h>
#include <stdio.h>
#include <stdlib.h>

int luaopen_modm_core (lua_State *L);

enum { JUDGE = 1, KEYS, MAKERS, DRAWN };
enum { INPUTS_A_STATE = 5000, DEPTH = 5, AGAIN = 6 };

/* ---- the state ---- */

static void
finding (lua_State *L)
{
   fprintf (stderr, "finding: %s\n", luaL_tolstring (L, -1, NULL));
   abort ();
}

static lua_State *
open_state (const char *script)
{
   lua_State *L = luaL_newstate ();
   luaL_openlibs (L);
   luaL_getsubtable (L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
   lua_pushcfunction (L, luaopen_modm_core);
   lua_setfield (L, -2, "modm.core");
   lua_settop (L, 0);
   if (luaL_loadfile (L, script) || lua_pcall (L, 0, 3, 0))
      finding (L);
   for (int list = KEYS; list <= MAKERS; list++)
      if (lua_isnil (L, list)) {
         lua_newtable (L);
         lua_replace (L, list);
      }
   return L;
}

lua_State *
fuzz_state (const char *script)
{
   static lua_State *L;
   static int inputs;
   if (L && inputs++ == INPUTS_A_STATE) {
      lua_close (L);
      L = NULL;
      if (__lsan_do_recoverable_leak_check ())
         abort ();
   }
   if (!L) {
      L = open_state (script);
      inputs = 0;
   }
   lua_settop (L, MAKERS);
   lua_newtable (L);
   return L;
}

static int
traced (lua_State *L)
{
   luaL_traceback (L, L, luaL_tolstring (L, 1, NULL), 1);
   return 1;
}

void
fuzz_judge (lua_State *L, int n)
{
   int at = lua_gettop (L) - n + 1;
   lua_pushcfunction (L, traced);
   lua_insert (L, at);
   lua_pushvalue (L, JUDGE);
   lua_insert (L, at + 1);
   if (lua_pcall (L, n, 0, at))
      finding (L);
}

/* ---- drawing ---- */

uint32_t
fuzz_draw (fuzz_input *in, uint32_t limit)
{
   return in->at < in->end ? *in->at++ % limit : 0;
}

static uint64_t
draw_bits (fuzz_input *in)
{
   uint64_t bits = 0;
   for (int i = 0; i < 8; i++)
      bits = bits << 8 | fuzz_draw (in, 256);
   return bits;
}

const char *
fuzz_draw_text (fuzz_input *in, size_t *len)
{
   const char *text;
   *len = fuzz_draw (in, 256);
   if (*len > (size_t) (in->end - in->at))
      *len = (size_t) (in->end - in->at);
   text = (const char *) in->at;
   in->at += *len;
   return text;
}

static void
push_text (lua_State *L, fuzz_input *in)
{
   size_t len;
   const char *text = fuzz_draw_text (in, &len);
   lua_pushlstring (L, text, len);
}

/* An item of a list of up to 255, or nil. */
static void
push_item (lua_State *L, fuzz_input *in, int list)
{
   uint32_t n = (uint32_t) lua_rawlen (L, list);
   if (n)
      lua_rawgeti (L, list, 1 + fuzz_draw (in, n));
   else
      lua_pushnil (L);
}

void
fuzz_push_key (lua_State *L, fuzz_input *in)
{
   if (fuzz_draw (in, 8) > 0)
      push_item (L, in, KEYS);
   else
      lua_pushnil (L);
   if (!lua_isnil (L, -1))
      return;
   lua_pop (L, 1);
   push_text (L, in);
}

/* ---- tables ---- */

/* A table that stands in the list of those drawn so far. */
static void
push_new (lua_State *L)
{
   lua_newtable (L);
   lua_pushvalue (L, -1);
   lua_rawseti (L, DRAWN, (lua_Integer) lua_rawlen (L, DRAWN) + 1);
}

static void
push_list (lua_State *L, fuzz_input *in, int depth)
{
   uint32_t n = fuzz_draw (in, 6);
   push_new (L);
   for (uint32_t i = 1; i <= n; i++) {
      fuzz_push_value (L, in, depth + 1);
      lua_rawseti (L, -2, i);
   }
}

/* Keys that no list or document has, or holes. */
static void
push_sparse (lua_State *L, fuzz_input *in, int depth)
{
   push_list (L, in, depth);
   switch (fuzz_draw (in, 4)) {
   case 0:
      lua_pushinteger (L, (lua_Integer) draw_bits (in));
      break;
   case 1:
      lua_pushnumber (L, (lua_Number) fuzz_draw (in, 256) / 4);
      break;
   case 2:
      lua_pushboolean (L, 1);
      break;
   default:
      push_text (L, in);
   }
   fuzz_push_value (L, in, depth + 1);
   lua_rawset (L, -3);
}

static void
push_deep (lua_State *L, fuzz_input *in, int depth)
{
   uint32_t levels = fuzz_draw (in, 256);
   bool list = fuzz_draw (in, 2);
   fuzz_push_value (L, in, depth + 1);
   for (uint32_t i = 0; i < levels; i++) {
      lua_newtable (L);
      lua_insert (L, -2);
      if (list)
         lua_rawseti (L, -2, 1);
      else
         lua_setfield (L, -2, "a");
   }
}

static int
raise (lua_State *L)
{
   return luaL_error (L, "a metamethod was called");
}

static void
push_hostile (lua_State *L, fuzz_input *in, int depth)
{
   static const char *const names[] = {"__index", "__newindex", "__len",  "__pairs",
                                       "__eq",    "__tostring", "__call", "__close"};
   fuzz_push_table (L, in, depth);
   lua_newtable (L);
   for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      lua_pushcfunction (L, raise);
      lua_setfield (L, -2, names[i]);
   }
   if (lua_getmetatable (L, -2)) /* a mark stays */
      lua_pop (L, 2);
   else
      lua_setmetatable (L, -2);
}

void
fuzz_push_table (lua_State *L, fuzz_input *in, int depth)
{
   uint32_t n = fuzz_draw (in, 8);
   push_new (L);
   for (uint32_t i = 0; i < n; i++) {
      fuzz_push_key (L, in);
      fuzz_push_value (L, in, depth + 1);
      lua_rawset (L, -3);
   }
}

/* ---- values ---- */

void
fuzz_push_made (lua_State *L, fuzz_input *in, int depth)
{
   luaL_checkstack (L, 10, "drawn values");
   push_item (L, in, MAKERS);
   if (lua_isnil (L, -1)) {
      lua_pop (L, 1);
      push_text (L, in);
      return;
   }
   fuzz_push_value (L, in, depth + 1);
   int n = 1 + (int) fuzz_draw (in, 2);
   if (n == 2)
      fuzz_push_value (L, in, depth + 1);
   if (lua_pcall (L, n, 1, 0) == LUA_OK && !lua_isnil (L, -1))
      return;
   lua_pop (L, 1);
   lua_pushboolean (L, 0);
}

/* A table that stands elsewhere, too, perhaps around this place. */
static void
push_again (lua_State *L, fuzz_input *in, int depth)
{
   if (in->again-- > 0 && lua_rawlen (L, DRAWN))
      push_item (L, in, DRAWN);
   else
      fuzz_push_table (L, in, depth);
}

static void
push_compound (lua_State *L, fuzz_input *in, uint32_t kind, int depth)
{
   switch (kind) {
   case 0:
   case 1:
      push_list (L, in, depth);
      return;
   case 2:
      push_sparse (L, in, depth);
      return;
   case 3:
      push_deep (L, in, depth);
      return;
   case 4:
      push_hostile (L, in, depth);
      return;
   case 5:
      push_again (L, in, depth);
      return;
   default:
      fuzz_push_table (L, in, depth);
   }
}

static void
push_number (lua_State *L, fuzz_input *in)
{
   uint64_t bits;
   double number;
   switch (fuzz_draw (in, 4)) {
   case 0:
      lua_pushinteger (L, (lua_Integer) draw_bits (in));
      return;
   case 1:
      bits = draw_bits (in);
      memcpy (&number, &bits, sizeof number);
      lua_pushnumber (L, number);
      return;
   case 2:
      lua_pushnumber (L, ((double) fuzz_draw (in, 256) - 128) / 4);
      return;
   default:
      lua_pushinteger (L, (lua_Integer) fuzz_draw (in, 256) - 128);
   }
}

void
fuzz_push_value (lua_State *L, fuzz_input *in, int depth)
{
   luaL_checkstack (L, 10, "drawn values");
   uint32_t kind = fuzz_draw (in, 24);
   if (kind >= 16 && depth < DEPTH) {
      push_compound (L, in, kind - 16, depth);
   } else if (kind >= 11 && depth < DEPTH) {
      fuzz_push_made (L, in, depth);
   } else if (kind >= 8) {
      push_number (L, in);
   } else if (kind >= 4) {
      push_text (L, in);
   } else if (kind >= 2) {
      lua_pushboolean (L, kind == 2);
   } else if (kind == 1) {
      lua_pushlightuserdata (L, NULL);
   } else if (fuzz_draw (in, 2)) {
      lua_pushcfunction (L, raise);
   } else {
      lua_pushlightuserdata (L, L);
   }
}
