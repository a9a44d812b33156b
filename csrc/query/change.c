/* One change of an update: what an operator is given for one name. */
#include "query/query_private.h"

/* ---- values ---- */

/* Adds what Lua has to call for a value, a list at the top (popped), to that of the whole. */
static void
add_pending (modm_change *ch)
{
   lua_State *L = ch->c.L;
   int more = lua_gettop (L);
   if (lua_isnil (L, ch->pending)) {
      lua_newtable (L);
      lua_replace (L, ch->pending);
   }
   for (int i = 1; lua_rawgeti (L, more, i) != LUA_TNIL; i++) {
      lua_pushstring (L, ch->name);
      lua_setfield (L, -2, "name");
      lua_rawseti (L, ch->pending, (int) lua_rawlen (L, ch->pending) + 1);
   }
   lua_settop (L, more - 1);
}

/* Takes the first message of the tree of errors at the top (popped), and where it stands. */
static bool
take_message (modm_change *ch)
{
   lua_State *L = ch->c.L;
   char path[sizeof ch->c.err.path] = "";
   size_t len = 0;
   int top = lua_gettop (L);
   luaL_checkstack (L, 2 * MODM_MAX_DEPTH + 8, "errors");
   while (lua_istable (L, -1)) {
      if (lua_rawgeti (L, -1, 1) != LUA_TNIL && !lua_istable (L, -1))
         break;
      lua_pop (L, 1);
      lua_pushnil (L);
      if (!lua_next (L, -2))
         break;
      lua_pushvalue (L, -2);
      size_t n;
      const char *key = lua_tolstring (L, -1, &n);
      if (len + n + 2 < sizeof path) {
         path[len++] = '.';
         memcpy (path + len, key, n + 1);
         len += n;
      }
      lua_pop (L, 1);
   }
   modm_error_set (&ch->c.err, "%s", lua_tostring (L, -1) ? lua_tostring (L, -1) : "not valid");
   if (len)
      memcpy (ch->c.err.path, path + 1, len);
   lua_settop (L, top - 1);
   return false;
}

/* How deep the document is that the value at a path will stand in. */
static int
depth_of (const modm_path *p)
{
   int depth = 0;
   for (size_t i = 0; i < p->len; i++)
      depth += p->stored[i] == '.';
   return depth;
}

/* A value that the field accepts, as it would when a document is saved. */
static bool
append_valid (modm_change *ch, const modm_field *f, int idx, const char *key, size_t len, int depth)
{
   lua_State *L = ch->c.L;
   if (modm_operator_test (L, idx))
      return modm_filter_misuse (&ch->c, "a value expected, not an operator");
   if (!f)
      return modm_filter_value (&ch->c, NULL, idx, key, len, depth + 1);
   lua_pushvalue (L, idx);
   int value = lua_gettop (L);
   modm_value_validate (L, value, f);
   if (!lua_isnil (L, value + 2)) {
      lua_settop (L, value + 2);
      return take_message (ch);
   }
   if (lua_isnil (L, value + 3))
      lua_pop (L, 1);
   else
      add_pending (ch);
   size_t start = ch->c.b->len;
   bool ok = modm_encode_field (L, value + 1, f, ch->c.b, key, len, depth, &ch->c.err) &&
             modm_filter_check (&ch->c, start);
   lua_settop (L, value - 1);
   return ok;
}

static bool
is_number_field (const modm_field *f)
{
   static const char *const kinds[] = {"IntegerField", "BigIntegerField", "FloatField",
                                       "Decimal128Field"};
   for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
      if (strcmp (f->kind->name, kinds[i]) == 0)
         return true;
   return false;
}

static bool
append_number (modm_change *ch, const modm_change_row *r, const modm_path *p, int idx)
{
   lua_State *L = ch->c.L;
   const modm_field *f = p->field;
   bool number = lua_type (L, idx) == LUA_TNUMBER ||
                 modm_value_test_type (L, idx, MODM_BSON_DECIMAL128) ||
                 modm_value_test_type (L, idx, MODM_BSON_INT64);
   if (f && !modm_path_is_free (f) && !is_number_field (f))
      return modm_filter_misuse (&ch->c, "%s is for numbers, not for a %s", r->name, f->kind->name);
   if (modm_isnull (L, idx) || (modm_path_is_free (f) && !number))
      return modm_error_set (&ch->c.err, "a number expected, not %s", modm_describe (L, idx));
   return modm_filter_value (&ch->c, modm_path_is_free (f) ? NULL : f, idx, p->stored, p->len, 0);
}

