/* Marks: the metatables that say array or object, shared by all tables of one shape.
 *
 * A shape is the keys in their order and the kinds of their numbers. Marks of documents are found
 * again by a hash of the shape, in a table that holds them weakly; whoever reads the document
 * compares key by key whether the mark is the right one. Keys stand in the array part only, so that
 * no key of a document ever becomes a metamethod. */
#include "bson/bson_private.h"

enum { CACHED_KINDS = 64 };

static const char tag_array, tag_object;
static const char key_shapes, key_array, key_int64s, key_doubles, key_object;

/* ---- what a table is ---- */

/* Pushes the metatable of the value at idx and returns its tag, or pushes nothing: NULL. */
static const void *
push_tagged (lua_State *L, int idx)
{
   if (!lua_getmetatable (L, idx))
      return NULL;
   bool tagged = lua_rawgeti (L, -1, MODM_MARK_TAG) == LUA_TLIGHTUSERDATA;
   const void *tag = tagged ? lua_touserdata (L, -1) : NULL;
   lua_pop (L, tag ? 1 : 2);
   return tag;
}

modm_mark
modm_mark_get (lua_State *L, int idx)
{
   const void *tag = push_tagged (L, idx);
   if (tag == &tag_array)
      return MODM_ARRAY;
   if (tag == &tag_object)
      return MODM_OBJECT;
   if (tag)
      lua_pop (L, 1);
   return MODM_UNMARKED;
}

modm_mark
modm_mark_test (lua_State *L, int idx)
{
   modm_mark mark = modm_mark_get (L, idx);
   if (mark != MODM_UNMARKED)
      lua_pop (L, 1);
   return mark;
}

const char *
modm_mark_refusal (lua_State *L, int idx)
{
   if (!lua_getmetatable (L, idx))
      return NULL;
   bool refused = lua_rawgeti (L, -1, MODM_MARK_TAG) == LUA_TSTRING;
   const char *why = refused ? lua_tostring (L, -1) : NULL; /* the metatable keeps it */
   lua_pop (L, 2);
   return why;
}

/* ---- making marks ---- */

static void
set_tag (lua_State *L, const char *tag)
{
   lua_pushlightuserdata (L, (void *) (uintptr_t) tag);
   lua_rawseti (L, -2, MODM_MARK_TAG);
}

/* Gives the table at the top, which holds the keys, what else a mark has. */
static void
finish (lua_State *L, const char *tag)
{
   set_tag (L, tag);
   lua_pushstring (L, tag == &tag_array ? "modm.array" : "modm.object");
   lua_setfield (L, -2, "__metatable");
}

void
modm_mark_refused (lua_State *L, const char *why)
{
   lua_pushstring (L, why);
   lua_rawseti (L, -2, MODM_MARK_TAG);
}

void
modm_mark_array (lua_State *L)
{
   lua_rawgetp (L, LUA_REGISTRYINDEX, &key_array);
   lua_setmetatable (L, -2);
}

void
modm_mark_object (lua_State *L)
{
   lua_rawgetp (L, LUA_REGISTRYINDEX, &key_object);
   lua_setmetatable (L, -2);
}

void
modm_mark_ordered (lua_State *L)
{
   finish (L, &tag_object);
   lua_setmetatable (L, -2);
}

/* ---- kinds of number ---- */

void
modm_kinds_init (modm_kinds *k, lua_State *L, int mark)
{
   size_t len = 0;
   const char *text = "";
   if (lua_rawgeti (L, mark, MODM_MARK_KINDS) == LUA_TSTRING)
      text = lua_tolstring (L, -1, &len);
   lua_pop (L, 1);
   k->all = len == 2 && text[0] == MODM_KIND_ALL;
   k->at = text;
   k->end = text + len;
}

char
modm_kinds_next (modm_kinds *k, const char **bits)
{
   if (k->at == k->end)
      return MODM_KIND_NATURAL;
   if (k->all)
      return k->at[1];
   char code = *k->at++;
   *bits = k->at;
   if (code == MODM_KIND_NAN)
      k->at = k->end - k->at < 8 ? k->end : k->at + 8;
   return code;
}

/* What Lua would forget of this element's number. By type and not by value (5.0 and 5.5 are one
 * kind), so that documents do not differ in shape for nothing, and a field stays of its type when
 * it changes. */
