/* ListField: its items are of an inner field, or anything. The model's lists are plain tables in
 * Lua. */
#include "field/field_private.h"

#include "field/list.h"

/* Whether the key at the top may be a list's; on false it says why. */
static bool
is_position (lua_State *L, double *at, modm_error *err)
{
   if (lua_type (L, -1) == LUA_TSTRING)
      return modm_error_set (err, "not a list: it has the key '%s'", lua_tostring (L, -1));
   *at = lua_type (L, -1) == LUA_TNUMBER ? (double) lua_tonumber (L, -1) : 0;
   if (*at >= 1 && *at <= INT32_MAX && *at == (double) (int32_t) *at)
      return true;
   return modm_error_set (err, "not a list: it has a key of type %s", luaL_typename (L, -1));
}

static int
first_hole (lua_State *L, int idx)
{
   int hole = 1;
   while (lua_rawgeti (L, idx, hole) != LUA_TNIL) {
      lua_pop (L, 1);
      hole++;
   }
   lua_pop (L, 1);
   return hole;
}

bool
modm_list_length (lua_State *L, int idx, uint32_t *n, modm_error *err)
{
   idx = lua_absindex (L, idx);
   if (lua_type (L, idx) != LUA_TTABLE)
      return modm_error_set (err, "not a list: a %s", luaL_typename (L, idx));
   if (modm_mark_test (L, idx) == MODM_OBJECT)
      return modm_error_set (err, "not a list: a document");
   size_t count = 0;
   double at = 0, last = 0;
   lua_pushnil (L);
   while (lua_next (L, idx)) {
      lua_pop (L, 1);
      if (!is_position (L, &at, err)) {
         lua_pop (L, 1);
         return false;
      }
      count++;
      last = at > last ? at : last;
   }
   if ((double) count != last)
      return modm_error_set (err, "a list with a hole at %d (use modm.null)", first_hole (L, idx));
   *n = (uint32_t) count;
   return true;
}

bool
modm_list_next (lua_State *L, int idx, uint32_t at, bool *more)
{
   *more = lua_next (L, idx);
   if (!*more || (lua_type (L, -2) == LUA_TNUMBER && lua_tonumber (L, -2) == (lua_Number) at))
      return true;
   lua_pop (L, 2);
   return false;
}

modm_outcome
modm_list_convert (lua_State *L, int idx, const modm_field *f, modm_validation *v, modm_error *err)
{
   idx = lua_absindex (L, idx);
   uint32_t n;
   if (!modm_list_length (L, idx, &n, err))
      return MODM_REFUSED;
   if (!f->inner)
      return MODM_SAME;
   luaL_checkstack (L, 8, "a list");
   lua_createtable (L, (int) n, 0);
   int list = lua_gettop (L);
   for (uint32_t i = 1; i <= n; i++) {
      lua_rawgeti (L, idx, i);
      /* an item that cannot be converted stays as it is, for validation to name */
      if (!modm_isnull (L, -1))
         (void) f->inner->kind->convert (L, lua_gettop (L), f->inner, v, err);
      lua_rawseti (L, list, (int) i);
      lua_settop (L, list);
   }
   return MODM_CONVERTED;
}

bool
modm_list_accepts (const modm_field *f, const modm_element *e)
{
   modm_reader r;
   modm_element item;
   if (e->type != MODM_BSON_ARRAY || e->size <= 5)
      return false;
   if (!f->inner)
      return true;
   if ((f->inner->flags & (MODM_FIELD_CHOICES | MODM_FIELD_VALIDATORS)) ||
       !modm_reader_init (&r, e->value, e->size))
      return false;
   while (modm_reader_next (&r, &item))
      if (!f->inner->kind->accepts (f->inner, &item))
         return false;
   return !r.bad;
}

/* The item at idx, as number i (from 0). */
static bool
append_item (lua_State *L, int idx, uint32_t i, const modm_field *inner, modm_buffer *b, int depth,
             modm_error *err)
{
   char room[MODM_INDEX_KEY];
   size_t len;
   const char *key = modm_index_key (room, i, &len);
   return inner->kind->append (L, idx, inner, b, key, len, depth, err) ||
          modm_error_at_index (err, i + 1);
}

/* The items of a list that is stepped through in their order, as most are; *plain is false when it
 * is not. */
static bool
append_in_order (lua_State *L, int idx, const modm_field *inner, modm_buffer *b, int depth,
                 bool *plain, modm_error *err)
{
   bool more = true, ok = true;
   int top = lua_gettop (L);
   lua_pushnil (L);
   for (uint32_t i = 0; (*plain = modm_list_next (L, idx, i + 1, &more)) && more; i++) {
      if (!(ok = append_item (L, top + 2, i, inner, b, depth, err)))
         break;
      lua_pop (L, 1);
   }
   lua_settop (L, top);
   return ok;
}

static bool
append_items (lua_State *L, int idx, const modm_field *inner, modm_buffer *b, int depth,
              modm_error *err)
{
   size_t start = b->len;
   uint32_t n = 0;
   bool plain, ok = append_in_order (L, idx, inner, b, depth, &plain, err);
   if (plain)
      return ok;
   b->len = start;
   if (!modm_list_length (L, idx, &n, err))
      return false;
   for (uint32_t i = 0; ok && i < n; i++) {
      lua_rawgeti (L, idx, i + 1);
      ok = append_item (L, lua_gettop (L), i, inner, b, depth, err);
      lua_pop (L, 1);
   }
   return ok;
}

bool
modm_list_append (lua_State *L, int idx, const modm_field *f, modm_buffer *b, const char *key,
                  size_t key_len, int depth, modm_error *err)
{
   idx = lua_absindex (L, idx);
   if (lua_type (L, idx) != LUA_TTABLE || modm_mark_test (L, idx) == MODM_OBJECT)
      return modm_append_value (L, idx, b, key, key_len, depth, err);
   bool ok;
   modm_write_key (b, MODM_BSON_ARRAY, key, key_len);
   if (depth >= MODM_MAX_DEPTH || !lua_checkstack (L, 8))
      ok = modm_error_set (err, "nested deeper than %d levels (or cyclic)", MODM_MAX_DEPTH);
   else if (!f->inner)
      ok = modm_append_array (L, idx, b, depth + 1, err);
   else {
      size_t start = modm_write_begin (b);
      ok = append_items (L, idx, f->inner, b, depth + 1, err);
      modm_write_end (b, start);
   }
   return ok;
}

/* Pushes a table that has room for what is left to read. */
static void
push_table_for (lua_State *L, modm_reader r)
{
   modm_element e;
   int n = 0;
   while (modm_reader_next (&r, &e))
      n++;
   lua_createtable (L, n, 0);
}

void
modm_list_push (lua_State *L, const modm_field *f, const modm_element *e)
{
   modm_reader r;
   modm_element item;
   if (!f->inner || e->type != MODM_BSON_ARRAY) {
      modm_push_value (L, e);
      return;
   }
   luaL_checkstack (L, 8, "a list");
   if (!modm_reader_init (&r, e->value, e->size))
      luaL_error (L, "stored bytes are no BSON");
   push_table_for (L, r);
   int table = lua_gettop (L);
   for (int i = 1; modm_reader_next (&r, &item); i++) {
      f->inner->kind->push (L, f->inner, &item);
      lua_rawseti (L, table, i);
   }
   if (r.bad)
      luaL_error (L, "stored bytes are no BSON");
}
