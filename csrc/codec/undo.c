/* What documents were before a transaction touched them, and the ways back. */
#include "codec/codec_private.h"

#include <stdatomic.h>

/* In the registry: coroutine -> the log of its innermost transaction, {docs = {document -> entry},
 * outer = log or nil, watch = userdata}. The transaction alone keeps its log alive: killed with its
 * coroutine, it takes the log along. An entry is a table with what follows. */
static const char logs_key;
enum {
   BEFORE = 1, /* an image of the struct when it was first touched */
   VALUES,     /* its table of values then, or one of those that it holds itself, or nil */
   TABLES,     /* table -> copy: that table, and all plain tables in it */
   BASE,       /* an image from before it was first saved, or nil */
   BASE_BYTES, /* what holds the bytes of that image, if they are not behind the struct */
   NEW_KEY,    /* true: saving gave it its key */
   REFRESHED   /* true: refresh_from_db */
};

/* How many transactions run in the process; 0 spares all else. */
static atomic_int watching;

/* One of them, in its log. */
typedef struct watch {
   modm_tag tag;
   bool on;
} watch;

static modm_class class_watch = "modm.Watch";

/* Adds the table at the top, and those in it, to the set at `tables`. A file is no value that the
 * document owns: behind it stands its storage. */
static void
copy_tables (lua_State *L, int tables, int depth)
{
   int from = lua_gettop (L);
   luaL_checkstack (L, 10, "a transaction");
   lua_pushvalue (L, from);
   lua_rawget (L, tables);
   bool known = !lua_isnil (L, -1);
   lua_settop (L, from);
   if (known || depth > MODM_MAX_DEPTH)
      return;
   lua_newtable (L);
   lua_pushvalue (L, from);
   lua_pushvalue (L, -2);
   lua_rawset (L, tables);
   for (lua_pushnil (L); lua_next (L, from); lua_pop (L, 1)) {
      lua_pushvalue (L, -2);
      lua_pushvalue (L, -2);
      lua_rawset (L, from + 1);
      if (lua_istable (L, -1) && !modm_file_test (L, -1) && !modm_field_file_test (L, -1))
         copy_tables (L, tables, depth + 1);
   }
   lua_settop (L, from);
}

static void
push_entry (lua_State *L, int idx, const modm_document *d)
{
   lua_newtable (L);
   int entry = lua_gettop (L);
   modm_image_push (L, d);
   lua_rawseti (L, entry, BEFORE);
   lua_newtable (L);
   lua_pushvalue (L, -1);
   lua_rawseti (L, entry, TABLES);
   if (d->flags & MODM_DOC_VALUES) {
      modm_image_push_values (L, idx, d);
      lua_pushvalue (L, -1);
      lua_rawseti (L, entry, VALUES);
      copy_tables (L, entry + 1, 0);
   }
   lua_settop (L, entry);
}

/* Pushes the log of the running coroutine; false, and nothing, when there is none. */
static bool
push_log (lua_State *L)
{
   if (atomic_load_explicit (&watching, memory_order_relaxed) == 0)
      return false;
   luaL_checkstack (L, 10, "a transaction");
   lua_rawgetp (L, LUA_REGISTRYINDEX, &logs_key);
   lua_pushthread (L);
   lua_rawget (L, -2);
   lua_remove (L, -2);
   if (lua_istable (L, -1))
      return true;
   lua_pop (L, 1);
   return false;
}

/* Pushes the document's entry in the log at the top, made when need be, in place of the log's
 * documents; below stays the log. */
static void
push_entry_of (lua_State *L, int idx, const modm_document *d)
{
   lua_getfield (L, -1, "docs");
   lua_pushvalue (L, idx);
   lua_rawget (L, -2);
   if (lua_isnil (L, -1)) {
      lua_pop (L, 1);
      push_entry (L, idx, d);
      lua_pushvalue (L, idx);
      lua_pushvalue (L, -2);
      lua_rawset (L, -4);
   }
   lua_remove (L, -2);
}

/* Goes to the next log outwards; false, with nothing left, after the last. */
static bool
go_out (lua_State *L)
{
   lua_getfield (L, -1, "outer");
   lua_remove (L, -2);
   if (lua_istable (L, -1))
      return true;
   lua_pop (L, 1);
   return false;
}