static char
kind_of (const modm_element *e)
{
   if (e->type == MODM_BSON_INT64)
      return MODM_KIND_INT64;
   if (MODM_HAS_INTEGERS || e->type != MODM_BSON_DOUBLE)
      return MODM_KIND_NATURAL;
   double number = modm_load_double (e->value);
   bool plain = number == number || modm_load_i64 (e->value) == MODM_NAN_BITS;
   return plain ? MODM_KIND_DOUBLE : MODM_KIND_NAN;
}

/* Pushes the kinds of all elements as a string. With the index of each key's last place at `last`
 * (not 0), earlier ones become duplicates. */
static void
push_kinds (lua_State *L, modm_reader r, int last)
{
   modm_buffer *codes = modm_buffer_push (L);
   modm_element e;
   for (uint32_t i = 1; modm_reader_next (&r, &e); i++) {
      char kind = kind_of (&e);
      if (last) {
         lua_pushlstring (L, e.key, e.key_len);
         lua_rawget (L, last);
         if (lua_tointeger (L, -1) != (lua_Integer) i)
            kind = MODM_KIND_DUPLICATE;
         lua_pop (L, 1);
      }
      modm_buffer_byte (codes, (uint8_t) kind);
      if (kind == MODM_KIND_NAN)
         modm_buffer_write (codes, e.value, 8);
   }
   if (codes->failed)
      luaL_error (L, "not enough memory");
   lua_pushlstring (L, (const char *) codes->data, codes->len);
   modm_buffer_free (codes);
   lua_remove (L, -2);
}

/* ---- finding the mark of what is read ---- */

static uint64_t
mix (uint64_t hash, uint64_t chunk)
{
   hash = (hash ^ chunk) * UINT64_C (0x9E3779B97F4A7C15);
   return hash ^ hash >> 29;
}

static uint64_t
hash_key (uint64_t hash, const char *key, size_t len)
{
   uint64_t chunk;
   for (; len >= 8; key += 8, len -= 8) {
      memcpy (&chunk, key, 8);
      hash = mix (hash, chunk);
   }
   chunk = len + 1; /* the end of a key counts too */
   while (len--)
      chunk = chunk << 8 | (uint8_t) key[len];
   return mix (hash, chunk);
}

static bool
scan_document (modm_shape *s, modm_reader *r)
{
   modm_element e;
   uint64_t hash = 0;
   uint32_t count = 0;
   for (; modm_reader_next (r, &e); count++)
      hash = hash_key (hash + (uint8_t) kind_of (&e), e.key, e.key_len);
   s->count = count;
   s->hash = (uint32_t) (hash >> 33);
   return !r->bad;
}

static bool
scan_array (modm_shape *s, modm_reader *r)
{
   modm_element e;
   bool int32s = false, int64s = false, doubles = false, nans = false;
   uint32_t count = 0;
   for (; modm_reader_next (r, &e); count++) {
      char kind = kind_of (&e);
      int32s |= e.type == MODM_BSON_INT32;
      int64s |= kind == MODM_KIND_INT64;
      doubles |= kind == MODM_KIND_DOUBLE;
      nans |= kind == MODM_KIND_NAN;
   }
   s->count = count;
   if (int32s + int64s + doubles + nans > 1 || nans)
      s->kind = 0;
   else
      s->kind = int64s ? MODM_KIND_INT64 : doubles ? MODM_KIND_DOUBLE : MODM_KIND_NATURAL;
   return !r->bad;
}

bool
modm_shape_scan (modm_shape *s, modm_reader r, bool array)
{
   memset (s, 0, sizeof *s);
   return array ? scan_array (s, &r) : scan_document (s, &r);
}

/* Pushes the mark of an array that mixes kinds. Short ones are shared: a point of a map is often
 * an int32 and a double. */
static void
push_mixed (lua_State *L, modm_reader r)
{
   lua_rawgetp (L, LUA_REGISTRYINDEX, &key_shapes);
   push_kinds (L, r, 0);
   lua_pushvalue (L, -1);
   lua_rawget (L, -3);
   if (lua_isnil (L, -1)) {
      lua_pop (L, 1);
      lua_createtable (L, 0, 4);
      finish (L, &tag_array);
      lua_pushvalue (L, -2);
      lua_rawseti (L, -2, MODM_MARK_KINDS);
      if (lua_rawlen (L, -2) <= CACHED_KINDS) {
         lua_pushvalue (L, -2);
         lua_pushvalue (L, -2);
         lua_rawset (L, -5);
      }
   }
   lua_replace (L, -3);
   lua_pop (L, 1);
}