/* ---- items of lists ---- */

static bool
check_list (modm_change *ch, const modm_change_row *r, const modm_path *p)
{
   const modm_field *f = p->field;
   return modm_path_is_free (f) || f->kind->role == MODM_LIST ||
          modm_filter_misuse (&ch->c, "%s is for lists, not for a %s", r->name, f->kind->name);
}

/* The field of a list's items, or NULL for items of any kind. */
static const modm_field *
item_field (const modm_path *p)
{
   return modm_path_is_free (p->field) ? NULL : p->field->inner;
}

static bool
no_sort (modm_change *ch)
{
   return modm_filter_misuse (&ch->c, "the sort of modm.each is 1, -1 or names");
}

/* {name: 1 or -1} of a $sort, for "name" or "-name". */
static bool
append_sort_name (modm_change *ch, const modm_path *item, int idx)
{
   lua_State *L = ch->c.L;
   size_t len;
   if (lua_type (L, idx) != LUA_TSTRING)
      return no_sort (ch);
   const char *name = lua_tolstring (L, idx, &len);
   bool back = name[0] == '-';
   modm_path p = *item;
   lua_pushlstring (L, name + back, len - back);
   ch->c.misuse = !modm_path_resolve (L, lua_gettop (L), &p, &ch->c.err);
   lua_pop (L, 1);
   if (ch->c.misuse)
      return false;
   modm_write_int (ch->c.b, p.stored, back ? -1 : 1);
   return true;
}

/* $sort by the items themselves (1 or -1), or by names of their fields. */
static bool
append_sort (modm_change *ch, const modm_field *f, int idx)
{
   lua_State *L = ch->c.L;
   modm_path item = {.schema = NULL};
   int64_t way;
   if (lua_type (L, idx) == LUA_TNUMBER) {
      if (!modm_isinteger (L, idx, &way) || (way != 1 && way != -1))
         return no_sort (ch);
      modm_write_int (ch->c.b, "$sort", way);
      return true;
   }
   if (f && f->kind->role == MODM_EMBEDDED)
      item.schema = modm_field_target (L, f);
   else if (!modm_path_is_free (f))
      return modm_filter_misuse (&ch->c, "the sort of modm.each is 1 or -1: items have no fields");
   modm_write_key (ch->c.b, MODM_BSON_DOCUMENT, "$sort", 5);
   size_t start = modm_write_begin (ch->c.b);
   bool ok = true;
   size_t n = lua_istable (L, idx) ? lua_rawlen (L, idx) : 0;
   if (n == 0)
      ok = append_sort_name (ch, &item, idx);
   for (size_t i = 1; ok && i <= n; i++) {
      lua_rawgeti (L, idx, (int) i);
      ok = append_sort_name (ch, &item, lua_gettop (L));
      lua_pop (L, 1);
   }
   modm_write_end (ch->c.b, start);
   return ok;
}

/* The options of modm.each, a table at idx. The constructor has checked the integers. */
static bool
append_each_options (modm_change *ch, const modm_field *f, int idx)
{
   lua_State *L = ch->c.L;
   static const char *const names[][2] = {{"position", "$position"}, {"slice", "$slice"}};
   bool ok = true;
   for (int i = 0; i < 2; i++) {
      lua_getfield (L, idx, names[i][0]);
      if (!lua_isnil (L, -1))
         modm_write_int (ch->c.b, names[i][1], (int64_t) lua_tonumber (L, -1));
      lua_pop (L, 1);
   }
   lua_getfield (L, idx, "sort");
   if (!lua_isnil (L, -1))
      ok = append_sort (ch, f, lua_gettop (L));
   lua_pop (L, 1);
   return ok;
}

