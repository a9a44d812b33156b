/* Filters: field names and conditions to a BSON query. */
#include "query/query_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool
modm_filter_misuse (modm_filter *c, const char *format, ...)
{
   va_list args;
   va_start (args, format);
   (void) vsnprintf (c->err.message, sizeof c->err.message, format, args);
   va_end (args);
   c->err.path[0] = '\0';
   c->misuse = true;
   return false;
}

static int
by_text (const void *a, const void *b)
{
   return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Sorted, so that a filter is the same bytes each time. */
const char **
modm_filter_names (modm_filter *c, int idx, const char **few, size_t *n)
{
   lua_State *L = c->L;
   size_t count = 0, at = 0;
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1))
      count += lua_type (L, -2) == LUA_TSTRING;
   const char **names = few;
   if (count <= MODM_FILTER_FEW)
      lua_pushnil (L);
   else
      names = lua_newuserdata (L, count * sizeof *names);
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1)) {
      int type = lua_type (L, -2);
      const char *name = type == LUA_TSTRING ? lua_tostring (L, -2) : NULL; /* the table keeps it */
      if (name && strlen (name) == lua_rawlen (L, -2))
         names[at++] = name;
      else if (type != LUA_TNUMBER)
         c->misuse = true; /* no name of a field has a NUL */
   }
   qsort (names, at, sizeof *names, by_text);
   *n = at;
   return names;
}

/* ---- all_of, any_of, none_of ---- */

static bool
append_alternatives (modm_filter *c, const modm_schema *s, int list, int depth)
{
   lua_State *L = c->L;
   size_t n = lua_rawlen (L, list), start = modm_write_begin (c->b);
   for (uint32_t i = 0; i < n; i++) {
      lua_rawgeti (L, list, i + 1);
      int idx = lua_gettop (L);
      modm_write_index_key (c->b, MODM_BSON_DOCUMENT, i);
      if (modm_operator_test (L, idx)) { /* one inside another */
         lua_createtable (L, 1, 0);
         lua_insert (L, idx);
         lua_rawseti (L, idx, 1);
      }
      bool ok = lua_istable (L, idx) ? modm_filter_document (c, s, idx, depth + 1)
                                     : modm_filter_misuse (c, "its item %u is no filter", i + 1);
      lua_pop (L, 1);
      if (!ok)
         return false;
   }
   modm_write_end (c->b, start);
   return true;
}

/* $text: {$search, $language, ...} */
static bool
append_words (modm_filter *c, const modm_operator_row *row, int idx)
{
   lua_State *L = c->L;
   size_t len;
   modm_operator_push_operand (L, idx, 1);
   modm_operator_push_operand (L, idx, 2);
   const char *words = lua_tolstring (L, -2, &len);
   modm_write_key (c->b, MODM_BSON_DOCUMENT, row->stored, strlen (row->stored));
   size_t start = modm_write_begin (c->b);
   modm_write_string (c->b, "$search", words, len);
   bool ok = modm_settings_append (c, lua_gettop (L), row);
   modm_write_end (c->b, start);
   lua_pop (L, 2);
   return ok;
}

static bool
append_logical (modm_filter *c, const modm_schema *s, int idx, int depth)
{
   const modm_operator_row *row = modm_operator_test (c->L, idx);
   if (row && row->shape == MODM_OF_WORDS)
      return append_words (c, row, idx);
   if (!row || row->shape != MODM_OF_FILTERS)
      return modm_filter_misuse (c, "a filter's items are modm.all_of, modm.any_of, modm.none_of, "
                                    "modm.text, and name = value pairs");
   modm_write_key (c->b, MODM_BSON_ARRAY, row->stored, strlen (row->stored));
   modm_operator_push_operand (c->L, idx, 1);
   bool ok = append_alternatives (c, s, lua_gettop (c->L), depth);
   lua_pop (c->L, 1);
   return ok;
}

/* The array part of a filter. Two of one kind would be one key twice, so several go into an $and.
 */
static bool
append_logicals (modm_filter *c, const modm_schema *s, int idx, size_t n, int depth)
{
   lua_State *L = c->L;
   size_t array = 0, document = 0;
   if (n > 1) {
      modm_write_key (c->b, MODM_BSON_ARRAY, "$and", 4);
      array = modm_write_begin (c->b);
   }
   for (uint32_t i = 0; i < n; i++) {
      if (n > 1) {
         modm_write_index_key (c->b, MODM_BSON_DOCUMENT, i);
         document = modm_write_begin (c->b);
      }
      lua_rawgeti (L, idx, i + 1);
      bool ok = append_logical (c, s, lua_gettop (L), depth);
      lua_pop (L, 1);
      if (!ok)
         return false;
      if (n > 1)
         modm_write_end (c->b, document);
   }
   if (n > 1)
      modm_write_end (c->b, array);
   return true;
}

