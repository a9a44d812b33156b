/* Updates: operators with names of fields and values to a BSON update, and its array filters. */
#include "query/query_private.h"

static const modm_change_row rows[] = {{"set", "$set", MODM_CHANGE_VALUE},
                                       {"inc", "$inc", MODM_CHANGE_NUMBER},
                                       {"mul", "$mul", MODM_CHANGE_NUMBER},
                                       {"min", "$min", MODM_CHANGE_VALUE},
                                       {"max", "$max", MODM_CHANGE_VALUE},
                                       {"push", "$push", MODM_CHANGE_ITEM},
                                       {"add_to_set", "$addToSet", MODM_CHANGE_ITEM},
                                       {"pull", "$pull", MODM_CHANGE_MATCH},
                                       {"pop", "$pop", MODM_CHANGE_END},
                                       {"rename", "$rename", MODM_CHANGE_RENAME},
                                       {"unset", "$unset", MODM_CHANGE_UNSET},
                                       {"current_date", "$currentDate", MODM_CHANGE_DATE},
                                       {"set_on_insert", "$setOnInsert", MODM_CHANGE_VALUE},
                                       {NULL, NULL, MODM_CHANGE_VALUE}};

/* Keeps what $[name] stands for in the table `named`: the field of the items, or false for any. */
static bool
keep_named (modm_change *ch, const modm_path *p)
{
   lua_State *L = ch->c.L;
   for (int i = 0; i < p->n_named; i++) {
      void *field = (void *) (uintptr_t) p->named[i].field;
      lua_pushlstring (L, p->named[i].name, p->named[i].len);
      lua_pushvalue (L, -1);
      bool known = lua_rawget (L, ch->named) != LUA_TNIL;
      if (known && lua_touserdata (L, -1) != field)
         return modm_filter_misuse (&ch->c, "$[%.*s] stands for items of two lists",
                                    (int) p->named[i].len, p->named[i].name);
      lua_pop (L, 1);
      if (field)
         lua_pushlightuserdata (L, field);
      else
         lua_pushboolean (L, 0);
      lua_rawset (L, ch->named);
   }
   return true;
}

/* Translates the string at idx. */
static bool
resolve (modm_change *ch, int idx, modm_path *p)
{
   *p = (modm_path){.schema = ch->schema, .positions = true};
   ch->c.misuse = !modm_path_resolve (ch->c.L, idx, p, &ch->c.err);
   return !ch->c.misuse && keep_named (ch, p);
}

/* ---- operators ---- */

static bool
append_rename (modm_change *ch, const modm_path *p, int idx)
{
   modm_path to;
   if (lua_type (ch->c.L, idx) != LUA_TSTRING)
      return modm_filter_misuse (&ch->c, "rename takes the new name");
   if (!resolve (ch, idx, &to))
      return false;
   modm_write_string (ch->c.b, p->stored, to.stored, to.len);
   return true;
}

/* {name: value, ...} at idx. */
static bool
append_map (modm_change *ch, const modm_change_row *r, int idx)
{
   lua_State *L = ch->c.L;
   size_t n;
   const char *few[MODM_FILTER_FEW], **names = modm_filter_names (&ch->c, idx, few, &n);
   if (ch->c.misuse || n == 0 || lua_rawlen (L, idx) > 0)
      return modm_filter_misuse (&ch->c, "%s takes { name = value }", r->name);
   bool ok = true;
   for (size_t i = 0; ok && i < n; i++) {
      modm_path p;
      lua_pushstring (L, names[i]);
      ch->name = names[i];
      if (!resolve (ch, lua_gettop (L), &p))
         return false;
      lua_rawget (L, idx);
      int value = lua_gettop (L);
      ok = r->shape == MODM_CHANGE_RENAME ? append_rename (ch, &p, value)
                                          : modm_change_append (ch, r, &p, value);
      lua_settop (L, value - 1);
      if (!ok)
         modm_error_at_key (&ch->c.err, names[i], strlen (names[i]));
   }
   lua_pop (L, 1);
   return ok;
}

