/* One condition of a filter: data or an operator, coerced by the field that its path leads to. */
#include "query/query_private.h"

#include <stdio.h>

static bool append_operator (modm_filter *c, const modm_path *p, int idx, int depth);

/* ---- what plain data may be ---- */

/* Keys that begin with $ would be operators. A DBRef's own are none. */
static bool
is_operator_key (const modm_element *e)
{
   return e->key[0] == '$' && strcmp (e->key, "$ref") != 0 && strcmp (e->key, "$id") != 0 &&
          strcmp (e->key, "$db") != 0;
}

static bool
holds_operator (const uint8_t *document, size_t len, int depth)
{
   modm_reader r;
   modm_element e;
   if (depth > MODM_MAX_DEPTH || !modm_reader_init (&r, document, len))
      return true;
   while (modm_reader_next (&r, &e))
      if (is_operator_key (&e) || ((e.type == MODM_BSON_DOCUMENT || e.type == MODM_BSON_ARRAY) &&
                                   holds_operator (e.value, e.size, depth + 1)))
         return true;
   return r.bad;
}

static bool
refuse_operator (modm_filter *c)
{
   return modm_error_set (&c->err, "a table is no value here: an operator must be made by modm's "
                                   "constructors, such as modm.gte(1)");
}

bool
modm_filter_check (modm_filter *c, size_t start)
{
   modm_element e;
   if (c->b->failed || !modm_element_at (c->b->data + start, c->b->data + c->b->len, &e))
      return c->b->failed || modm_error_set (&c->err, "no BSON");
   if ((e.type == MODM_BSON_DOCUMENT || e.type == MODM_BSON_ARRAY) &&
       holds_operator (e.value, e.size, 0))
      return refuse_operator (c);
   return true;
}

/* A table for a field that holds none may be what some fields read (a date table, an object that
 * prints). */
static bool
table_fits (lua_State *L, int idx, const modm_field *f)
{
   if (lua_type (L, idx) != LUA_TTABLE || modm_path_is_free (f) || f->kind->role == MODM_LIST ||
       f->kind->role == MODM_EMBEDDED || lua_isuserdata (L, -1))
      return true;
   bool is_object = lua_getmetatable (L, idx);
   lua_pop (L, is_object ? 1 : 0);
   return is_object && modm_mark_test (L, idx) == MODM_UNMARKED;
}

/* ---- values ---- */

static bool
is_list (lua_State *L, int idx)
{
   if (lua_type (L, idx) != LUA_TTABLE)
      return false;
   modm_mark mark = modm_mark_test (L, idx);
   if (mark != MODM_UNMARKED)
      return mark == MODM_ARRAY;
   lua_pushnil (L);
   if (!lua_next (L, idx))
      return true;
   lua_pop (L, 2);
   bool list = lua_rawgeti (L, idx, 1) != LUA_TNIL;
   lua_pop (L, 1);
   return list;
}

bool
modm_filter_length (modm_filter *c, int idx, uint32_t *n)
{
   lua_State *L = c->L;
   double count = 0;
   *n = (uint32_t) lua_rawlen (L, idx);
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1)) {
      if (lua_type (L, -2) != LUA_TNUMBER) {
         lua_pop (L, 2);
         return modm_error_set (&c->err, "not a list: it has other keys");
      }
      count++;
   }
   return count == (double) *n || modm_error_set (&c->err, "a list with a hole (use modm.null)");
}

/* The items of the list at idx as an array under the key, each as f takes it. */
static bool
append_items (modm_filter *c, const modm_field *f, int idx, const char *key, size_t key_len,
              int depth)
{
   uint32_t n;
   char digits[16];
   if (!modm_filter_length (c, idx, &n))
      return false;
   modm_write_key (c->b, MODM_BSON_ARRAY, key, key_len);
   size_t start = modm_write_begin (c->b);
   for (uint32_t i = 0; i < n; i++) {
      int len = snprintf (digits, sizeof digits, "%u", i);
      lua_rawgeti (c->L, idx, i + 1);
      bool ok = modm_filter_operand (c, f, lua_gettop (c->L), digits, (size_t) len, depth + 1);
      lua_pop (c->L, 1);
      if (!ok)
         return modm_error_at_index (&c->err, i + 1);
   }
   modm_write_end (c->b, start);
   return true;
}

