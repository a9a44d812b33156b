/* A set of keys: BSON values one after another, with a hash table beside them. */
#include "relation/relation_private.h"

typedef struct entry {
   uint32_t at, size, hash;
   uint8_t type;
} entry;

struct modm_keys {
   modm_tag tag;
   uint32_t count;
   uint32_t mask;       /* of the hash table */
   modm_buffer bytes;   /* the values */
   modm_buffer entries; /* entry: one for each key */
   modm_buffer places;  /* uint32_t: index + 1, 0 is free; mask + 1 of them */
};

static modm_class class_keys = "modm.Keys";

static int
mt_gc (lua_State *L)
{
   modm_keys *k = modm_test (L, 1, &class_keys);
   if (k) {
      modm_buffer_free (&k->bytes);
      modm_buffer_free (&k->entries);
      modm_buffer_free (&k->places);
      k->count = k->mask = 0;
   }
   return 0;
}

static int
mt_len (lua_State *L)
{
   lua_pushinteger (L, (lua_Integer) modm_keys_check (L, 1)->count);
   return 1;
}

modm_keys *
modm_keys_push (lua_State *L)
{
   modm_keys *k = lua_newuserdata (L, sizeof *k);
   memset (k, 0, sizeof *k);
   modm_class_push (L, &class_keys);
   lua_setmetatable (L, -2);
   k->tag.tag = &class_keys;
   return k;
}

modm_keys *
modm_keys_check (lua_State *L, int idx)
{
   return modm_check (L, idx, &class_keys);
}

uint32_t
modm_keys_count (const modm_keys *k)
{
   return k->count;
}

static const entry *
entry_at (const modm_keys *k, uint32_t index)
{
   return (const entry *) (const void *) k->entries.data + index;
}

static uint32_t *
places_of (const modm_keys *k)
{
   return (uint32_t *) (void *) k->places.data;
}

void
modm_keys_get (const modm_keys *k, uint32_t index, modm_element *e)
{
   const entry *found = entry_at (k, index);
   *e = (modm_element){"", k->bytes.data + found->at, 0, found->size, found->type};
}

/* A whole number becomes an int64 in `number`: to the server its type makes no difference. */
static modm_element
canonical (const modm_element *e, uint8_t number[8])
{
   modm_element out = *e;
   double d = e->type == MODM_BSON_DOUBLE ? modm_load_double (e->value) : 0.5;
   if (e->type == MODM_BSON_INT32)
      modm_store_i64 (number, modm_load_i32 (e->value));
   else if (d >= -9223372036854775808.0 && d < 9223372036854775808.0 && d == (double) (int64_t) d)
      modm_store_i64 (number, (int64_t) d);
   else
      return out;
   out.type = MODM_BSON_INT64;
   out.value = number;
   out.size = 8;
   return out;
}

static uint32_t
hash_of (const modm_element *e)
{
   uint32_t h = 2166136261u ^ e->type; /* FNV-1a */
   for (uint32_t i = 0; i < e->size; i++)
      h = (h ^ e->value[i]) * 16777619u;
   return h ^ h >> 15;
}

/* The place of a key in the hash table: where it is, or where it would go. */
static uint32_t
place_of (const modm_keys *k, const modm_element *e, uint32_t hash)
{
   const uint32_t *places = places_of (k);
   uint32_t at = hash & k->mask;
   for (; places[at]; at = (at + 1) & k->mask) {
      const entry *one = entry_at (k, places[at] - 1);
      if (one->hash == hash && one->type == e->type && one->size == e->size &&
          memcmp (k->bytes.data + one->at, e->value, e->size) == 0)
         break;
   }
   return at;
}

uint32_t
modm_keys_find (const modm_keys *k, const modm_element *e)
{
   uint8_t number[8];
   modm_element key = canonical (e, number);
   if (!k->count)
      return MODM_NO_KEY;
   return places_of (k)[place_of (k, &key, hash_of (&key))] - 1; /* 0 - 1 is MODM_NO_KEY */
}