static bool
append_named (modm_change *ch, const modm_change_row *r, const modm_path *p)
{
   const modm_field *f = p->field;
   if (r->shape == MODM_CHANGE_UNSET) {
      if (f && f->flags & MODM_FIELD_REQUIRED)
         return modm_error_set (&ch->c.err, "field is required.");
      modm_write_string (ch->c.b, p->stored, "", 0);
      return true;
   }
   bool timestamp = f && strcmp (f->kind->name, "TimestampField") == 0;
   if (f && !modm_path_is_free (f) && !timestamp && strcmp (f->kind->name, "DateTimeField") != 0)
      return modm_filter_misuse (&ch->c, "current_date is for dates, not for a %s", f->kind->name);
   modm_write_key (ch->c.b, MODM_BSON_DOCUMENT, p->stored, p->len);
   size_t start = modm_write_begin (ch->c.b);
   modm_write_string (ch->c.b, "$type", timestamp ? "timestamp" : "date", timestamp ? 9 : 4);
   modm_write_end (ch->c.b, start);
   return true;
}

/* A list of names at idx. */
static bool
append_names (modm_change *ch, const modm_change_row *r, int idx)
{
   lua_State *L = ch->c.L;
   size_t n = lua_rawlen (L, idx);
   bool ok = true;
   for (size_t i = 1; i <= n && ok; i++) {
      modm_path p;
      if (lua_rawgeti (L, idx, (int) i) != LUA_TSTRING)
         break;
      if (!resolve (ch, lua_gettop (L), &p))
         return false;
      size_t len;
      const char *name = lua_tolstring (L, -1, &len);
      ok = append_named (ch, r, &p) || modm_error_at_key (&ch->c.err, name, len);
      lua_pop (L, 1);
      if (i == n)
         return ok;
   }
   return ok ? modm_filter_misuse (&ch->c, "%s takes a list of names", r->name) : false;
}

/* The operator of a row with what it is given, a table at idx or nil. What an upsert makes is told
 * its class. */
static bool
append_row (modm_change *ch, const modm_change_row *r, int idx, bool upsert)
{
   lua_State *L = ch->c.L;
   bool given = !lua_isnil (L, idx), list = r->shape >= MODM_CHANGE_UNSET;
   bool class = upsert && ch->schema->cls && strcmp (r->name, "set_on_insert") == 0;
   if (!given && !class)
      return true;
   if (given && !lua_istable (L, idx))
      return modm_filter_misuse (&ch->c, "%s takes %s", r->name,
                                 list ? "a list of names" : "{ name = value }");
   modm_write_key (ch->c.b, MODM_BSON_DOCUMENT, r->stored, strlen (r->stored));
   size_t start = modm_write_begin (ch->c.b);
   bool ok = !given || (list ? append_names (ch, r, idx) : append_map (ch, r, idx));
   if (class)
      modm_write_string (ch->c.b, "_cls", ch->schema->cls, ch->schema->cls_len);
   modm_write_end (ch->c.b, start);
   return ok;
}

static bool
check_operators (modm_change *ch, int idx)
{
   lua_State *L = ch->c.L;
   size_t n = 0;
   for (lua_pushnil (L); lua_next (L, idx); lua_pop (L, 1), n++) {
      const modm_change_row *r = rows;
      const char *name = lua_type (L, -2) == LUA_TSTRING ? lua_tostring (L, -2) : "";
      while (r->name && strcmp (r->name, name) != 0)
         r++;
      if (!r->name)
         return modm_filter_misuse (&ch->c,
                                    "a change is { set = {...}, inc = {...}, ... }; there "
                                    "is no '%.40s'",
                                    name);
   }
   return n > 0 || modm_filter_misuse (&ch->c, "a change without an operator");
}

static bool
append_update (modm_change *ch, int idx, bool upsert)
{
   lua_State *L = ch->c.L;
   if (!check_operators (ch, idx))
      return false;
   size_t start = modm_write_begin (ch->c.b);
   for (const modm_change_row *r = rows; r->name; r++) {
      lua_getfield (L, idx, r->name);
      if (!append_row (ch, r, lua_gettop (L), upsert))
         return false;
      lua_pop (L, 1);
   }
   modm_write_end (ch->c.b, start);
   return true;
}

/* ---- array filters ---- */

/* What items have to be: the conditions at idx of their fields, as {"name.field": ...}. */
static bool
append_item_conditions (modm_change *ch, const modm_path *item, int idx)
{
   lua_State *L = ch->c.L;
   size_t n;
   const char *few[MODM_FILTER_FEW], **names = modm_filter_names (&ch->c, idx, few, &n);
   if (ch->c.misuse || n == 0 || lua_rawlen (L, idx) > 0)
      return modm_filter_misuse (&ch->c, "conditions of items are { name = value }");
   bool ok = true;
   for (size_t i = 0; ok && i < n; i++) {
      modm_path p = *item;
      lua_pushstring (L, names[i]);
      ch->c.misuse = !modm_path_resolve (L, lua_gettop (L), &p, &ch->c.err);
      if (ch->c.misuse)
         return false;
      lua_rawget (L, idx);
      ok = modm_filter_condition (&ch->c, &p, lua_gettop (L), 1) ||
           modm_error_at_key (&ch->c.err, names[i], strlen (names[i]));
      lua_pop (L, 1);
   }
   lua_pop (L, 1);
   return ok;
}