bool
modm_filter_value (modm_filter *c, const modm_field *f, int idx, const char *key, size_t key_len,
                   int depth)
{
   lua_State *L = c->L;
   size_t start = c->b->len;
   bool ok;
   if (!f) {
      ok = modm_append_value (L, idx, c->b, key, key_len, depth, &c->err);
   } else if (!modm_field_convert (L, idx, f, &c->err)) {
      return lua_type (L, idx) == LUA_TTABLE && !modm_path_is_free (f) &&
                   f->kind->role != MODM_EMBEDDED
                ? refuse_operator (c)
                : false;
   } else {
      ok = table_fits (L, idx, f) || refuse_operator (c);
      ok = ok && modm_encode_field (L, lua_gettop (L), f, c->b, key, key_len, depth, &c->err);
      lua_pop (L, 1);
   }
   c->err.path[0] = '\0'; /* of the stored form; the filter's own follows */
   return ok && modm_filter_check (c, start);
}

/* A list's condition is an item's, or a whole list's when it is given a list. */
bool
modm_filter_operand (modm_filter *c, const modm_field *f, int idx, const char *key, size_t key_len,
                     int depth)
{
   lua_State *L = c->L;
   luaL_checkstack (L, 12, "a filter");
   if (depth > MODM_MAX_DEPTH)
      return modm_error_set (&c->err, "nested deeper than %d levels (or cyclic)", MODM_MAX_DEPTH);
   if (modm_operator_test (L, idx))
      return modm_filter_misuse (c, "an operator cannot stand inside a value");
   if (modm_isnull (L, idx) || modm_value_test_type (L, idx, MODM_BSON_REGEX))
      return modm_append_value (L, idx, c->b, key, key_len, depth, &c->err);
   if (f && f->kind->role == MODM_LIST && f->inner) {
      if (is_list (L, idx))
         return append_items (c, f->inner, idx, key, key_len, depth);
      return modm_filter_operand (c, f->inner, idx, key, key_len, depth + 1);
   }
   if (f && f->kind->role == MODM_LIST && !is_list (L, idx))
      f = NULL;
   return modm_filter_value (c, f, idx, key, key_len, depth);
}

/* ---- operators ---- */

static bool
append_pattern (modm_filter *c, const modm_operator_row *row, int idx)
{
   lua_State *L = c->L;
   size_t len;
   modm_operator_push_operand (L, idx, 1);
   modm_operator_push_operand (L, idx, 2);
   const char *text = lua_tolstring (L, -2, &len);
   modm_write_string (c->b, row->stored, text, len);
   text = lua_tolstring (L, -1, &len);
   if (text && len)
      modm_write_string (c->b, "$options", text, len);
   lua_pop (L, 2);
   return true;
}

static bool
append_division (modm_filter *c, const modm_operator_row *row, int idx)
{
   lua_State *L = c->L;
   modm_write_key (c->b, MODM_BSON_ARRAY, row->stored, strlen (row->stored));
   size_t start = modm_write_begin (c->b);
   for (int i = 1; i <= 2; i++) {
      modm_operator_push_operand (L, idx, i);
      (void) modm_append_value (L, -1, c->b, i == 1 ? "0" : "1", 1, 0, &c->err); /* an integer */
      lua_pop (L, 1);
   }
   modm_write_end (c->b, start);
   return true;
}