static void
mark (lua_State *L, int key)
{
   lua_pushboolean (L, 1);
   lua_rawseti (L, -2, key);
}

static void
note_refresh (lua_State *L, int idx, const modm_document *d)
{
   mark (L, REFRESHED);
}

/* Notes in the entry at the top what the document is before its first save. */
static void
note_save (lua_State *L, int idx, const modm_document *d)
{
   int entry = lua_gettop (L);
   lua_rawgeti (L, entry, BASE);
   if (lua_isnil (L, -1)) {
      modm_image_push (L, d);
      lua_rawseti (L, entry, BASE);
      if (d->flags & MODM_DOC_VALUES) {
         modm_values_push (L, idx, d);
         (void) modm_values_get (L, d, -1, modm_bytes_at (d));
         lua_rawseti (L, entry, BASE_BYTES);
      }
   }
   lua_settop (L, entry);
   if (d->schema->primary >= 0 && modm_state_of (d->states[d->schema->primary]) == MODM_UNSET)
      mark (L, NEW_KEY);
}

/* Makes an entry of the document in each log of the running coroutine, and notes more in it, when
 * it is at the top, by a function or NULL. */
static void
note (lua_State *L, int idx, const modm_document *d,
      void (*in_entry) (lua_State *L, int idx, const modm_document *d))
{
   idx = lua_absindex (L, idx);
   bool any = push_log (L);
   while (any) {
      push_entry_of (L, idx, d);
      if (in_entry)
         in_entry (L, idx, d);
      lua_pop (L, 1);
      any = go_out (L);
   }
}

void
modm_undo_touch (lua_State *L, int idx, const modm_document *d)
{
   note (L, idx, d, NULL);
}

void
modm_undo_refresh (lua_State *L, int idx, const modm_document *d)
{
   note (L, idx, d, note_refresh);
}

void
modm_undo_save (lua_State *L, int idx, const modm_document *d)
{
   note (L, idx, d, note_save);
}

/* ---- the ways back ---- */

/* Makes the table at the top what the one below it is. */
static void
refill (lua_State *L)
{
   int to = lua_gettop (L), from = to - 1;
   for (lua_pushnil (L); lua_next (L, to);) {
      lua_pop (L, 1);
      lua_pushvalue (L, -1);
      lua_pushnil (L);
      lua_rawset (L, to);
   }
   for (lua_pushnil (L); lua_next (L, from); lua_pop (L, 1)) {
      lua_pushvalue (L, -2);
      lua_pushvalue (L, -2);
      lua_rawset (L, to);
   }
}

/* Makes the document at 1 what the entry at 2 says that it was. */
static void
restore (lua_State *L, modm_document *d)
{
   const modm_image *im = modm_image_of (L, BEFORE, d);
   luaL_argcheck (L, im, 2, "an entry of another document");
   modm_image_take (d, im);
   memcpy (d->states, im->offsets + d->schema->n, d->schema->n);
   d->flags = im->flags;
   lua_rawgeti (L, 2, VALUES);
   if (lua_istable (L, -1))
      modm_image_take_values (L, d);
   lua_settop (L, 2);
   lua_rawgeti (L, 2, TABLES);
   for (lua_pushnil (L); lua_next (L, 3);) { /* key: the table; value: what it held */
      lua_pushvalue (L, 4);
      refill (L);
      lua_settop (L, 4);
   }
   lua_settop (L, 2);
}

/* core.undo_restore(document, entry): all is as it was when the document was first touched. */
static int
l_restore (lua_State *L)
{
   lua_settop (L, 2);
   restore (L, modm_document_check (L, 1));
   return 0;
}

/* Whether slot i has in the image's bytes what the document has in its own. */
static bool
same_stored (const modm_document *d, const modm_image *im, uint32_t i)
{
   modm_element a, b;
   return im->offsets[i] && modm_document_element (d, i, &a) &&
          modm_element_at (im->bytes + im->offsets[i], im->bytes + im->len, &b) &&
          a.type == b.type && a.size == b.size && memcmp (a.value, b.value, a.size) == 0;
}

