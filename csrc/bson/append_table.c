/* Lua tables to BSON: array or document, by mark, by keys, or by what the caller wants. */
#include "bson/append_private.h"

static bool
too_deep (lua_State *L, int idx, modm_error *err)
{
   /* Every table on the way here is on the stack, so a table that holds itself is there twice. */
   for (int i = lua_gettop (L); i > 0; i--)
      if (i != idx && lua_rawequal (L, i, idx))
         return modm_error_set (err, "a table holds itself (it is cyclic)");
   return modm_error_set (err, "nested deeper than %d levels", MODM_MAX_DEPTH);
}

/* What the table at idx is, without a mark: a list when it has a first item, unknown when it is
 * empty. */
static modm_mark
kind_by_keys (lua_State *L, int idx)
{
   modm_mark kind = lua_rawgeti (L, idx, 1) != LUA_TNIL ? MODM_ARRAY : MODM_UNMARKED;
   lua_pop (L, 1);
   if (kind == MODM_UNMARKED) {
      lua_pushnil (L);
      if (lua_next (L, idx)) {
         lua_pop (L, 2);
         kind = MODM_OBJECT;
      }
   }
   return kind;
}

/* Begins with a look at the table: its kind, the mark pushed (*mark its index, or 0). A few tables
 * that hold each other many times can come to more bytes than there are, so what was written so far
 * is looked at, too. */
static bool
look (lua_State *L, int idx, modm_mark *kind, int *mark, const modm_buffer *b, int depth,
      modm_error *err)
{
   *mark = 0;
   if (depth >= MODM_MAX_DEPTH)
      return too_deep (L, idx, err);
   if (b->len > MODM_MAX_MESSAGE)
      return modm_error_set (err, "larger than the %d bytes of MongoDB's limit", MODM_MAX_MESSAGE);
   if (!lua_checkstack (L, 16))
      return modm_error_set (err, "no room on Lua's stack");
   *kind = modm_mark_get (L, idx);
   if (*kind != MODM_UNMARKED) {
      *mark = lua_gettop (L);
      return true;
   }
   const char *why = modm_mark_refusal (L, idx);
   if (why)
      return modm_error_set (err, "%s", why);
   *kind = kind_by_keys (L, idx);
   return true;
}

static bool
append_elements (lua_State *L, int idx, int mark, modm_mark kind, modm_buffer *b, int depth,
                 modm_error *err)
{
   size_t start = modm_write_begin (b);
   bool ok = kind == MODM_ARRAY ? modm_append_list (L, idx, mark, b, depth + 1, err)
                                : modm_append_pairs (L, idx, mark, b, depth + 1, err);
   modm_write_end (b, start);
   if (mark)
      lua_pop (L, 1);
   return ok;
}

bool
modm_append_table (lua_State *L, int idx, modm_buffer *b, const modm_item *item, int depth,
                   modm_error *err)
{
   modm_mark kind = MODM_UNMARKED;
   int mark;
   if (!look (L, idx, &kind, &mark, b, depth, err))
      return false;
   modm_write_key (b, kind == MODM_ARRAY ? MODM_BSON_ARRAY : MODM_BSON_DOCUMENT, item->key,
                   item->key_len);
   return append_elements (L, idx, mark, kind, b, depth, err);
}

bool
modm_append_whole (lua_State *L, int idx, modm_buffer *b, modm_mark wanted, int depth,
                   modm_error *err)
{
   modm_mark kind = MODM_UNMARKED;
   int mark;
   if (!lua_istable (L, idx))
      return modm_error_set (err, "a table expected, got a %s", luaL_typename (L, idx));
   if (!look (L, idx, &kind, &mark, b, depth, err))
      return false;
   /* Without a mark, a wrong key of a list is what append_list can say better. */
   if (kind != MODM_UNMARKED && kind != wanted && (mark || kind == MODM_ARRAY)) {
      if (mark)
         lua_pop (L, 1);
      return modm_error_set (err, wanted == MODM_ARRAY ? "a list expected, got a document"
                                                       : "a document expected, got a list");
   }
   return append_elements (L, idx, mark, wanted, b, depth, err);
}