/* $elemMatch: what one item has to be. */
static bool
append_item_filter (modm_filter *c, const modm_path *p, const char *key, int idx, int depth)
{
   const modm_field *f = p->field;
   bool list = modm_path_is_free (f) || f->kind->role == MODM_LIST;
   if (!list)
      return modm_filter_misuse (c, "modm.elem_match is for lists");
   modm_path item = {.field = modm_path_is_free (f) ? NULL : f->inner};
   modm_write_key (c->b, MODM_BSON_DOCUMENT, key, strlen (key));
   if (!modm_operator_test (c->L, idx)) {
      const modm_field *inner = modm_path_innermost (item.field);
      bool embedded = inner && inner->kind->role == MODM_EMBEDDED;
      if (!embedded && !modm_path_is_free (inner))
         return modm_filter_misuse (
            c, "modm.elem_match takes an operator here: its items have no fields");
      return modm_filter_document (c, embedded ? modm_field_target (c->L, inner) : NULL, idx,
                                   depth + 1);
   }
   size_t start = modm_write_begin (c->b);
   bool ok = append_operator (c, &item, idx, depth + 1);
   modm_write_end (c->b, start);
   return ok;
}

static bool
append_negation (modm_filter *c, const modm_path *p, const char *key, int idx, int depth)
{
   modm_write_key (c->b, MODM_BSON_DOCUMENT, key, strlen (key));
   size_t start = modm_write_begin (c->b);
   bool ok = append_operator (c, p, idx, depth + 1);
   modm_write_end (c->b, start);
   return ok;
}

static bool
append_first_operand (modm_filter *c, const modm_path *p, const modm_operator_row *row, int idx,
                      int depth)
{
   const char *key = row->stored;
   size_t len = strlen (key);
   switch (row->shape) {
   case MODM_OF_VALUES:
      return append_items (c, p->field, idx, key, len, depth);
   case MODM_OF_ARGUMENT:
      return modm_append_value (c->L, idx, c->b, key, len, depth, &c->err);
   case MODM_OF_OPERATOR:
      return append_negation (c, p, key, idx, depth);
   case MODM_OF_ITEM:
      return append_item_filter (c, p, key, idx, depth);
   default:
      return modm_filter_operand (c, p->field, idx, key, len, depth);
   }
}

/* The elements of the operator at idx, into an open document. */
static bool
append_operator (modm_filter *c, const modm_path *p, int idx, int depth)
{
   lua_State *L = c->L;
   const modm_operator_row *row = modm_operator_test (L, idx);
   if (depth > MODM_MAX_DEPTH)
      return modm_filter_misuse (c, "operators nested deeper than %d levels", MODM_MAX_DEPTH);
   luaL_checkstack (L, 12, "a filter");
   if (row->shape == MODM_OF_FILTERS || row->shape == MODM_OF_WORDS)
      return modm_filter_misuse (
         c, "modm.%s is no condition of one field: put it beside the fields", row->name);
   if (row->shape == MODM_OF_EACH)
      return modm_filter_misuse (c, "modm.each is no condition: it is for push and add_to_set");
   if (row->shape == MODM_OF_PATTERN)
      return append_pattern (c, row, idx);
   if (row->shape == MODM_OF_DIVISION)
      return append_division (c, row, idx);
   if (row->shape == MODM_OF_PLACE || row->shape == MODM_OF_REGION)
      return modm_geometry_append (c, p, row, idx);
   modm_operator_push_operand (L, idx, 1);
   bool ok = append_first_operand (c, p, row, lua_gettop (L), depth);
   lua_pop (L, 1);
   if (ok && row->shape == MODM_OF_RANGE) {
      modm_operator_push_operand (L, idx, 2);
      ok = modm_filter_operand (c, p->field, lua_gettop (L), "$lte", 4, depth);
      lua_pop (L, 1);
   }
   return ok;
}

bool
modm_filter_condition (modm_filter *c, const modm_path *p, int idx, int depth)
{
   if (!modm_operator_test (c->L, idx))
      return modm_filter_operand (c, p->field, idx, p->stored, p->len, depth);
   modm_write_key (c->b, MODM_BSON_DOCUMENT, p->stored, p->len);
   size_t start = modm_write_begin (c->b);
   bool ok = append_operator (c, p, idx, depth);
   modm_write_end (c->b, start);
   return ok;
}