/* Two passes: the keys, with each key's last place in a table; then the kinds. */
void
modm_mark_push_new (lua_State *L, const modm_shape *s, modm_reader r)
{
   const modm_reader start = r;
   modm_element e;
   bool kinds = false;
   lua_createtable (L, (int) s->count, 4);
   int mark = lua_gettop (L);
   lua_createtable (L, 0, (int) s->count);
   for (uint32_t i = 1; modm_reader_next (&r, &e); i++) {
      kinds |= kind_of (&e) != MODM_KIND_NATURAL;
      lua_pushlstring (L, e.key, e.key_len);
      lua_pushvalue (L, -1);
      lua_rawseti (L, mark, (int) i);
      lua_pushvalue (L, -1);
      kinds |= lua_rawget (L, mark + 1) != LUA_TNIL;
      lua_pop (L, 1);
      lua_pushinteger (L, (lua_Integer) i);
      lua_rawset (L, mark + 1);
   }
   if (kinds) {
      push_kinds (L, start, mark + 1);
      lua_rawseti (L, mark, MODM_MARK_KINDS);
   }
   lua_settop (L, mark);
   finish (L, &tag_object);
   lua_rawgetp (L, LUA_REGISTRYINDEX, &key_shapes);
   lua_pushvalue (L, mark);
   lua_rawseti (L, -2, (int) s->hash);
   lua_pop (L, 1);
}

void
modm_mark_push (lua_State *L, const modm_shape *s, const modm_reader *r, bool array)
{
   if (!array) {
      lua_rawgetp (L, LUA_REGISTRYINDEX, s->count ? &key_shapes : &key_object);
      if (!s->count)
         return;
      lua_rawgeti (L, -1, (int) s->hash);
      lua_remove (L, -2);
      if (!lua_isnil (L, -1))
         return;
      lua_pop (L, 1);
      modm_mark_push_new (L, s, *r);
   } else if (s->kind == 0) {
      push_mixed (L, *r);
   } else {
      lua_rawgetp (L, LUA_REGISTRYINDEX,
                   s->kind == MODM_KIND_INT64    ? &key_int64s
                   : s->kind == MODM_KIND_DOUBLE ? &key_doubles
                                                 : &key_array);
   }
}

bool
modm_mark_fits (lua_State *L, int mark, uint32_t i, modm_kinds *k, const modm_element *e)
{
   size_t len = 0;
   const char *bits = NULL;
   char expected = modm_kinds_next (k, &bits), kind = kind_of (e);
   if (lua_rawgeti (L, mark, (int) i) != LUA_TSTRING)
      return false;
   const char *key = lua_tolstring (L, -1, &len);
   if (len != e->key_len || memcmp (key, e->key, len) != 0)
      return false;
   if (bits && kind == MODM_KIND_NAN && expected == kind)
      return memcmp (bits, e->value, 8) == 0;
   return expected == kind || expected == MODM_KIND_DUPLICATE;
}

/* ---- opening ---- */

static void
keep_mark (lua_State *L, const void *key, const char *tag, const char *kinds)
{
   lua_newtable (L);
   finish (L, tag);
   if (kinds) {
      lua_pushstring (L, kinds);
      lua_rawseti (L, -2, MODM_MARK_KINDS);
   }
   lua_rawsetp (L, LUA_REGISTRYINDEX, key);
}

void
modm_marks_open (lua_State *L)
{
   keep_mark (L, &key_array, &tag_array, NULL);
   keep_mark (L, &key_int64s, &tag_array, "*l");
   keep_mark (L, &key_doubles, &tag_array, "*d");
   keep_mark (L, &key_object, &tag_object, NULL);
   lua_newtable (L);
   lua_newtable (L);
   lua_pushliteral (L, "v");
   lua_setfield (L, -2, "__mode");
   lua_setmetatable (L, -2);
   lua_rawsetp (L, LUA_REGISTRYINDEX, &key_shapes);
}