/* The filter of the items that $[name] stands for: conditions of their fields, or a value or
 * operator for the items themselves, at idx. */
static bool
append_array_filter (modm_change *ch, const char *name, int idx)
{
   lua_State *L = ch->c.L;
   lua_getfield (L, ch->named, name);
   if (lua_isnil (L, -1))
      return modm_filter_misuse (&ch->c, "no name of the change has $[%.40s]", name);
   const modm_field *f = lua_touserdata (L, -1);
   lua_pop (L, 1);
   modm_path p = {.field = f, .len = strlen (name)}; /* it was part of a path */
   memcpy (p.stored, name, p.len + 1);
   bool fields = lua_type (L, idx) == LUA_TTABLE && (!f || f->kind->role == MODM_EMBEDDED);
   size_t start = modm_write_begin (ch->c.b);
   if (fields && f)
      p = (modm_path){.schema = modm_field_target (L, f), .len = p.len};
   if (fields)
      memcpy (p.stored, name, p.len + 1);
   bool ok =
      fields ? append_item_conditions (ch, &p, idx) : modm_filter_condition (&ch->c, &p, idx, 1);
   modm_write_end (ch->c.b, start);
   return ok || modm_error_at_key (&ch->c.err, name, p.len);
}

/* {arrayFilters: [...]} of { name = conditions, ... } at idx. */
static bool
append_array_filters (modm_change *ch, int idx)
{
   lua_State *L = ch->c.L;
   size_t n;
   const char *few[MODM_FILTER_FEW], **names = modm_filter_names (&ch->c, idx, few, &n);
   if (ch->c.misuse || lua_rawlen (L, idx) > 0)
      return modm_filter_misuse (&ch->c, "array_filters are { name = conditions }");
   size_t start = modm_write_begin (ch->c.b);
   modm_write_key (ch->c.b, MODM_BSON_ARRAY, "arrayFilters", 12);
   size_t list = modm_write_begin (ch->c.b);
   for (uint32_t i = 0; i < n; i++) {
      lua_getfield (L, idx, names[i]);
      modm_write_index_key (ch->c.b, MODM_BSON_DOCUMENT, i);
      if (!append_array_filter (ch, names[i], lua_gettop (L)))
         return false;
      lua_pushnil (L);
      lua_setfield (L, ch->named, names[i]); /* it has its filter */
      lua_pop (L, 1);
   }
   modm_write_end (ch->c.b, list);
   modm_write_end (ch->c.b, start);
   return true;
}

/* ---- all of it ---- */

static bool
check_named (modm_change *ch)
{
   lua_State *L = ch->c.L;
   lua_pushnil (L);
   if (!lua_next (L, ch->named))
      return true;
   return modm_filter_misuse (&ch->c, "array_filters has no '%.40s', of which the change speaks",
                              lua_tostring (L, -2));
}

/* core.changes(schema, changes, upsert, array_filters or nil) -> update, {arrayFilters} or nil,
 * what Lua has to call or nil (as of core.validate, with the name of each) | nil, message, path,
 * misuse. Update and filters are bytes. */
int
modm_change_l_changes (lua_State *L)
{
   modm_change ch = {.schema = modm_schema_check (L, 1), .pending = 5, .named = 6};
   luaL_checktype (L, 2, LUA_TTABLE);
   bool filters = !lua_isnoneornil (L, 4);
   if (filters)
      luaL_checktype (L, 4, LUA_TTABLE);
   lua_settop (L, 5);
   lua_newtable (L);
   modm_buffer *update = modm_buffer_push (L), *items = modm_buffer_push (L);
   ch.c = (modm_filter){.L = L, .b = update};
   bool ok = append_update (&ch, 2, lua_toboolean (L, 3));
   ch.c.b = items;
   ok = ok && (!filters || append_array_filters (&ch, 4)) && check_named (&ch);
   if (update->failed || items->failed)
      return luaL_error (L, "not enough memory");
   if (!ok)
      return modm_filter_fail (L, &ch.c);
   lua_pushlstring (L, (const char *) update->data, update->len);
   if (filters)
      lua_pushlstring (L, (const char *) items->data, items->len);
   else
      lua_pushnil (L);
   lua_pushvalue (L, ch.pending);
   return 3;
}