/* Makes a hash table of twice the size. The old one stays until the new one is there. */
static bool
grow (modm_keys *k)
{
   uint32_t size = k->mask ? (k->mask + 1) * 2 : 64;
   modm_buffer wider;
   modm_buffer_init (&wider);
   if (!modm_buffer_grow (&wider, size * sizeof (uint32_t)))
      return false;
   memset (wider.data, 0, size * sizeof (uint32_t));
   modm_buffer_free (&k->places);
   k->places = wider;
   k->mask = size - 1;
   for (uint32_t i = 0; i < k->count; i++) {
      uint32_t at = entry_at (k, i)->hash & k->mask;
      while (places_of (k)[at])
         at = (at + 1) & k->mask;
      places_of (k)[at] = i + 1;
   }
   return true;
}

void
modm_keys_add (lua_State *L, modm_keys *k, const modm_element *e)
{
   uint8_t number[8];
   modm_element key = canonical (e, number);
   entry fresh = {(uint32_t) k->bytes.len, key.size, hash_of (&key), key.type};
   if ((!k->mask || k->count >= k->mask / 2) && !grow (k))
      luaL_error (L, "not enough memory");
   uint32_t at = place_of (k, &key, fresh.hash);
   if (places_of (k)[at])
      return;
   if (!modm_buffer_reserve (&k->entries, sizeof fresh) ||
       !modm_buffer_reserve (&k->bytes, key.size))
      luaL_error (L, "not enough memory");
   modm_buffer_write (&k->entries, &fresh, sizeof fresh);
   modm_buffer_write (&k->bytes, key.value, key.size);
   places_of (k)[at] = ++k->count;
}

/* core.keys() -> an empty set */
static int
l_keys (lua_State *L)
{
   (void) modm_keys_push (L);
   return 1;
}

/* core.keys_merge(set, other): adds the keys of the other. */
static int
l_merge (lua_State *L)
{
   modm_keys *k = modm_keys_check (L, 1);
   const modm_keys *other = modm_keys_check (L, 2);
   modm_element e;
   for (uint32_t i = 0; other != k && i < other->count; i++) {
      modm_keys_get (other, i, &e);
      modm_keys_add (L, k, &e);
   }
   return 0;
}

/* core.keys_truncate(set, n): keeps the first n keys. The last one that came in lies on the way to
 * no other in the hash table, so its place can simply be free again. */
static int
l_truncate (lua_State *L)
{
   modm_keys *k = modm_keys_check (L, 1);
   lua_Integer n = luaL_checkinteger (L, 2);
   luaL_argcheck (L, n >= 0, 2, "no such number of keys");
   while ((lua_Integer) k->count > n) {
      const entry *last = entry_at (k, k->count - 1);
      uint32_t at = last->hash & k->mask;
      while (places_of (k)[at] != k->count)
         at = (at + 1) & k->mask;
      places_of (k)[at] = 0;
      k->bytes.len = last->at;
      k->entries.len -= sizeof *last;
      k->count--;
   }
   return 0;
}

/* core.keys_values(set, from, to) -> a list of the keys from <= index < to */
static int
l_values (lua_State *L)
{
   const modm_keys *k = modm_keys_check (L, 1);
   lua_Integer from = luaL_checkinteger (L, 2), to = luaL_checkinteger (L, 3);
   luaL_argcheck (L, from >= 0 && from <= to && to <= (lua_Integer) k->count, 3, "no such keys");
   lua_createtable (L, (int) (to - from), 0);
   for (lua_Integer i = from; i < to; i++) {
      modm_element e;
      modm_keys_get (k, (uint32_t) i, &e);
      modm_push_value (L, &e);
      lua_rawseti (L, -2, (int) (i - from) + 1);
   }
   modm_mark_array (L);
   return 1;
}

const luaL_Reg modm_keys_functions[] = {
   {"keys", l_keys},
   {"keys_merge", l_merge},
   {"keys_truncate", l_truncate},
   {"keys_values", l_values},
   {NULL, NULL},
};

static void
open_class (lua_State *L)
{
   static const luaL_Reg metamethods[] = {{"__gc", mt_gc}, {"__len", mt_len}, {NULL, NULL}};
   modm_class_new (L, &class_keys, metamethods, NULL);
}

void
modm_relation_open (lua_State *L)
{
   static const luaL_Reg functions[] = {{"collect", modm_collect_l_collect},
                                        {"place", modm_place_l_place},
                                        {"follow", modm_held_l_follow},
                                        {"loaded", modm_held_l_loaded},
                                        {NULL, NULL}};
   open_class (L);
   modm_register (L, functions);
   modm_register (L, modm_keys_functions);
   modm_register (L, modm_keys_server_functions);
}
