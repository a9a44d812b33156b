/* The one place that knows Lua 5.4 from LuaJIT (Lua 5.1's API): the rest is written for 5.4. */
#ifndef MODM_COMPAT_LUA_H
#define MODM_COMPAT_LUA_H

#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if LUA_VERSION_NUM >= 504
#define MODM_HAS_INTEGERS 1
#else
#define MODM_HAS_INTEGERS 0
#endif

/* These never return, which the headers do not say. */
int luaL_error (lua_State *L, const char *format, ...) __attribute__ ((noreturn));
int lua_error (lua_State *L) __attribute__ ((noreturn));
int luaL_argerror (lua_State *L, int arg, const char *message) __attribute__ ((noreturn));

/* Largest magnitude up to which every integer is exact as a double. */
#define MODM_EXACT_MAX 9007199254740992.0

#if !MODM_HAS_INTEGERS

static inline int
lua_absindex (lua_State *L, int idx)
{
   return (idx > 0 || idx <= LUA_REGISTRYINDEX) ? idx : lua_gettop (L) + idx + 1;
}

#define lua_rawlen(L, i) lua_objlen ((L), (i))

static inline int
modm_rawget (lua_State *L, int idx)
{
   (lua_rawget) (L, idx);
   return lua_type (L, -1);
}

static inline int
modm_rawgeti (lua_State *L, int idx, int n)
{
   (lua_rawgeti) (L, idx, n);
   return lua_type (L, -1);
}

static inline int
modm_getfield (lua_State *L, int idx, const char *key)
{
   (lua_getfield) (L, idx, key);
   return lua_type (L, -1);
}

#define lua_rawget(L, i) modm_rawget ((L), (i))
#define lua_rawgeti(L, i, n) modm_rawgeti ((L), (i), (int) (n))
#define lua_getfield(L, i, k) modm_getfield ((L), (i), (k))

static inline int
lua_rawgetp (lua_State *L, int idx, const void *key)
{
   idx = lua_absindex (L, idx);
   lua_pushlightuserdata (L, (void *) (uintptr_t) key);
   return lua_rawget (L, idx);
}

static inline void
lua_rawsetp (lua_State *L, int idx, const void *key)
{
   idx = lua_absindex (L, idx);
   lua_pushlightuserdata (L, (void *) (uintptr_t) key);
   lua_insert (L, -2);
   lua_rawset (L, idx);
}

/* As in 5.4: pushes and returns the value's text, by __tostring where there is one. */
const char *luaL_tolstring (lua_State *L, int idx, size_t *len);

#endif

/* Whether a userdata can have several user values, of any type. */
#define MODM_HAS_USER_VALUES MODM_HAS_INTEGERS

/* A userdata with room for n user values; with one, it must be a table (5.1 has environments). */
static inline void *
modm_newuserdata (lua_State *L, size_t size, int n)
{
#if MODM_HAS_USER_VALUES
   return lua_newuserdatauv (L, size, n);
#else
   (void) n;
   return lua_newuserdata (L, size);
#endif
}

/* Pushes the user value. Under LuaJIT one that was never set is some other table, so the owner of
 * the userdata keeps a flag that says whether it set one. */
static inline void
modm_getuservalue (lua_State *L, int idx)
{
#if MODM_HAS_INTEGERS
   lua_getiuservalue (L, idx, 1);
#else
   lua_getfenv (L, idx);
#endif
}

/* Pops the table at the top and makes it the user value. */
static inline void
modm_setuservalue (lua_State *L, int idx)
{
#if MODM_HAS_INTEGERS
   lua_setiuservalue (L, idx, 1);
#else
   lua_setfenv (L, idx);
#endif
}

/* True when the value is a number that stands for an integer: on 5.4 one of subtype integer, on
 * LuaJIT any integral number up to 2^53. */
static inline bool
modm_isinteger (lua_State *L, int idx, int64_t *out)
{
#if MODM_HAS_INTEGERS
   if (!lua_isinteger (L, idx))
      return false;
   *out = (int64_t) lua_tointeger (L, idx);
   return true;
#else
   lua_Number n = lua_tonumber (L, idx);
   if (!(n >= -MODM_EXACT_MAX && n <= MODM_EXACT_MAX) || n != (lua_Number) (int64_t) n)
      return false;
   *out = (int64_t) n;
   return true;
#endif
}

#endif