/* ---- fields ---- */

static bool
append_field (modm_filter *c, const modm_schema *s, int idx, const char *name, int depth)
{
   lua_State *L = c->L;
   modm_path p = {.schema = s};
   lua_pushstring (L, name);
   if (!modm_path_resolve (L, -1, &p, &c->err)) {
      c->misuse = true;
      lua_pop (L, 1);
      return false;
   }
   lua_rawget (L, idx);
   bool ok = modm_filter_condition (c, &p, lua_gettop (L), depth);
   lua_pop (L, 1);
   return ok || modm_error_at_key (&c->err, name, strlen (name));
}

bool
modm_filter_document (modm_filter *c, const modm_schema *s, int idx, int depth)
{
   lua_State *L = c->L;
   size_t n, items = lua_rawlen (L, idx);
   const char *few[MODM_FILTER_FEW];
   if (depth > MODM_MAX_DEPTH)
      return modm_filter_misuse (c, "a filter nested deeper than %d levels", MODM_MAX_DEPTH);
   luaL_checkstack (L, 12, "a filter");
   const char **names = modm_filter_names (c, idx, few, &n);
   if (c->misuse)
      return modm_filter_misuse (c, "a filter's keys are names of fields");
   if (n + items == 0)
      return modm_filter_misuse (c, "a filter without a condition matches everything "
                                    "(a nil in a table leaves nothing behind): say all()");
   size_t start = modm_write_begin (c->b);
   bool ok = items == 0 || append_logicals (c, s, idx, items, depth);
   for (size_t i = 0; ok && i < n; i++)
      ok = append_field (c, s, idx, names[i], depth);
   modm_write_end (c->b, start);
   lua_pop (L, 1);
   return ok;
}

int
modm_filter_fail (lua_State *L, const modm_filter *c)
{
   lua_pushnil (L);
   lua_pushstring (L, c->err.message);
   lua_pushstring (L, c->err.path);
   lua_pushboolean (L, c->misuse);
   return 4;
}

/* Too few bytes for documents that are nested too deep: each takes seven at least. */
enum { SMALL = 7 * MODM_MAX_DEPTH };

static int
finish (lua_State *L, bool ok, modm_filter *c)
{
   if (c->b->failed)
      return luaL_error (L, "not enough memory");
   if (ok && c->b->len > MODM_MAX_DOCUMENT)
      ok = modm_error_set (&c->err,
                           "a query of %zu bytes is larger than the %d bytes of MongoDB's limit",
                           c->b->len, MODM_MAX_DOCUMENT);
   if (ok && c->b->len > SMALL && !modm_reader_check (c->b->data, c->b->len, 0))
      ok = modm_error_set (&c->err, "a query nested deeper than %d levels", MODM_MAX_DEPTH);
   if (ok)
      lua_pushlstring (L, (const char *) c->b->data, c->b->len);
   modm_buffer_free (c->b);
   return ok ? 1 : modm_filter_fail (L, c);
}

/* core.filter(schema or nil, table) -> bytes | nil, message, path, misuse */
int
modm_filter_l_filter (lua_State *L)
{
   const modm_schema *s = lua_isnil (L, 1) ? NULL : modm_schema_check (L, 1);
   luaL_checktype (L, 2, LUA_TTABLE);
   modm_filter c = {.L = L, .b = modm_buffer_push (L)};
   bool ok = modm_filter_document (&c, s, 2, 0);
   return finish (L, ok, &c);
}

/* core.raw_filter(table, javascript) -> bytes | nil, message, path, false */
int
modm_filter_l_raw (lua_State *L)
{
   luaL_checktype (L, 1, LUA_TTABLE);
   lua_settop (L, 2);
   modm_filter c = {.L = L, .b = modm_buffer_push (L)};
   bool ok = modm_append_document (L, 1, c.b, 0, &c.err) &&
             (lua_toboolean (L, 2) || modm_javascript_refuse_document (c.b, 0, &c.err));
   return finish (L, ok, &c);
}

/* core.stored_name(schema, name) -> stored, a _cls for each embedded document on the way | nil,
 * message */
int
modm_filter_l_stored_name (lua_State *L)
{
   modm_error err;
   modm_path p = {.schema = modm_schema_check (L, 1)};
   luaL_checktype (L, 2, LUA_TSTRING);
   if (!modm_path_resolve (L, 2, &p, &err))
      return modm_query_fail (L, &err);
   luaL_checkstack (L, p.n_nested + 4, "a path");
   lua_pushlstring (L, p.stored, p.len);
   for (int i = 0; i < p.n_nested; i++) {
      lua_pushlstring (L, p.stored, p.nested[i]);
      lua_pushliteral (L, "._cls");
      lua_concat (L, 2);
   }
   return 1 + p.n_nested;
}
