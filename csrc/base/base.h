/* base: what every room stands on. Errors that carry the path of the offending value, a growing
 * byte buffer, and the helper that makes userdata classes.
 *
 * modm_error is a plain struct for code that must not throw (phase E): a function fills it in and
 * returns false; each level on the way out prepends its key or index. modm_buffer owns malloc'd
 * memory: whoever calls modm_buffer_init calls modm_buffer_free, or keeps it in an anchored
 * userdata. Its writes never fail one by one: a write that finds no memory sets `failed`, later
 * writes do nothing, and the writer asks once, at the end.
 *
 * A class is a metatable in the registry under the address of its name. Userdata of modm begin with
 * a pointer to such a name (modm_tag), which no other library's userdata can contain, so telling
 * them apart costs one comparison.
 */
#ifndef MODM_BASE_H
#define MODM_BASE_H

#include "compat/lua.h"

#include <string.h>

#define MODM_MAX_DOCUMENT (16 * 1024 * 1024)
#define MODM_MAX_MESSAGE 48000000 /* what the server takes at once */
#define MODM_MAX_DEPTH 180

/* ---- errors ---- */

typedef struct modm_error {
   char path[256];
   char message[512];
} modm_error;

/* Writes the message, clears the path, returns false. */
bool modm_error_set (modm_error *err, const char *format, ...)
   __attribute__ ((format (printf, 2, 3)));
/* Prepend a step to the path: "a" then "b" gives "b.a". Return false, to end a failing function
 * with. */
bool modm_error_at_key (modm_error *err, const char *key, size_t len);
bool modm_error_at_index (modm_error *err, uint32_t index);
/* Pushes "path: message" or "message". */
void modm_error_push (lua_State *L, const modm_error *err);

/* ---- buffer ---- */

typedef struct modm_buffer {
   uint8_t *data;
   size_t len, cap;
   bool failed;
} modm_buffer;

void modm_buffer_init (modm_buffer *b);
void modm_buffer_free (modm_buffer *b);
/* Empties it, and gives memory back when it has grown over 1 MiB. */
void modm_buffer_reset (modm_buffer *b);
/* Room for n more bytes at data + len; false (and failed) when there is no memory. */
bool modm_buffer_grow (modm_buffer *b, size_t n);

static inline bool
modm_buffer_reserve (modm_buffer *b, size_t n)
{
   return (n <= b->cap - b->len && !b->failed) || modm_buffer_grow (b, n);
}

static inline void
modm_buffer_write (modm_buffer *b, const void *bytes, size_t n)
{
   if (n && modm_buffer_reserve (b, n)) {
      memcpy (b->data + b->len, bytes, n);
      b->len += n;
   }
}

static inline void
modm_buffer_byte (modm_buffer *b, uint8_t byte)
{
   if (modm_buffer_reserve (b, 1))
      b->data[b->len++] = byte;
}

/* Pushes a userdata of class "modm.Buffer" that frees its buffer when collected; returns the
 * buffer. */
modm_buffer *modm_buffer_push (lua_State *L);
/* The Lua state's one scratch buffer, reset and marked busy; a busy one (a nested use) gives a
 * fresh anchored one. Pushes the userdata that holds it: give it back with modm_scratch_release. */
modm_buffer *modm_scratch_acquire (lua_State *L);
void modm_scratch_release (modm_buffer *b);

/* Little-endian loads and stores that do not care for alignment (BSON is little-endian). */
static inline int32_t
modm_load_i32 (const uint8_t *p)
{
   uint32_t v =
      (uint32_t) p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16 | (uint32_t) p[3] << 24;
   return (int32_t) v;
}

static inline int64_t
modm_load_i64 (const uint8_t *p)
{
   uint64_t lo = (uint32_t) modm_load_i32 (p), hi = (uint32_t) modm_load_i32 (p + 4);
   return (int64_t) (hi << 32 | lo);
}

static inline double
modm_load_double (const uint8_t *p)
{
   int64_t bits = modm_load_i64 (p);
   double d;
   memcpy (&d, &bits, sizeof d);
   return d;
}

static inline void
modm_store_i32 (uint8_t *p, int32_t value)
{
   uint32_t v = (uint32_t) value;
   p[0] = (uint8_t) v;
   p[1] = (uint8_t) (v >> 8);
   p[2] = (uint8_t) (v >> 16);
   p[3] = (uint8_t) (v >> 24);
}

static inline void
modm_store_i64 (uint8_t *p, int64_t value)
{
   uint64_t v = (uint64_t) value;
   modm_store_i32 (p, (int32_t) (uint32_t) v);
   modm_store_i32 (p + 4, (int32_t) (uint32_t) (v >> 32));
}

/* ---- classes ---- */

/* The name of a class; its address is the tag that its userdata begin with. */
typedef const char *const modm_class;

typedef struct modm_tag {
   const void *tag;
} modm_tag;

/* Makes the metatable of `cls` (metamethods; methods under __index unless metamethods has one;
 * __name;
 * __metatable so that Lua cannot reach it) and stores it. Leaves the stack as it was. */
void modm_class_new (lua_State *L, modm_class *cls, const luaL_Reg *metamethods,
                     const luaL_Reg *methods);
/* Pushes the metatable of `cls`. */
static inline void
modm_class_push (lua_State *L, modm_class *cls)
{
   lua_rawgetp (L, LUA_REGISTRYINDEX, cls);
}

/* The userdata at idx if it is of the class, else NULL. */
static inline void *
modm_test (lua_State *L, int idx, modm_class *cls)
{
   modm_tag *p = lua_touserdata (L, idx);
   return p && lua_rawlen (L, idx) >= sizeof *p && p->tag == cls ? p : NULL;
}

/* Raises that argument idx is none of the class. */
void modm_refuse_class (lua_State *L, int idx, modm_class *cls) __attribute__ ((noreturn));
/* The userdata at idx, or a Lua error for argument idx. */
static inline void *
modm_check (lua_State *L, int idx, modm_class *cls)
{
   void *p = modm_test (L, idx, cls);
   if (!p)
      modm_refuse_class (L, idx, cls);
   return p;
}

/* luaL_setfuncs with one line less: registers functions into the table at the top. */
void modm_register (lua_State *L, const luaL_Reg *functions);

/* Opens the room: the classes of buffers. */
void modm_base_open (lua_State *L);

#endif