/* Makes slot i of the document at 1, whose values are at 3, one that differs from the image. */
static void
unsave_slot (lua_State *L, modm_document *d, const modm_image *im, uint32_t i, bool new_key)
{
   modm_state state = modm_state_of (d->states[i]);
   uint8_t part = d->states[i] & MODM_PART;
   bool held = state == MODM_STORED || state == MODM_READ;
   if (held && new_key && (int) i == d->schema->primary) {
      state = MODM_UNSET;
   } else if (state == MODM_STORED && !same_stored (d, im, i)) {
      modm_document_peek (L, 1, d, i);
      modm_values_set (L, d, 3, (int) i + 1);
      state = MODM_CLEAN;
   } else if (state == MODM_READ && !im->offsets[i]) {
      state = MODM_CLEAN;
   }
   d->states[i] = (uint8_t) (state | part);
}

/* core.undo_save(document, entry): it is no longer saved, but its values stay, as changes. */
static int
l_unsave (lua_State *L)
{
   modm_document *d = modm_document_check (L, 1);
   lua_settop (L, 2);
   luaL_checktype (L, 2, LUA_TTABLE);
   modm_document_values (L, 1, d);
   const modm_image *im = modm_image_of (L, BASE, d);
   if (im) {
      lua_rawgeti (L, 2, NEW_KEY);
      bool new_key = lua_toboolean (L, -1);
      for (uint32_t i = 0; i < d->schema->n; i++)
         unsave_slot (L, d, im, i, new_key);
      modm_image_take (d, im);
      lua_rawgeti (L, 2, BASE_BYTES);
      modm_values_set (L, d, 3, modm_bytes_at (d));
      return 0;
   }
   lua_rawgeti (L, 2, REFRESHED);
   bool refreshed = lua_toboolean (L, -1);
   lua_settop (L, 2);
   if (refreshed)
      restore (L, d);
   return 0;
}

/* ---- logs ---- */

/* __gc too: a transaction may never come to its end. */
static int
end_watch (lua_State *L)
{
   watch *w = lua_gettop (L) > 0 ? modm_test (L, -1, &class_watch) : NULL;
   if (w && w->on) {
      w->on = false;
      atomic_fetch_sub (&watching, 1);
   }
   return 0;
}

static void
push_watch (lua_State *L)
{
   watch *w = lua_newuserdata (L, sizeof *w);
   w->tag.tag = &class_watch;
   w->on = true;
   modm_class_push (L, &class_watch);
   lua_setmetatable (L, -2);
   atomic_fetch_add (&watching, 1);
}

/* core.undo_begin(log): the running coroutine notes in it what it touches from now on. */
static int
l_begin (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   lua_settop (L, 1);
   lua_rawgetp (L, LUA_REGISTRYINDEX, &logs_key);
   lua_pushthread (L);
   lua_rawget (L, 2);
   lua_setfield (L, 1, "outer");
   lua_pushthread (L);
   lua_pushvalue (L, 1);
   lua_rawset (L, 2);
   push_watch (L);
   lua_setfield (L, 1, "watch");
   return 0;
}

/* core.undo_end(log): the one around it, if any, is noted in again. */
static int
l_end (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   lua_settop (L, 1);
   lua_rawgetp (L, LUA_REGISTRYINDEX, &logs_key);
   lua_pushthread (L);
   lua_getfield (L, 1, "outer");
   lua_rawset (L, 2);
   lua_getfield (L, 1, "watch");
   return end_watch (L);
}

void
modm_undo_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"undo_begin", l_begin},
                                        {"undo_end", l_end},
                                        {"undo_restore", l_restore},
                                        {"undo_save", l_unsave},
                                        {NULL, NULL}};
   static const luaL_Reg metamethods[] = {{"__gc", end_watch}, {NULL, NULL}};
   modm_register (L, functions);
   modm_class_new (L, &class_watch, metamethods, NULL);
   lua_newtable (L);
   lua_newtable (L);
   lua_pushliteral (L, "kv");
   lua_setfield (L, -2, "__mode");
   lua_setmetatable (L, -2);
   lua_rawsetp (L, LUA_REGISTRYINDEX, &logs_key);
}