/* {$each: [...], ...} of the modm.each at idx. */
static bool
append_each (modm_change *ch, const modm_change_row *r, const modm_path *p, int idx)
{
   lua_State *L = ch->c.L;
   const modm_field *f = item_field (p);
   size_t len;
   char digits[MODM_INDEX_KEY];
   modm_write_key (ch->c.b, MODM_BSON_DOCUMENT, p->stored, p->len);
   size_t start = modm_write_begin (ch->c.b);
   modm_operator_push_operand (L, idx, 1);
   int list = lua_gettop (L);
   uint32_t n;
   if (!modm_filter_length (&ch->c, list, &n))
      return false;
   modm_write_key (ch->c.b, MODM_BSON_ARRAY, "$each", 5);
   size_t items = modm_write_begin (ch->c.b);
   for (uint32_t i = 0; i < n; i++) {
      const char *key = modm_index_key (digits, i, &len);
      lua_rawgeti (L, list, (int) i + 1);
      if (!append_valid (ch, f, list + 1, key, len, depth_of (p) + 1))
         return modm_error_at_index (&ch->c.err, i + 1);
      lua_pop (L, 1);
   }
   modm_write_end (ch->c.b, items);
   modm_operator_push_operand (L, idx, 2);
   bool options = lua_istable (L, -1);
   if (options && strcmp (r->name, "push") != 0)
      return modm_filter_misuse (&ch->c, "options of modm.each are for push");
   bool ok = !options || append_each_options (ch, f, lua_gettop (L));
   lua_settop (L, list - 1);
   modm_write_end (ch->c.b, start);
   return ok;
}

static bool
append_item (modm_change *ch, const modm_change_row *r, const modm_path *p, int idx)
{
   const modm_operator_row *o = modm_operator_test (ch->c.L, idx);
   if (!check_list (ch, r, p))
      return false;
   if (o && o->shape == MODM_OF_EACH)
      return append_each (ch, r, p, idx);
   return append_valid (ch, item_field (p), idx, p->stored, p->len, depth_of (p) + 1);
}

/* Which items $pull takes away: those that an operator or, of embedded documents, a filter fits;
 * else those that equal a value. */
static bool
append_match (modm_change *ch, const modm_change_row *r, const modm_path *p, int idx)
{
   lua_State *L = ch->c.L;
   const modm_field *f = item_field (p);
   if (!check_list (ch, r, p))
      return false;
   if (modm_operator_test (L, idx))
      return modm_filter_condition (&ch->c, p, idx, 0);
   modm_write_key (ch->c.b, MODM_BSON_DOCUMENT, p->stored, p->len);
   if (f && f->kind->role == MODM_EMBEDDED && lua_type (L, idx) == LUA_TTABLE)
      return modm_filter_document (&ch->c, modm_field_target (L, f), idx, 1);
   size_t start = modm_write_begin (ch->c.b);
   bool ok = modm_filter_operand (&ch->c, f, idx, "$eq", 3, 0);
   modm_write_end (ch->c.b, start);
   return ok;
}

static bool
append_end (modm_change *ch, const modm_change_row *r, const modm_path *p, int idx)
{
   int64_t way;
   if (!check_list (ch, r, p))
      return false;
   if (lua_type (ch->c.L, idx) != LUA_TNUMBER || !modm_isinteger (ch->c.L, idx, &way) ||
       (way != 1 && way != -1))
      return modm_filter_misuse (&ch->c, "pop takes 1, the last item, or -1, the first");
   modm_write_int (ch->c.b, p->stored, way);
   return true;
}

bool
modm_change_append (modm_change *ch, const modm_change_row *r, const modm_path *p, int idx)
{
   luaL_checkstack (ch->c.L, 20, "a change");
   switch (r->shape) {
   case MODM_CHANGE_NUMBER:
      return append_number (ch, r, p, idx);
   case MODM_CHANGE_ITEM:
      return append_item (ch, r, p, idx);
   case MODM_CHANGE_MATCH:
      return append_match (ch, r, p, idx);
   case MODM_CHANGE_END:
      return append_end (ch, r, p, idx);
   default:
      return append_valid (ch, p->field, idx, p->stored, p->len, depth_of (p));
   }
}
