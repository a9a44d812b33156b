/* A growing byte buffer, and the one scratch buffer of a Lua state. */
#include "base/base.h"

#include <stdlib.h>

enum { KEEP = 1024 * 1024, LIMIT = INT32_MAX };

typedef struct box {
   modm_tag tag;
   modm_buffer buffer; /* first after the tag: release finds the box from it */
   bool busy, kept;    /* kept: memory is kept from one use to the next */
} box;

static modm_class class_buffer = "modm.Buffer";
static const char scratch_key;

void
modm_buffer_init (modm_buffer *b)
{
   memset (b, 0, sizeof *b);
}

void
modm_buffer_free (modm_buffer *b)
{
   free (b->data);
   modm_buffer_init (b);
}

void
modm_buffer_reset (modm_buffer *b)
{
   if (b->cap > KEEP)
      modm_buffer_free (b);
   b->len = 0;
   b->failed = false;
}

bool
modm_buffer_grow (modm_buffer *b, size_t n)
{
   if (b->failed || n > LIMIT - b->len) {
      b->failed = true;
      return false;
   }
   size_t cap = b->cap ? b->cap : 512;
   while (cap < b->len + n)
      cap *= 2;
   uint8_t *data = realloc (b->data, cap);
   if (!data) {
      b->failed = true;
      return false;
   }
   b->data = data;
   b->cap = cap;
   return true;
}

static int
mt_gc (lua_State *L)
{
   box *p = modm_test (L, 1, &class_buffer);
   if (p) {
      modm_buffer_free (&p->buffer);
      p->kept = false; /* a state that is closed may still use it, in the program's finalizers */
   }
   return 0;
}

static box *
push_box (lua_State *L)
{
   box *p = lua_newuserdata (L, sizeof *p);
   memset (p, 0, sizeof *p);
   modm_class_push (L, &class_buffer);
   lua_setmetatable (L, -2);
   p->tag.tag = &class_buffer;
   return p;
}

modm_buffer *
modm_buffer_push (lua_State *L)
{
   return &push_box (L)->buffer;
}

modm_buffer *
modm_scratch_acquire (lua_State *L)
{
   lua_rawgetp (L, LUA_REGISTRYINDEX, &scratch_key);
   box *p = modm_test (L, -1, &class_buffer);
   if (!p || p->busy) {
      lua_pop (L, 1);
      p = push_box (L);
   }
   p->busy = true;
   modm_buffer_reset (&p->buffer);
   return &p->buffer;
}

void
modm_scratch_release (modm_buffer *b)
{
   box *p = (box *) (void *) ((char *) b - offsetof (box, buffer));
   if (p->kept)
      modm_buffer_reset (b);
   else
      modm_buffer_free (b);
   p->busy = false;
}

void
modm_base_open (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__gc", mt_gc}, {NULL, NULL}};
   modm_class_new (L, &class_buffer, metamethods, NULL);
   push_box (L)->kept = true;
   lua_rawsetp (L, LUA_REGISTRYINDEX, &scratch_key);
}
